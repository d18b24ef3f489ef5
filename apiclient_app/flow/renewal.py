"""How a token is found, obtained or replaced: one loop, told by a `Need` which token will do.

Without I/O: the generators yield steps. In a process, callers meet at the memory's one seat;
whoever sits looks at the store, and takes its lock before asking for a token. The others wait for
the record, not for the lock.
"""

from __future__ import annotations

from dataclasses import dataclass

from apiclient_app.exceptions import TokenUnavailable
from apiclient_app.leases import LEASE_MARGIN, new_owner
from apiclient_app.records import View
from apiclient_app.steps import Flow, Sleep, Wait
from apiclient_app.tokens import Token

from .asking import Asking
from .need import UNDECIDED, Need, Undecided, verdict

POLL_FIRST, POLL_LIMIT = 0.01, 0.1
WAIT_LIMIT = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Renewal(Asking):
    """The token of one client and subject."""

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
        return verdict(need, self.memory, self.whose, now)

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
                yield from self.restore(view, owner)
                return outcome
            if view is None:
                # The seat is lock enough.
                outcome = yield from self.ask(need, owner, 0, now + LEASE_MARGIN)
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

    def _renew_locked(self, need: Need, owner: int) -> Flow:
        taken_at = self.clock()

        def work(fence: int) -> Flow:
            # The record may have landed between our look and our lock.
            yield from self.look()
            outcome = self._judge(need, self.clock())
            if outcome is not UNDECIDED:
                return outcome
            until = taken_at + self.lease - self.token_timeout
            if self.clock() > until:
                return UNDECIDED  # stopped for so long that the lock may end before the reply
            return (yield from self.ask(need, owner, fence, until))

        return (yield from self.locked(owner, work))

    def restore(self, view: View | None, owner: int) -> Flow:
        """Put back what `view` shows the cache to have evicted, or missed while it was down."""
        token, now = self.memory.token, self.clock()
        if view is None or view.locked or token is None or now >= token.usable_until:
            return
        if not token.replaces(view.token):
            return

        def work(_: int) -> Flow:
            view = yield from self.look()
            if view is not None and self.memory.token is token and token.replaces(view.token):
                yield from self.attempt("publish", owner, token, None)

        yield from self.locked(owner, work)
