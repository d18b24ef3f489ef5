"""Django's settings for a run: what they name is known only once the servers are up."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import django
from django.conf import settings

from .api import Api

CROWD = 100  # clients by whom memory is measured
GUARDED = "guarded"
THREADS = 400  # that share a client's pool at most


@dataclass(frozen=True)
class Site:
    """What the settings name."""

    apis: Sequence[Api]  # the first has the crowd too
    redis_url: str


def set_up(site: Site) -> None:
    crowd = {f"client{number}": client_settings(site.apis[0]) for number in range(CROWD)}
    settings.configure(
        SECRET_KEY="for the benchmarks",
        USE_TZ=True,
        INSTALLED_APPS=["apiclient_app"],
        CACHES={
            "default": cache_settings(site.redis_url),
            "own": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"},
        },
        API_CLIENTS={**crowd, **named(site.apis), GUARDED: guarded(site.apis[0])},
    )
    django.setup()


def named(apis: Sequence[Api]) -> dict[str, Any]:
    """Give each API a client, and another with the curl engine."""
    described = {api.alias: {**client_settings(api), "POOL_SIZE": THREADS} for api in apis}
    curl = {api.curl_alias: {**described[api.alias], "ENGINE": "curl"} for api in apis}
    return {**described, **curl}


def guarded(api: Api) -> dict[str, Any]:
    """Give settings with everything on that guards calls, in process, and none kept back."""
    return {
        **client_settings(api),
        "CACHE": "own",
        "RETRY": 3,
        "RATE_LIMIT": "1000000/second",
        "MAX_IN_FLIGHT": 1000,
        "DEADLINE": 30,
        "BREAKER": True,
    }


def cache_settings(redis_url: str) -> dict[str, Any]:
    return {
        "BACKEND": "django_redis.cache.RedisCache",
        "LOCATION": redis_url,
        "OPTIONS": {
            "SERIALIZER": "django_redis.serializers.json.JSONSerializer",
            "SOCKET_CONNECT_TIMEOUT": 1,
            "SOCKET_TIMEOUT": 1,
        },
    }


def client_settings(api: Api) -> dict[str, Any]:
    options = {"token_url": api.token_url, "client_id": "bench", "client_secret": "secret"}
    return {
        "BASE_URL": api.base_url,
        "AUTH": {"BACKEND": "apiclient_app.auth.ClientCredentials", "OPTIONS": options},
    }
