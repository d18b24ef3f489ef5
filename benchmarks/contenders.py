"""Ways to make one call, each small and the way people write it. Add a peer by adding one."""

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

import requests
from django.core.cache import cache

from apiclient_app import clients

from .api import Api
from .missing import ours, peer


class Answer(Protocol):
    """What a call gives: all that is looked at."""

    @property
    def status_code(self) -> int: ...

    def json(self) -> Any: ...


Call = Callable[[], Answer]

TIMEOUT = (3.05, 27)  # the default of API_CLIENTS


@dataclass(frozen=True)
class Contender:
    """`ready` opens what it needs, and gives the call to repeat; raises Missing."""

    name: str
    ready: Callable[[Api], AbstractContextManager[Call]]


@dataclass(slots=True)
class Plain:
    """What a peer without a response of requests' kind has received."""

    status_code: int
    content: bytes

    def json(self) -> Any:
        return json.loads(self.content)


CONTENDERS: list[Contender] = []

OURS = "client.get"
OURS_CURL = "client.get, the curl engine"
REFERENCE = "requests.Session.get, header preset"
CACHED = "cache.get of the token from Redis, then Session.get"


def contender(name: str) -> Callable[[Callable[[Api], Iterator[Call]]], None]:
    def register(opened: Callable[[Api], Iterator[Call]]) -> None:
        CONTENDERS.append(Contender(name, contextmanager(opened)))

    return register


@contender(OURS)
def client_get(api: Api) -> Iterator[Call]:
    yield lambda: clients[api.alias].get(api.path)


@contender(OURS_CURL)
def client_get_curl(api: Api) -> Iterator[Call]:
    alias = api.curl_alias
    ours(alias, "get")
    yield lambda: clients[alias].get(api.path)


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
    yield lambda: requests.get(api.url, headers=api.headers)


@contender("httpx.Client.get, header preset")
def httpx_get(api: Api) -> Iterator[Call]:
    with peer("httpx").Client(headers=api.headers) as http:
        yield lambda: http.get(api.url)


@contender("urllib3.PoolManager, headers preset")
def urllib3_request(api: Api) -> Iterator[Call]:
    with peer("urllib3").PoolManager(headers=api.headers) as pool:

        def call() -> Plain:
            response = pool.request("GET", api.url)
            return Plain(response.status, response.data)

        yield call


@contender("pycurl, one easy handle")
def pycurl_perform(api: Api) -> Iterator[Call]:
    pycurl = peer("pycurl")
    easy = pycurl.Curl()
    easy.setopt(pycurl.URL, api.url)
    easy.setopt(pycurl.HTTPHEADER, [f"Authorization: {api.authorization}"])

    def call() -> Plain:
        body = easy.perform_rb()
        return Plain(easy.getinfo(pycurl.RESPONSE_CODE), body)

    yield call
    easy.close()
