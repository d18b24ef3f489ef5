"""OAuth 2 grants."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import quote_plus

from apiclient_app.exceptions import TokenUnavailable
from apiclient_app.expiry import MISSING, at_path
from apiclient_app.secret import Secret
from apiclient_app.tokens import Token

from .base import AuthBackend, Grant, Reply, TokenRequest
from .replies import TERMINAL_ERRORS, Unit, granted, life


@dataclass(frozen=True, kw_only=True, repr=False)
class OAuth(AuthBackend):
    """What every OAuth grant has: a token endpoint, client authentication, reading its reply."""

    token_url: str
    client_id: str
    client_secret: Secret[str]
    client_auth: Literal["client_secret_basic", "client_secret_post"] = "client_secret_basic"
    scope: str = ""
    audience: str = ""
    extra: Mapping[str, str] = field(default_factory=dict)
    revocation_url: str = ""
    token_path: str = "access_token"
    expires_path: str = "expires_in"
    expires_unit: Unit = "seconds"
    default_life: float = Grant.DEFAULT_LIFE
    terminal_errors: tuple[str, ...] = TERMINAL_ERRORS

    def form(self) -> dict[str, str]:
        """Give the fields of the grant itself."""
        raise NotImplementedError

    def token_request(self) -> TokenRequest:
        asked = {"scope": self.scope, "audience": self.audience}
        fields = {**self.form(), **{n: v for n, v in asked.items() if v}, **self.extra}
        return self._authenticated(self.token_url, fields)

    def revocation_request(self, token: Token) -> TokenRequest | None:
        if not self.revocation_url:
            return None
        text = token.headers["Authorization"].reveal().partition(" ")[2]
        fields = {"token": text, "token_type_hint": "access_token"}
        return self._authenticated(self.revocation_url, fields)

    def _authenticated(self, url: str, fields: dict[str, str]) -> TokenRequest:
        """Add client authentication (RFC 6749 section 2.3.1)."""
        headers = {"Accept": "application/json"}
        if self.client_auth == "client_secret_post":
            secret = self.client_secret.reveal()
            fields = {**fields, "client_id": self.client_id, "client_secret": secret}
        else:
            headers["Authorization"] = f"Basic {self._pair()}"
        return TokenRequest("POST", url, form=fields, headers=headers)

    def _pair(self) -> str:
        # Form-encoded first, as the RFC has it: a ":" or "%" in a secret breaks Basic else.
        pair = f"{quote_plus(self.client_id)}:{quote_plus(self.client_secret.reveal())}"
        return b64encode(pair.encode()).decode()

    def read(self, reply: Reply) -> Grant:
        """Read a token reply (RFC 6749 section 5.1), tolerantly."""
        document = granted(reply, self.terminal_errors)
        kind = document.get("token_type")
        if kind is not None and str(kind).lower() != "bearer":
            raise TokenUnavailable(
                "the token endpoint gave a token_type that is not Bearer; "
                "write an auth backend of your own for it",
                error="unknown_token_type",
            )
        seconds = life(at_path(document, self.expires_path), self.expires_unit, reply.now)
        scope = document.get("scope", self.scope)
        return Grant(
            {"Authorization": f"Bearer {token_text(document, self.token_path)}"},
            seconds or self.default_life,
            " ".join(map(str, scope)) if isinstance(scope, list) else str(scope or ""),
        )

    def identity(self) -> Any:
        names = ("token_url", "client_id", "scope", "audience", "token_path")
        known: dict[str, Any] = {name: getattr(self, name) for name in names}
        return {**known, "secret": self.client_secret.reveal(), "extra": dict(self.extra)}

    def secrets(self) -> list[str]:
        return [*super().secrets(), self._pair()]


@dataclass(frozen=True, kw_only=True, repr=False)
class ClientCredentials(OAuth):
    """The application's own token (RFC 6749 section 4.4)."""

    def form(self) -> dict[str, str]:
        return {"grant_type": "client_credentials"}


def token_text(document: Any, path: str) -> str:
    """Give the token at a dotted path; TokenUnavailable if there is none."""
    text = at_path(document, path)
    if text is MISSING or not isinstance(text, str) or not text:
        found = "nothing" if text is MISSING else f"a {type(text).__name__}"
        raise TokenUnavailable(
            f"the token endpoint's reply has {found} at {path!r} where the token was due",
            error="no_token",
        )
    return text
