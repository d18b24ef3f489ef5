"""The logic of a call, without I/O: one text for sync and async.

The generators yield steps; a driver carries each one out and sends its result back in. Errors and
cancellations are thrown in, never `close()`d, so that every `finally` can still release the lock.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from apiclient_app.exceptions import BodyNotReplayable, TokenError, TokenUnavailable
from apiclient_app.memory import Memory
from apiclient_app.records import next_fruitless
from apiclient_app.steps import Flow, Replayable, Send
from apiclient_app.tokens import Token

from .need import Need
from .renewal import Renewal

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
