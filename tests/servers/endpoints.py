"""What the API answers at its paths, and how it and the token endpoint know who calls."""

import hashlib
from base64 import b64decode
from collections.abc import Callable
from urllib.parse import unquote_plus

from .http import Reply, Request


def echo(request: Request, _argument: str, query: dict[str, str]) -> Reply:
    return Reply.of(
        {
            "method": request.method,
            "path": request.path,
            "query": query,
            "headers": request.headers,
            "size": len(request.body),
            "sha256": hashlib.sha256(request.body).hexdigest(),
        }
    )


def status(request: Request, argument: str, _query: dict[str, str]) -> Reply:
    return Reply.of({"status": int(argument), "path": request.path}, int(argument))


def redirect(_request: Request, _argument: str, query: dict[str, str]) -> Reply:
    return Reply(int(query.get("status", 302)), headers={"Location": query["to"]})


def big(_request: Request, _argument: str, query: dict[str, str]) -> Reply:
    return Reply(style="big", megabytes=int(query["mb"]))


ENDPOINTS: dict[str, Callable[[Request, str, dict[str, str]], Reply]] = {
    "status": status,
    "redirect": redirect,
    "big": big,
}


def credential(request: Request) -> str:
    """The token or key with which the API was called."""
    return (
        request.headers.get("x-api-key") or request.headers.get("authorization", "").split(" ")[-1]
    )


def client(request: Request) -> tuple[str, str, str]:
    """Who asks for a token: id, secret, and how he said so."""
    scheme, _, value = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "basic":
        name, _, secret = b64decode(value).decode().partition(":")
        return unquote_plus(name), unquote_plus(secret), "client_secret_basic"
    told = request.fields() if request.body else {}
    return str(told.get("client_id", "")), str(told.get("client_secret", "")), "client_secret_post"
