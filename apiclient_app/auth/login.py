"""Logging in at an endpoint of the API's own making."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from apiclient_app.secret import Secret

from .endpoint import TokenEndpoint
from .messages import Grant, Reply, TokenRequest
from .replies import token_text


@dataclass(frozen=True, kw_only=True, repr=False)
class Login(TokenEndpoint):
    """A token for credentials posted as JSON or as a form."""

    login_url: str
    credentials: Secret[Mapping[str, Any]]
    body: Literal["json", "form"] = "json"
    headers: Mapping[str, str] = field(default_factory=dict)
    header: str = "Authorization"
    prefix: str = "Bearer"

    def token_request(self) -> TokenRequest:
        credentials = self.credentials.reveal()
        headers = {"Accept": "application/json", **self.headers}
        if self.body == "form":
            form = {name: str(value) for name, value in credentials.items()}
            return TokenRequest("POST", self.login_url, form=form, headers=headers)
        return TokenRequest("POST", self.login_url, json=dict(credentials), headers=headers)

    def read(self, reply: Reply) -> Grant:
        document = self.granted(reply)
        token = token_text(document, self.token_path)
        value = f"{self.prefix} {token}".strip()
        return Grant({self.header: value}, self.life(document, token, reply.now))
