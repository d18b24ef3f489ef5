"""A server that repeats what it was told: as error text, as a token, as a redirect."""

import json
from base64 import b64decode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qsl, unquote_plus, urlsplit

from .canaries import HEADER_TAIL, Canaries

TOKEN_PATHS = ("/token", "/login", "/refresh")


class Parrot(ThreadingHTTPServer):
    """`speech` names how it answers: where tokens are had, or elsewhere if it begins with "api".

    It repeats one thing at a time, because texts are shortened; the next request gets the next.
    """

    daemon_threads = True

    def __init__(self, canaries: Canaries) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.canaries = canaries
        self.speech = "api 404"
        self.repeated = 0

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def grant(self) -> dict[str, Any]:
        tokens = {
            name: self.canaries.hatch(name.replace("_", " "), tail=HEADER_TAIL)
            for name in ("access_token", "refresh_token")
        }
        return {**tokens, "expires_in": 3600}

    def secret_among(self, told: list[str]) -> str:
        """Give the next of those told texts that hold a secret."""
        sweet = [text for text in told if self.canaries.heard_in(text)]
        if not sweet:
            return ""
        self.repeated += 1
        return sweet[self.repeated % len(sweet)]


class Answer(BaseHTTPRequestHandler):
    server: Parrot
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # head and body in one piece

    def handle_one_request(self) -> None:
        self.raw_requestline = self.rfile.readline()
        if not self.raw_requestline or not self.parse_request():
            self.close_connection = True
            return
        self.answer(b"".join(self.body()).decode())
        self.wfile.flush()

    def body(self) -> Iterator[bytes]:
        if "chunked" not in self.headers.get("Transfer-Encoding", ""):
            yield self.rfile.read(int(self.headers.get("Content-Length", 0)))
            return
        while size := int(self.rfile.readline(), 16):
            yield self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()

    def answer(self, body: str) -> None:
        # To a proxy, which this may be too, the path is a whole URL.
        asks_for_token = urlsplit(self.path).path in TOKEN_PATHS
        speech = self.server.speech
        if asks_for_token == speech.startswith("api"):
            self.say(200, json.dumps(self.server.grant() if asks_for_token else {}))
            return
        said = self.server.secret_among(list(dict.fromkeys(self.told(body))))
        self.say(*SPEECHES[speech](said, self.server.grant()))

    def told(self, body: str) -> Iterator[str]:
        scheme, _, value = self.headers.get("Authorization", "").partition(" ")
        if scheme == "Basic":
            yield b64decode(value).decode()
        if scheme.startswith("HMAC"):
            yield self.new_to_us("signature", value.partition('signature="')[2].rstrip('"'))
        yield from self.headers.values()
        kind = self.headers.get("Content-Type", "")
        forms = [self.path, *([body] if "form" in kind else [])]
        yield from (body, *forms, *map(unquote_plus, forms))
        for name, text in parse_qsl(body) if "form" in kind else ():
            if name in ASSERTIONS:
                # Known by its signature: what is before it is in many of them, and no secret.
                yield self.new_to_us("assertion", text.rpartition(".")[2])
            yield text
        yield from leaves(json.loads(body) if "json" in kind else None)

    def new_to_us(self, name: str, text: str) -> str:
        """Remember a secret that the client made."""
        self.server.canaries.know(name, text)
        return text

    def say(self, status: int, body: str, headers: dict[str, str] | None = None) -> None:
        sent = body.encode()
        if status == NO_STATUS:
            self.wfile.write(sent + b"\r\n\r\n")
            self.close_connection = True
            return
        self.send_response(status)
        for name, value in {"Content-Length": str(len(sent)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(sent)

    def log_message(self, *_: Any) -> None:
        pass


ASSERTIONS = {"assertion", "client_assertion"}


def leaves(document: Any) -> Iterator[str]:
    """Give the texts in a JSON document."""
    if isinstance(document, str):
        yield document
    elif isinstance(document, list | dict):
        for item in document.values() if isinstance(document, dict) else document:
            yield from leaves(item)


Spoken = tuple[int, str, dict[str, str]]
NO_STATUS = 0
CUT = "x" * (200 - 11) + " "  # so that the secret stands where texts are shortened


def plainly(status: int) -> Callable[[str, dict[str, Any]], Spoken]:
    return lambda said, _grant: (status, said, {"Content-Type": "text/html"})


def in_json(status: int, **fields: str) -> Callable[[str, dict[str, Any]], Spoken]:
    """Lay fields over a grant, in which "@" stands for what was said."""

    def speech(said: str, grant: dict[str, Any]) -> Spoken:
        spoken = {name: value.replace("@", said) for name, value in fields.items()}
        return status, json.dumps({**grant, **spoken} if status == 200 else spoken), {}

    return speech


def in_headers(status: int, **fields: str) -> Callable[[str, dict[str, Any]], Spoken]:
    def speech(said: str, _grant: dict[str, Any]) -> Spoken:
        word = "".join(c for c in said if c.isascii() and c.isprintable())
        headers = {
            name.replace("_", "-"): value.replace("@", word) for name, value in fields.items()
        }
        return status, said, headers

    return speech


def not_in_chunks(said: str, _grant: dict[str, Any]) -> Spoken:
    return 200, f"{said}\r\n", {"Transfer-Encoding": "chunked"}


SPEECHES: dict[str, Callable[[str, dict[str, Any]], Spoken]] = {
    "api 401": plainly(401),
    "api 404": plainly(404),
    "api 500": plainly(500),
    "api 500, cut": lambda said, _grant: (500, CUT + said, {}),
    "api 429": in_headers(429, Retry_After="@"),
    "api redirect": in_headers(307, Location="/elsewhere?token=@"),
    "api redirect, unreadable": in_headers(302, Location="http://[@/"),
    "api redirect, closed": in_headers(302, Location="http://127.0.0.1:9/?@"),
    "api not gzip": in_headers(200, Content_Encoding="gzip", Content_Type="@"),
    "api not HTTP": plainly(NO_STATUS),
    "api not chunks": not_in_chunks,
    "description": in_json(401, error="invalid_client", error_description="@"),
    "description, cut": in_json(401, error="invalid_client", error_description=CUT + "@"),
    "end of a grant": in_json(400, error="invalid_grant", error_description="@"),
    "code": in_json(400, error="@"),
    "code, cut": in_json(400, error=CUT[-50:] + "@"),
    "token": in_json(200, access_token="@\n"),
    "token type": in_json(200, token_type="@"),
    "scope": in_json(200, scope="@", expires_in="@"),
    "no JSON": plainly(200),
    "404": plainly(404),
    "500": plainly(500),
    "429": in_headers(429, Retry_After="@"),
    "redirect": in_headers(307, Location="/elsewhere?token=@"),
    "not gzip": in_headers(200, Content_Encoding="gzip", Content_Type="@"),
    "not HTTP": plainly(NO_STATUS),
    "not chunks": not_in_chunks,
}


@contextmanager
def perched(canaries: Canaries) -> Iterator[Parrot]:
    with Parrot(canaries) as parrot:
        thread = Thread(target=parrot.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield parrot
        finally:
            parrot.shutdown()
            thread.join()
