"""The logic of a call and of a person's orders, without I/O: one text for sync and async.

The generators yield steps; a driver carries each one out and sends its result back in. Errors and
cancellations are thrown in, never `close()`d, so that every `finally` can still release the lock.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from .asking import new_owner
from .exceptions import BodyNotReplayable, TokenError, TokenUnavailable, TransportError
from .memory import Memory
from .need import UNDECIDED, Need
from .records import View, next_fruitless
from .renewal import POLL_LIMIT, Renewal
from .secret import scrubbed
from .steps import Ask, Flow, Replayable, Send, Sleep
from .tokens import Token

FRUITLESS_GRACE = 10.0
REPLAYS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class CallFlow:
    """One call: signed, and sent once more with a newer token if its token is refused.

    `expired` judges a response; `refusal` gives the typed error for one it judged expired.
    """

    renewal: Renewal
    expired: Callable[[Any], bool]
    refusal: Callable[[Any], Exception]

    @property
    def memory(self) -> Memory:
        return self.renewal.memory

    def call(self, request: Replayable) -> Flow:
        """Give the response; raises TokenError or BodyNotReplayable."""
        renewal = self.renewal
        if not renewal.auth.renewable:
            return (yield Send(request, None))
        began = renewal.clock()
        token = renewal.memory.trusted(began)
        if token is None:
            token = yield from renewal.seek(Need(began))
        response = yield Send(request, token)
        if not self.expired(response):
            renewal.memory.accept(token, renewal.clock())
            return response
        return (yield from self._replay(request, response, token, began))

    def _replay(self, request: Replayable, response: Any, token: Token, began: float) -> Flow:
        """Send again with a newer token; with a second one if the first was no renewal of ours.

        A record that was stored before this call began may be dead too, and says nothing about
        a renewal: the one that the call has a right to is still to come.
        """
        for _ in range(REPLAYS):
            yield self.renewal.announce("token_rejected", token_id=token.id)
            unavailable = None
            try:
                newer = yield from self.renewal.seek(Need(began, rejected=token))
            except TokenError as error:
                unavailable = _unavailable(error)
            if unavailable is not None:
                raise unavailable from self.refusal(response)
            if newer is None:
                return response
            response, token = (yield from self._resend(request, response, newer)), newer
            if not self.expired(response):
                yield from self._fruitful(token)
                return response
            if token.obtained_at >= began:
                break
        yield self.renewal.announce("token_rejected", token_id=token.id)
        return (yield from self._last_word(request, response, token))

    def _resend(self, request: Replayable, response: Any, token: Token) -> Flow:
        if not request.rewind():
            raise BodyNotReplayable(
                f"{self.renewal.alias}: the API refused the token, which is renewed now, but the "
                "body of this request can be sent only once. Repeat the call with a fresh body; "
                "bytes and seekable files are replayed without your doing.",
                alias=self.renewal.alias,
            ) from self.refusal(response)
        response.close()
        return (yield Send(request, token))

    def _last_word(self, request: Replayable, response: Any, token: Token) -> Flow:
        """Take a refused replay for the answer, unless a still newer token is stored already."""
        yield from self.renewal.look()
        newest, now = self.memory.token, self.renewal.clock()
        if newest is not None and newest.replaces(token) and now < newest.usable_until:
            response = yield from self._resend(request, response, newest)
            if not self.expired(response):
                self.memory.accept(newest, self.renewal.clock())
                return response
            token = newest
        marker = next_fruitless(self.memory.fruitless, token, self.renewal.clock())
        if marker is not None:
            self.memory.fruitless = marker
            yield from self.renewal.attempt("mark_fruitless", marker)
        return response

    def _fruitful(self, token: Token) -> Flow:
        now = self.renewal.clock()
        self.memory.accept(token, now)
        marker = self.memory.fruitless
        # A renewal made in spite of a standing marker, or as it ends, mended a revocation; it says
        # nothing of the path that is refused for ever, and would start its series all over again.
        if marker is not None and now >= marker.until + FRUITLESS_GRACE:
            self.memory.fruitless = None
            yield from self.renewal.attempt("clear_fruitless")


def _unavailable(error: TokenError) -> TokenError:
    """Give what a refused token and a failed renewal are together: no token to be had."""
    if isinstance(error, TokenUnavailable):
        return error
    return TokenUnavailable(str(error), error=error.error, alias=error.alias)


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderFlow:
    """What a person, or code in his place, orders done with the token."""

    renewal: Renewal
    memory_seconds: float

    def current(self) -> Flow:
        """Give the current token; obtain one if there is none."""
        view = yield from self.settle()
        # Having looked, what follows need not look again: nor would it mend an eviction.
        yield from self.renewal.restore(view, new_owner())
        return (yield from self.renewal.seek(Need(self.renewal.clock())))

    def rotate(self, wait: bool) -> Flow:
        """Give a new token, published before the old one goes. Simultaneous orders are one.

        The old one is revoked at the provider when no process can hold it in memory any more: by
        the next order that comes after that, or now, after `wait`.
        """
        yield from self.settle()
        yield from self.renewal.look()
        old = self.renewal.memory.token
        token = yield from self.renewal.seek(
            Need(self.renewal.clock(), rejected=old, ordered=True)
        )
        if wait and old is not None:
            yield Sleep(self.memory_seconds)
            yield from self.settle()
        return token

    def revoke(self) -> Flow:
        """Forget the token everywhere, then have the provider revoke it (RFC 7009).

        Raises TokenUnavailable where the store, or the provider, could not be told.
        """
        renewal = self.renewal
        view = yield from self._locked(self._bury)
        yield renewal.announce("token_revoked")
        doomed = [view.token, *(due.token for due in view.due)]
        for token in filter(None, doomed):
            if (request := renewal.auth.revocation_request(token)) is not None:
                yield from self._tell_provider(request)

    def _bury(self, owner: int) -> Flow:
        renewal = self.renewal
        view: View | None = yield from renewal.look()
        now = renewal.clock()
        token = renewal.memory.token
        # Above all that is known and all made by now: also what a process without sight of the
        # store may have obtained for itself.
        tombstone = max(renewal.memory.generation, int(now * 1000))
        life = max(60.0, token.expires_at - now if token else 0.0) + self.memory_seconds
        buried = yield from renewal.attempt("bury", owner, tombstone, life)
        if buried is False:
            return UNDECIDED
        renewal.memory.bury(tombstone, now)
        if view is None or buried is None:
            raise TokenUnavailable(
                f"{renewal.alias}: the token is forgotten in this process only, because the cache "
                "does not answer. Revoke it again when the cache is back.",
                alias=renewal.alias,
                error="store_unavailable",
            )
        return View(token=token, due=view.due)

    def _locked(self, work: Callable[[int], Flow]) -> Flow:
        """Do `work` under the renewal lock; again while it is taken, or was lost meanwhile."""
        renewal, owner = self.renewal, new_owner()
        deadline = renewal.clock() + renewal.patience
        while renewal.clock() < deadline:
            outcome = yield from renewal.locked(owner, lambda: work(owner))
            if outcome is not UNDECIDED:
                return outcome
            yield Sleep(POLL_LIMIT)
        raise TokenUnavailable(
            f"{renewal.alias}: a renewal has been under way for {renewal.patience:.0f} s; "
            "nothing was changed. Try again.",
            alias=renewal.alias,
            error="busy",
        )

    def settle(self) -> Flow:
        """Have the provider revoke replaced tokens that no process holds any more.

        Gives what the store held before.
        """
        renewal = self.renewal
        view = yield from renewal.look()
        if view is None or view.locked or not any(d.at <= renewal.clock() for d in view.due):
            return view
        owner = new_owner()
        ripe = yield from renewal.locked(owner, lambda: self._strike_off(owner))
        for token in () if ripe is UNDECIDED else ripe:
            if (request := renewal.auth.revocation_request(token)) is not None:
                # It is replaced and will expire; the order at hand goes first.
                with suppress(TokenUnavailable):
                    yield from self._tell_provider(request)
        return view

    def _strike_off(self, owner: int) -> Flow:
        view = yield from self.renewal.look()
        now = self.renewal.clock()
        ripe = [due.token for due in view.due if due.at <= now] if view else []
        struck = yield from self.renewal.attempt("settle", owner, now)
        return ripe if struck else []

    def _tell_provider(self, request: Any) -> Flow:
        reply, cause = None, None
        try:
            reply = yield Ask(request)
        except TransportError as error:
            cause = scrubbed(error)
        if reply is None or reply.status >= 400:
            said = "did not answer" if reply is None else f"answered {reply.status}"
            raise TokenUnavailable(
                f"{self.renewal.alias}: the token is forgotten here, but its revocation_url "
                f"{said}: the provider may honour it until it expires.",
                alias=self.renewal.alias,
                error="not_revoked",
            ) from cause
