"""The token record, its states and windows, and what people are told of it."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from .kept import epoch, parsed, text, whole
from .secret import Secret

STALE_SECONDS, STALE_SHARE = 300.0, 0.20
LEEWAY_SECONDS, LEEWAY_SHARE = 30.0, 0.05
JITTER_SHARE = 0.20


class TokenState(StrEnum):
    """What may be done with a token."""

    FRESH = "fresh"
    STALE = "stale"
    EXPIRED = "expired"
    ABSENT = "absent"
    STATIC = "static"


@dataclass(frozen=True, slots=True)
class Token:
    """One record of a token: what to put on requests, and until when. Times are epoch seconds.

    `generation` orders the records of one identity: milliseconds when it was made, but always
    above its predecessor's (a hybrid logical clock), so that two machines whose clocks differ
    still agree on which record is the newer one.
    """

    id: str
    generation: int
    headers: Mapping[str, Secret[str]] = field(repr=False)
    obtained_at: float
    renew_at: float
    usable_until: float
    expires_at: float
    fingerprint: str = ""
    scope: str = ""

    def state(self, now: float) -> TokenState:
        if now < self.renew_at:
            return TokenState.FRESH
        return TokenState.STALE if now < self.usable_until else TokenState.EXPIRED

    def replaces(self, other: Token | None) -> bool:
        return other is None or self.generation > other.generation

    def shifted(self, seconds: float) -> Token:
        """Give the record with its times by a clock that is `seconds` ahead."""
        return (
            replace(self, **{n: getattr(self, n) + seconds for n in _TIMES}) if seconds else self
        )

    def revealed(self) -> list[str]:
        """Give the secret texts in it, for redaction: each header, and what follows its scheme."""
        values = [secret.reveal() for secret in self.headers.values()]
        return values + [value.split(" ", 1)[1] for value in values if " " in value]

    def dump(self) -> str:
        """Give the record as JSON, secrets included: only for sealing."""
        plain = {f.name: getattr(self, f.name) for f in fields(self)}
        plain["headers"] = {name: secret.reveal() for name, secret in self.headers.items()}
        return json.dumps(plain, separators=(",", ":"))

    @classmethod
    def load(cls, kept: str) -> Token:
        """Read what `dump` wrote; ValueError for anything else."""
        try:
            plain = parsed(kept)
            headers = {text(name): Secret(text(value)) for name, value in plain["headers"].items()}
            times = {name: epoch(plain[name]) for name in _TIMES}
            return cls(
                id=text(plain["id"]),
                generation=whole(plain["generation"]),
                headers=headers,
                fingerprint=text(plain["fingerprint"]),
                scope=text(plain["scope"]),
                **times,
            )
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError("not a token record") from error


_TIMES = ("obtained_at", "renew_at", "usable_until", "expires_at")


def new_token(
    headers: Mapping[str, Secret[str]],
    *,
    sent_at: float,
    obtained_at: float,
    life: float,
    after: int = 0,
    jitter: float = 0.0,
    fingerprint: str = "",
    scope: str = "",
) -> Token:
    """Make the record for a token just obtained, with the windows of its life (seconds).

    Life counts from just before the request was sent. `after` is the highest generation known;
    `jitter` (0 to 1) narrows the stale window, so that a fleet's renewals do not move together.
    """
    expires_at = sent_at + life
    window = min(STALE_SECONDS, STALE_SHARE * life) * (1 - JITTER_SHARE * jitter)
    return Token(
        # Not uuid4 of a seeded generator: a fork copies PRNG state.
        id=secrets.token_hex(8),
        generation=max(int(obtained_at * 1000), after + 1),
        headers=headers,
        obtained_at=obtained_at,
        renew_at=expires_at - window,
        usable_until=expires_at - min(LEEWAY_SECONDS, LEEWAY_SHARE * life),
        expires_at=expires_at,
        fingerprint=fingerprint,
        scope=scope,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Inspection:
    """What is known of a client's token, for people; never the token itself."""

    alias: str
    subject: str = ""
    base_url: str = ""
    backend: str = ""
    state: TokenState = TokenState.ABSENT
    fingerprint: str = ""
    scope: str = ""
    obtained_at: datetime | None = None
    renew_at: datetime | None = None
    expires_at: datetime | None = None
    expires_in: float | None = None
    last_error: str = ""
    failed_at: datetime | None = None
    retry_at: datetime | None = None
    store_available: bool = True
    grant: str = ""
    grant_note: str = ""
    asking_since: datetime | None = None
    clock_offset: float = 0.0
    switched: bool = False
    circuit: str = ""
    circuit_opened_at: datetime | None = None
    circuit_until: datetime | None = None

    def as_dict(self) -> dict[str, Any]:
        """Give it as JSON types; times in ISO 8601."""
        plain = {f.name: getattr(self, f.name) for f in fields(self)}
        return {
            name: value.isoformat() if isinstance(value, datetime) else value
            for name, value in plain.items()
        }


def moment(seconds: float | None) -> datetime | None:
    """Give epoch seconds as an aware datetime in UTC."""
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)
