"""A wire that an event loop drives."""

from __future__ import annotations

import asyncio
from typing import Any

import pycurl

from .faults import DEAD
from .transfers import Transfer
from .wires import Wire


class LoopWire(Wire):
    """Driven by an event loop, whose thread alone may use it."""

    def __init__(
        self, connections: int, concurrency: int, loop: asyncio.AbstractEventLoop
    ) -> None:
        super().__init__(connections)
        self.loop = loop
        self.seats = asyncio.Semaphore(concurrency)
        self._timer: asyncio.Handle | None = None
        self._looking: asyncio.TimerHandle | None = None
        self._watched: dict[int, int] = {}

    def add(self, transfer: Transfer) -> None:
        super().add(transfer)
        if self._looking is None:
            self._looking = self.loop.call_later(self._look_every, self._look)

    def _look_sooner(self) -> None:
        if self._looking is not None:
            self._looking.cancel()
            self._looking = None

    def _look(self) -> None:
        self._looking = None
        self._cut_stuck()
        if self._active:
            self._looking = self.loop.call_later(self._look_every, self._look)

    def _ready(self, descriptor: int, events: int) -> None:
        try:
            self._act(descriptor, events)
        except Exception:  # noqa: BLE001  # it has been printed
            for transfer in list(self._active.values()):
                self.remove(transfer)
                transfer.finish(transfer, DEAD, "what a signal's handler raised broke it off")
            return self.close()
        self._drain()
        return None

    def _on_socket(self, what: int, descriptor: int, _multi: Any, _private: Any) -> None:
        if self.loop.is_closed():
            return
        if what in (pycurl.POLL_REMOVE, pycurl.POLL_NONE):
            what = 0
        before = self._watched.pop(descriptor, 0)
        if what:
            self._watched[descriptor] = what
        self._watch(descriptor, before, what, pycurl.POLL_IN, pycurl.CSELECT_IN)
        self._watch(descriptor, before, what, pycurl.POLL_OUT, pycurl.CSELECT_OUT)

    def _watch(self, descriptor: int, before: int, now: int, interest: int, event: int) -> None:
        loop = self.loop
        if now & interest and not before & interest:
            add = loop.add_reader if interest == pycurl.POLL_IN else loop.add_writer
            add(descriptor, self._ready, descriptor, event)
        elif before & interest and not now & interest:
            remove = loop.remove_reader if interest == pycurl.POLL_IN else loop.remove_writer
            remove(descriptor)

    def _on_timer(self, milliseconds: int) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self.loop.is_closed():
            return
        if milliseconds == 0:
            self._timer = self.loop.call_soon(self._on_due)
        elif milliseconds > 0:
            self._timer = self.loop.call_later(milliseconds / 1000, self._on_due)

    def _on_due(self) -> None:
        self._timer = None
        self._ready(pycurl.SOCKET_TIMEOUT, 0)

    def close(self) -> None:
        """Let go of a loop that is closed, or about to be."""
        for handle in (self._timer, self._looking):
            if handle is not None:
                handle.cancel()
        for transfer in list(self._active.values()):
            self.remove(transfer)
        self._multi.close()
