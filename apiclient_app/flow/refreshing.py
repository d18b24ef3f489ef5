"""A token by refresh token: its row is claimed, asked with, and kept, in an order that loses none.

Without I/O. `asking_since` is written before the request is sent; the successor before the access
token is published. So whatever happens to whoever asks, the row tells the next one what is known.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from operator import methodcaller
from typing import Any

from apiclient_app.exceptions import (
    CallError,
    InvalidRequest,
    RowsUnavailable,
    TokenRefused,
    TokenUnavailable,
    TransportError,
)
from apiclient_app.leases import new_owner
from apiclient_app.records import Stash
from apiclient_app.rows import Claim, Plan, Row, plan
from apiclient_app.secret import Secret
from apiclient_app.steps import Flow, RowCall, Sleep
from apiclient_app.tokens import Token

from .exchange import Answer, Exchange
from .need import UNDECIDED, WORKED_SECONDS, Need
from .refusals import stopped, unavailable

KEEP_PAUSES = (0.05, 0.2, 0.5)
STILL_GOOD = "a refresh got no answer; the access token is used to its end before another"


class WaitForEnd(TokenUnavailable):
    """The access token's end is waited for: only callers with a stale one are held back."""

    sent = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Refreshing(Exchange):
    """The grant of one client and subject, where there is one: what asks for its tokens."""

    def granted(self, need: Need, until: float) -> Flow:
        """Give a grant; UNDECIDED if another is asking. Raises TokenError or TransportError."""
        if not self.auth.refreshes:
            return given((yield from self.obtained(until)))
        row, fault = None, None
        try:
            row = self._with_stash((yield RowCall("read")))
        except RowsUnavailable as error:
            fault = unavailable(error)
        if row is not None:
            return (yield from self._by_plan(need, row, until))
        if self.auth.obtains:
            return given((yield from self.obtained(until)))
        raise fault or TokenUnavailable("no row")

    def _with_stash(self, row: Row) -> Row:
        """Put in the refresh token that could not be written when it came."""
        stash = self.memory.stash
        if (
            stash is None
            or row.seed
            or (stash.generation, stash.owner)
            != (
                row.generation,
                row.owner,
            )
        ):
            return row
        return replace(
            row,
            refresh_token=stash.refresh_token,
            asking_since=None,
            leased_until=0.0,  # the answer of that claim is here
            attention="",
            unreadable=False,
            unsaved=True,
        )

    def _by_plan(self, need: Need, row: Row, until: float) -> Flow:
        token, now = self.memory.token, self.clock()
        alive = token is not None and now < token.expires_at
        dead = not alive or (need.rejected is not None and not self._just_taken(need.rejected))
        chosen = plan(
            row,
            obtains=self.auth.obtains,
            grace=self.auth.grace,
            dead=dead,
            ordered=need.ordered,
        )
        if chosen is Plan.REFRESH:
            return (yield from self._claim(row, until))
        if chosen is Plan.OBTAIN:
            return (yield from self._anew(row, until))
        if chosen is Plan.BUSY:
            return UNDECIDED
        if chosen is Plan.LATER:
            end = token.expires_at - now if token else 0.0
            raise WaitForEnd(STILL_GOOD, error="in_doubt", retry_after=end)
        raise stopped(row)

    def _just_taken(self, token: Token) -> bool:
        """Whether an API took it a moment ago: then a 401 on another path is no sign of death."""
        accepted_at = self.memory.accepted_at(token)
        return accepted_at is not None and self.clock() - accepted_at < WORKED_SECONDS

    def _claim(self, row: Row, until: float) -> Flow:
        """Refresh under the row's claim; UNDECIDED if another has it."""
        # Each claim has an owner of its own: who read the row between two of one owner's claims
        # would find his fence standing.
        owner = new_owner()
        began, claimed, fault = self.clock(), None, None
        try:
            claimed = yield RowCall("claim", (row, owner, self.lease))
        except RowsUnavailable as error:
            fault = unavailable(error)
        if fault is not None:
            raise fault
        if claimed is None:
            return UNDECIDED
        end = min(until, began + self.lease - self.token_timeout)
        return (yield from self._refresh(Claim(row, claimed, owner, began, end)))

    def _refresh(self, claim: Claim) -> Flow:
        answer: Answer | CallError | None = None
        lost = True  # until we know better
        try:
            answer, lost = yield from self._asked_with(claim)
        finally:
            if answer is None:  # interrupted: nobody knows what became of the request
                yield from self._let_go(claim, claim.doubtful(self.auth.grace))
        # A no to the second request says nothing of the first, whose answer was lost.
        left = claim.doubtful(self.auth.grace) if lost else claim.unasked
        if isinstance(answer, CallError):
            yield from self._let_go(claim, left)
            raise answer
        if answer.grant is None:
            return (yield from self._refused(claim, answer, left))
        # A reply without a refresh token keeps the old one (RFC 6749 section 6).
        successor = answer.grant.refresh_token or claim.row.refresh_token
        kept = yield from self.keep(claim.row, successor)
        return answer.grant if kept else UNDECIDED

    def _asked_with(self, claim: Claim) -> Flow:
        """Give the answer, or the error in place of one; and whether an answer was lost.

        Within the provider's grace it is sent once more at once, so that no call fails for it.
        """
        token: Any = claim.row.refresh_token
        lost = None
        while True:
            try:
                build = methodcaller("refresh_request", token)
                return (yield from self.answer(build, claim.until, token)), lost is not None
            except (TransportError, InvalidRequest) as error:
                again = lost is None and error.sent
                lost = error if error.sent or lost is None else lost
            if not (again and claim.may_repeat(self.auth.grace, self.clock())):
                return lost, lost.sent

    def _refused(self, claim: Claim, answer: Answer, left: Row) -> Flow:
        row, error = claim.row, answer.error
        status = answer.reply.status if answer.reply is not None else 0
        rotated = self.auth.refresh_token_in(answer.reply) if 200 <= status < 300 else None
        if rotated is not None:  # only the access token cannot be used
            yield from self.keep(row, rotated)
        elif isinstance(error, TokenRefused) and self.auth.ends_grant(error.error):
            newest = yield from self.reread()
            if newest is not None and newest.generation != row.generation:
                return UNDECIDED  # another got its successor, and that one is good
            yield from self._let_go(claim, claim.refused(error.error))
            if self.auth.obtains:
                return UNDECIDED  # looked at anew, the row says to do without
            error = stopped(claim.refused(error.error))
            error.sent = True
        elif answer.may_have_granted:
            yield from self._let_go(claim, claim.doubtful(self.auth.grace))
        else:
            yield from self._let_go(claim, left)
        raise error or TokenUnavailable("nothing was granted")

    def _anew(self, row: Row, until: float) -> Flow:
        """Obtain with the client's own credentials, and keep the refresh token that comes."""
        grant = given((yield from self.obtained(until)))
        if grant.refresh_token is not None or row.generation:
            yield from self.keep(row, grant.refresh_token)
        return grant

    def keep(self, row: Row, token: Secret[str] | None) -> Flow:
        """Store a refresh token as the row's next; False if the row has got another meanwhile.

        Where the database does not take it, or we are interrupted, it is stashed: to be used and
        stored next time.
        """
        kept = None
        try:
            for pause in (*KEEP_PAUSES, None):
                kept = yield from self._attempt_row("keep", row, token)
                if kept is not None or pause is None:
                    break
                yield Sleep(pause)
        finally:
            # Without a row, there are credentials of the client's own to obtain another with.
            if kept is None and token is not None and row.generation:
                self.memory.stash = Stash(row.generation, row.owner, token)
                yield from self.attempt("stash", self.memory.stash)
        if kept is not None and self.memory.stash is not None:
            yield from self.unstash()
        return kept is not False

    def _attempt_row(self, method: str, *args: Any) -> Flow:
        """Call the rows; give None where the database does not do it."""
        with suppress(RowsUnavailable):
            return (yield RowCall(method, args))
        return None

    def unstash(self) -> Flow:
        """Forget the refresh token that was stashed."""
        self.memory.stash = None
        yield from self.attempt("unstash")

    def _let_go(self, claim: Claim, left: Row) -> Flow:
        """End the claim, and leave the row as `left` says."""
        # Where that fails, the claim's lease ends by itself, and leaves a doubt.
        yield from self._attempt_row("let_go", left, claim.owner)

    def reread(self) -> Flow:
        """Give the row as it is now; None where the database does not say."""
        return (yield from self._attempt_row("read"))


def given(answer: Answer) -> Any:
    """Give the grant; raise what came instead."""
    if answer.grant is None:
        raise answer.error or TokenUnavailable("nothing was granted")
    return answer.grant
