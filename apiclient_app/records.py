"""What the store holds beside the token: failures, fruitless renewals, and a look at it all."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

from .exceptions import TokenError, TokenRefused, TokenUnavailable
from .tokens import Token

TRANSIENT_COOLDOWN, TRANSIENT_LIMIT = 1.0, 30.0
TERMINAL_COOLDOWN, TERMINAL_LIMIT = 10.0, 60.0
RETRY_AFTER_LIMIT = 3600.0
FRUITLESS_FIRST, FRUITLESS_LIMIT = 2.0, 60.0


@dataclass(frozen=True, slots=True)
class Failure:
    """A failed token request: nobody asks again before `until` (epoch seconds)."""

    error: str
    description: str
    terminal: bool
    at: float
    until: float
    count: int

    def exception(self, alias: str, now: float) -> TokenError:
        wait = max(0.0, self.until - now)
        said = f"{self.error}: {self.description}" if self.description else self.error
        if self.terminal:
            text = (
                f"{alias}: the token endpoint refused: {said}. Check API_CLIENTS[{alias!r}]"
                f"['AUTH']['OPTIONS']; next try in {wait:.0f} s, or at once with "
                f"`manage.py apiclient rotate {alias}`."
            )
            return TokenRefused(self.error, self.description, message=text, alias=alias)
        text = f"{alias}: no token to be had: {said}. Next try in {wait:.0f} s."
        return TokenUnavailable(text, retry_after=wait, alias=alias)

    def dump(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def load(cls, text: str) -> Failure:
        try:
            return cls(**json.loads(text))
        except TypeError as error:
            raise ValueError("not a failure record") from error


def next_failure(
    previous: Failure | None,
    *,
    error: str,
    description: str,
    terminal: bool,
    now: float,
    jitter: float,
    retry_after: float | None = None,
) -> Failure:
    """Record one more failure: its cooldown doubles each time, with jitter (0 to 1)."""
    count = 1 if previous is None else previous.count + 1
    first, limit = (
        (TERMINAL_COOLDOWN, TERMINAL_LIMIT) if terminal else (TRANSIENT_COOLDOWN, TRANSIENT_LIMIT)
    )
    cooldown = min(limit, first * 2 ** min(count - 1, 10)) * (0.8 + 0.4 * jitter)
    if retry_after is not None:
        cooldown = max(cooldown, min(retry_after, RETRY_AFTER_LIMIT))
    return Failure(error, description, terminal, now, now + cooldown, count)


@dataclass(frozen=True, slots=True)
class Fruitless:
    """Renewals that did not help: a token just obtained was refused too.

    Until `until` (epoch seconds) a refusal is taken for the API's answer, not for expiry.
    """

    generation: int
    count: int
    until: float

    def dump(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def load(cls, text: str) -> Fruitless:
        try:
            return cls(**json.loads(text))
        except TypeError as error:
            raise ValueError("not a fruitless record") from error


def next_fruitless(previous: Fruitless | None, token: Token, now: float) -> Fruitless | None:
    """Count a renewal whose token was refused; None if that token is counted already."""
    if previous is not None and previous.generation >= token.generation:
        return None
    count = 1 if previous is None else previous.count + 1
    pause = min(FRUITLESS_LIMIT, FRUITLESS_FIRST * 2 ** min(count - 1, 10))
    return Fruitless(token.generation, count, now + pause)


@dataclass(frozen=True, slots=True)
class Due:
    """A replaced token, to be revoked at the provider from `at` (epoch seconds) on."""

    token: Token
    at: float


@dataclass(frozen=True, slots=True)
class View:
    """What the store held at one moment."""

    token: Token | None = None
    failure: Failure | None = None
    fruitless: Fruitless | None = None
    tombstone: int = 0
    due: tuple[Due, ...] = ()
    locked: bool = False
