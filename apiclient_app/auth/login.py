"""Logging in at an endpoint of the API's own making."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from apiclient_app.expiry import at_path
from apiclient_app.secret import Secret

from .base import AuthBackend, Grant, Reply, TokenRequest
from .oauth import token_text
from .replies import TERMINAL_ERRORS, Unit, granted, life


@dataclass(frozen=True, kw_only=True, repr=False)
class Login(AuthBackend):
    """A token for credentials posted as JSON or as a form."""

    login_url: str
    credentials: Secret[Mapping[str, Any]]
    body: Literal["json", "form"] = "json"
    headers: Mapping[str, str] = field(default_factory=dict)
    token_path: str = "access_token"
    expires_path: str = "expires_in"
    expires_unit: Unit = "seconds"
    default_life: float = Grant.DEFAULT_LIFE
    header: str = "Authorization"
    prefix: str = "Bearer"
    terminal_errors: tuple[str, ...] = TERMINAL_ERRORS

    def token_request(self) -> TokenRequest:
        credentials = self.credentials.reveal()
        headers = {"Accept": "application/json", **self.headers}
        if self.body == "form":
            form = {name: str(value) for name, value in credentials.items()}
            return TokenRequest("POST", self.login_url, form=form, headers=headers)
        return TokenRequest("POST", self.login_url, json=dict(credentials), headers=headers)

    def read(self, reply: Reply) -> Grant:
        document = granted(reply, self.terminal_errors)
        seconds = life(at_path(document, self.expires_path), self.expires_unit, reply.now)
        value = f"{self.prefix} {token_text(document, self.token_path)}".strip()
        return Grant({self.header: value}, seconds or self.default_life)
