"""Calls under way together on one wire: their flows take turns in one thread."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from math import inf
from typing import Any

import requests
from requests.models import REDIRECT_STATI

from apiclient_app.changes import Changes
from apiclient_app.steps import Announce, Flow, GateCall, Send, Sleep, Wait
from apiclient_app.tokens import Token

from .driver import Interrupted, Rooms, carry_out
from .engine import Engine, carried
from .in_time import too_late
from .outgoing import Outgoing
from .passage import Passage
from .redirects import led_on, signed
from .timed import Timed

Outcome = tuple[int, requests.Response | None, BaseException | None]


class Batch:
    """Begins calls and gathers what becomes of them in `ended`.

    `ring` must have the thread that owns the wire call `look`, and may be called by any thread.
    """

    def __init__(
        self, rooms: Rooms, sender: object, wire: Any, subject: str, ring: Callable[[], None]
    ) -> None:
        self._rooms, self._sender, self._wire = rooms, sender, wire
        self._engine: Engine = rooms.engine
        self._session = self._engine.sessions.session(subject)
        self._subject = subject
        self._ring = ring
        self._home = self._engine.config.base_url
        self._start = self._engine.curl().start
        self._arrived: deque[tuple[Passage, Future[Any]]] = deque()
        self._waiting: set[Passage] = set()
        self._watching: Any = None
        self.under_way: set[Passage] = set()
        self.timed = Timed(self.under_way)
        self.ended: deque[Outcome] = deque()
        self.tell: Callable[[], None] = _nobody  # called whenever one has ended

    def begin(self, number: int, flow: Flow, outgoing: Outgoing) -> None:
        """Drive `flow`, of that call, as far as it goes without waiting."""
        passage = Passage(self, number, flow, outgoing)
        self.under_way.add(passage)
        if outgoing.deadline is not None:
            self._time(passage)
        self._go_on(passage, flow.send, None)

    def look(self) -> None:
        """Go on with what waited for a thread, for the memory to change, or for a time."""
        for passage in self.timed.late():
            self._too_late(passage)
        while self._arrived:
            passage, future = self._arrived.popleft()
            if passage in self.under_way:
                passage.future = None
                error = future.exception()
                if error is not None:
                    self._go_on(passage, passage.flow.throw, error)
                else:
                    self._go_on(passage, passage.flow.send, future.result())
        if self._waiting:
            now = time.monotonic()
            for passage in [p for p in self._waiting if now >= p.until or p.changed]:
                self._waiting.discard(passage)
                self._go_on(passage, passage.flow.send, None)
            if not self._waiting:
                self._unwatch()
        self.timed.leave()

    def patience(self, most: float) -> float:
        """Give for how many seconds nobody need look."""
        first = min((p.until for p in self._waiting), default=inf)
        first = min(first, self.timed.first)
        return most if first == inf else max(0.0, min(most, first - time.monotonic()))

    def break_off(self) -> None:
        """Break off what is under way; flows are brought to their end in threads."""
        self._unwatch()
        for passage in self.under_way:
            self._leave(passage, Interrupted())
        self.under_way.clear()

    def _leave(self, passage: Passage, why: BaseException) -> None:
        desk = self._engine.desk
        if passage.transfer is not None:
            self._wire.remove(passage.transfer)
        if passage.future is not None:
            return desk.leave(passage.flow, passage.future, self._rooms, self._sender, why)
        try:
            step = passage.flow.throw(why)
        except BaseException:  # noqa: BLE001  # that was all
            return None
        desk.clean_up(passage.flow, step, self._rooms, self._sender)
        return None

    def _time(self, passage: Passage) -> None:
        if self.timed.keep(passage):
            self._ring()

    def _too_late(self, passage: Passage) -> None:
        why = too_late(self._rooms, passage.outgoing)
        self._waiting.discard(passage)
        # A flow hears of it where it is an answer: that of the API, which took too long.
        self._leave(passage, Interrupted() if passage.transfer is None else why)
        self._end(passage, None, why)

    def _go_on(self, passage: Passage, resume: Callable[[Any], Any], value: Any) -> None:
        while True:
            try:
                step = resume(value)
            except StopIteration as stop:
                return self._end(passage, stop.value, None)
            except BaseException as error:  # noqa: BLE001
                return self._end(passage, None, error)
            match step:
                case Send(outgoing, token) if carried(outgoing):
                    passage.send, passage.hops = step, None
                    return self._send(passage, outgoing, token)
                case Wait(version, seconds, on):
                    return self._wait(passage, on or self._rooms.memory, version, seconds)
                case Sleep(seconds):
                    return self._wait(passage, None, 0, seconds)
                case Announce():
                    resume, value = passage.flow.send, carry_out(step, self._rooms, self._sender)
                case GateCall(method) if self._rooms.gate.at_hand(method):
                    resume, value = passage.flow.send, carry_out(step, self._rooms, self._sender)
                case _:
                    future = self._engine.desk.carry_out(step, self._rooms, self._sender)
                    passage.future = future
                    return future.add_done_callback(partial(self._arrive, passage))

    def _arrive(self, passage: Passage, future: Future[Any]) -> None:
        self._arrived.append((passage, future))
        self._ring()

    def _wait(self, passage: Passage, on: Changes | None, version: int, seconds: float) -> None:
        passage.until = time.monotonic() + seconds
        passage.on, passage.version = on, version
        self._waiting.add(passage)
        if on is self._rooms.memory:
            if self._watching is None:
                self._watching = on.watched(self._ring)
                self._watching.__enter__()
        elif on is not None:  # it is this passage's own, and goes with it
            on.watch(self._ring)
        self._ring()

    def _unwatch(self) -> None:
        watching, self._watching = self._watching, None
        if watching is not None:
            watching.__exit__(None, None, None)

    def _send(self, passage: Passage, outgoing: Outgoing, token: Token | None) -> None:
        if outgoing.deadline is not None:
            self._time(passage)
        try:
            request = passage.request = signed(outgoing, token)
            passage.transfer = self._start(self._wire, request, outgoing.options, passage.received)
        except BaseException as error:  # noqa: BLE001
            failed = error
        else:
            return
        self._fail(passage, failed)

    def received(self, passage: Passage, response: Any, error: BaseException | None) -> None:
        """Go on with what became of a transfer."""
        passage.transfer = None
        if response is None:
            if passage.hops is None:
                return self._fail(passage, error)
            return self._hop(passage, passage.hops.throw, error)
        if response.says(b"set-cookie"):
            self._engine.keep_cookies(self._session, passage.request, response, self._subject)
        if passage.hops is not None:
            return self._hop(passage, passage.hops.send, response)
        if response.status_code not in REDIRECT_STATI:
            return self._go_on(passage, passage.flow.send, response)
        outgoing, token = passage.send
        passage.hops = led_on(
            outgoing, token, self._session, self._home, passage.request, response
        )
        return self._hop(passage, passage.hops.send, None)

    def _hop(self, passage: Passage, resume: Callable[[Any], Any], value: Any) -> None:
        hops: Any = passage.hops
        while True:
            try:
                request, options = resume(value)
            except StopIteration as stop:
                return self._go_on(passage, passage.flow.send, stop.value)
            except BaseException as error:  # noqa: BLE001
                failed = error
                break
            try:
                passage.request = request
                passage.transfer = self._start(self._wire, request, options, passage.received)
            except BaseException as error:  # noqa: BLE001
                resume, value = hops.throw, error
            else:
                return None
        return self._fail(passage, failed)

    def _fail(self, passage: Passage, error: BaseException | None) -> None:
        shown = self._engine.presentable(error or Interrupted(), *passage.send)
        self._go_on(passage, passage.flow.throw, shown)

    def _end(
        self, passage: Passage, response: requests.Response | None, error: BaseException | None
    ) -> None:
        self.under_way.discard(passage)
        self.ended.append((passage.number, response, error))
        self.tell()


def _nobody() -> None:
    """Whoever wants to know looks."""
