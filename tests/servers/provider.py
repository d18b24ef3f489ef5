"""A provider to test against: token, revocation and login endpoints, and the API behind them."""

import asyncio
import hashlib
import json
import math
import secrets
import time
from base64 import b64decode
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, fields
from typing import Any
from urllib.parse import unquote_plus

from .http import Reply, Request

REFUSAL = {"error": {"code": "token_expired", "message": "The access token expired"}}
KEPT = 2_000  # requests remembered in full


@dataclass(slots=True)
class Knobs:
    """What a test can turn while the provider runs."""

    expires_in: Any = 3600  # as told in the reply
    life: float | None = None  # as meant; by default what is told, or for ever
    token_fields: dict[str, Any] = field(default_factory=dict)  # laid over the token reply
    without: list[str] = field(default_factory=list)  # fields left out of it
    token_delay: float = 0.0
    revoke_older: bool = False  # a new token ends those before it
    credentials: dict[str, str] = field(default_factory=lambda: {"app": "s3cr3t"})
    accept: list[str] = field(default_factory=list)  # tokens and API keys not issued here
    open: bool = False  # the API asks for no token
    forbid_all: bool = False  # the API refuses every token
    refusal: dict[str, Any] = field(default_factory=lambda: asdict(Reply.of(REFUSAL, 401)))
    login_reply: Any = field(
        default_factory=lambda: {"access_token": "{token}", "expires_in": 3600}
    )


@dataclass(slots=True)
class Seen:
    """What the provider has seen since it was reset. Times are epoch seconds."""

    statuses: Counter[str] = field(default_factory=Counter)  # "401 /api/echo" -> how many
    token_requests: list[dict[str, Any]] = field(default_factory=list)
    most_at_once: int = 0  # token requests
    revocations: list[dict[str, Any]] = field(default_factory=list)
    requests: deque[dict[str, Any]] = field(default_factory=lambda: deque(maxlen=KEPT))

    def counts(self) -> dict[str, Any]:
        """Give it as JSON types, but for the requests, which are many."""
        return {f.name: getattr(self, f.name) for f in fields(self) if f.name != "requests"}


class Provider:
    """Answers requests by its knobs and scripts, and remembers them."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        self.knobs = Knobs()
        self.seen = Seen()
        self.scripts: dict[str, list[Reply]] = {}
        self.always: dict[str, Reply] = {}
        self.dies_at: dict[str, float] = {}  # by token
        self.asking = 0
        self.begun: set[int] = set()  # requests that are not answered yet

    async def answer(self, request: Request) -> Reply:
        path = request.path
        if path.startswith("/control/"):
            return self.control(path.removeprefix("/control/"), request.body)
        self.begun.add(id(request))
        self.remember(request)
        if path in ("/token", "/login"):
            return await self.token_endpoint(request)
        if (scripted := self.scripted(path)) is not None:
            return scripted
        if path == "/revoke":
            return self.revoke(request)
        return await self.api(request)

    def done(self, request: Request, reply: Reply) -> None:
        path = request.path
        if path.startswith("/control/"):
            return
        if id(request) not in self.begun:
            return  # begun before the last reset: it is not this test's to count
        self.begun.discard(id(request))
        if path in ("/token", "/login"):
            self.asking -= 1
        self.seen.statuses[f"{reply.status} {path}"] += 1

    def remember(self, request: Request) -> None:
        self.seen.requests.append(
            {
                "at": time.time(),
                "method": request.method,
                "path": request.path,
                "query": request.query,
                "headers": request.headers,
                "peer": request.peer,
            }
        )

    def scripted(self, path: str) -> Reply | None:
        script = self.scripts.get(path)
        reply = script.pop(0) if script else self.always.get(path)
        if reply is None or "{token}" not in reply.body:
            return reply
        body = reply.body.replace("{token}", self.issue())
        return Reply(**{**asdict(reply), "body": body})

    async def token_endpoint(self, request: Request) -> Reply:
        self.asking += 1
        self.seen.most_at_once = max(self.seen.most_at_once, self.asking)
        client_id, secret, how = client(request)
        asked = {
            "at": time.time(),
            "path": request.path,
            "peer": request.peer,
            "client_id": client_id,
            "client_auth": how,
            "fields": request.fields(),
            "headers": request.headers,
        }
        self.seen.token_requests.append(asked)
        await asyncio.sleep(self.knobs.token_delay)
        if (scripted := self.scripted(request.path)) is not None:
            return scripted
        if request.path == "/login":
            text = json.dumps(self.knobs.login_reply)
            return Reply.of(json.loads(text.replace("{token}", self.issue())))
        if self.knobs.credentials.get(client_id) != secret:
            return Reply.of({"error": "invalid_client", "error_description": "unknown"}, 401)
        asked["token"] = token = self.issue()
        return self.granted(token)

    def granted(self, token: str) -> Reply:
        told = {"access_token": token, "token_type": "Bearer", "expires_in": self.knobs.expires_in}
        told |= self.knobs.token_fields
        return Reply.of({n: v for n, v in told.items() if n not in self.knobs.without})

    def issue(self) -> str:
        if self.knobs.revoke_older:
            self.dies_at.clear()
        told, life = self.knobs.expires_in, self.knobs.life
        if life is None:
            life = told if isinstance(told, int | float) and told > 0 else math.inf
        token = secrets.token_urlsafe(24)
        self.dies_at[token] = time.time() + life
        return token

    def revoke(self, request: Request) -> Reply:
        client_id, secret, how = client(request)
        asked = {"at": time.time(), "client_id": client_id, "client_auth": how}
        self.seen.revocations.append(asked | {"fields": request.fields()})
        if self.knobs.credentials.get(client_id) != secret:
            return Reply.of({"error": "invalid_client"}, 401)
        self.dies_at.pop(request.fields().get("token", ""), None)
        return Reply()

    async def api(self, request: Request) -> Reply:
        token = credential(request)
        self.seen.requests[-1]["token"] = token
        if request.path == "/api/forbidden" or not self.welcome(token):
            return Reply(**self.knobs.refusal)
        _, _, rest = request.path.partition("/api/")
        name, _, argument = rest.partition("/")
        endpoint = ENDPOINTS.get(name, echo)
        query = request.query
        if name == "slow":
            await asyncio.sleep(float(query["ms"]) / 1000)
        return endpoint(request, argument, query)

    def welcome(self, token: str) -> bool:
        if self.knobs.open:
            return True
        if self.knobs.forbid_all:
            return False
        return token in self.knobs.accept or self.dies_at.get(token, 0.0) > time.time()

    def control(self, order: str, body: bytes) -> Reply:
        given = json.loads(body or b"{}")
        match order:
            case "set":
                for name, value in given.items():
                    setattr(self.knobs, name, value)
            case "script":
                self.scripts[given["path"]] = [Reply(**reply) for reply in given["replies"]]
            case "always":
                self.always[given["path"]] = Reply(**given["reply"])
            case "seen":
                return Reply.of(self.seen.counts())
            case "requests":
                return Reply.of(list(self.seen.requests))
            case _:
                {"reset": self.reset, "expire": self.dies_at.clear}[order]()
        return Reply.of({})


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
