"""Connections that know whose call they carry: to be repeated when they were stale, or cut."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import suppress
from math import inf
from typing import Any

import requests
import urllib3

STALE = (ConnectionResetError, ConnectionAbortedError, BrokenPipeError)  # RemoteDisconnected too


class Errand:
    """One request of one thread, on whatever connection it goes; not sent after `until`."""

    __slots__ = ("connection", "cut_off", "reused", "sock", "until")

    def __init__(self) -> None:
        self.until = inf  # monotonic
        self.connection: Any = None
        self.sock: Any = None  # which the connection gives away to an answer that ends with it
        self.reused = self.cut_off = False

    def cut(self) -> None:
        """End it, if its connection is not another's by now; any thread may."""
        self.cut_off = True  # first: what has no connection by now looks at it when it has one
        connection = self.connection
        sock = self.sock or getattr(connection, "sock", None)
        while sock is not None and not isinstance(sock, socket.socket):
            sock = getattr(sock, "socket", None)  # TLS within TLS, on the way through a proxy
        if sock is not None and connection.errand is self:
            with suppress(OSError):
                # Not SSLSocket's own, which takes the TLS away from under whoever reads.
                socket.socket.shutdown(sock, socket.SHUT_RDWR)

    def was_stale(self, error: requests.ConnectionError) -> bool:
        """Whether the server had closed a kept connection before this request came over it.

        Nothing of an answer came. Servers close what is idle, at the moment when we use it.
        """
        broken = error.args[0] if error.args else None
        if not self.reused or self.cut_off:
            return False
        if not isinstance(broken, urllib3.exceptions.ProtocolError):
            return False
        return any(isinstance(each, STALE) for each in broken.args)


class Errands(threading.local):
    """The errand of each thread."""

    now = Errand()

    def begin(self) -> Errand:
        self.now = Errand()
        return self.now


def noting(kind: Any, errands: Errands) -> Any:
    """Give a class of connections that tell the thread's errand which of them carries it."""

    class Noting(kind):  # type: ignore[misc]
        errand: Errand | None = None
        fresh = True

        def connect(self) -> None:
            errand = errands.now
            errand.connection, errand.sock, self.errand = self, None, errand
            self.fresh = True
            super().connect()
            self._hurry(errand)  # each name and address has a timeout of its own

        def _tunnel(self) -> None:
            super()._tunnel()
            self._hurry(errands.now)  # a head that is cut off ends like a whole one

        def _hurry(self, errand: Errand) -> None:
            if time.monotonic() >= errand.until:
                raise self._late()

        def _late(self) -> Exception:
            return urllib3.exceptions.ConnectTimeoutError(self, "connected too late")

        def request(self, *arguments: Any, **options: Any) -> None:
            errand = errands.now
            errand.reused = not self.fresh and self.sock is not None
            errand.connection, self.errand = self, errand
            if errand.cut_off:
                raise self._late()
            super().request(*arguments, **options)
            errand.sock, self.fresh = self.sock, False

    Noting.__name__, Noting.__qualname__ = kind.__name__, kind.__qualname__
    return Noting
