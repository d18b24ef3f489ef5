"""Who makes the calls of a fan-out: libcurl in the calling thread, or threads with requests."""

from __future__ import annotations

import asyncio
import queue
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from math import inf
from threading import Event
from typing import Any

import requests

from apiclient_app.engines import Engine, Rooms
from apiclient_app.engines.batch import Batch, Outcome
from apiclient_app.steps import Flow

TURN_SECONDS = 1.0
Do = Callable[[Any, Rooms], requests.Response]


class ThreadCrew:
    """Threads, each making one call after another with the requests engine."""

    def __init__(self, concurrency: int, do: Do, rooms: Rooms) -> None:
        self._over = Event()
        self._rooms = replace(rooms, over=self._over)
        self._threads = ThreadPoolExecutor(concurrency, thread_name_prefix="apiclient-map")
        self._do = do
        self._results: queue.SimpleQueue[Outcome] = queue.SimpleQueue()
        self.ended: deque[Outcome] = deque()
        self.tell: Callable[[], None] = _nobody

    def start(self, number: int, outgoing: Any) -> None:
        self._threads.submit(self._call, number, outgoing)

    def _call(self, number: int, outgoing: Any) -> None:
        outcome: Outcome
        try:
            outcome = number, self._do(outgoing, self._rooms), None
        except BaseException as error:  # noqa: BLE001
            outcome = number, None, error
        self._results.put(outcome)
        self.tell()

    def wait(self) -> None:
        self.ended.append(self._results.get())
        self.gather()

    def gather(self) -> None:
        with suppress(queue.Empty):
            while True:
                self.ended.append(self._results.get_nowait())

    def stop(self) -> None:
        """Wait for no call that is under way: nobody can break it off. None begins any more."""
        self._over.set()
        self._threads.shutdown(wait=False, cancel_futures=True)


class WireCrew:
    """Libcurl, in the calling thread."""

    def __init__(self, concurrency: int, flow: Callable[[Any], Flow], *where: Any) -> None:
        rooms, sender, subject = where
        engine: Engine = rooms.engine
        self._flow = flow
        self._lent = engine.curl().wire()
        self._wire = self._lent.__enter__()
        self._wire.keep(concurrency)
        self._wire.listen()
        self._batch = Batch(rooms, sender, self._wire, subject, self._wire.ring)
        self.ended = self._batch.ended

    def start(self, number: int, outgoing: Any) -> None:
        self._batch.begin(number, self._flow(outgoing), outgoing)

    def wait(self) -> None:
        self._batch.timed.come_back()
        self._wire.turn(self._batch.patience(TURN_SECONDS))
        self._batch.look()

    def stop(self) -> None:
        self._batch.break_off()
        self._lent.__exit__(None, None, None)


class LoopCrew:
    """Libcurl, in the running event loop."""

    def __init__(self, flow: Callable[[Any], Flow], *where: Any) -> None:
        rooms, sender, subject = where
        engine: Engine = rooms.engine
        self._loop = asyncio.get_running_loop()
        self._flow = flow
        self._woken: asyncio.Future[None] | None = None
        self._batch = Batch(rooms, sender, engine.curl().loop_wire(), subject, self.ring)
        self._batch.tell = self._wake
        self.ended = self._batch.ended

    def start(self, number: int, outgoing: Any) -> None:
        self._batch.begin(number, self._flow(outgoing), outgoing)

    def ring(self) -> None:
        with suppress(RuntimeError):  # the loop has been closed meanwhile
            self._loop.call_soon_threadsafe(self._look)

    def _look(self) -> None:
        self._batch.look()
        self._wake()

    def _wake(self) -> None:
        if self._woken is not None and not self._woken.done():
            self._woken.set_result(None)

    async def wait(self) -> None:
        self._woken = self._loop.create_future()
        patience = self._batch.patience(inf)
        if patience == inf:
            await self._woken
        else:
            await asyncio.wait([self._woken], timeout=patience)
            self._batch.look()

    def stop(self) -> None:
        self._batch.break_off()


class AsyncThreadCrew:
    """Threads with the requests engine, awaited in the running event loop."""

    def __init__(self, concurrency: int, do: Do, rooms: Rooms) -> None:
        self._loop = asyncio.get_running_loop()
        self._crew = ThreadCrew(concurrency, do, rooms)
        self._crew.tell = self.ring
        self._woken: asyncio.Future[None] | None = None
        self.ended = self._crew.ended
        self.start = self._crew.start
        self.stop = self._crew.stop

    def ring(self) -> None:
        with suppress(RuntimeError):  # the loop has been closed meanwhile
            self._loop.call_soon_threadsafe(self._wake)

    def _wake(self) -> None:
        if self._woken is not None and not self._woken.done():
            self._woken.set_result(None)

    async def wait(self) -> None:
        self._woken = self._loop.create_future()
        self._crew.gather()
        if not self.ended:
            await self._woken
            self._crew.gather()


def crew(
    rooms: Rooms,
    concurrency: int,
    flow: Callable[[Any], Flow],
    do: Do,
    *where: Any,
) -> ThreadCrew | WireCrew:
    if rooms.engine.fast():
        return WireCrew(concurrency, flow, rooms, *where)
    rooms.engine.say_slow()
    return ThreadCrew(concurrency, do, rooms)


def acrew(
    rooms: Rooms,
    concurrency: int,
    flow: Callable[[Any], Flow],
    do: Do,
    *where: Any,
) -> AsyncThreadCrew | LoopCrew:
    if rooms.engine.fast():
        rooms.engine.curl().loop_wire().keep(concurrency)
        return LoopCrew(flow, rooms, *where)
    rooms.engine.say_slow()
    return AsyncThreadCrew(concurrency, do, rooms)


def _nobody() -> None:
    """Nobody waits."""


now = time.monotonic
