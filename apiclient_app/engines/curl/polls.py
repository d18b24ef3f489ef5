"""Which sockets are ready, in libcurl's terms."""

from __future__ import annotations

import select
import selectors
from contextlib import suppress
from typing import Any

import pycurl

IN, OUT = pycurl.CSELECT_IN, pycurl.CSELECT_OUT


class Selector:
    """Where there is no epoll."""

    def __init__(self) -> None:
        self._selector = selectors.DefaultSelector()

    def watch(self, descriptor: int, interest: int) -> None:
        """Tell when it can be read (POLL_IN), written (POLL_OUT), either, or neither (0)."""
        with suppress(KeyError, ValueError):
            self._selector.unregister(descriptor)
        if interest:
            self._selector.register(descriptor, interest)  # the same bits

    def wait(self, seconds: float) -> list[tuple[int, int]]:
        """Give descriptors and what can be done with each (CSELECT_IN, CSELECT_OUT)."""
        return [(key.fd, mask) for key, mask in self._selector.select(seconds)]

    def close(self) -> None:
        self._selector.close()


class Epoll(Selector):
    """Forgets a socket only when it makes itself heard.

    libcurl lets go of a socket after each transfer and takes it up again for the next; two system
    calls and a dictionary for that would be a tenth of a small transfer.
    """

    EVENTS = (0, select.EPOLLIN, select.EPOLLOUT, select.EPOLLIN | select.EPOLLOUT)

    def __init__(self) -> None:
        self._epoll = select.epoll()
        self._interest: dict[int, int] = {}

    def watch(self, descriptor: int, interest: int) -> None:
        self._interest[descriptor] = interest
        if not interest:
            return
        try:
            self._epoll.modify(descriptor, self.EVENTS[interest])
        except FileNotFoundError:
            self._epoll.register(descriptor, self.EVENTS[interest])

    def wait(self, seconds: float) -> list[tuple[int, int]]:
        ready = []
        for descriptor, events in self._epoll.poll(seconds):
            if not self._interest.get(descriptor):
                with suppress(OSError):
                    self._epoll.unregister(descriptor)
                continue
            can = OUT if events & select.EPOLLOUT else 0
            if events & ~select.EPOLLOUT:  # an error or a hang-up is read
                can |= IN
            ready.append((descriptor, can))
        return ready

    def close(self) -> None:
        self._epoll.close()


Poll: Any = Epoll if hasattr(select, "epoll") else Selector
