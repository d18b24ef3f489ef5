"""Many transfers at once, in one thread: libcurl says which sockets to watch, and we do.

Not `CurlMulti.select`: that is select(2), which knows no file descriptor above 1023, and asks for
all of them each time.
"""

from __future__ import annotations

import socket
import sys
import time
from collections import deque
from contextlib import suppress
from typing import Any

import pycurl

from .faults import STUCK
from .polls import Poll
from .transfers import Transfer

ERRORS = (BlockingIOError, OSError)
HELD_SECONDS = 0.05  # whoever comes back sooner has delayed nothing
LOOK_SECONDS = (0.02, 1.0)  # how often to look for what is stuck, at least and at most


class Wire:
    """Transfers under way, and connections kept for the next. For one thread at a time."""

    def __init__(self, connections: int) -> None:
        self._multi = pycurl.CurlMulti()
        self._multi.setopt(pycurl.M_SOCKETFUNCTION, self._on_socket)
        # When libcurl wants to be called, as it said last. No function of ours may be called by
        # `add_handle`: pycurl loses what a signal's handler raises there.
        self._told: deque[int] = deque(maxlen=1)
        self._multi.setopt(pycurl.M_TIMERFUNCTION, self._told.append)
        self._connections = 0
        self.keep(connections)
        self._active: dict[Any, Transfer] = {}
        self._look_every = LOOK_SECONDS[1]
        self._patience: float | None = None  # of the transfer added last
        self.dead = False  # libcurl takes nothing more after a callback has raised

    def keep(self, connections: int) -> None:
        """Keep so many connections at least."""
        if connections > self._connections:
            self._connections = connections
            self._multi.setopt(pycurl.M_MAXCONNECTS, connections)

    def add(self, transfer: Transfer) -> None:
        """Begin; `transfer.finish` is called with it when it is done, not before this returns."""
        transfer.moved, transfer.rested = time.monotonic(), False
        if transfer.patience != self._patience:
            self._hurry(transfer.patience)
        self._active[transfer.curl] = transfer
        try:
            self._multi.add_handle(transfer.curl)
        except BaseException as error:  # noqa: BLE001
            self.dead = True
            raise _within(error) from None
        self._heed()

    def _heed(self) -> None:
        if self._told:
            self._on_timer(self._told.pop())

    def _hurry(self, patience: float | None) -> None:
        """Look as often as the shortest read timeout asks for."""
        self._patience = patience
        if patience is not None:
            least, most = LOOK_SECONDS
            self._look_every = min(max(least, patience / 10), self._look_every, most)
            self._look_sooner()

    def _look_sooner(self) -> None:
        raise NotImplementedError

    def remove(self, transfer: Transfer) -> None:
        """Break it off; its connection is closed."""
        if self._active.pop(transfer.curl, None) is not None:
            with suppress(pycurl.error):
                self._multi.remove_handle(transfer.curl)
            self._heed()

    def give_up(self) -> None:
        """Never touch it again: after a fork it is the parent's. Kept even beyond the end of this
        process, where it would be closed, and say farewell on the parent's TLS connections."""
        import ctypes

        self._active.clear()
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(self._multi))

    def _act(self, descriptor: int, events: int) -> None:
        try:
            self._multi.socket_action(descriptor, events)
        except BaseException as error:  # noqa: BLE001
            self.dead = True
            raise _within(error) from None
        self._heed()

    def _drain(self) -> bool:
        """Tell whoever waits for what has ended; give whether any has."""
        queued, ended = 1, False
        while queued:
            queued, done, failed = self._multi.info_read()
            ended = ended or bool(done or failed)
            for curl in done:
                self._end(curl, 0, "")
            for curl, code, text in failed:
                self._end(curl, code, text)
        self._heed()
        return ended

    def _end(self, curl: Any, code: int, text: str) -> None:
        transfer = self._active.pop(curl, None)
        if transfer is not None:
            self._multi.remove_handle(curl)
            if code == pycurl.E_OPERATION_TIMEDOUT and transfer.rested and transfer.unsent():
                # It may have connected in time, while nobody looked. Nothing was sent.
                return self.add(transfer)
            transfer.finish(transfer, code, text)
        return None

    def _cut_stuck(self) -> None:
        now = time.monotonic()
        for transfer in [each for each in self._active.values() if each.stuck(now)]:
            self._end(transfer.curl, STUCK, "no bytes within the read timeout")
        if not self._active:
            self._look_every, self._patience = LOOK_SECONDS[1], None

    def _on_socket(self, what: int, descriptor: int, _multi: Any, _private: Any) -> None:
        raise NotImplementedError

    def _on_timer(self, milliseconds: int) -> None:
        raise NotImplementedError


def _within(error: BaseException) -> BaseException:
    """Give what a callback has raised: a signal's handler may raise anywhere. But for
    KeyboardInterrupt and SystemExit pycurl prints it, and says that libcurl gave up."""
    raised = getattr(sys, "last_value", None)
    return raised if isinstance(error, pycurl.error) and raised is not None else error


class ThreadWire(Wire):
    """Driven by whoever waits: `turn` until done."""

    def __init__(self, connections: int) -> None:
        super().__init__(connections)
        self._poll = Poll()
        self._due: float | None = None
        self._look_at = self._turned = 0.0
        self._bell: tuple[socket.socket, socket.socket] | None = None
        self._bell_descriptor = -1

    def turn(self, seconds: float) -> None:
        """Wait at most `seconds` for something to happen, and have it dealt with."""
        now = time.monotonic()
        if now - self._turned > HELD_SECONDS:
            self._rest(now)
        if self._due is not None and now >= self._due:
            # First, so that what was added is sent and waited for in one turn.
            self._due = None
            self._act(pycurl.SOCKET_TIMEOUT, 0)
            if self._drain():
                seconds = 0.0
        until = min(now + seconds, self._look_at or now + self._look_every)
        if self._due is not None:
            until = min(until, self._due)
        act = self._multi.socket_action
        for descriptor, events in self._poll.wait(max(0.0, until - now)):
            if descriptor == self._bell_descriptor:
                self._quiet()
            else:
                act(descriptor, events)
        self._drain()
        now = time.monotonic()
        if now >= self._look_at:
            self._look_at = now + self._look_every
            self._cut_stuck()
        self._turned = now

    def _rest(self, now: float) -> None:
        """Take no account of time in which nobody turned: it was not the servers'."""
        for transfer in self._active.values():
            if now - transfer.moved > HELD_SECONDS:  # or else it has begun since
                transfer.moved = min(now, transfer.moved + now - self._turned)
                transfer.rested = True

    def _look_sooner(self) -> None:
        self._look_at = min(self._look_at, time.monotonic() + self._look_every)

    def ring(self) -> None:
        """Have `turn` return. Any thread may."""
        bell = self._bell
        if bell is not None:
            with suppress(*ERRORS):
                bell[1].send(b"!")

    def listen(self) -> None:
        """Be able to hear `ring` from now on."""
        if self._bell is None:
            self._bell = socket.socketpair()
            for end in self._bell:
                end.setblocking(False)
            self._bell_descriptor = self._bell[0].fileno()
            self._poll.watch(self._bell_descriptor, pycurl.POLL_IN)

    def _quiet(self) -> None:
        if self._bell is not None:
            with suppress(*ERRORS):
                self._bell[0].recv(4096)

    def close(self) -> None:
        for transfer in list(self._active.values()):
            self.remove(transfer)
        self._multi.close()
        self._poll.close()
        for end in self._bell or ():
            end.close()

    def _on_socket(self, what: int, descriptor: int, _multi: Any, _private: Any) -> None:
        self._poll.watch(descriptor, 0 if what == pycurl.POLL_REMOVE else what)

    def _on_timer(self, milliseconds: int) -> None:
        self._due = None if milliseconds < 0 else time.monotonic() + milliseconds / 1000
