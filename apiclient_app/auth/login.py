"""Logging in at an endpoint of the API's own making."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from apiclient_app.secret import Secret

from .base import plain
from .endpoint import TokenEndpoint
from .messages import Grant, Reply, TokenRequest, check_header
from .problems import OptionError
from .replies import refresh_token_at, token_text

PLACE = "{refresh_token}"
REFRESHING = ("refresh_credentials", "refresh_headers")
REFUSALS = frozenset({"http_400", "http_401"})  # what an API says that has no error codes

Template = Secret[Mapping[str, Any]] | Mapping[str, Any]


@dataclass(frozen=True, kw_only=True, repr=False)
class Login(TokenEndpoint):
    """A token for credentials posted as JSON or as a form; renewed at `refresh_url`, if any.

    In `refresh_credentials` and `refresh_headers`, `{refresh_token}` stands for the token.
    """

    login_url: str
    credentials: Secret[Mapping[str, Any]]
    body: Literal["json", "form"] = "json"
    headers: Mapping[str, str] = field(default_factory=dict)
    header: str = "Authorization"
    prefix: str = "Bearer"
    refresh_url: str = ""
    refresh_credentials: Template = field(default_factory=lambda: {"refresh_token": PLACE})
    refresh_headers: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def also_needed(cls, options: Mapping[str, Any]) -> Collection[str]:
        useless = not options.get("refresh_url") and not options.keys().isdisjoint(REFRESHING)
        return ("refresh_url",) if useless else ()

    def __post_init__(self) -> None:
        if self.refreshes and PLACE not in f"{self._template()}{self.refresh_headers}":
            remedy = f"Write {PLACE} there or in refresh_headers, where the token belongs."
            raise OptionError("wrong", "refresh_credentials", remedy)

    @property
    def refreshes(self) -> bool:
        return bool(self.refresh_url)

    def token_request(self) -> TokenRequest:
        return self._posted(self.login_url, self.credentials.reveal())

    def refresh_request(self, refresh_token: Secret[str]) -> TokenRequest:
        headers = _filled(self.refresh_headers, refresh_token)
        for name, value in headers.items():
            check_header(name, value)
        return self._posted(self.refresh_url, _filled(self._template(), refresh_token), headers)

    def _template(self) -> Any:
        given = self.refresh_credentials
        return given.reveal() if isinstance(given, Secret) else given

    def _posted(
        self, url: str, credentials: Mapping[str, Any], more: Mapping[str, str] | None = None
    ) -> TokenRequest:
        headers = {"Accept": "application/json", **self.headers, **(more or {})}
        if self.body == "form":
            form = {name: str(value) for name, value in credentials.items()}
            return TokenRequest("POST", url, form=form, headers=headers)
        return TokenRequest("POST", url, json=dict(credentials), headers=headers)

    def read(self, reply: Reply) -> Grant:
        document = self.granted(reply)
        token = token_text(document, self.token_path)
        refresh_token = refresh_token_at(document, self.refresh_token_path)
        return Grant(
            {self.header: f"{self.prefix} {token}".strip()},
            self.life(document, token, reply.now),
            refresh_token=refresh_token if self.refreshes else None,
        )

    def ends_grant(self, error: str) -> bool:
        return error in self.terminal_errors or error in REFUSALS

    def grant_identity(self) -> Any:
        # With the credentials: which of them say who it is, only the API knows.
        return [self.login_url, plain(self.credentials)]

    def secrets(self) -> list[str]:
        return [part for text in super().secrets() for part in text.split(PLACE) if part]


def _filled(template: Any, refresh_token: Secret[str]) -> Any:
    """Give a template with the token in its place, however deep."""
    if isinstance(template, str):
        return template.replace(PLACE, refresh_token.reveal())
    if isinstance(template, Mapping):
        return {name: _filled(value, refresh_token) for name, value in template.items()}
    if isinstance(template, list | tuple):
        return [_filled(value, refresh_token) for value in template]
    return template
