"""Threads for the steps that an event loop must not wait for: cache, database, token endpoint.

What is begun there is ended there: a caller who is cancelled, or whose loop is gone, leaves a
token request to be answered and its answer to be kept.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from contextvars import copy_context
from functools import partial
from threading import Lock
from typing import Any

from django.db import close_old_connections

from apiclient_app.steps import Flow, Step

from .driver import Rooms, carry_on, carry_out

THREADS = 32


class Desk:
    """The threads of one client and process, made when they are needed first."""

    def __init__(self, threads: int = THREADS) -> None:
        self._most = threads
        self.reset()

    def reset(self) -> None:
        """Start anew: threads do not live on after a fork."""
        self._lock = Lock()
        self._threads: ThreadPoolExecutor | None = None

    def submit(self, work: Callable[..., Any], *arguments: Any) -> Future[Any]:
        with self._lock:
            if self._threads is None:
                self._threads = ThreadPoolExecutor(self._most, thread_name_prefix="apiclient")
            threads = self._threads
        return threads.submit(copy_context().run, _done, work, *arguments)

    async def later(self, work: Callable[..., Any], *arguments: Any) -> Any:
        """Give what `work` gives, without holding up the event loop."""
        return await asyncio.wrap_future(self.submit(work, *arguments))

    def carry_out(self, step: Step, rooms: Rooms, sender: object) -> Future[Any]:
        return self.submit(carry_out, step, rooms, sender)

    def leave(
        self, flow: Flow, future: Future[Any], rooms: Rooms, sender: object, why: BaseException
    ) -> None:
        """Have `flow` brought to its end once its step is done: its caller has gone.

        The step is not called off, even if no thread has begun it: it may release a lock.
        """
        future.add_done_callback(partial(self._left, flow, rooms, sender, why))

    def _left(
        self,
        flow: Flow,
        rooms: Rooms,
        sender: object,
        why: BaseException,
        future: Future[Any],
    ) -> None:
        error = future.exception()
        resume, value = (flow.throw, error) if error else (flow.send, future.result())
        self._finish(_end, flow, resume, value, rooms, sender, why)

    def clean_up(self, flow: Flow, step: Step, rooms: Rooms, sender: object) -> None:
        """Have `flow` brought to its end, which has been interrupted and asks for `step`."""
        self._finish(_clean_up, flow, step, rooms, sender)

    def _finish(self, work: Callable[..., Any], *arguments: Any) -> None:
        try:
            self.submit(work, *arguments)
        except RuntimeError:
            # The interpreter ends, and begins no more threads; but it waits for this one, and
            # what it has asked for may be the only refresh token there is.
            _done(work, *arguments)


def _done(work: Callable[..., Any], *arguments: Any) -> Any:
    try:
        return work(*arguments)
    finally:
        # As Django does at the end of a request: a cache in the database left one behind.
        close_old_connections()


def _clean_up(flow: Flow, step: Step, rooms: Rooms, sender: object) -> None:
    resume: Callable[[Any], Any] = flow.send
    value: Any = None
    try:
        value = carry_out(step, rooms, sender)
    except BaseException as error:  # noqa: BLE001
        resume, value = flow.throw, error
    _end(flow, resume, value, rooms, sender, None)


def _end(
    flow: Flow,
    resume: Callable[[Any], Any],
    value: Any,
    rooms: Rooms,
    sender: object,
    pending: BaseException | None,
) -> None:
    # Nobody is there to be told; what matters to others has been recorded.
    with suppress(BaseException):
        carry_on(flow, resume, value, rooms, sender, pending)
