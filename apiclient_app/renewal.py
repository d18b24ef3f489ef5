"""How a token is found, obtained or replaced: one loop, told by a `Need` which token will do.

Without I/O: the generators yield steps. In a process, callers meet at the memory's one seat;
whoever sits looks at the store, and takes its lock before asking for a token. The others wait for
the record, not for the lock.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from .exceptions import (
    StoreUnavailable,
    TokenError,
    TokenRefused,
    TokenUnavailable,
    TransportError,
)
from .memory import Memory
from .need import UNDECIDED, Need, Undecided, despite, verdict
from .records import View, next_failure
from .secret import one_line, scrubbed
from .steps import Announce, Ask, Auth, Flow, Sleep, StoreCall, Wait
from .tokens import Token, new_token

POLL_FIRST, POLL_LIMIT = 0.01, 0.1
WAIT_LIMIT = 1.0
LEASE_MARGIN, PATIENCE_MARGIN = 2.0, 1.0

UNREADABLE = (ValueError, TypeError, LookupError, AttributeError, ArithmeticError)


@dataclass(frozen=True, slots=True, kw_only=True)
class Renewal:
    """The token of one client and subject.

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

    def seek(self, need: Need) -> Flow:
        """Give a token that meets `need`; None where a refusal is the API's answer.

        Raises TokenRefused or TokenUnavailable.
        """
        owner = new_owner()
        deadline = self.clock() + self.patience
        while True:
            version, now = self.memory.version, self.clock()
            if now < self.memory.snapshot.checked_until:
                outcome = self._judge(need, now)
                if outcome is not UNDECIDED:
                    return outcome
            if self.memory.sit(owner, now, self.lease + 1):
                try:
                    return (yield from self._lead(need, owner, deadline))
                finally:
                    self.memory.stand(owner)
            if need.met_by(self.memory.token, now):
                if not self.memory.asking or now < self.memory.snapshot.checked_until:
                    return self.memory.token
                yield from self.look()  # a long renewal must not hide a revocation from us
            elif now < deadline:
                # Not for long at once: whoever sits may have died, and its lease have ended.
                yield Wait(version, min(deadline - now, WAIT_LIMIT))
            else:
                yield from self.look()
                return self._last_chance(need)

    def _judge(self, need: Need, now: float) -> Token | Undecided | None:
        return verdict(need, self.memory, self.alias, now)

    def _last_chance(self, need: Need) -> Token | None:
        outcome = self._judge(need, self.clock())
        if isinstance(outcome, Undecided):
            raise TokenUnavailable(
                f"{self.alias}: another worker has been asking for a token for "
                f"{self.patience:.0f} s and has neither succeeded nor failed. Is TOKEN_TIMEOUT "
                "longer there?",
                alias=self.alias,
                retry_after=self.lease,
            )
        return outcome

    def _lead(self, need: Need, owner: int, deadline: float) -> Flow:
        """Find or obtain the token for this process, whose seat we hold."""
        pause = POLL_FIRST
        while True:
            view = yield from self.look()
            now = self.clock()
            outcome = self._judge(need, now)
            if outcome is not UNDECIDED:
                yield from self._restore(view, owner)
                return outcome
            if view is None:
                outcome = yield from self._renew(need, owner)  # the seat is lock enough
            elif not view.locked:
                outcome = yield from self._renew_locked(need, owner)
            if outcome is not UNDECIDED:
                return outcome
            if need.met_by(self.memory.token, now):
                return self.memory.token
            if self.clock() >= deadline:
                yield from self.look()
                return self._last_chance(need)
            yield Sleep(pause * (0.75 + 0.5 * self.jitter()))
            pause = min(pause * 1.5, POLL_LIMIT)
            self.memory.sit(owner, self.clock(), self.lease + 1)

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

    def _renew_locked(self, need: Need, owner: int) -> Flow:
        taken_at = self.clock()

        def work() -> Flow:
            # The record may have landed between our look and our lock.
            yield from self.look()
            outcome = self._judge(need, self.clock())
            if outcome is not UNDECIDED:
                return outcome
            if self.clock() > taken_at + self.lease - self.token_timeout:
                return UNDECIDED  # stopped for so long that the lock may end before the reply
            return (yield from self._renew(need, owner))

        return (yield from self.locked(owner, work))

    def _renew(self, need: Need, owner: int) -> Flow:
        """Ask for a token and publish it; UNDECIDED if the lock was lost meanwhile."""
        sent_at = self.clock()
        self.memory.sit(owner, sent_at, self.lease + 1)
        failed: Exception
        self.memory.asking = True
        try:
            reply = yield Ask(self.auth.token_request())
            grant = self.auth.read(reply)
        except (TokenError, TransportError, *UNREADABLE) as error:
            failed = error
        else:
            return (yield from self._publish(need, owner, grant, sent_at))
        finally:
            self.memory.asking = False
        failure, ours = yield from self._record(failed, owner)
        if not ours:
            return UNDECIDED
        try:
            if not need.ordered:
                return despite(need, self.memory, failure, self.alias, self.clock())
        except TokenError:
            pass
        raise failure.exception(self.alias, self.clock()) from scrubbed(failed)

    def _publish(self, need: Need, owner: int, grant: Any, sent_at: float) -> Flow:
        token = new_token(
            grant.headers,
            sent_at=sent_at,
            obtained_at=self.clock(),
            life=grant.life,
            after=self.memory.generation,
            jitter=self.jitter(),
            fingerprint=self.fingerprint(grant),
            scope=grant.scope,
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

    def _record(self, error: Exception, owner: int) -> Flow:
        """Record a failure; give it, and whether it still is anybody's business.

        A holder that was stopped past its lease fails late: others may have a token by now.
        """
        failure = next_failure(
            self.memory.failure,
            error=_code(error),
            description=one_line(self.redact(_description(error))),
            terminal=isinstance(error, TokenRefused),
            now=self.clock(),
            jitter=self.jitter(),
            retry_after=getattr(error, "retry_after", None),
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

    def _restore(self, view: View | None, owner: int) -> Flow:
        """Put back what the cache evicted, or missed while it was down."""
        token, now = self.memory.token, self.clock()
        if view is None or view.locked or token is None or now >= token.usable_until:
            return
        if not token.replaces(view.token):
            return

        def work() -> Flow:
            view = yield from self.look()
            if view is not None and self.memory.token is token and token.replaces(view.token):
                yield from self.attempt("publish", owner, token, None)

        yield from self.locked(owner, work)

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
