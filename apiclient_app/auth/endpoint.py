"""What backends share that ask a token endpoint and read the JSON it answers with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from apiclient_app.exceptions import APIClientError
from apiclient_app.expiry import at_path
from apiclient_app.secret import Secret

from .base import AuthBackend
from .messages import Grant, Reply
from .replies import TERMINAL_ERRORS, Unit, granted, jwt_life, life, refresh_token_at


@dataclass(frozen=True, kw_only=True, repr=False)
class TokenEndpoint(AuthBackend):
    """Reads token replies tolerantly; where things stand in them is said by options."""

    token_path: str = "access_token"
    refresh_token_path: str = "refresh_token"
    expires_path: str = "expires_in"
    expires_unit: Unit = "seconds"
    default_life: float = Grant.DEFAULT_LIFE
    terminal_errors: tuple[str, ...] = TERMINAL_ERRORS

    def granted(self, reply: Reply) -> dict[str, Any]:
        """Give the object that grants something; TokenRefused or TokenUnavailable otherwise."""
        return granted(reply, self.terminal_errors)

    def life(self, document: Any, token: str, now: float) -> float:
        """Give the token's life: as the reply says, else as the token does, if it is a JWT."""
        said = life(at_path(document, self.expires_path), self.expires_unit, now)
        return said or jwt_life(token, now) or self.default_life

    def refresh_token_in(self, reply: Reply) -> Secret[str] | None:
        if not self.refreshes:
            return None
        try:
            return refresh_token_at(self.granted(reply), self.refresh_token_path)
        except APIClientError:
            return None
