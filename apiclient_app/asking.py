"""One token request: asked, and published to all or recorded as failed. Without I/O."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from .exceptions import (
    StoreUnavailable,
    TokenError,
    TokenRefused,
    TransportError,
)
from .memory import Memory
from .need import UNDECIDED, Need, despite
from .records import View, next_failure
from .secret import one_line, scrubbed
from .steps import Announce, Ask, Auth, Flow, StoreCall
from .tokens import Token, new_token

LEASE_MARGIN, PATIENCE_MARGIN = 2.0, 1.0

UNREADABLE = (ValueError, TypeError, LookupError, AttributeError, ArithmeticError)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """What went wrong with a token request, without a secret in it."""

    error: str
    description: str
    terminal: bool
    retry_after: float | None
    cause: BaseException


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """What asks for the token of one client and subject, at its process's seat.

    `clock` gives epoch seconds, `jitter` 0 to 1, `redact` takes secrets out of a text and
    `fingerprint` gives a mark by which people tell one grant from another.
    """

    alias: str
    auth: Auth
    memory: Memory
    token_timeout: float
    clock: Callable[[], float]
    jitter: Callable[[], float]
    redact: Callable[[str], str]
    fingerprint: Callable[[Any], str]
    subject: str = ""
    lease: float = field(init=False)
    patience: float = field(init=False)

    def __post_init__(self) -> None:
        lease = self.token_timeout + LEASE_MARGIN
        object.__setattr__(self, "lease", lease)
        object.__setattr__(self, "patience", lease + self.token_timeout + PATIENCE_MARGIN)

    def look(self) -> Flow:
        """Bring the memory up to date; give the view, or None where the store is down."""
        asked_at = self.clock()
        try:
            view: View = yield StoreCall("look")
        except StoreUnavailable:
            self.memory.trust(self.clock())
            return None
        self.memory.absorb(view, asked_at)
        return view

    def attempt(self, method: str, *args: Any) -> Flow:
        """Call the store; give None where it is down."""
        try:
            return (yield StoreCall(method, args))
        except StoreUnavailable:
            return None

    def locked(self, owner: int, work: Callable[[], Flow]) -> Flow:
        """Do `work` under the store's lock; UNDECIDED if another has it.

        Where the store is down there is no lock to be had, and the work is done without.
        """
        held = True  # until we know better: interrupted in the middle, we may have it
        try:
            held = (yield from self.attempt("acquire", owner, self.lease)) is not False
            return (yield from work()) if held else UNDECIDED
        finally:
            if held:
                yield from self.attempt("release", owner)

    def ask(self, need: Need, owner: int) -> Flow:
        """Ask for a token and publish it; UNDECIDED if the lock was lost meanwhile."""
        sent_at = self.clock()
        self.memory.sit(owner, sent_at, self.lease + 1)
        self.memory.asking = True
        try:
            reply = yield Ask(self.auth.token_request())
            grant = self.auth.read(reply)
        except (TokenError, TransportError, *UNREADABLE) as error:
            trouble = self._understood(error)
        else:
            return (yield from self._publish(need, owner, grant, sent_at))
        finally:
            self.memory.asking = False
        failure, ours = yield from self._record(trouble, owner)
        if not ours:
            return UNDECIDED
        try:
            if not need.ordered:
                return despite(need, self.memory, failure, self.alias, self.clock())
        except TokenError:
            pass
        raise failure.exception(self.alias, self.clock()) from trouble.cause

    def _publish(self, need: Need, owner: int, grant: Any, sent_at: float) -> Flow:
        token = new_token(
            grant.headers,
            sent_at=sent_at,
            obtained_at=self.clock(),
            life=grant.life,
            after=self.memory.generation,
            jitter=self.jitter(),
            fingerprint=self.fingerprint(grant),
            scope=one_line(self.redact(grant.scope), 1000),
        )
        published = yield from self.attempt("publish", owner, token, self._owed(need))
        if published is not False:
            self.memory.advance(token, self.clock())
        yield self.announce("token_obtained", token_id=token.id)
        return UNDECIDED if published is False else token

    def _owed(self, need: Need) -> Token | None:
        """Give the token that the provider is to revoke once this rotation has spread."""
        old = need.rejected if need.ordered else None
        return old if old is not None and self.auth.revocation_request(old) is not None else None

    def _understood(self, error: Exception) -> Trouble:
        """Take from an error what may be shown: its frames' locals hold the reply, and a token."""
        return Trouble(
            error=one_line(self.redact(_code(error)), 60),
            description=one_line(self.redact(_description(error))),
            terminal=isinstance(error, TokenRefused),
            retry_after=getattr(error, "retry_after", None),
            cause=scrubbed(error, self.redact),
        )

    def _record(self, trouble: Trouble, owner: int) -> Flow:
        """Record a failure; give it, and whether it still is anybody's business.

        A holder that was stopped past its lease fails late: others may have a token by now.
        """
        failure = next_failure(
            self.memory.failure,
            error=trouble.error,
            description=trouble.description,
            terminal=trouble.terminal,
            now=self.clock(),
            jitter=self.jitter(),
            retry_after=trouble.retry_after,
        )
        ours = (yield from self.attempt("fail", owner, failure)) is not False
        if ours:
            self.memory.fail(failure)
        yield self.announce(
            "token_request_failed",
            error=failure.error,
            retry_after=failure.until - failure.at,
        )
        return failure, ours

    def announce(self, signal: str, **fields: Any) -> Announce:
        return Announce(signal, {"alias": self.alias, "subject": self.subject, **fields})


def new_owner() -> int:
    """Give an owner for lock or seat: an int, which every cache backend stores as it is."""
    return secrets.randbits(62) + 1


def _code(error: Exception) -> str:
    if isinstance(error, TokenError):
        return error.error or "unavailable"
    return "unreachable" if isinstance(error, TransportError) else "unreadable"


def _description(error: Exception) -> str:
    if isinstance(error, TokenRefused):
        return error.description
    if isinstance(error, TokenError | TransportError):
        return str(error)
    return f"the auth backend failed ({type(error).__name__}: {error})"
