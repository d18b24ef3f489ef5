"""Stores over every cache of `tests.settings`."""

import time
from typing import Any

import pytest
from django.core.cache import caches
from django.core.cache.backends.redis import RedisCache as BuiltinRedisCache
from django.core.management import call_command
from django_redis.cache import RedisCache
from pytest_django import Settings

from apiclient_app.secret import Secret
from apiclient_app.store import CacheStore, Identity
from apiclient_app.store.outage import Outage
from apiclient_app.store.reach import Reach
from apiclient_app.store.seal import Seal
from apiclient_app.tokens import Token, new_token
from tests import settings as test_settings

KEYS = ("a key of today",)
REDIS = ["default", "ignoring", "django_redis_builtin", "pickling", "zipping", "herding"]
CACHES = [*REDIS, "counting", "counting_builtin", "sharding", "db", "locmem", "file"]


class Counting(RedisCache):  # type: ignore[misc]
    """Somebody's cache, made of django-redis' own."""


class CountingBuiltin(BuiltinRedisCache):
    """Somebody's cache, made of Django's own."""


def django_redis(name: str, **options: Any) -> dict[str, Any]:
    return {name: test_settings.django_redis(name, **options)}


BUILTIN = test_settings.CACHES["django_redis_builtin"]
PICKLE = "django_redis.serializers.pickle.PickleSerializer"
MORE: dict[str, dict[str, Any]] = {
    **django_redis("pickling", SERIALIZER=PICKLE),
    **django_redis("zipping", COMPRESSOR="django_redis.compressors.zlib.ZlibCompressor"),
    **django_redis("herding", CLIENT_CLASS="django_redis.client.HerdClient", SERIALIZER=PICKLE),
    **django_redis("sharding", CLIENT_CLASS="django_redis.client.ShardClient"),
    "counting": {
        **test_settings.django_redis("counting", IGNORE_EXCEPTIONS=True),
        "BACKEND": f"{__name__}.Counting",
    },
    "counting_builtin": {
        **BUILTIN,
        "BACKEND": f"{__name__}.CountingBuiltin",
        "KEY_PREFIX": f"counting-{BUILTIN['KEY_PREFIX']}",
    },
}


@pytest.fixture
def more_caches(settings: Settings) -> None:
    settings.CACHES = {**settings.CACHES, **MORE}


@pytest.fixture(params=CACHES)
def cache(request: pytest.FixtureRequest, more_caches: None, redis_url: str) -> str:
    """The name of each cache, ready for use."""
    name = str(request.param)
    if name == "db":
        request.getfixturevalue("db")
        call_command("createcachetable", verbosity=0)
    return name


@pytest.fixture
def store(cache: str) -> CacheStore:
    return opened(cache)


def opened(
    cache: str,
    alias: str = "shop",
    keys: tuple[str, ...] = KEYS,
    fingerprint: str = "f1",
    outage: Outage | None = None,
) -> CacheStore:
    """Give the store of an identity, as one process has it."""
    return CacheStore(
        Reach(lambda: caches[cache], outage or Outage(cache, time.time)),
        Identity(alias, "", fingerprint),
        Seal(keys),
        time.time,
        memory_seconds=5.0,
    )


def token(name: str = "hunter2", life: float = 60.0, after: int = 0) -> Token:
    now = time.time()
    headers = {"Authorization": Secret(f"Bearer {name}")}
    return new_token(headers, sent_at=now, obtained_at=now, life=life, after=after)
