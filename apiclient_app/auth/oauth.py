"""What OAuth 2 grants share: asking for a token, reading the reply, revoking."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from apiclient_app.exceptions import TokenUnavailable
from apiclient_app.secret import Secret
from apiclient_app.tokens import Token

from .authentication import AuthenticatedClient
from .base import plain
from .messages import Grant, Reply, TokenRequest
from .replies import OF_THE_CLIENT, refresh_token_at, token_text


@dataclass(frozen=True, kw_only=True, repr=False)
class OAuth(AuthenticatedClient):
    """The base of the grants."""

    asked_for: ClassVar[tuple[str, ...]] = ("scope", "audience")

    scope: str = ""
    audience: str = ""
    extra: Mapping[str, str] = field(default_factory=dict)
    revocation_url: str = ""

    def asked(self, **grant: str) -> TokenRequest:
        """Give the request for a token by the fields of a grant."""
        options = {name: str(getattr(self, name)) for name in self.asked_for}
        configured = {name: value for name, value in options.items() if value}
        return self.authenticated(self.token_url, {**grant, **configured, **self.extra})

    def read(self, reply: Reply) -> Grant:
        """Read a token reply (RFC 6749 section 5.1), tolerantly."""
        document = self.granted(reply)
        kind = document.get("token_type")
        if kind is not None and str(kind).lower() != "bearer":
            raise TokenUnavailable(
                "the token endpoint gave a token_type that is not Bearer; "
                "write an auth backend of your own for it",
                error="unknown_token_type",
            )
        token = token_text(document, self.token_path)
        scope = document.get("scope", self.scope)
        refresh_token = refresh_token_at(document, self.refresh_token_path)
        return Grant(
            {"Authorization": f"Bearer {token}"},
            self.life(document, token, reply.now),
            " ".join(map(str, scope)) if isinstance(scope, list) else str(scope or ""),
            refresh_token if self.refreshes else None,
        )

    def revocation_request(self, token: Token) -> TokenRequest | None:
        text = token.headers["Authorization"].reveal().partition(" ")[2]
        return self._revocation("access_token", text)

    def _revocation(self, kind: str, token: str) -> TokenRequest | None:
        if not self.revocation_url:
            return None
        return self.authenticated(self.revocation_url, {"token": token, "token_type_hint": kind})

    def identity(self) -> Any:
        names = ("token_url", "client_id", "client_secret", "private_key", "scope", "audience")
        return {name: plain(getattr(self, name)) for name in (*names, "extra", "token_path")}


@dataclass(frozen=True, kw_only=True, repr=False)
class RefreshingOAuth(OAuth):
    """The base of the grants that keep refresh tokens (RFC 6749 section 6)."""

    def refresh_request(self, refresh_token: Secret[str]) -> TokenRequest:
        return self.asked(grant_type="refresh_token", refresh_token=refresh_token.reveal())

    def refresh_revocation_request(self, refresh_token: Secret[str]) -> TokenRequest | None:
        return self._revocation("refresh_token", refresh_token.reveal())

    def ends_grant(self, error: str) -> bool:
        return error in self.terminal_errors and error not in OF_THE_CLIENT

    def grant_identity(self) -> Any:
        return [self.token_url, self.client_id]
