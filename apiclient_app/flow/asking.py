"""What comes of a token request: published to all, or recorded as failed. Without I/O."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from apiclient_app.auth.base import UNREADABLE
from apiclient_app.exceptions import StoreUnavailable, TokenError, TokenRefused, TransportError
from apiclient_app.records import View, next_failure
from apiclient_app.secret import one_line, scrubbed
from apiclient_app.steps import Flow, StoreCall
from apiclient_app.tokens import Token, new_token

from .need import UNDECIDED, Need, despite
from .refreshing import Refreshing, WaitForEnd


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """What went wrong with a token request, without a secret in it."""

    error: str
    description: str
    terminal: bool
    retry_after: float | None
    for_stale: bool
    asked: bool
    cause: BaseException


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking(Refreshing):
    """What asks for the token of one client and subject, for all who want it."""

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

    def locked(self, owner: int, work: Callable[[int], Flow]) -> Flow:
        """Do `work` under the store's lock; UNDECIDED if another has it.

        It is given the owner to fence its writes with: 0 where the store is down. There is no
        lock to be had then, and the work is done without.
        """
        held = True  # until we know better: interrupted in the middle, we may have it
        try:
            acquired = yield from self.attempt("acquire", owner, self.lease)
            held = acquired is not False
            return (yield from work(owner if acquired else 0)) if held else UNDECIDED
        finally:
            if held:
                yield from self.attempt("release", owner)

    def ask(self, need: Need, owner: int, fence: int, until: float) -> Flow:
        """Ask for a token, not after `until`, and publish it.

        UNDECIDED if another is asking, or the lock was lost meanwhile. Without a lock (`fence` is
        0) what comes of it is this process's own, until a look at the store restores it there.
        """
        sent_at = self.clock()
        self.memory.sit(owner, sent_at, self.lease + 1)
        self.memory.asking = True
        try:
            grant = yield from self.granted(need, until)
        except (TokenError, TransportError, *UNREADABLE) as error:
            trouble = self.understood(error)
        else:
            if grant is UNDECIDED:
                return UNDECIDED
            return (yield from self._publish(need, fence, grant, sent_at))
        finally:
            self.memory.asking = False
        failure, ours = yield from self._record(trouble, fence)
        if not ours:
            return UNDECIDED
        if trouble.for_stale and need.rejected is not None:
            return None  # the token worked a moment ago: the refusal is the API's answer
        try:
            if not need.ordered:
                return despite(need, self.memory, failure, self.whose, self.clock())
        except TokenError:
            pass
        raise failure.exception(*self.whose, self.clock()) from trouble.cause

    def _publish(self, need: Need, fence: int, grant: Any, sent_at: float) -> Flow:
        token = self.minted(grant, sent_at)
        published = None
        if fence:
            published = yield from self.attempt("publish", fence, token, self._owed(need))
        if published is not False:
            self.memory.advance(token, self.clock())
        yield self.announce("token_obtained", token_id=token.id)
        return UNDECIDED if published is False else token

    def minted(self, grant: Any, sent_at: float) -> Token:
        """Make the record for a grant, above all that are known."""
        return new_token(
            grant.headers,
            sent_at=sent_at,
            obtained_at=self.clock(),
            life=grant.life,
            after=self.memory.generation,
            jitter=self.jitter(),
            fingerprint=self.fingerprint(grant),
            scope=one_line(self.redact(grant.scope, ()), 1000),
        )

    def _owed(self, need: Need) -> Token | None:
        """Give the token that the provider is to revoke once this rotation has spread.

        Not one that a refresh token gave: with it, a provider may revoke the whole grant
        (RFC 7009 section 2.1), and some do. It runs out by itself.
        """
        old = need.rejected if need.ordered and not self.auth.refreshes else None
        return old if old is not None and self.auth.revocation_request(old) is not None else None

    def understood(self, error: Exception) -> Trouble:
        """Take from an error what may be shown: its frames' locals hold the reply, and a token."""
        return Trouble(
            error=one_line(self.redact(_code(error), ()), 60),
            description=one_line(self.redact(_description(error), ())),
            terminal=isinstance(error, TokenRefused),
            retry_after=getattr(error, "retry_after", None),
            for_stale=isinstance(error, WaitForEnd),
            asked=not (isinstance(error, TokenError) and not error.sent),
            cause=scrubbed(error, lambda text: self.redact(text, ())),
        )

    def _record(self, trouble: Trouble, fence: int) -> Flow:
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
            for_stale=trouble.for_stale,
        )
        ours = not fence or (yield from self.attempt("fail", fence, failure)) is not False
        if ours:
            self.memory.fail(failure)
        if trouble.asked:
            pause = failure.until - failure.at
            yield self.announce("token_request_failed", error=failure.error, retry_after=pause)
        return failure, ours


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
