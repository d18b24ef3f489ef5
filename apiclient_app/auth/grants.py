"""The OAuth 2 grants."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from apiclient_app.secret import Secret

from .messages import TokenRequest
from .oauth import OAuth, RefreshingOAuth
from .problems import OptionError


@dataclass(frozen=True, kw_only=True, repr=False)
class ClientCredentials(OAuth):
    """The application's own token (RFC 6749 section 4.4); a refresh token with it is ignored."""

    def token_request(self) -> TokenRequest:
        return self.asked(grant_type="client_credentials")


@dataclass(frozen=True, kw_only=True, repr=False)
class RefreshToken(RefreshingOAuth):
    """A grant that somebody gave elsewhere, kept alive by refresh tokens (RFC 6749 section 6)."""

    refresh_token: Secret[str] | None = None
    grace: float = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 <= self.grace < float("inf"):
            raise OptionError("wrong", "grace", "Give seconds, zero or more.")
        successor: Any = self.successor
        if successor is not None and successor.client_id != self.client_id:
            remedy = "Leave client_id out: a refresh token is its client's alone (RFC 6749)."
            raise OptionError("wrong", "next", remedy)

    @property
    def first_refresh_token(self) -> Secret[str] | None:
        return self.refresh_token


@dataclass(frozen=True, kw_only=True, repr=False)
class Password(RefreshingOAuth):
    """A token for a user's name and password (RFC 6749 section 4.3), renewed by refresh token."""

    username: str
    password: Secret[str]

    def token_request(self) -> TokenRequest:
        password = self.password.reveal()
        return self.asked(grant_type="password", username=self.username, password=password)

    def identity(self) -> Any:
        return {
            **super().identity(),
            "username": self.username,
            "password": self.password.reveal(),
        }

    def grant_identity(self) -> Any:
        return [*super().grant_identity(), self.username]
