"""Credentials that are the same on every request: nothing to obtain, nothing to renew."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit, urlunsplit

from apiclient_app.secret import Secret
from apiclient_app.tokens import Token

from .base import AuthBackend
from .headers import BROKEN
from .messages import check_header


@dataclass(frozen=True, kw_only=True, repr=False)
class StaticToken(AuthBackend):
    """A token that was handed out once."""

    token: Secret[str]
    header: str = "Authorization"
    prefix: str = "Bearer"

    def __post_init__(self) -> None:
        check_header(self.header, self.token.reveal())
        check_header(self.header, self._value())

    def _value(self) -> str:
        return f"{self.prefix} {self.token.reveal()}".strip()

    def sign(self, request: Any, token: Token | None) -> None:
        request.headers[self.header] = self._value()


@dataclass(frozen=True, kw_only=True, repr=False)
class ApiKey(AuthBackend):
    """A key in a header, or in the query where `query` names its field."""

    key: Secret[str]
    header: str = "X-API-Key"
    query: str = ""

    def __post_init__(self) -> None:
        check_header(self.header, self.key.reveal())

    def sign(self, request: Any, token: Token | None) -> None:
        if not self.query:
            request.headers[self.header] = self.key.reveal()
            return
        parts = urlsplit(request.url)
        kept = [p for p in parts.query.split("&") if p and p.partition("=")[0] != self.query]
        query = "&".join([*kept, urlencode({self.query: self.key.reveal()})])
        request.url = urlunsplit(parts._replace(query=query))


@dataclass(frozen=True, kw_only=True, repr=False)
class Basic(AuthBackend):
    """HTTP Basic (RFC 7617), in UTF-8."""

    username: str
    password: Secret[str]

    def __post_init__(self) -> None:
        if ":" in self.username:
            raise ValueError("a username with a colon cannot be sent with Basic (RFC 7617)")
        if BROKEN.search(self.username + self.password.reveal()):
            raise ValueError("control characters cannot be sent with Basic (RFC 7617)")

    def _pair(self) -> str:
        return b64encode(f"{self.username}:{self.password.reveal()}".encode()).decode()

    def sign(self, request: Any, token: Token | None) -> None:
        request.headers["Authorization"] = f"Basic {self._pair()}"

    def secrets(self) -> list[str]:
        return [*super().secrets(), self._pair()]


@dataclass(frozen=True, kw_only=True, repr=False)
class NoAuth(AuthBackend):
    """Nothing is put on the request."""

    def sign(self, request: Any, token: Token | None) -> None:
        return None
