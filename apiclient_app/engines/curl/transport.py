"""Sends one request, or many at once, with libcurl."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import contextmanager
from typing import Any

import pycurl
import requests

from .answers import whole
from .faults import fault
from .loops import LoopWire
from .transfers import Transfer
from .wires import ThreadWire, Wire

TURN_SECONDS = 1.0
Done = Callable[[requests.Response | None, BaseException | None], None]


class Transport:
    """Owns the wires of one client, idle and in use: to each thread and event loop its own."""

    def __init__(self, connections: int, concurrency: int, limit: int | None = None) -> None:
        self._connections, self._concurrency, self._limit = connections, concurrency, limit
        self._given_up: list[Any] = []
        self._start()

    def _start(self) -> None:
        self._transfers: list[Transfer] = []
        self._idle: list[ThreadWire] = []
        self._lent: set[ThreadWire] = set()
        self._loops: dict[asyncio.AbstractEventLoop, LoopWire] = {}

    def reset(self) -> None:
        """Start anew after a fork. What the parent uses is kept, unused, for ever: to close it
        here would end its TLS connections."""
        wires = [*self._idle, *self._lent, *self._loops.values()]
        for wire in wires:
            wire.give_up()
        self._given_up += [self._transfers, wires]
        self._start()

    def close(self) -> None:
        """Close idle connections; event loops keep theirs until they are closed."""
        wires, self._idle = self._idle, []
        for wire in wires:
            wire.close()

    @contextmanager
    def wire(self) -> Any:
        """Lend a wire to this thread."""
        try:
            wire = self._idle.pop()
        except IndexError:
            wire = ThreadWire(self._connections)
        self._lent.add(wire)
        try:
            yield wire
        except BaseException:
            wire.dead = True  # whatever is under way on it is broken off
            raise
        finally:
            if wire in self._lent:  # or else it was lent before a fork
                self._lent.discard(wire)
                if wire.dead:
                    wire.close()
                else:
                    self._idle.append(wire)

    def loop_wire(self) -> LoopWire:
        """Give the wire of the running loop."""
        loop = asyncio.get_running_loop()
        wire = self._loops.get(loop)
        if wire is None or wire.dead:
            for gone in [each for each in list(self._loops) if each.is_closed()]:
                if (left := self._loops.pop(gone, None)) is not None:
                    left.close()
            wire = self._loops[loop] = LoopWire(self._connections, self._concurrency, loop)
        return wire

    def start(
        self, wire: Wire, request: requests.PreparedRequest, options: dict[str, Any], done: Done
    ) -> Transfer:
        """Begin to send; `done` gets the response, or what requests would raise."""
        transfer = self._loaded(request, options, done)
        wire.add(transfer)
        return transfer

    def _loaded(
        self, request: requests.PreparedRequest, options: dict[str, Any], done: Done
    ) -> Transfer:
        try:
            transfer = self._transfers.pop()
        except IndexError:
            transfer = Transfer(self._limit)
        transfer.load(request, options)  # what raises is not used again
        transfer.finish, transfer.done = self._finished, done
        return transfer

    def _finished(self, transfer: Transfer, code: int, text: str) -> None:
        response, error, done = None, None, transfer.done
        try:
            response = self._outcome(transfer, code, text)
        except BaseException as raised:  # noqa: BLE001
            error = raised
        transfer.unload()
        self._transfers.append(transfer)
        done(response, error)

    def _outcome(self, transfer: Transfer, code: int, text: str) -> requests.Response:
        if code:
            if transfer.body is not None and transfer.body.raised is not None:
                raise transfer.body.raised
            raise fault(transfer, code, text)
        seconds = transfer.curl.getinfo(pycurl.STARTTRANSFER_TIME)
        return whole(transfer.request, transfer.lines, transfer.chunks, seconds, self._limit)

    def send(
        self, request: requests.PreparedRequest, options: dict[str, Any]
    ) -> requests.Response:
        """Send one request and wait for its answer; raises what requests does."""
        outcome: list[Any] = []
        transfer = self._loaded(request, options, lambda *given: outcome.extend(given))
        with self.wire() as wire:
            wire.add(transfer)
            while not outcome:
                wire.turn(TURN_SECONDS)
        response, error = outcome
        if error is not None:
            raise error
        return response  # type: ignore[no-any-return]

    async def asend(
        self, request: requests.PreparedRequest, options: dict[str, Any]
    ) -> requests.Response:
        """Do as `send`, in the running event loop."""
        wire = self.loop_wire()
        future: asyncio.Future[Any] = wire.loop.create_future()

        def done(response: requests.Response | None, error: BaseException | None) -> None:
            if future.cancelled():
                return
            if error is not None:
                future.set_exception(error)
            else:
                future.set_result(response)

        transfer = self.start(wire, request, options, done)
        try:
            return await future  # type: ignore[no-any-return]
        except BaseException:
            if transfer.done is done:  # or else it has ended, and may be another's by now
                wire.remove(transfer)
            raise
