"""Whether HTTP here is what it is: no test replays it, no tool records or instruments it."""

from __future__ import annotations

import http.client
import socket
import sys
from typing import Any

import requests
import urllib3
from requests.adapters import HTTPAdapter

POOLS = (urllib3.HTTPConnectionPool, urllib3.HTTPSConnectionPool)


class Network:
    """Looks at what others replace: `responses` and requests-mock the methods of requests, vcrpy
    the connection classes, gevent and pytest-socket the sockets, OpenTelemetry `Session.send`.

    Asked before every call, since a `with responses.RequestsMock()` may begin at any time.
    """

    def __init__(self) -> None:
        self._seen: tuple[Any, ...] = ()
        self._requests = self._sockets = False

    def requests_is_itself(self) -> bool:
        """Whether a call may take a shorter way through requests."""
        self._look()
        return self._requests

    def is_itself(self) -> bool:
        """Whether a call may go round requests, urllib3 and Python's sockets."""
        self._look()
        return self._requests and self._sockets

    def _look(self) -> None:
        now = (
            requests.Session.send,
            requests.Session.get_adapter,
            HTTPAdapter.send,
            POOLS[0].ConnectionCls,
            POOLS[1].ConnectionCls,
            POOLS[0].urlopen,
            http.client.HTTPConnection,
            socket.socket,
        )
        if now != self._seen:
            self._requests = all(
                _written_in(function, module)
                for function, module in (
                    (requests.Session.send, "requests.sessions"),
                    (requests.Session.get_adapter, "requests.sessions"),
                    (HTTPAdapter.send, "requests.adapters"),
                )
            )
            self._sockets = (
                POOLS[0].ConnectionCls.__module__ == "urllib3.connection"
                and POOLS[1].ConnectionCls.__module__ == "urllib3.connection"
                and _written_in(POOLS[0].urlopen, "urllib3.connectionpool")
                and http.client.HTTPConnection.__module__ == "http.client"
                and socket.socket.__module__ == "socket"
            )
            self._seen = now


def _written_in(function: Any, module: str) -> bool:
    """Whether it is that module's own: a replacement may bear the name and module of it."""
    code = getattr(function, "__code__", None)
    return code is not None and code.co_filename == getattr(sys.modules[module], "__file__", None)
