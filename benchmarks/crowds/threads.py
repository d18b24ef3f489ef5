"""Many calls through requests, in threads."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager

import requests

from benchmarks.api import Api
from benchmarks.missing import peer
from benchmarks.runner import good

from .crowd import Crowd, Run


@contextmanager
def session_per_thread(api: Api, concurrency: int) -> Iterator[Run]:
    local, sessions = threading.local(), ExitStack()

    def open_session() -> None:
        local.session = sessions.enter_context(requests.Session())
        local.session.headers.update(api.headers)

    def call(url: str) -> bool:
        return good(local.session.get(url))

    with sessions, ThreadPoolExecutor(concurrency, initializer=open_session) as pool:
        yield lambda calls: sum(pool.map(call, api.urls(calls)))


@contextmanager
def futures(api: Api, concurrency: int) -> Iterator[Run]:
    """One Session for all threads, whose pool it makes as large as there are workers."""
    sessions = peer("requests_futures.sessions")
    with sessions.FuturesSession(max_workers=concurrency) as session:
        session.headers.update(api.headers)

        def run(calls: int) -> int:
            waiting = [session.get(url) for url in api.urls(calls)]
            return sum(good(future.result()) for future in waiting)

        yield run


CROWDS = [
    Crowd("ThreadPoolExecutor, a Session per thread", session_per_thread, every=2),
    Crowd("requests-futures", futures, every=2),
]
