"""Settings of the demo site. What differs between two runs comes from the environment."""

import os
from pathlib import Path

from project.provider import CLIENT_ID, CLIENT_SECRET

BASE_DIR = Path(__file__).resolve().parent.parent

RUN = os.environ.get("DEMO_RUN", "site")  # names what one run writes, on disk and in Redis
VAR = BASE_DIR / "var" / RUN
VAR.mkdir(parents=True, exist_ok=True)
REDIS_URL = os.environ.get("REDIS_URL", "redis://127.0.0.1:6379/0")
PROVIDER_URL = os.environ.get("PROVIDER_URL", "http://127.0.0.1:8001")

SECRET_KEY = os.environ.get("SECRET_KEY", "django-insecure-this-key-is-for-the-demo-only")
DEBUG = os.environ.get("DEBUG") == "1"
ALLOWED_HOSTS = ["localhost", "127.0.0.1", "[::1]"]

API_CLIENTS = {
    "planets": {
        "BASE_URL": f"{PROVIDER_URL}/api/",
        "AUTH": {
            "BACKEND": "apiclient_app.auth.ClientCredentials",
            "OPTIONS": {
                "token_url": f"{PROVIDER_URL}/o/token/",
                "revocation_url": f"{PROVIDER_URL}/o/revoke_token/",
                "client_id": os.environ.get("PROVIDER_CLIENT_ID", CLIENT_ID),
                "client_secret": os.environ.get("PROVIDER_CLIENT_SECRET", CLIENT_SECRET),
                "scope": "planets",
            },
        },
        "ENDPOINTS": {"planet": "GET planets/{name}/"},
        "CHECK": "GET planets/",
    },
}

CACHES = {
    "default": {
        "BACKEND": "django_redis.cache.RedisCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": RUN,
        "OPTIONS": {
            # The default unpickles: whoever can write to Redis could run code here.
            "SERIALIZER": "django_redis.serializers.json.JSONSerializer",
            "SOCKET_CONNECT_TIMEOUT": 1,
            "SOCKET_TIMEOUT": 1,
        },
    },
}

CELERY_BROKER_URL = REDIS_URL
CELERY_RESULT_BACKEND = REDIS_URL
CELERY_RESULT_EXPIRES = 300
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS = {"global_keyprefix": f"{RUN}:"}
CELERY_RESULT_BACKEND_TRANSPORT_OPTIONS = {"global_keyprefix": f"{RUN}:"}

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
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
ROOT_URLCONF = "project.urls"
WSGI_APPLICATION = "project.wsgi.application"
ASGI_APPLICATION = "project.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "project" / "templates"],
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
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": VAR / "site.sqlite3",
        "OPTIONS": {
            "timeout": 10,
            "transaction_mode": "IMMEDIATE",
            "init_command": "PRAGMA journal_mode=WAL",
        },
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
LANGUAGE_CODE = "en-us"
TIME_ZONE = "UTC"
USE_TZ = True
STATIC_URL = "static/"
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"console": {"class": "logging.StreamHandler"}},
    "root": {"handlers": ["console"], "level": "INFO"},
}
