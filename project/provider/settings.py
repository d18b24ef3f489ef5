"""Settings of the provider: django-oauth-toolkit, an API, nothing else. Throw-away data."""

import os
from pathlib import Path

from . import TOKEN_SECONDS

SECRET_KEY = "not-a-secret-the-demo-provider-holds-nothing-worth-protecting"
DEBUG = False
ALLOWED_HOSTS = ["localhost", "127.0.0.1", "[::1]"]
USE_TZ = True
ROOT_URLCONF = "project.provider.urls"

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "oauth2_provider",
]
MIDDLEWARE = ["project.provider.seen.counting"]

VAR = Path(__file__).resolve().parents[2] / "var" / os.environ.get("DEMO_RUN", "site")
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": VAR / "provider.sqlite3",
        "OPTIONS": {
            "timeout": 10,
            "transaction_mode": "IMMEDIATE",
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF",
        },
    }
}
# A database for one run needs no history: its tables are made from the models, in no time.
MIGRATION_MODULES = {"auth": None, "contenttypes": None, "oauth2_provider": None}

OAUTH2_PROVIDER = {
    "ACCESS_TOKEN_EXPIRE_SECONDS": TOKEN_SECONDS,
    "SCOPES": {"planets": "Read about the planets"},
}
