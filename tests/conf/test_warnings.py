"""System checks about caches that cannot do the job, and certificates that nobody looks at."""

import tempfile
from typing import Any

import pytest
from django.core.cache.backends.base import BaseCache
from django.core.checks import CheckMessage, run_checks
from pytest_django import Settings

from tests import settings as test_settings
from tests.conftest import Configure

GOOD = {"BASE_URL": "https://api.example/"}
TIMEOUTS = {"SOCKET_TIMEOUT": 1, "SOCKET_CONNECT_TIMEOUT": 1}
JSON = {"SERIALIZER": "django_redis.serializers.json.JSONSerializer"}


class Own(BaseCache):
    """A cache of somebody's: what it can do is not known here."""

    def __init__(self, location: str, params: dict[str, Any]) -> None:
        super().__init__(params)


def found(**options: Any) -> list[CheckMessage]:
    return [m for m in run_checks(**options) if (m.id or "").startswith("apiclient_app.W")]


def django_redis(**options: Any) -> dict[str, Any]:
    return {
        "BACKEND": "django_redis.cache.RedisCache",
        "LOCATION": "redis://redis.example/",
        "OPTIONS": options,
    }


def builtin(**options: Any) -> dict[str, Any]:
    return {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": "redis://redis.example/",
        "OPTIONS": options,
    }


def plain(name: str) -> dict[str, Any]:
    return {"BACKEND": f"django.core.cache.backends.{name}"}


POOL = {"CONNECTION_POOL_KWARGS": {"socket_timeout": 1, "socket_connect_timeout": 1}}
LOWER = {"socket_timeout": 1, "socket_connect_timeout": 1}
CACHES: dict[str, tuple[dict[str, Any], dict[str, str]]] = {
    "locmem": (plain("locmem.LocMemCache"), {"W001": "Use Redis"}),
    "file": (
        {**plain("filebased.FileBasedCache"), "LOCATION": tempfile.gettempdir()},
        {"W002": "Memcached"},
    ),
    "dummy": (plain("dummy.DummyCache"), {"W003": "local-memory"}),
    "database": ({**plain("db.DatabaseCache"), "LOCATION": "x"}, {"W007": "database alias"}),
    "redis without timeouts": (django_redis(**JSON), {"W004": "SOCKET_TIMEOUT and SOCKET_CONN"}),
    "redis with one": (django_redis(**JSON, SOCKET_TIMEOUT=1), {"W004": "SOCKET_CONNECT_TIMEOUT"}),
    "redis with pool options": (django_redis(**JSON, **POOL), {}),
    "redis with pickle": (django_redis(**TIMEOUTS), {"W005": "JSONSerializer"}),
    "redis with both": (django_redis(), {"W004": "OPTIONS", "W005": "JSONSerializer"}),
    "redis as it should be": (django_redis(**TIMEOUTS, **JSON), {}),
    "builtin without timeouts": (builtin(), {"W004": "socket_timeout and socket_connect_timeout"}),
    "builtin with": (builtin(**LOWER), {}),
    "somebody's own": ({"BACKEND": f"{__name__}.Own"}, {}),
}


@pytest.mark.parametrize(("cache", "warnings"), CACHES.values(), ids=CACHES)
def test_a_cache_is_warned_about(
    settings: Settings, cache: dict[str, Any], warnings: dict[str, str]
) -> None:
    settings.CACHES = {"default": plain("dummy.DummyCache"), "tokens": cache}
    settings.API_CLIENTS = {"shop": {**GOOD, "CACHE": "tokens"}}
    told = {(m.id or "").removeprefix("apiclient_app."): m for m in found()}
    assert told.keys() == warnings.keys()
    for code, hint in warnings.items():
        assert hint in str(told[code].hint)
        assert told[code].msg.startswith("CACHES['tokens'] ")


def test_a_cache_that_no_client_uses_is_nobodys_business(settings: Settings) -> None:
    settings.CACHES = {
        "default": plain("locmem.LocMemCache"),
        "good": test_settings.CACHES["default"],
    }
    settings.API_CLIENTS = {"shop": {**GOOD, "CACHE": "good"}}
    assert found() == []


def test_a_cache_is_warned_about_once_however_many_use_it(settings: Settings) -> None:
    settings.CACHES = {"default": plain("locmem.LocMemCache")}
    settings.API_CLIENTS = {"one": GOOD, "two": GOOD, "three": {"CACHE": ["odd"]}, "four": 4}
    assert [m.id for m in found()] == ["apiclient_app.W001"]


def test_unverified_tls_is_warned_about_on_deployment(api_clients: Configure) -> None:
    api_clients(shop={**GOOD, "VERIFY": False}, other={**GOOD, "VERIFY": "ca.pem"}, third=3)
    assert found() == []
    (message,) = found(include_deployment_checks=True)
    assert message.id == "apiclient_app.W006"
    assert "API_CLIENTS['shop']['VERIFY']" in message.msg
    assert "CA bundle" in str(message.hint)


@pytest.mark.parametrize("value", [None, [], "x"])
def test_warnings_survive_a_setting_that_is_no_dict(settings: Settings, value: Any) -> None:
    settings.API_CLIENTS = value
    assert found(include_deployment_checks=True) == []
