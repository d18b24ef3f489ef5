"""The store over every cache: what is written is found, and only the lock's owner writes."""

import time
from typing import Any

import pytest
from django.core.cache import caches
from django.core.cache.backends.base import memcache_key_warnings
from hypothesis import given
from hypothesis import strategies as st

from apiclient_app.exceptions import StoreUnavailable
from apiclient_app.records import Failure, Fruitless, View
from apiclient_app.store import KINDS, CacheStore, Identity
from apiclient_app.store.seal import Seal

from .conftest import opened, token

# django-redis' own words to itself
pytestmark = pytest.mark.filterwarnings("ignore:.*sharded client should not specify client")

ME, OTHER = 4611686018427387904, 3
LEASE = 10.0


def failure(seconds: float = 10.0) -> Failure:
    now = time.time()
    return Failure("http_503", "down", False, now, now + seconds, 2)


def test_an_empty_store_shows_nothing(store: CacheStore) -> None:
    assert store.look() == View()


def test_what_is_published_is_seen_by_others(store: CacheStore, cache: str) -> None:
    published = token()
    assert store.acquire(ME, LEASE)
    assert store.publish(ME, published, None)
    assert opened(cache).look() == View(token=published, locked=True)
    assert store.release(ME)
    assert opened(cache).look() == View(token=published)


def test_one_owner_has_the_lock(store: CacheStore, cache: str) -> None:
    other = opened(cache)
    assert store.acquire(ME, LEASE)
    assert not other.acquire(OTHER, LEASE)
    assert not other.release(OTHER)
    assert not other.acquire(OTHER, LEASE)
    assert store.release(ME)
    assert other.acquire(OTHER, LEASE)


@pytest.mark.parametrize("held", ["by another", "by nobody"])
def test_who_does_not_own_the_lock_writes_nothing(store: CacheStore, held: str) -> None:
    first = token("first")
    assert store.acquire(OTHER, LEASE)
    assert store.publish(OTHER, first, None)
    assert store.fail(OTHER, failure())
    if held == "by nobody":
        assert store.release(OTHER)
    before = store.look()
    assert before.token == first
    assert store.publish(ME, token("late", after=first.generation), first) is False
    assert store.fail(ME, failure(20)) is False
    assert store.bury(ME, first.generation, 60) is False
    assert store.settle(ME, time.time() + 60) is False
    assert store.release(ME) is False
    assert store.look() == before


@pytest.mark.parametrize(
    "cache", ["default", "herding", "django_redis_builtin", "locmem"], indirect=True
)
def test_a_lock_ends_with_its_lease(store: CacheStore, cache: str) -> None:
    assert store.acquire(ME, 0.9)
    assert store.look().locked
    time.sleep(1.05)  # whole seconds, rounded up: no cache does less
    assert opened(cache).acquire(OTHER, LEASE)
    assert store.publish(ME, token(), None) is False
    assert store.look().token is None


def test_a_life_of_less_than_a_second_is_not_none(store: CacheStore) -> None:
    short = token(life=0.4)
    assert store.acquire(ME, LEASE)
    assert store.publish(ME, short, None)
    assert store.look().token == short


def test_a_new_token_ends_a_recorded_failure(store: CacheStore) -> None:
    failed = failure()
    store.acquire(ME, LEASE)
    assert store.fail(ME, failed)
    assert store.look().failure == failed
    assert store.publish(ME, token(), None)
    assert store.look().failure is None


def test_burying_leaves_the_tombstone_alone(store: CacheStore) -> None:
    old = token("old")
    store.acquire(ME, LEASE)
    store.publish(ME, old, None)
    store.publish(ME, token("new", after=old.generation), old)
    store.fail(ME, failure())
    store.mark_fruitless(Fruitless(old.generation, 1, time.time() + 9))
    assert store.bury(ME, old.generation + 1, 60)
    assert store.look() == View(tombstone=old.generation + 1, locked=True)


def test_replaced_tokens_are_due_until_they_are_settled(store: CacheStore) -> None:
    one, two, three = token("one"), token("two"), token("three")
    store.acquire(ME, LEASE)
    store.publish(ME, two, one)
    store.publish(ME, three, two)
    due = store.look().due
    assert [d.token for d in due] == [one, two]
    assert all(4 < d.at - time.time() <= 5 for d in due)
    assert store.settle(ME, due[0].at)
    assert [d.token for d in store.look().due] == [d.token for d in due if d.at > due[0].at]
    assert store.settle(ME, time.time() + 60)
    assert store.look().due == ()
    assert store.look().token == three


def test_a_replaced_token_that_has_expired_is_not_due(store: CacheStore) -> None:
    store.acquire(ME, LEASE)
    store.publish(ME, token("new"), token("old", life=-1))
    assert store.look().due == ()


def test_fruitless_renewals_are_remembered_without_a_lock(store: CacheStore, cache: str) -> None:
    marker = Fruitless(7, 3, time.time() + 8)
    store.mark_fruitless(marker)
    assert opened(cache).look().fruitless == marker
    store.clear_fruitless()
    assert store.look().fruitless is None


def test_identities_do_not_meet(store: CacheStore, cache: str) -> None:
    store.acquire(ME, LEASE)
    store.publish(ME, token(), None)
    assert opened(cache, alias="bank").look() == View()
    assert opened(cache, fingerprint="f2").look() == View()


def raw(cache: str, kind: str) -> Any:
    return caches[cache].get(Identity("shop", "", "f1").key(kind))


def test_what_stands_in_the_cache_is_ascii_and_shows_nothing(
    store: CacheStore, cache: str
) -> None:
    old = token("hunter2-old")
    store.acquire(ME, LEASE)
    store.publish(ME, token("hunter2-new", after=old.generation), old)
    store.mark_fruitless(Fruitless(7, 3, time.time() + 8))
    for kind in ("token", "due", "fruitless"):
        value = raw(cache, kind)
        assert isinstance(value, str)
        assert value.isascii()
        assert "hunter2" not in value
        assert "Authorization" not in value


def test_a_record_of_another_secret_key_is_absent_and_replaced(
    store: CacheStore, cache: str
) -> None:
    store.acquire(ME, LEASE)
    store.publish(ME, token("old"), None)
    rotated = opened(cache, keys=("another key",))
    assert rotated.look() == View(locked=True)
    fresh = token("new")
    assert rotated.publish(ME, fresh, None)
    assert rotated.look().token == fresh
    assert opened(cache, keys=("a third", "another key")).look().token == fresh


def test_a_record_moved_to_another_identity_is_absent(store: CacheStore, cache: str) -> None:
    store.acquire(ME, LEASE)
    store.publish(ME, token(), None)
    caches[cache].set(Identity("bank", "", "f1").key("token"), raw(cache, "token"))
    assert opened(cache, alias="bank").look() == View()


def test_a_cache_that_keeps_nothing_is_no_store() -> None:
    store = opened("dummy")
    for method, *arguments in [("look",), ("acquire", ME, LEASE), ("release", ME)]:
        with pytest.raises(StoreUnavailable):
            getattr(store, str(method))(*arguments)


@given(st.text(min_size=1), st.sampled_from(KINDS))
def test_a_key_is_good_for_any_cache(alias: str, kind: str) -> None:
    key = Identity(alias, "", "0" * 32).key(kind)
    assert list(memcache_key_warnings(f"{'prefix' * 10}:1:{key}")) == []
    assert key.isascii()


def test_long_aliases_do_not_meet() -> None:
    seal = Seal(["k"])
    one, two = (Identity("x" * 90 + end, "", seal.mark(end, 32)) for end in "ab")
    assert one.key("token") != two.key("token")
