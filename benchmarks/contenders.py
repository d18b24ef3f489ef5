"""Ways to make one call, each small and the way people write it. Add a peer by adding one."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass

import requests
from django.core.cache import cache

from apiclient_app import clients

from .nginx import Api

Call = Callable[[], requests.Response]

TIMEOUT = (3.05, 27)  # the default of API_CLIENTS


@dataclass(frozen=True)
class Contender:
    """`ready` opens what it needs, and gives the call to repeat."""

    name: str
    ready: Callable[[Api], AbstractContextManager[Call]]


CONTENDERS: list[Contender] = []

OURS = "client.get"
REFERENCE = "requests.Session.get, header preset"
CACHED = "cache.get of the token from Redis, then Session.get"


def contender(name: str) -> Callable[[Callable[[Api], Iterator[Call]]], None]:
    def register(opened: Callable[[Api], Iterator[Call]]) -> None:
        CONTENDERS.append(Contender(name, contextmanager(opened)))

    return register


@contender(OURS)
def client_get(api: Api) -> Iterator[Call]:
    yield lambda: clients["bench"].get(api.path)


@contender(REFERENCE)
def session_get(api: Api) -> Iterator[Call]:
    with requests.Session() as session:
        session.headers["Authorization"] = api.authorization
        yield lambda: session.get(api.url)


@contender("requests.Session.get, header preset, with a timeout")
def session_get_timeout(api: Api) -> Iterator[Call]:
    with requests.Session() as session:
        session.headers["Authorization"] = api.authorization
        yield lambda: session.get(api.url, timeout=TIMEOUT)


@contender(CACHED)
def cached_token(api: Api) -> Iterator[Call]:
    cache.set("bench-token", api.token)
    with requests.Session() as session:

        def call() -> requests.Response:
            token = cache.get("bench-token")
            return session.get(api.url, headers={"Authorization": f"Bearer {token}"})

        yield call


@contender("requests.get")
def requests_get(api: Api) -> Iterator[Call]:
    yield lambda: requests.get(api.url, headers={"Authorization": api.authorization})
