"""The table of refresh tokens, on a connection of its own: never in the caller's transaction.

Under ATOMIC_REQUESTS a view that fails would roll the grant back. Each method is one statement in
autocommit, so that its row lock, which decides between two workers, ends with it.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from django.apps import apps
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import (
    DatabaseError,
    IntegrityError,
    OperationalError,
    connections,
    router,
    transaction,
)
from django.db.models import DateTimeField, Value
from django.db.models.functions import Now
from django.db.utils import load_backend
from django.utils import timezone

from apiclient_app.exceptions import RowsUnavailable
from apiclient_app.secret import one_line, redact

MISSING = re.compile("no such table|(does not|doesn't) exist")
SERIALIZATION_FAILURE = "40001"
TIMES = ("asking_since", "leased_until", "retry_at", "obtained_at")


class DjangoTable:
    """Rows of the model `Credential`."""

    def get(self, identity: str) -> tuple[float, Mapping[str, Any] | None]:
        with own_connection() as using:
            now = _now(using)
            time_now = Value(now, DateTimeField()) if isinstance(now, datetime) else now
            rows = credential().objects.using(using).annotate(now=time_now)
            columns: Any = rows.filter(identity=identity).values().first()
        if columns is None:
            return time.time(), None  # nothing to compare it with yet
        plain = {name: seconds(columns[name]) for name in TIMES}
        return seconds(columns["now"]) or 0.0, {**columns, **plain}

    def insert(self, identity: str, values: Mapping[str, Any]) -> bool:
        try:
            # A savepoint where it is the caller's connection: his transaction goes on.
            with own_connection() as using, transaction.atomic(using=using):
                row = credential()(identity=identity, **_columns(values, using))
                # Not save(): who listens to the model is told of a database that is not there.
                credential().objects.using(using).bulk_create([row])
        except IntegrityError:
            return False
        return True

    def update(self, identity: str, fence: Mapping[str, Any], values: Mapping[str, Any]) -> bool:
        with own_connection() as using:
            rows = credential().objects.using(using).filter(identity=identity, **fence)
            columns = {**_columns(values, using), "updated_at": _now(using)}
            try:
                return bool(rows.update(**columns) == 1)
            except OperationalError as error:
                if getattr(error.__cause__, "sqlstate", "") == SERIALIZATION_FAILURE:
                    return False  # another was quicker: what its fence would have said
                raise


def _now(using: str) -> Any:
    """Give the time by the clock that all who use the database have in common, as an expression.

    SQLite is on this machine; and its own is in UTC also where USE_TZ is off.
    """
    return timezone.now() if connections[using].vendor == "sqlite" else Now()


def credential() -> Any:
    """Give the model; not imported above, for this module is needed before the apps are ready."""
    return apps.get_model("apiclient_app", "Credential")


def database() -> str:
    """Give the alias of the database that holds the rows, as the project's routers have it."""
    return str(router.db_for_write(credential()))


@contextmanager
def own_connection() -> Iterator[str]:
    """Open a connection in autocommit, and give the alias that reaches it in this thread.

    RowsUnavailable for what the database refuses. A database in memory is reached on the caller's
    connection: there is no other way to it.
    """
    failed, alias = "", ""
    try:
        alias = database()
        if connections[alias].vendor == "sqlite" and connections[alias].is_in_memory_db():  # type: ignore[attr-defined]
            yield alias
            return
        with _opened(alias) as name:
            yield name
    except IntegrityError:
        raise
    except LookupError:
        if apps.is_installed("apiclient_app"):
            raise
        failed = "'apiclient_app' is not in INSTALLED_APPS"
    except (DatabaseError, ImproperlyConfigured) as error:
        failed = _said(error, alias)
    if failed:
        raise RowsUnavailable(failed)


@contextmanager
def _opened(alias: str) -> Iterator[str]:
    database = {**connections.settings[alias], "AUTOCOMMIT": True}
    # Threads that hold a connection of the pool, and each wait there for a second one, wait long.
    database["OPTIONS"] = {n: v for n, v in database["OPTIONS"].items() if n != "pool"}
    name = f"{alias} (refresh tokens)"
    connection = load_backend(database["ENGINE"]).DatabaseWrapper(database, name)
    connections[name] = connection
    try:
        yield name
    finally:
        del connections[name]
        connection.close()


def _said(error: Exception, alias: str) -> str:
    connection, text = connections[alias], one_line(redact(str(error)), 120)
    if connection.vendor == "sqlite" and connection.in_atomic_block and "locked" in text:
        return (
            f"the database {alias!r} is SQLite and locked by the caller's own transaction; call "
            "outside of transaction.atomic(), or use PostgreSQL or MySQL. If it has only read: "
            f"DATABASES[{alias!r}]['OPTIONS']['init_command'] = 'PRAGMA journal_mode=WAL'"
        )
    if "apiclient_app_credential" in text and MISSING.search(text):
        return "the table of refresh tokens is missing; run `manage.py migrate apiclient_app`"
    return f"the database {alias!r} did not do as asked ({type(error).__name__}: {text})"


def seconds(value: datetime | None) -> float | None:
    """Give epoch seconds; a time without a zone is in the project's, as where USE_TZ is off."""
    if value is None:
        return None
    return (timezone.make_aware(value) if timezone.is_naive(value) else value).timestamp()


def _columns(values: Mapping[str, Any], using: str) -> dict[str, Any]:
    columns = {n: _moment(v) if n in TIMES else v for n, v in values.items()}
    return columns | ({"obtained_at": _now(using)} if "refresh_token" in values else {})


def _moment(value: float | None) -> datetime | None:
    if value is None:
        return None
    moment = datetime.fromtimestamp(value, UTC)
    return moment if settings.USE_TZ else timezone.make_naive(moment)
