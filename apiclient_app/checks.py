"""System checks: all that is wrong with API_CLIENTS at once, and caches that cannot do the job.

apiclient_app.E001 to E010 are errors in settings; `conf.problems.TITLES` names them.

- W001 the cache is one process's own: each process obtains a token for itself
- W002 the cache's `add` is not atomic: now and then two processes renew at once
- W003 the cache keeps nothing
- W004 a Redis cache without SOCKET_TIMEOUT and SOCKET_CONNECT_TIMEOUT: calls wait for a dead one
- W005 django-redis unpickles what it reads: whoever writes to Redis runs code here
- W006 (deploy) TLS certificates are not verified
- W007 the cache shares the caller's database transaction: a rollback takes a token back
- W008 (database) refresh tokens need attention: people have to authorise anew
- W009 (database) the table of refresh tokens is missing, and a client cannot do without
- W010 refresh tokens are in SQLite: who calls while holding its write lock gets an error
- W011 the grace for a used refresh token ends before a killed worker is given up
- W012 ENGINE is "curl", and pycurl is not installed: requests does its work
- W013 RATE_LIMIT or MAX_IN_FLIGHT without Redis: each process keeps to them for itself

`apps.py` registers them. A `database` check runs with `check --database default`, and with
`migrate`, before it migrates.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from importlib.util import find_spec
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error
from django.core.checks import Warning as Caution
from django.db import connections, router
from django.db.models import Count
from django.utils.module_loading import import_string

from .auth import AuthBackend
from .conf import config_for
from .conf.examination import examine
from .leases import LEASE_MARGIN
from .models import Credential

BACKENDS = {
    "django.core.cache.backends.locmem.LocMemCache": (
        "W001",
        "keeps tokens in each process for itself: every process obtains its own.",
        "Use Redis (django_redis.cache.RedisCache) where there is more than one process.",
    ),
    "django.core.cache.backends.filebased.FileBasedCache": (
        "W002",
        "has an add() that is not atomic: two processes may renew at once.",
        "Use Redis, Memcached or the database cache.",
    ),
    "django.core.cache.backends.dummy.DummyCache": (
        "W003",
        "keeps nothing: every process obtains its own token.",
        "Use Redis; for tests, the local-memory cache.",
    ),
    "django.core.cache.backends.db.DatabaseCache": (
        "W007",
        "is written in the caller's transaction: a rollback takes a new token back.",
        "Use Redis, or a database alias of its own for the cache.",
    ),
}
REDIS = ("django_redis.cache.RedisCache", "django.core.cache.backends.redis.RedisCache")


def check_clients(*_: Any, **__: Any) -> list[CheckMessage]:
    """Report every problem of every client."""
    clients = getattr(settings, "API_CLIENTS", {})
    if not isinstance(clients, Mapping):
        text = "settings.API_CLIENTS is not a dict keyed by alias."
        return [Error(text, hint="Give a dict.", id="apiclient_app.E001")]
    return [
        Error(f"{p.where} {p.text}", hint=p.remedy, id=f"apiclient_app.{p.code}")
        for alias, source in clients.items()
        for p in examine(alias, source).problems
    ]


def check_caches(*_: Any, **__: Any) -> list[CheckMessage]:
    """Warn about the caches that clients use."""
    clients = getattr(settings, "API_CLIENTS", {})
    if not isinstance(clients, Mapping):
        return []
    used = {str(s.get("CACHE", "default")) for s in clients.values() if isinstance(s, Mapping)}
    return [
        Caution(f"CACHES[{alias!r}] {text}", hint=hint, id=f"apiclient_app.{code}")
        for alias in sorted(used & set(settings.CACHES))
        for code, text, hint in _complaints(settings.CACHES[alias])
    ]


def _complaints(cache: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    backend, options = str(cache.get("BACKEND", "")), cache.get("OPTIONS", {})
    complaints = [BACKENDS[backend]] if backend in BACKENDS else []
    if backend in REDIS:
        names = {
            str(name).lower() for name in (*options, *options.get("CONNECTION_POOL_KWARGS", {}))
        }
        if not {"socket_timeout", "socket_connect_timeout"} <= names:
            text = "has no socket timeout: when Redis hangs, so does every call that looks there."
            prefix = "SOCKET_" if backend.startswith("django_redis") else "socket_"
            names_hint = f"{prefix}TIMEOUT and {prefix}CONNECT_TIMEOUT"
            hint = f"Set {names_hint if prefix.isupper() else names_hint.lower()} in its OPTIONS."
            complaints.append(("W004", text, hint))
    if backend == REDIS[0] and "pickle" in str(options.get("SERIALIZER", "pickle")).lower():
        text = "unpickles what it reads: whoever can write to Redis can run code here."
        hint = 'Set OPTIONS["SERIALIZER"] to "django_redis.serializers.json.JSONSerializer".'
        complaints.append(("W005", text, hint))
    return complaints


def check_tls(*_: Any, **__: Any) -> list[CheckMessage]:
    """Warn, on deployment, about clients that do not verify certificates."""
    clients = getattr(settings, "API_CLIENTS", {})
    return [
        Caution(
            f"API_CLIENTS[{alias!r}]['VERIFY'] is False: anybody in between can read the token.",
            hint="Remove it, or give the path of a CA bundle.",
            id="apiclient_app.W006",
        )
        for alias, source in (clients.items() if isinstance(clients, Mapping) else ())
        if isinstance(source, Mapping) and source.get("VERIFY") is False
    ]


def check_database(*_args: Any, **__: Any) -> list[CheckMessage]:
    """Warn about a database that does not take two writers."""
    aliases = [alias for alias, _ in _refreshing()]
    database = router.db_for_write(Credential)
    if not aliases or connections[database].vendor != "sqlite":
        return []
    text = (
        f"DATABASES[{database!r}] is SQLite and keeps the refresh tokens of {_listed(aliases)}: "
        "a renewal fails where the caller's own transaction holds the write lock."
    )
    hint = "Use PostgreSQL or MySQL in production; with SQLite, call outside of atomic()."
    return [Caution(text, hint=hint, id="apiclient_app.W010")]


def check_grace(*_args: Any, **__: Any) -> list[CheckMessage]:
    """Warn about a grace that is over before anybody may use it."""
    return [
        Caution(
            f"API_CLIENTS[{alias!r}]['AUTH']['OPTIONS']['grace'] ({auth.grace:g} s) ends before a "
            f"worker that was killed while it asked is given up ({lease:g} s).",
            hint=f"Set TOKEN_TIMEOUT below {max(1.0, auth.grace - LEASE_MARGIN):g} seconds, or "
            "have the provider take a used refresh token for longer.",
            id="apiclient_app.W011",
        )
        for alias, auth in _refreshing()
        if 0 < auth.grace <= (lease := config_for(alias).token_timeout + LEASE_MARGIN)
    ]


def check_rows(*_: Any, databases: Collection[str] | None = None, **__: Any) -> list[CheckMessage]:
    """Warn about refresh tokens that need attention. Asks the database, if it may be asked."""
    database = router.db_for_write(Credential)
    if database not in (databases or ()):
        return []
    # Others can do without: they obtain a token with credentials of their own.
    aliases = [alias for alias, auth in _refreshing() if not auth.obtains]
    if not aliases:
        return []
    if Credential._meta.db_table not in connections[database].introspection.table_names():
        text = f"The table of refresh tokens is missing; {_listed(aliases)} cannot do without it."
        hint = "Run `manage.py migrate apiclient_app`."
        return [Caution(text, hint=hint, id="apiclient_app.W009")]
    rows = Credential.objects.using(database).filter(alias__in=aliases, attention__gt="")
    counts = dict(rows.order_by().values_list("alias").annotate(Count("pk")))
    return _in_need(counts) if counts else []


def _in_need(counts: Mapping[str, int]) -> list[CheckMessage]:
    total = sum(counts.values())
    who = ", ".join(f"{alias} ({count})" for alias, count in sorted(counts.items()))
    needs = "One credential needs" if total == 1 else f"{total} credentials need"
    text = f"{needs} attention, because a refresh token is of no more use: {who}."
    hint = (
        "Authorise anew, and store each new refresh token: in the admin, or with `manage.py "
        "apiclient store-refresh-token ALIAS [--subject S]`."
    )
    return [Caution(text, hint=hint, id="apiclient_app.W008")]


def _refreshing() -> Iterator[tuple[str, AuthBackend]]:
    """Give the clients that keep refresh tokens, as far as their settings are in order."""
    clients = getattr(settings, "API_CLIENTS", {})
    for alias, source in clients.items() if isinstance(clients, Mapping) else ():
        findings = examine(alias, source)
        if not findings.problems and findings.values["AUTH"].refreshes:
            yield alias, findings.values["AUTH"]


def _listed(aliases: Collection[str]) -> str:
    return ", ".join(map(repr, aliases))


def check_engine(*_: Any, **__: Any) -> list[CheckMessage]:
    """Warn of clients that are to use libcurl where there is none."""
    clients = getattr(settings, "API_CLIENTS", {})
    if find_spec("pycurl") is not None or not isinstance(clients, Mapping):
        return []
    return [
        Caution(
            f"API_CLIENTS[{alias!r}]['ENGINE'] is 'curl', and pycurl is not installed: requests "
            "does its work.",
            hint="pip install django-apiclient-app[fast]",
            id="apiclient_app.W012",
        )
        for alias, source in clients.items()
        if isinstance(source, Mapping) and source.get("ENGINE") == "curl"
    ]


def check_limits(*_: Any, **__: Any) -> list[CheckMessage]:
    """Warn about limits that no two processes have in common."""
    clients = getattr(settings, "API_CLIENTS", {})
    return [
        Caution(
            f"API_CLIENTS[{alias!r}][{key!r}] is kept by each process for itself: "
            f"CACHES[{cache!r}] is not Redis.",
            hint="Use django_redis.cache.RedisCache, or divide it by the number of processes.",
            id="apiclient_app.W013",
        )
        for alias, source in (clients.items() if isinstance(clients, Mapping) else ())
        if isinstance(source, Mapping)
        for cache in [str(source.get("CACHE", "default"))]
        for key in ("RATE_LIMIT", "MAX_IN_FLIGHT")
        if source.get(key) is not None and not _scripted(cache)
    ]


def _scripted(cache: str) -> bool:
    """Whether a cache is Redis; also where its class is a project's own."""
    try:
        kind: Any = import_string(str(settings.CACHES[cache]["BACKEND"]))
    except (ImportError, KeyError):
        return True  # that is complained of elsewhere
    return any(f"{base.__module__}.{base.__qualname__}" in REDIS for base in kind.__mro__)
