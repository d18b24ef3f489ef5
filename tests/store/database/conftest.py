"""The table of refresh tokens in real databases, apart from the one of the tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connections
from django.db.utils import ConnectionHandler
from pytest_django import DjangoDbBlocker, Settings

from apiclient_app.models import Credential
from apiclient_app.secret import Secret
from apiclient_app.store.rows import Rows, identity_of
from apiclient_app.store.seal import Seal
from apiclient_app.store.table import DjangoTable
from project.postgres import Postgres

ALIAS = "rows"
NAME = "site"
ENGINES = ["sqlite", "postgresql"]


class ToRows:
    """Has the app's tables in a database of their own."""

    def db_for_write(self, model: Any, **_: Any) -> str | None:
        return ALIAS if model._meta.app_label == "apiclient_app" else None

    db_for_read = db_for_write

    def allow_migrate(self, db: str, app_label: str, **_: Any) -> bool | None:
        return (db == ALIAS) == (app_label == "apiclient_app")


@pytest.fixture(scope="session")
def _postgres() -> Iterator[Postgres]:
    with Postgres() as server:
        server.create(NAME)
        yield server


@pytest.fixture
def routed(settings: Settings, django_db_blocker: DjangoDbBlocker) -> Iterator[Any]:
    """Put the app's tables into this database: `routed(**values of DATABASES[alias])`."""
    settings.DATABASE_ROUTERS = [ToRows()]

    def put(**values: Any) -> str:
        handler = ConnectionHandler({"default": {}, ALIAS: values})
        connections.settings[ALIAS] = handler.settings[ALIAS]
        return ALIAS

    with django_db_blocker.unblock():
        yield put
        forget()


def forget() -> None:
    if connections.settings.pop(ALIAS, None) is not None and known(ALIAS):
        connections[ALIAS].close()
        del connections[ALIAS]


def known(alias: str) -> bool:
    """Whether this thread has a connection of that name."""
    held: Any = connections
    return hasattr(held._connections, alias)


def migrate() -> None:
    call_command("migrate", "apiclient_app", database=ALIAS, verbosity=0)


@pytest.fixture
def sqlite(routed: Any, tmp_path: Path) -> str:
    """A migrated SQLite file, whose lock is waited for half a second; gives its alias."""
    name = str(tmp_path / "rows.sqlite3")
    routed(ENGINE="django.db.backends.sqlite3", NAME=name, OPTIONS={"timeout": 0.5})
    migrate()
    return ALIAS


@pytest.fixture
def postgresql(routed: Any, _postgres: Postgres) -> Iterator[str]:
    """A migrated PostgreSQL database without rows; gives its alias."""
    routed(**_postgres.settings(NAME))
    migrate()
    yield ALIAS
    Credential.objects.using(ALIAS).all().delete()


@pytest.fixture(params=ENGINES)
def database(request: pytest.FixtureRequest) -> str:
    """Each kind of database in turn; gives its alias."""
    return str(request.getfixturevalue(str(request.param)))


def rows(
    subject: str = "", first: str = "", alias: str = "api", keys: tuple[str, ...] = ("a key",)
) -> Rows:
    """Give the row of a grant, as one process has it."""
    identity = identity_of(alias, ["https://provider.example/token", "app"], subject)
    seed = Secret(first) if first else None
    return Rows(DjangoTable(), identity, alias, subject, Seal(keys), seed)
