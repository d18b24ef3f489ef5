"""How a client tells a token endpoint who it is."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Collection, Mapping
from copy import copy
from dataclasses import dataclass
from typing import Any, Literal, Self
from urllib.parse import quote_plus, urlsplit

from apiclient_app.secret import Secret

from .assertions import Algorithm, assertion, check_private_key, check_shared_key, private_key
from .endpoint import TokenEndpoint
from .messages import TokenRequest
from .problems import OptionError

ClientAuth = Literal[
    "client_secret_basic",
    "client_secret_post",
    "client_secret_jwt",
    "private_key_jwt",
    "tls_client_auth",
    "none",
]
NEEDED: Mapping[Any, tuple[str, ...]] = {
    "client_secret_basic": ("client_id", "client_secret"),
    "client_secret_post": ("client_id", "client_secret"),
    "client_secret_jwt": ("client_id", "client_secret"),
    "private_key_jwt": ("client_id", "private_key"),
    "tls_client_auth": ("client_id",),
}
ASSERTED = ("client_secret_jwt", "private_key_jwt")
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
NOTHING = Secret("")
REPLACEABLE = ("client_id", "client_secret", "private_key", "key_id")


@dataclass(frozen=True, kw_only=True, repr=False)
class AuthenticatedClient(TokenEndpoint):
    """Client authentication: RFC 6749 section 2.3, RFC 7523 section 2.2, RFC 8705 section 2."""

    token_url: str
    client_id: str
    client_secret: Secret[str] | None = None
    client_auth: ClientAuth = "client_secret_basic"
    private_key: Secret[str] | None = None
    key_id: str = ""
    algorithm: Algorithm | None = None
    assertion_audience: str = ""
    next: Secret[Mapping[str, str]] | None = None

    @classmethod
    def also_needed(cls, options: Mapping[str, Any]) -> Collection[str]:
        how = options.get("client_auth", cls.client_auth)
        needed = NEEDED.get(how, ()) if isinstance(how, str) else ()
        defaults = {name: getattr(cls, name) for name in needed if hasattr(cls, name)}
        return [name for name, value in defaults.items() if options.get(name, value) == value]

    def __post_init__(self) -> None:
        self.check()
        if self.successor is None:
            return
        remedy = f"Give a dict with some of {', '.join(REPLACEABLE)}, none of them empty."
        if self._replaceable():
            try:
                self.successor.check()
                return
            except OptionError as error:
                remedy = error.problem.remedy
        raise OptionError("wrong", "next", remedy)

    def _replaceable(self) -> bool:
        given = self.next.reveal() if self.next is not None else {}
        return set(REPLACEABLE).issuperset(given) and all(given.values())

    def check(self) -> None:
        """OptionError for options with which no request could be made."""
        for name in self.also_needed(self._options()):
            raise OptionError("missing", name, f"Add {name!r}.")
        if self.client_auth == "private_key_jwt":
            check_private_key(self.private_key or NOTHING, self.signs_with)
        elif self.client_auth == "client_secret_jwt":
            check_shared_key(self.client_secret or NOTHING, self.signs_with)
        if self.client_auth in ASSERTED:
            self.audience_in("assertion_audience")

    @property
    def timed(self) -> bool:
        return self.client_auth in ASSERTED

    @property
    def successor(self) -> Self | None:
        if self.next is None:
            return None
        secret = ("client_secret", "private_key")
        given = {n: Secret(v) if n in secret else v for n, v in self.next.reveal().items()}
        return self.altered(**given, next=None)

    def altered(self, **options: Any) -> Self:
        """Give a copy with other options, unchecked: to check a key takes 50 ms."""
        other = copy(self)
        for name, value in options.items():
            object.__setattr__(other, name, value)
        return other

    @property
    def signs_with(self) -> str:
        """The algorithm of assertions."""
        return self.algorithm or ("HS256" if self.client_auth == "client_secret_jwt" else "RS256")

    def audience_in(self, option: str) -> str:
        """Give the audience that an option names: by default the token endpoint."""
        audience = str(getattr(self, option))
        if not audience and not urlsplit(self.token_url).netloc:
            remedy = f"Give an absolute URL, or add {option!r}: assertions name whom they are for."
            raise OptionError("wrong", "token_url", remedy)
        return audience or self.token_url

    def authenticated(self, url: str, form: Mapping[str, str]) -> TokenRequest:
        """Give a request for `url` that says who the client is."""
        headers = {"Accept": "application/json"}
        if self.client_auth == "client_secret_basic":
            headers["Authorization"] = f"Basic {self._pair()}"
            return TokenRequest("POST", url, form=form, headers=headers)
        told = {"client_id": self.client_id} if self.client_id else {}
        if self.client_auth == "client_secret_post":
            told["client_secret"] = (self.client_secret or NOTHING).reveal()
        elif self.client_auth in ASSERTED:
            told["client_assertion_type"] = ASSERTION_TYPE
            told["client_assertion"] = self._client_assertion()
        return TokenRequest("POST", url, form={**form, **told}, headers=headers)

    def _client_assertion(self) -> str:
        audience = self.audience_in("assertion_audience")
        claims = {"iss": self.client_id, "sub": self.client_id, "aud": audience}
        if self.client_auth == "private_key_jwt":
            return self.signed(claims)
        shared = (self.client_secret or NOTHING).reveal()
        return assertion(claims, self.now, shared, self.signs_with, self.key_id)

    def signed(self, claims: Mapping[str, Any]) -> str:
        """Give an assertion signed with the private key, made anew."""
        key = private_key(self.private_key or NOTHING)
        return assertion(claims, self.now, key, self.signs_with, self.key_id)

    def _pair(self) -> str:
        # Form-encoded first, as the RFC has it: a ":" or "%" in a secret breaks Basic else.
        secret = (self.client_secret or NOTHING).reveal()
        pair = f"{quote_plus(self.client_id)}:{quote_plus(secret)}"
        return b64encode(pair.encode()).decode()

    def secrets(self) -> list[str]:
        if self.successor is None:
            return [*super().secrets(), *([self._pair()] if self.client_secret else [])]
        return [*self.altered(next=None).secrets(), *self.successor.secrets()]
