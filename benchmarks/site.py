"""Django's settings for a run: what they name is known only once the servers are up."""

from typing import Any

import django
from django.conf import settings

from .nginx import Api

CROWD = 100  # clients by whom memory is measured


def set_up(api: Api, redis_url: str) -> None:
    described = client_settings(api)
    crowd = {f"client{number}": described for number in range(CROWD)}
    settings.configure(
        SECRET_KEY="for the benchmarks",
        USE_TZ=True,
        INSTALLED_APPS=["apiclient_app"],
        CACHES={"default": cache_settings(redis_url)},
        API_CLIENTS={"bench": described, **crowd},
    )
    django.setup()


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
