"""What our own layer costs apart from HTTP: time, Redis round trips, memory."""

import gc
import time
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from statistics import median
from typing import Any

import redis
import requests

from apiclient_app import clients
from apiclient_app.client import Client
from apiclient_app.engines import Engine, Outgoing
from apiclient_app.secret import Secret
from apiclient_app.subjects import KEPT_SUBJECTS
from apiclient_app.tokens import Token, new_token

from .api import Api
from .contenders import Contender
from .runner import timed
from .site import CROWD

RATE, SECONDS = 100, 12  # calls per second; more than two lives of a snapshot (MEMORY_SECONDS)


class Instant(Engine):
    """Answers at once."""

    def __init__(self, client: Client, path: str) -> None:
        super().__init__(client.config)
        self.outgoing: Outgoing = client.rooms.engine.prepare(
            "GET", f"{client.config.base_url}{path}", {}
        )
        self.response = client.get(path)

    def prepare(self, *_: Any) -> Outgoing:
        return self.outgoing

    def send(self, outgoing: Outgoing, token: Token | None) -> requests.Response:
        return self.response


class InstantSigned(Instant):
    """Signs a copy, as the real one does, and answers."""

    def send(self, outgoing: Outgoing, token: Token | None) -> requests.Response:
        self.config.auth.sign(outgoing.prepared.copy(), token)
        return self.response


def cost(
    kind: type[Instant], api: Api, rounds: int = 25, calls: int = 5000, alias: str = "bench"
) -> float:
    """Give µs of CPU a call, the median of `rounds`: `client.get` but for preparing, sending."""
    client = clients[alias]
    with driving(client, kind(client, api.path)):
        return median(timed(lambda: client.get(api.path), calls)[1] for _ in range(rounds))


def subject_cost(api: Api, rounds: int = 25, calls: int = 5000) -> float:
    """Give µs of CPU that asking for a subject's client adds to a call, the median of `rounds`."""
    client = clients["bench"]
    subject = client.for_subject("user-42")
    added = []
    engine = Instant(client, api.path)
    subject.get(api.path)
    with driving(client, engine), driving(subject, engine):
        for _ in range(rounds):
            plain = timed(lambda: client.get(api.path), calls)[1]
            asked = timed(lambda: client.for_subject("user-42").get(api.path), calls)[1]
            added.append(asked - plain)
    return median(added)


def subject_memory(subjects: int = 10_000) -> tuple[float, int]:
    """Give MiB that stay after so many subjects were used, each with its token; and how many
    are kept."""
    client = clients["client0"]
    gc.collect()
    tracemalloc.start()
    for number in range(subjects):
        now = time.time()
        headers = {"Authorization": Secret(f"Bearer {number:040d}")}
        token = new_token(headers, sent_at=now, obtained_at=now, life=3600)
        client.for_subject(f"user-{number}").memory.advance(token, now)
    gc.collect()
    size, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return size / 1024**2, KEPT_SUBJECTS


@contextmanager
def driving(client: Client, engine: Engine) -> Iterator[None]:
    real, client.rooms = client.rooms, replace(client.rooms, engine=engine)
    try:
        yield
    finally:
        client.rooms = real


def round_trips(contender: Contender, api: Api, redis_url: str) -> float:
    """Give Redis commands per call, counted by Redis itself, at `RATE` calls a second."""
    with redis.Redis.from_url(redis_url) as connection, contender.ready(api) as call:
        call()
        before, began = commands(connection), time.perf_counter()
        for number in range(RATE * SECONDS):
            time.sleep(max(0.0, began + number / RATE - time.perf_counter()))
            call()
        return (commands(connection) - before) / (RATE * SECONDS)


def commands(connection: redis.Redis) -> int:
    statistics: dict[str, Any] = connection.info("commandstats")
    ours = {"cmdstat_info"}  # and asking must not count
    return sum(stat["calls"] for name, stat in statistics.items() if name not in ours)


def memory(api: Api) -> dict[str, float]:
    """Give KiB for each of many clients: built, then with Session, token and connection too."""
    crowd = [f"client{number}" for number in range(CROWD)]
    return {
        "a client, built": kibibytes(lambda: [clients[alias] for alias in crowd]),
        "what its first call adds": kibibytes(
            lambda: [clients[alias].get(api.path).status_code for alias in crowd]
        ),
        "a requests.Session after its first call": kibibytes(
            lambda: [opened(api) for _ in crowd],
        ),
    }


def opened(api: Api) -> requests.Session:
    session = requests.Session()
    session.headers["Authorization"] = api.authorization
    session.get(api.url)
    return session


def kibibytes(make: Callable[[], list[Any]]) -> float:
    """Give what stays allocated for each of the things made."""
    gc.collect()
    tracemalloc.start()
    made = make()
    gc.collect()
    size, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return size / len(made) / 1024
