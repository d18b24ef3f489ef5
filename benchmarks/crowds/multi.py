"""Many calls through libcurl's multi interface on a selector, and nothing else."""

import json
import selectors
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from benchmarks.api import Api
from benchmarks.missing import peer

from .crowd import Crowd, Run


class Multi:
    """So many easy handles, each used again as soon as it is free."""

    def __init__(self, pycurl: Any, api: Api, concurrency: int) -> None:
        self.pycurl, self.multi = pycurl, pycurl.CurlMulti()
        self.selector, self.due = selectors.DefaultSelector(), float("inf")
        self.bodies: dict[Any, list[bytes]] = {}
        self.multi.setopt(pycurl.M_SOCKETFUNCTION, self.watch)
        self.multi.setopt(pycurl.M_TIMERFUNCTION, self.remind)
        self.multi.setopt(pycurl.M_MAXCONNECTS, concurrency)
        self.easies = [pycurl.Curl() for _ in range(concurrency)]
        for easy in self.easies:
            easy.setopt(pycurl.HTTPHEADER, [f"Authorization: {api.authorization}"])

    def watch(self, event: int, descriptor: int, *_: object) -> None:
        if event == self.pycurl.POLL_REMOVE:
            if descriptor in self.selector.get_map():
                self.selector.unregister(descriptor)
            return
        mask = selectors.EVENT_READ if event & self.pycurl.POLL_IN else 0
        mask |= selectors.EVENT_WRITE if event & self.pycurl.POLL_OUT else 0
        if descriptor in self.selector.get_map():
            self.selector.modify(descriptor, mask)
        else:
            self.selector.register(descriptor, mask)

    def remind(self, milliseconds: int) -> None:
        self.due = float("inf") if milliseconds < 0 else time.perf_counter() + milliseconds / 1000

    def run(self, urls: Iterator[str]) -> int:
        answered, idle = 0, list(self.easies)
        while True:
            while idle and (url := next(urls, None)):
                self.start(idle.pop(), url)
            if len(idle) == len(self.easies):
                return answered
            self.wait()
            for easy in self.finished():
                answered += self.good(easy)
                idle.append(easy)

    def start(self, easy: Any, url: str) -> None:
        body = self.bodies[easy] = []
        easy.setopt(self.pycurl.URL, url)
        easy.setopt(self.pycurl.WRITEFUNCTION, body.append)
        self.multi.add_handle(easy)

    def wait(self) -> None:
        seconds = min(1.0, max(0.0, self.due - time.perf_counter()))
        for key, events in self.selector.select(seconds):
            mask = self.pycurl.CSELECT_IN if events & selectors.EVENT_READ else 0
            mask |= self.pycurl.CSELECT_OUT if events & selectors.EVENT_WRITE else 0
            self.multi.socket_action(key.fd, mask)
        if self.due <= time.perf_counter():
            self.due = float("inf")
            self.multi.socket_action(self.pycurl.SOCKET_TIMEOUT, 0)

    def finished(self) -> list[Any]:
        _, done, failed = self.multi.info_read()
        for easy in done:
            self.multi.remove_handle(easy)
        if failed:
            raise SystemExit(f"pycurl: {failed[0][2]}")
        return list(done)

    def good(self, easy: Any) -> bool:
        document = json.loads(b"".join(self.bodies.pop(easy)))
        return easy.getinfo(self.pycurl.RESPONSE_CODE) == 200 and bool(document["id"] == 42)

    def close(self) -> None:
        for easy in self.easies:
            easy.close()
        self.multi.close()
        self.selector.close()


@contextmanager
def multi(api: Api, concurrency: int) -> Iterator[Run]:
    ready = Multi(peer("pycurl"), api, concurrency)
    try:
        yield lambda calls: ready.run(api.urls(calls))
    finally:
        ready.close()


CROWDS = [Crowd("pycurl.CurlMulti, bare", multi)]
