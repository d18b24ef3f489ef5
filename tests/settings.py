"""Settings of the tests, and of the processes that they start."""

import os
import secrets
import tempfile
from pathlib import Path
from typing import Any

from project.valkey import Valkey

embedded = None if os.environ.get("REDIS_URL") else Valkey()  # not started: conftest does that
REDIS_URL = embedded.url if embedded else os.environ["REDIS_URL"]

# A Redis that is not ours is not flushed: everything of one run has a name of its own.
RUN = os.environ.get("TEST_RUN") or secrets.token_hex(4)

SECRET_KEY = "a key for tests and for nothing else"
ALLOWED_HOSTS = ["*"]
USE_TZ = True
ROOT_URLCONF = "tests.urls"
STATIC_URL = "static/"

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "apiclient_app",
]
MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


def django_redis(name: str, **options: object) -> dict[str, Any]:
    return {
        "BACKEND": "django_redis.cache.RedisCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": f"{name}-{RUN}",
        "OPTIONS": {
            "SERIALIZER": "django_redis.serializers.json.JSONSerializer",
            "SOCKET_CONNECT_TIMEOUT": 1,
            "SOCKET_TIMEOUT": 1,
            **options,
        },
    }


CACHES: dict[str, dict[str, Any]] = {
    "default": django_redis("default"),
    "ignoring": django_redis("ignoring", IGNORE_EXCEPTIONS=True),
    "django_redis_builtin": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": f"builtin-{RUN}",
    },
    "locmem": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "LOCATION": RUN},
    "dummy": {"BACKEND": "django.core.cache.backends.dummy.DummyCache"},
    "file": {
        "BACKEND": "django.core.cache.backends.filebased.FileBasedCache",
        "LOCATION": Path(tempfile.gettempdir()) / f"apiclient-tests-{RUN}",
    },
    "db": {"BACKEND": "django.core.cache.backends.db.DatabaseCache", "LOCATION": "test_cache"},
}

API_CLIENTS: dict[str, dict[str, Any]] = {}
