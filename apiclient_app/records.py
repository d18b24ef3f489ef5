"""What the store holds beside the token: failures, fruitless renewals, and a look at it all."""

from __future__ import annotations

import json
import shlex
from dataclasses import asdict, dataclass, replace

from .exceptions import TokenError, TokenRefused, TokenUnavailable
from .kept import epoch, flag, parsed, text, whole
from .secret import Secret
from .tokens import Token

TRANSIENT_COOLDOWN, TRANSIENT_LIMIT = 1.0, 30.0
TERMINAL_COOLDOWN, TERMINAL_LIMIT = 10.0, 60.0
RETRY_AFTER_LIMIT = 3600.0
FRUITLESS_FIRST, FRUITLESS_LIMIT = 2.0, 60.0
FUTURE_SECONDS = 5.0  # beyond what clocks of one fleet differ

NEEDS_ATTENTION, NO_REFRESH_TOKEN = "needs_attention", "no_refresh_token"
GRANT_REMEDIES = {
    NEEDS_ATTENTION: "Authorise anew, and store the new refresh token with",
    NO_REFRESH_TOKEN: "Authorise, and store the refresh token with",
}


@dataclass(frozen=True, slots=True)
class Failure:
    """A failed token request: nobody asks again before `until` (epoch seconds).

    One `for_stale` alone does not hold back who has no usable token.
    """

    error: str
    description: str
    terminal: bool
    at: float
    until: float
    count: int
    for_stale: bool = False

    def holds(self, now: float, *, stale: bool) -> bool:
        """Whether it keeps a caller from asking, who has a stale token to go on with or none.

        One from the future was recorded by a machine whose clock is wrong.
        """
        if now >= self.until or self.at > now + FUTURE_SECONDS:
            return False
        return stale or not self.for_stale

    def exception(self, alias: str, subject: str, now: float) -> TokenError:
        wait = max(0.0, self.until - now)
        said = f"{self.error}: {self.description}" if self.description else self.error
        whom = f"{alias} ({subject})" if subject else alias
        if self.error in GRANT_REMEDIES:
            order = _order("store-refresh-token", alias, subject)
            text = f"{whom}: {self.description}. {GRANT_REMEDIES[self.error]} `{order}`."
            return TokenRefused(self.error, self.description, message=text, alias=alias)
        if self.terminal:
            text = (
                f"{whom}: the token endpoint refused: {said}. Check API_CLIENTS[{alias!r}]"
                f"['AUTH']['OPTIONS']; next try in {wait:.0f} s, or at once with "
                f"`{_order('rotate', alias, subject)}`."
            )
            return TokenRefused(self.error, self.description, message=text, alias=alias)
        text = f"{whom}: no token to be had: {said}. Next try in {wait:.0f} s."
        return TokenUnavailable(text, retry_after=wait, error=self.error, alias=alias)

    def shifted(self, seconds: float) -> Failure:
        return replace(self, at=self.at + seconds, until=self.until + seconds)

    def dump(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def load(cls, kept: str) -> Failure:
        """Read what `dump` wrote; ValueError for anything else."""
        try:
            plain = parsed(kept)
            return cls(
                error=text(plain["error"]),
                description=text(plain["description"]),
                terminal=flag(plain["terminal"]),
                at=epoch(plain["at"]),
                until=epoch(plain["until"]),
                count=whole(plain["count"]),
                for_stale=flag(plain["for_stale"]),
            )
        except (KeyError, TypeError) as error:
            raise ValueError("not a failure record") from error


def _order(subcommand: str, alias: str, subject: str) -> str:
    """Spell a command as it can be pasted, whatever a subject is called."""
    words = ["manage.py", "apiclient", subcommand, alias]
    return shlex.join([*words, *(["--subject", subject] if subject else ())])


def next_failure(
    previous: Failure | None,
    *,
    error: str,
    description: str,
    terminal: bool,
    now: float,
    jitter: float,
    retry_after: float | None = None,
    for_stale: bool = False,
) -> Failure:
    """Record one more failure: its cooldown doubles each time, with jitter (0 to 1)."""
    count = 1 if previous is None else previous.count + 1
    first, limit = (
        (TERMINAL_COOLDOWN, TERMINAL_LIMIT) if terminal else (TRANSIENT_COOLDOWN, TRANSIENT_LIMIT)
    )
    cooldown = min(limit, first * 2 ** min(count - 1, 10)) * (0.8 + 0.4 * jitter)
    if retry_after is not None:
        cooldown = max(cooldown, min(retry_after, RETRY_AFTER_LIMIT))
    return Failure(error, description, terminal, now, now + cooldown, count, for_stale)


@dataclass(frozen=True, slots=True)
class Fruitless:
    """Renewals that did not help: a token just obtained was refused too.

    Until `until` (epoch seconds) a refusal is taken for the API's answer, not for expiry.
    """

    generation: int
    count: int
    until: float

    def shifted(self, seconds: float) -> Fruitless:
        return replace(self, until=self.until + seconds)

    def dump(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def load(cls, kept: str) -> Fruitless:
        """Read what `dump` wrote; ValueError for anything else."""
        try:
            plain = parsed(kept)
            generation, count = whole(plain["generation"]), whole(plain["count"])
            return cls(generation, count, epoch(plain["until"]))
        except (KeyError, TypeError) as error:
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

    def shifted(self, seconds: float) -> Due:
        return Due(self.token.shifted(seconds), self.at + seconds)


@dataclass(frozen=True, slots=True)
class Stash:
    """A refresh token that the database did not take: the successor of what a row held.

    The row is named by its generation and the owner of its last claim.
    """

    generation: int
    owner: int
    refresh_token: Secret[str]

    def dump(self) -> str:
        return json.dumps([self.generation, self.owner, self.refresh_token.reveal()])

    @classmethod
    def load(cls, kept: str) -> Stash:
        """Read what `dump` wrote; ValueError for anything else."""
        try:
            generation, owner, refresh_token = parsed(kept)
            return cls(whole(generation), whole(owner), Secret(text(refresh_token)))
        except TypeError as error:
            raise ValueError("not a stash") from error


@dataclass(frozen=True, slots=True)
class View:
    """What the store held at one moment."""

    token: Token | None = None
    failure: Failure | None = None
    fruitless: Fruitless | None = None
    tombstone: int = 0
    due: tuple[Due, ...] = ()
    stash: Stash | None = None
    switched: str = ""
    locked: bool = False

    def shifted(self, seconds: float) -> View:
        """Give it with its times by a clock that is `seconds` ahead."""
        if not seconds:
            return self
        return replace(
            self,
            token=self.token and self.token.shifted(seconds),
            failure=self.failure and self.failure.shifted(seconds),
            fruitless=self.fruitless and self.fruitless.shifted(seconds),
            due=tuple(due.shifted(seconds) for due in self.due),
        )
