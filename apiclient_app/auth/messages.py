"""What goes to a token endpoint, what comes back, and what it grants."""

from __future__ import annotations

import json as json_module
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from apiclient_app.dates import instant
from apiclient_app.exceptions import TokenUnavailable
from apiclient_app.secret import SENSITIVE_NAME, Secret, one_line

from .headers import named

HEADER_LIMIT = 65_536
ABSURD_SECONDS = 10 * 365.25 * 86_400
CLOCK_NOISE = 2.0
CENTURY = 100 * 365.25 * 86_400
SCHEME = re.compile(r"(?i)(bearer|basic|token|digest|hmac[\w-]*) ")
PUBLIC = ("_type", "_type_hint", "_url", "_uri")


@dataclass(frozen=True, slots=True)
class TokenRequest:
    """A request to a token endpoint; `url` is absolute or relative to BASE_URL (RFC 3986).

    `form` and `json` are alternatives. Never follows a redirect.
    """

    method: str
    url: str = field(repr=False)
    form: Mapping[str, str] | None = field(default=None, repr=False)
    json: Any = field(default=None, repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def content(self) -> tuple[bytes, str]:
        """The body and its Content-Type."""
        if self.form is not None:
            return urlencode(self.form).encode(), "application/x-www-form-urlencoded"
        if self.json is not None:
            return json_module.dumps(self.json).encode(), "application/json"
        return b"", ""

    def secrets(self) -> list[str]:
        """Give the secret texts in it, for redaction of what is said in answer to it."""
        named = {**self.headers, **(self.form or {})}
        if isinstance(self.json, Mapping):
            named |= self.json
        return [text for name, value in named.items() for text in _spoken(str(name), value)]


def _spoken(name: str, value: Any) -> list[str]:
    """Give the secrets in a value of that name: whole, behind a scheme, and a JWT's signature."""
    if isinstance(value, Mapping):
        return [text for inner, item in value.items() for text in _spoken(str(inner), item)]
    if not SENSITIVE_NAME.search(name) or name.endswith(PUBLIC) or not isinstance(value, str):
        return []
    parts = [value]
    if SCHEME.match(value):
        parts.append(value.partition(" ")[2])
    return parts + ([value.rpartition(".")[2]] if value.count(".") == 2 else [])


@dataclass(frozen=True, slots=True)
class Reply:
    """What a token endpoint answered: at most 1 MiB of it, decoded. Header names in lower case.

    `sent_at` and `received_at` are epoch seconds of this machine's clock.
    """

    status: int
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes = field(default=b"", repr=False)
    received_at: float = 0.0
    sent_at: float | None = None

    @property
    def offset(self) -> float:
        """How far the provider's clock is ahead of ours, in seconds, by its Date header.

        0 where it has none, below what a round trip and whole seconds could explain, and where
        neither clock can be that wrong: one that has stood still shows 1970.
        """
        theirs = instant(self.headers.get("date", ""))
        if theirs is None or self.sent_at is None:
            return 0.0
        round_trip = max(0.0, self.received_at - self.sent_at)
        # Date has whole seconds: on average, half a second more have passed.
        offset = theirs + 0.5 - (self.sent_at + round_trip / 2)
        return offset if CLOCK_NOISE + round_trip <= abs(offset) < CENTURY else 0.0

    @property
    def now(self) -> float:
        """When it was received, by the provider's clock."""
        return self.received_at + self.offset

    def json(self) -> dict[str, Any]:
        """Give the object in the body; TokenUnavailable for anything else."""
        try:
            # A name in Latin-1 beside them must not cost the tokens, which are ASCII.
            encoding = json_module.detect_encoding(self.body)
            document = json_module.loads(self.body.decode(encoding, "replace"))
        except (ValueError, RecursionError):
            kind = one_line(self.headers.get("content-type", "").partition(";")[0], 60)
            raise self._unreadable(f"{len(self.body)} bytes of {kind or 'no type'}") from None
        if not isinstance(document, dict):
            names = {list: "a list", type(None): "null", str: "a string", bool: "a boolean"}
            raise self._unreadable(names.get(type(document), "a number"))
        return document

    def _unreadable(self, what: str) -> TokenUnavailable:
        return TokenUnavailable(
            f"the token endpoint answered {self.status} with {what} where a JSON object was due",
            error="unreadable",
        )


@dataclass(frozen=True, slots=True)
class Grant:
    """What a token reply gave: headers for every request, and their life in seconds.

    A life of None stands for unknown, and so does one that is spent or absurd: the token is used
    until the API refuses it, and replaced after `DEFAULT_LIFE` at the latest. `refresh_token` is
    the one to renew it with, if the reply brought one. ValueError for headers that cannot be sent.
    """

    DEFAULT_LIFE = 3600.0

    headers: Mapping[str, Any] = field(repr=False)
    life: float | None = None
    scope: str = ""
    refresh_token: Secret[str] | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        given: Any = self.refresh_token
        text = given.reveal() if isinstance(given, Secret) else given
        kept = Secret(text) if isinstance(text, str) and text.strip() else None
        object.__setattr__(self, "refresh_token", kept)
        headers = {n: v if isinstance(v, Secret) else Secret(v) for n, v in self.headers.items()}
        for name, secret in headers.items():
            check_header(name, secret.reveal())
        life = self.life
        object.__setattr__(self, "headers", headers)
        known = life is not None and 0 < life < ABSURD_SECONDS
        object.__setattr__(self, "life", life if known else self.DEFAULT_LIFE)


def check_header(name: str, value: object) -> None:
    """ValueError for a header that cannot be sent; the text does not show it."""
    if not named(name):
        raise ValueError(f"{one_line(name, 40)!r} is not the name of a header")
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"the value for header {name} is empty or not a text")
    if not value.isprintable() or not value.isascii():
        raise ValueError(f"the value for header {name} has characters that no header may have")
    if len(value) > HEADER_LIMIT:
        raise ValueError(f"the value for header {name} is {len(value)} characters long")
