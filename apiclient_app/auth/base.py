"""The base of all auth backends."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping
from copy import copy
from dataclasses import fields, is_dataclass
from typing import Any, ClassVar, Self
from urllib.parse import parse_qsl, urlsplit

from apiclient_app.exceptions import APIClientError
from apiclient_app.secret import SENSITIVE_NAME, Secret
from apiclient_app.tokens import Token

from .messages import Grant, Reply, TokenRequest

UNREADABLE = (ValueError, TypeError, LookupError, AttributeError, ArithmeticError)


class AuthBackend:
    """How a token is obtained and put on a request. Subclass it; see `apiclient_app.auth`.

    With `token_request` it obtains tokens; with `refresh_request` it renews them with a refresh
    token, which the app keeps in a durable row. With neither it is static: it only signs.
    """

    _now: ClassVar[float | None] = None

    grace: float = 0.0
    """Seconds for which the provider takes a refresh token again after it was used."""

    @property
    def renewable(self) -> bool:
        """Whether there is a token to obtain, to renew and to revoke."""
        return self.obtains or self.refreshes

    @property
    def obtains(self) -> bool:
        """Whether it has credentials that give a token at any time."""
        return type(self).token_request is not AuthBackend.token_request

    @property
    def refreshes(self) -> bool:
        """Whether refresh tokens are kept and used."""
        return type(self).refresh_request is not AuthBackend.refresh_request

    @property
    def timed(self) -> bool:
        """Whether its requests hold times: one refused for a wrong clock is then sent again."""
        return False

    def at(self, now: float) -> Self:
        """Give this backend as of `now`: epoch seconds by the provider's clock."""
        then = copy(self)
        object.__setattr__(then, "_now", now)
        return then

    @property
    def now(self) -> float:
        """The provider's time, as far as it is known: for what goes into a signed request."""
        return time.time() if self._now is None else self._now

    @classmethod
    def also_needed(cls, options: Mapping[str, Any]) -> Collection[str]:  # noqa: ARG003
        """Name the options without which `options` cannot be used, beside the required ones."""
        return ()

    def for_subject(self, subject: str) -> AuthBackend:
        """Give the backend for the token of one subject: by default, this one."""
        return self

    @property
    def successor(self) -> AuthBackend | None:
        """The same with the credentials to switch to (`next`); None if there are none."""
        return None

    def token_request(self) -> TokenRequest:
        """Build the request for a token, anew for every attempt."""
        raise NotImplementedError

    def refresh_request(self, refresh_token: Secret[str]) -> TokenRequest:
        """Build the request for a new token by refresh token (RFC 6749 section 6)."""
        raise NotImplementedError

    def read(self, reply: Reply) -> Grant:
        """Read the reply to either; TokenRefused or TokenUnavailable where it grants nothing.

        ValueError, KeyError and the like count as an unreadable reply.
        """
        raise NotImplementedError

    def refresh_token_in(self, reply: Reply) -> Secret[str] | None:
        """Give the refresh token in a reply, also where the rest of it cannot be used."""
        try:
            return self.read(reply).refresh_token
        except (APIClientError, *UNREADABLE):
            return None

    @property
    def first_refresh_token(self) -> Secret[str] | None:
        """A refresh token from the settings, to begin with."""
        return None

    def ends_grant(self, error: str) -> bool:
        """Whether this error code says that the refresh token is of no more use."""
        return error == "invalid_grant"

    def revocation_request(self, token: Token) -> TokenRequest | None:
        """Build the request that revokes `token` (RFC 7009); None where there is none."""
        return None

    def refresh_revocation_request(self, refresh_token: Secret[str]) -> TokenRequest | None:
        """Build the request that revokes a refresh token (RFC 7009); None where there is none."""
        return None

    def identity(self) -> Any:
        """Give what determines the token, secrets included, in plain types: by default, all
        options."""
        return {name: plain(value) for name, value in self._options().items()}

    def grant_identity(self) -> Any:
        """Give what a refresh token belongs to, in plain types: not what authenticates the
        client, for a grant outlives it."""
        return self.identity()

    def sign(self, request: Any, token: Token | None) -> None:
        """Put the token on `request`, a `requests.PreparedRequest` of our own to change.

        Called for every send, replays and redirects included: a proof of one request, such as
        DPoP's (RFC 9449), can be made here of its method, URL and token.
        """
        if token is not None:
            for name, secret in token.headers.items():
                request.headers[name] = secret.reveal()

    def secrets(self) -> list[str]:
        """Give the secret texts among the options, for redaction: every Secret, what is named
        like one in a mapping such as `headers` or `extra`, and the queries of URLs."""
        return [text for option in self._options().items() for text in _texts(*option)]

    def _options(self) -> dict[str, Any]:
        backend: Any = self
        if is_dataclass(backend):
            return {option.name: getattr(self, option.name) for option in fields(backend)}
        return {name: value for name, value in vars(self).items() if name != "_now"}

    def __repr__(self) -> str:
        return f"<{type(self).__module__}.{type(self).__qualname__}>"


def plain(value: Any) -> Any:
    """Give an option value in JSON types, secrets revealed."""
    if isinstance(value, Secret):
        return plain(value.reveal())
    if isinstance(value, Mapping):
        return {str(name): plain(item) for name, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        items = [plain(item) for item in value]
        return sorted(items, key=str) if isinstance(value, set | frozenset) else items
    if value is None or isinstance(value, str | int | float | bool):
        return value
    return f"{type(value).__module__}.{type(value).__qualname__}"


def _texts(option: str, value: Any) -> list[str]:
    if isinstance(value, Secret):
        return _leaves(plain(value.reveal()))
    if isinstance(value, Mapping):
        named = {n: v for n, v in value.items() if SENSITIVE_NAME.search(str(n))}
        return _leaves(plain(named))
    if isinstance(value, str) and (option == "url" or option.endswith("_url")):
        return [text for _, text in parse_qsl(urlsplit(value).query) if text]
    return []


def _leaves(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [text for item in value.values() for text in _leaves(item)]
    if isinstance(value, list):
        return [text for item in value for text in _leaves(item)]
    return [str(value)] if isinstance(value, str) and value else []
