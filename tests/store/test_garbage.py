"""What others put under our keys is absent to us, harms nothing, and is replaced."""

import pickle
from collections.abc import Iterator
from typing import Any

import pytest
import redis
from django.core.cache import caches

from apiclient_app.records import View
from apiclient_app.store import KINDS, CacheStore, Identity

from .conftest import REDIS, opened, token

# django-redis' own words to itself
pytestmark = pytest.mark.filterwarnings("ignore:.*sharded client should not specify client")

ME, OTHER = 4611686018427387904, 3
LEASE = 10.0
GARBAGE: list[Any] = ["", "junk", "1.AAAA", 7, 1.5, None, [1], {"a": 1}, True]


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "lock"])
def test_another_value_under_our_key_is_absent_and_replaced(
    store: CacheStore, cache: str, kind: str
) -> None:
    for value in GARBAGE:
        caches[cache].set(Identity("shop", "", "f1").key(kind), value)
        assert store.look() == View(), repr(value)
    published = token()
    assert store.acquire(ME, LEASE)
    assert store.publish(ME, published, None)
    assert opened(cache).look().token == published


@pytest.fixture
def connection(redis_url: str) -> Iterator[redis.Redis]:
    with redis.Redis.from_url(redis_url) as connection:
        yield connection


UNREADABLE = [b"", b"\xff\xfe", b"{", b"\x80\x05.", b"x\x9cjunk", b"cno.such\nthing\n.", b"0."]


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "lock"])
@pytest.mark.parametrize("cache", REDIS, indirect=True)
def test_bytes_that_no_serializer_reads_are_absent_and_hide_nothing_else(
    store: CacheStore, cache: str, connection: redis.Redis, kind: str
) -> None:
    key = str(caches[cache].make_key(Identity("shop", "", "f1").key(kind)))
    kept = token()
    store.acquire(ME, LEASE)
    for value in UNREADABLE:
        assert store.publish(ME, kept, None)
        connection.set(key, value, ex=60)
        assert store.look() == View(token=None if kind == "token" else kept, locked=True)
        assert not store.acquire(OTHER, LEASE)
    newer = token("newer", after=kept.generation)
    assert store.publish(ME, newer, None)
    assert store.look().token == newer


class Trap:
    """What a pickle can do to who reads it."""

    sprung: list[str] = []

    def __reduce__(self) -> Any:
        return self.sprung.append, ("sprung",)


def test_a_json_serializer_springs_no_trap(connection: redis.Redis) -> None:
    store = opened("default")
    key = caches["default"].make_key(Identity("shop", "", "f1").key("token"))
    connection.set(str(key), pickle.dumps(Trap()), ex=60)
    assert store.look() == View()
    assert Trap.sprung == []
