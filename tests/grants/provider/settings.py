"""Settings of the provider: django-oauth-toolkit on PostgreSQL. Throw-away data."""

import json
import os

SECRET_KEY = "of a provider that holds nothing worth protecting"
ALLOWED_HOSTS = ["127.0.0.1"]
USE_TZ = True
ROOT_URLCONF = "tests.grants.provider.urls"

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "oauth2_provider",
]
MIDDLEWARE = ["tests.grants.provider.seen.journal"]

# Kept open, by each of its threads: connecting takes longer than answering.
DATABASES = {"default": {**json.loads(os.environ["PROVIDER_DATABASE"]), "CONN_MAX_AGE": None}}
MIGRATION_MODULES = {"auth": None, "contenttypes": None, "oauth2_provider": None}

OAUTH2_PROVIDER = {
    "ACCESS_TOKEN_EXPIRE_SECONDS": 3600,
    "SCOPES": {"read": "Read", "write": "Write"},
    "ROTATE_REFRESH_TOKEN": True,
    "REFRESH_TOKEN_REUSE_PROTECTION": True,
    "REFRESH_TOKEN_GRACE_PERIOD_SECONDS": int(os.environ["PROVIDER_GRACE"]),
}
