"""A cache that does not answer is said so once, asked again ever more seldom, and found again."""

import logging
import time
from contextlib import suppress
from itertools import chain, pairwise
from typing import Any

import pytest
import redis
from django.core.cache import caches
from pytest_django import Settings

from apiclient_app import clients
from apiclient_app.exceptions import StoreUnavailable
from apiclient_app.store import CacheStore, Identity
from apiclient_app.store.outage import LONGEST_PAUSE, Outage
from apiclient_app.store.reach import Reach
from apiclient_app.store.seal import Seal
from project.valkey import Valkey
from tests import settings as test_settings
from tests.conftest import Configure
from tests.servers import Handle

from .conftest import MORE, opened, token

CACHES = {**test_settings.CACHES, **MORE}
REDIS = ["default", "ignoring", "django_redis_builtin", "counting", "herding", "sharding"]
# django-redis' own words to itself
pytestmark = pytest.mark.filterwarnings("ignore:.*sharded client should not specify client")

LOGGER = "apiclient_app.store"


class Clock:
    """Time that passes when a test says so."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def own(settings: Settings, valkey: Valkey) -> Valkey:
    """Have every Redis cache in a Valkey of the test's own."""
    settings.CACHES = {name: {**CACHES[name], "LOCATION": valkey.url} for name in REDIS}
    return valkey


@pytest.mark.parametrize("cache", REDIS)
def test_an_outage_is_told_once_and_ends_when_the_cache_is_back(
    own: Valkey, cache: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, LOGGER)
    clock = Clock()
    store = opened(cache, outage=Outage(cache, clock))
    published = token()
    store.acquire(1, 60)
    store.publish(1, published, None)
    own.stop()
    for _ in range(3):
        with pytest.raises(StoreUnavailable):
            store.look()
        clock.now += LONGEST_PAUSE + 1
    with pytest.raises(StoreUnavailable):
        store.publish(1, published, None)
    assert [r.levelname for r in caplog.records] == ["WARNING"]
    assert cache in caplog.text
    own.start()
    with pytest.raises(StoreUnavailable):
        store.look()
    clock.now += LONGEST_PAUSE + 1
    assert store.look().token is None
    assert [r.levelname for r in caplog.records] == ["WARNING", "INFO"]
    own.stop()
    with pytest.raises(StoreUnavailable):
        store.look()
    assert [r.levelname for r in caplog.records] == ["WARNING", "INFO", "WARNING"]


class Broken:
    """A cache of somebody's that fails, and counts how often it was asked."""

    asked = 0

    def get_many(self, keys: list[str]) -> dict[str, Any]:
        self.asked += 1
        raise ConnectionError("redis://:hunter2@redis.example")


def test_a_cache_that_is_down_is_asked_ever_more_seldom(caplog: pytest.LogCaptureFixture) -> None:
    clock, cache = Clock(), Broken()
    store = CacheStore(
        Reach(lambda: cache, Outage("default", clock)),  # type: ignore[arg-type,return-value]
        Identity("shop", "", "f1"),
        Seal(["k"]),
        clock,
        memory_seconds=5.0,
    )
    tries: list[float] = []
    for _ in range(1200):
        before = cache.asked
        with pytest.raises(StoreUnavailable):
            store.look()
        if cache.asked > before:
            tries.append(clock.now)
        clock.now += 0.1
    pauses = [round(later - earlier) for earlier, later in pairwise(tries)]
    assert pauses[:4] == [1, 2, 4, 8]
    assert set(pauses[4:]) == {15}
    assert len(caplog.records) == 1
    assert "hunter2" not in caplog.text


FULL = {"maxmemory": "1", "maxmemory-policy": "noeviction"}


@pytest.mark.parametrize("cache", ["default", "django_redis_builtin"])
def test_a_cache_that_refuses_writes_is_told_once_though_it_can_be_read(
    own: Valkey, cache: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, LOGGER)
    clock = Clock()
    store = opened(cache, outage=Outage(cache, clock))
    with redis.Redis.from_url(own.url) as server:
        before = server.config_get(*FULL)
        server.config_set(*chain(*FULL.items()))
        tries: list[float] = []
        for _ in range(600):
            with suppress(StoreUnavailable):
                store.look()
                tries.append(clock.now)
                with pytest.raises(StoreUnavailable):
                    store.acquire(1, 60)
            clock.now += 0.1
        server.config_set(*chain(*before.items()))
    pauses = [round(later - earlier) for earlier, later in pairwise(tries)]
    assert pauses[:4] == [1, 2, 4, 8]
    said = f"Cache {cache!r} refuses what is to be stored (OutOfMemoryError); clients go on with"
    assert [r.getMessage() for r in caplog.records] == [f"{said} the tokens in memory."]
    clock.now += LONGEST_PAUSE
    store.look()
    assert len(caplog.records) == 1
    assert store.acquire(1, 60)
    assert [r.levelname for r in caplog.records] == ["WARNING", "INFO"]


@pytest.mark.parametrize("cache", REDIS)
def test_calls_go_on_and_obtain_a_token_without_the_cache(
    api: Handle, api_clients: Configure, own: Valkey, cache: str
) -> None:
    own.stop()
    api_clients(api=api.config(CACHE=cache))
    began = time.monotonic()
    for _ in range(20):
        assert clients["api"].get("echo").status_code == 200
    api.expire_all()
    assert clients["api"].get("echo").status_code == 200
    assert time.monotonic() - began < 2
    assert len(api.token_requests) == 2
    assert not clients["api"].inspect().store_available
    assert clients["api"].inspect().state == "fresh"


def test_a_cache_that_keeps_nothing_is_lived_with_quietly(
    api: Handle, api_clients: Configure, caplog: pytest.LogCaptureFixture
) -> None:
    api_clients(api=api.config(CACHE="dummy"))
    for _ in range(3):
        clients["api"].get("echo")
    assert len(api.token_requests) == 1
    assert caplog.records == []


def test_the_keys_of_a_client_are_the_same_in_every_process(
    api: Handle, api_clients: Configure, settings: Settings
) -> None:
    api_clients(api=api.config())
    first = clients["api"].token()
    clients.reset()
    caches.close_all()
    assert clients["api"].token().id == first.id
    assert len(api.token_requests) == 1
