"""What a call passes beside its token: circuit, slot, allowance, and retries. Without I/O.

It goes around the flow of a call, and keeps back every `Send` of it until that may go: a replay,
and a retry, is one more request.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from apiclient_app.exceptions import (
    CallError,
    CircuitOpen,
    DeadlineExceeded,
    ResponseTooLarge,
    TransportError,
)
from apiclient_app.steps import Flow, Guarded, Send, Sleep

from .crossing import Crossing
from .limiting import Limiting
from .retries import Budget, Retry

if TYPE_CHECKING:  # the settings need no more of a guard than its values
    from apiclient_app.flow import CallFlow

NOT_AGAIN = (CircuitOpen, DeadlineExceeded, ResponseTooLarge)


@dataclass(frozen=True, slots=True, kw_only=True)
class Guard:
    """Guards the calls of one client or subject; what is None is off. `budget` is its process's.

    `asked` gives what a response says of when to come back (Retry-After), in seconds.
    """

    calls: CallFlow
    retry: Retry | None
    budget: Budget
    crossing: Crossing | None
    limiting: Limiting | None
    jitter: Callable[[], float]
    asked: Callable[[Any], float | None]

    def call(self, request: Guarded) -> Flow:
        """Do as `CallFlow.call`; raises RateLimited and CircuitOpen too."""
        if self.retry is None:
            return (yield from self._attempt(request))
        self.budget.earn()
        attempt, sent = 1, False
        while True:
            response = failed = None
            try:
                response = yield from self._attempt(request, sent)
            except TransportError as error:
                failed = error
            pause = self._pause(request, attempt, response, failed)
            if pause is None:
                break
            if response is not None:
                response.close()
            attempt, sent = attempt + 1, sent or failed is None or failed.sent
            yield Sleep(pause)
        if failed is not None:
            raise failed
        return response

    def _pause(
        self, request: Guarded, attempt: int, response: Any, failed: TransportError | None
    ) -> float | None:
        """Give seconds to the next attempt; None if there is to be none."""
        retry, asked = self.retry, None
        if retry is None or isinstance(failed, NOT_AGAIN):
            return None
        if failed is None:
            if response.status_code not in retry.statuses:
                return None
            asked = self.asked(response)
        if not request.repeatable and (failed is None or failed.sent):
            return None
        pause = retry.pause(attempt, self.jitter(), asked)
        if pause is None or pause >= request.remaining() or not request.rewind():
            return None
        return pause if self.budget.spend() else None

    def _attempt(self, request: Guarded, sent: bool = False) -> Flow:
        """Drive the flow of one call; keep each of its requests back until it may go.

        `sent`: whether anything was, before.
        """
        inner = self.calls.call(request)
        resume: Any = inner.send
        value: Any = None
        while True:
            try:
                step = resume(value)
            except StopIteration as stop:
                return stop.value
            try:
                if type(step) is Send:
                    value = yield from self._passed(request, step)
                    sent = True
                else:
                    value = yield step
                resume = inner.send
            except BaseException as error:  # noqa: BLE001  # it cleans up by yielding
                if sent and isinstance(error, CallError):
                    error.sent = True  # this request was kept back, not the one before it
                resume, value = inner.throw, error

    def _passed(self, request: Guarded, step: Send) -> Flow:
        if self.crossing is None:
            return (yield from self._limited(request, step))
        prober = yield from self.crossing.enter()
        failed: bool | None = None
        begun = request.begun
        try:
            response = yield from self._limited(request, step)
            failed = response.status_code >= 500
        except TransportError as error:
            failed = self._to_blame(error, went=request.begun != begun)
            raise
        finally:
            yield from self.crossing.leave(prober, failed)
        return response

    @staticmethod
    def _to_blame(error: TransportError, *, went: bool) -> bool | None:
        if isinstance(error, ResponseTooLarge):
            return False  # it answers only too well
        # Whoever lost patience before this request was sent says nothing of the API.
        late = isinstance(error, DeadlineExceeded)
        return None if late and not (went and error.sent) else True

    def _limited(self, request: Guarded, step: Send) -> Flow:
        if self.limiting is None:
            request.start()
            return (yield step)
        response = yield from self.limiting.limited(request, step)
        yield from self.limiting.learn(response)
        return response
