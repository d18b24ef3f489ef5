"""Rows have a connection of their own: no transaction of a caller has a say in them."""

from __future__ import annotations

import gc
import queue
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NoReturn

import pytest
from django.db import DatabaseError, connections, transaction
from django.db.models.signals import post_save
from django.http import HttpRequest
from django.test import Client as Visitor
from django.urls import path
from pytest_django import Settings

from apiclient_app import TokenUnavailable, clients
from apiclient_app.exceptions import RowsUnavailable
from apiclient_app.models import Credential
from apiclient_app.rows import Row
from apiclient_app.secret import Secret
from apiclient_app.store.table import own_connection
from tests.conftest import Configure
from tests.secrecy.witnesses import local_variables
from tests.servers import Handle

from .conftest import ALIAS, known, rows

OWN = f"{ALIAS} (refresh tokens)"


class Failed(Exception):
    """What a view raises."""


def held() -> str:
    token = rows().read().refresh_token
    return token.reveal() if token else ""


# The caller's transaction


def test_a_caller_s_rollback_takes_nothing_back(postgresql: str) -> None:
    with suppress(Failed), transaction.atomic(using=postgresql):
        Credential.objects.using(postgresql).create(identity="the caller's")
        rows().put(Secret("refresh-1"))
        assert held() == "refresh-1"
        raise Failed
    assert held() == "refresh-1"
    assert not Credential.objects.using(postgresql).filter(identity="the caller's").exists()


def test_a_caller_s_rollback_takes_nothing_back_from_sqlite(sqlite: str) -> None:
    with suppress(Failed), transaction.atomic(using=sqlite):
        rows().put(Secret("refresh-1"))
        raise Failed
    assert held() == "refresh-1"


def visit(request: HttpRequest) -> NoReturn:
    rows().put(Secret(request.GET["token"]))
    raise Failed


urlpatterns = [path("visit", visit)]


def test_a_view_that_fails_takes_nothing_back(database: str, settings: Settings) -> None:
    settings.ROOT_URLCONF = __name__
    connections.settings[database]["ATOMIC_REQUESTS"] = True
    with pytest.raises(Failed):
        Visitor().get("/visit", {"token": "refresh-1"})
    assert held() == "refresh-1"


def test_a_caller_s_broken_transaction_is_no_obstacle(postgresql: str) -> None:
    with transaction.atomic(using=postgresql):
        with pytest.raises(DatabaseError), connections[postgresql].cursor() as cursor:
            cursor.execute("no SQL")
        rows().put(Secret("refresh-1"))
        transaction.set_rollback(True, using=postgresql)
    assert held() == "refresh-1"


def test_autocommit_is_on_whatever_the_project_has(postgresql: str) -> None:
    connections.settings[postgresql]["AUTOCOMMIT"] = False
    rows().put(Secret("refresh-1"))
    assert held() == "refresh-1"


@contextmanager
def reading(database: str) -> Iterator[None]:
    """Be in the middle of a transaction that has read, as every view is that knows its user."""
    with transaction.atomic(using=database):
        assert Credential.objects.using(database).count() == 1
        yield


def test_who_has_only_read_from_sqlite_is_told_what_to_do(sqlite: str) -> None:
    rows().put(Secret("refresh-1"))
    with reading(sqlite), pytest.raises(RowsUnavailable, match="PRAGMA journal_mode=WAL"):
        rows().put(Secret("refresh-2"))
    assert held() == "refresh-1"


def test_in_wal_mode_who_has_only_read_holds_nothing_up(sqlite: str) -> None:
    execute(sqlite, "PRAGMA journal_mode=WAL")
    rows().put(Secret("refresh-1"))
    with reading(sqlite):
        rows().put(Secret("refresh-2"))
    assert held() == "refresh-2"


@contextmanager
def writing(database: str) -> Iterator[None]:
    """Hold SQLite's write lock, as a caller does in the middle of a transaction."""
    with transaction.atomic(using=database):
        Credential.objects.using(database).create(identity="the caller's")
        yield


def test_who_holds_the_write_lock_of_sqlite_is_told_what_to_do(sqlite: str) -> None:
    rows().put(Secret("refresh-1"))
    with writing(sqlite):
        began = time.monotonic()
        with pytest.raises(RowsUnavailable, match=r"outside of transaction.atomic\(\)"):
            rows().claim(rows().read(), 7, 60)
        assert time.monotonic() - began < 2
        assert held() == "refresh-1"  # reading is free
    assert rows().claim(rows().read(), 7, 60) is not None


def test_a_client_tells_it_as_an_error_of_the_call(
    sqlite: str, api: Handle, api_clients: Configure
) -> None:
    api_clients(api=api.config("RefreshToken", OPTIONS={"refresh_token": "seed-1"}))
    with writing(sqlite):
        began = time.monotonic()
        with pytest.raises(TokenUnavailable, match=r"outside of transaction.atomic\(\)") as caught:
            clients["api"].get("echo")
        assert time.monotonic() - began < 3
    assert caught.value.error == "database_unavailable"
    assert api.token_requests == []
    time.sleep(caught.value.retry_after or 0)
    assert clients["api"].get("echo").status_code == 200


def test_another_s_write_lock_is_waited_for_and_then_named(sqlite: str) -> None:
    locked, done = threading.Event(), threading.Event()

    def hold() -> None:
        with writing(sqlite):
            locked.set()
            done.wait(10)
        connections[sqlite].close()

    thread = threading.Thread(target=hold)
    thread.start()
    locked.wait(10)
    try:
        with pytest.raises(RowsUnavailable, match="locked") as caught:
            rows().put(Secret("refresh-1"))
        assert "atomic" not in str(caught.value)  # it is not he who holds it
    finally:
        done.set()
        thread.join()
    rows().put(Secret("refresh-1"))


# What the database says


def test_a_missing_table_is_named_with_its_remedy(database: str) -> None:
    with connections[database].schema_editor() as editor:
        editor.delete_model(Credential)
    try:
        for work in (rows().read, rows().clear, lambda: rows().put(Secret("x"))):
            with pytest.raises(RowsUnavailable, match=r"missing; run `manage.py migrate"):
                work()
    finally:
        with connections[database].schema_editor() as editor:
            editor.create_model(Credential)


def execute(database: str, sql: str) -> None:
    with connections[database].cursor() as cursor:
        cursor.execute(sql)


def test_a_table_that_may_not_be_read_is_not_called_missing(postgresql: str) -> None:
    execute(postgresql, "DROP ROLE IF EXISTS nobody_special")
    execute(postgresql, "CREATE ROLE nobody_special LOGIN")
    connections.settings[postgresql] |= {"USER": "nobody_special"}
    try:
        with pytest.raises(RowsUnavailable, match="permission denied") as caught:
            rows().read()
    finally:
        connections.settings[postgresql] |= {"USER": "postgres"}
    assert "migrate" not in str(caught.value)


def test_a_row_that_another_has_locked_is_not_called_missing(postgresql: str) -> None:
    rows().put(Secret("refresh-1"))
    connections.settings[postgresql]["OPTIONS"] = {"options": "-c statement_timeout=300"}
    with transaction.atomic(using=postgresql):
        Credential.objects.using(postgresql).select_for_update().get()
        with pytest.raises(RowsUnavailable, match="timeout") as caught:
            rows().put(Secret("refresh-2"))
    assert "migrate" not in str(caught.value)


@pytest.mark.parametrize("work", ["read", "put"])
def test_a_database_that_is_down_is_told_without_its_password(routed: Any, work: str) -> None:
    password = "hunter2-of-the-database"
    routed(ENGINE="django.db.backends.postgresql", HOST="127.0.0.1", PORT=9, NAME="x", USER="me")
    connections.settings[ALIAS]["PASSWORD"] = password
    with pytest.raises(RowsUnavailable) as caught:
        rows().read() if work == "read" else rows().put(Secret("refresh-1"))
    assert "'rows'" in str(caught.value)
    assert password not in str(caught.value)
    assert len(str(caught.value)) < 300
    assert "\n" not in str(caught.value)


def test_a_project_without_a_database_is_told_so(routed: Any) -> None:
    routed(ENGINE="django.db.backends.dummy")
    with pytest.raises(RowsUnavailable, match="rows"):
        rows().read()


def test_a_client_without_a_database_says_so(
    routed: Any, api: Handle, api_clients: Configure
) -> None:
    routed(ENGINE="django.db.backends.dummy")
    api_clients(api=api.config("RefreshToken", OPTIONS={"refresh_token": "seed-1"}))
    with pytest.raises(TokenUnavailable, match="DATABASES") as caught:
        clients["api"].get("echo")
    assert caught.value.error == "database_unavailable"
    assert clients["api"].inspect().grant == "unknown"


def test_an_app_that_is_not_installed_is_named(
    database: str, settings: Settings, api: Handle, api_clients: Configure
) -> None:
    settings.INSTALLED_APPS = [a for a in settings.INSTALLED_APPS if a != "apiclient_app"]
    api_clients(api=api.config("RefreshToken", OPTIONS={"refresh_token": "seed-1"}))
    with pytest.raises(TokenUnavailable, match="INSTALLED_APPS") as caught:
        clients["api"].get("echo")
    assert caught.value.error == "database_unavailable"
    assert clients["api"].inspect().grant == "unknown"


LEVELS = ["read committed", "repeatable read", "serializable"]


@pytest.mark.parametrize("level", LEVELS)
def test_who_comes_second_finds_the_row_changed_at_any_isolation_level(
    postgresql: str, level: str
) -> None:
    options = {"options": f"-c default_transaction_isolation={level.replace(' ', chr(92) + ' ')}"}
    connections.settings[postgresql]["OPTIONS"] = options
    rows().put(Secret("refresh-1"))
    read, outcomes = rows().read(), queue.Queue[Any]()
    with transaction.atomic(using=postgresql):
        Credential.objects.using(postgresql).update(owner=99)
        second = threading.Thread(target=lambda: outcomes.put(claim(read)))
        second.start()
        wait_for_a_lock(postgresql)
    second.join()
    assert outcomes.get_nowait() is None


def claim(read: Row) -> Row | RowsUnavailable | None:
    try:
        return rows().claim(read, 7, 60)
    except RowsUnavailable as error:
        return error


def wait_for_a_lock(database: str) -> None:
    deadline = time.monotonic() + 5
    sql = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
    with connections[database].cursor() as cursor:
        while time.monotonic() < deadline:
            cursor.execute(sql)
            if cursor.fetchone()[0]:
                return
            cursor.execute("SELECT pg_stat_clear_snapshot()")
            time.sleep(0.01)
    pytest.fail("nobody waits")


# Connections


def opened(database: str) -> int:
    """How many connections there are to this database, but for the test's own."""
    connections[database].close()
    gc.collect()
    settings = connections.settings[database]
    if "sqlite" in settings["ENGINE"]:
        links = [link for link in Path("/proc/self/fd").iterdir() if link.exists()]
        return sum(str(link.readlink()) == settings["NAME"] for link in links)
    with connections[database].cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()")
        return int(cursor.fetchone()[0]) - 1


def settled(database: str) -> int:
    deadline = time.monotonic() + 5
    while (number := opened(database)) and time.monotonic() < deadline:
        time.sleep(0.01)
    return number


def test_no_connection_is_left_open(database: str) -> None:
    before = set(threading.enumerate())
    rows().put(Secret("refresh-1"))
    row = rows().read()
    rows().claim(row, 7, 60)
    rows().keep(row, Secret("refresh-2"))
    rows().clear()
    assert settled(database) == 0
    assert set(threading.enumerate()) <= before
    assert not known(OWN)


@pytest.mark.parametrize("error", [DatabaseError, KeyboardInterrupt, ZeroDivisionError])
def test_no_connection_is_left_open_by_whatever_goes_wrong(
    database: str, error: type[BaseException]
) -> None:
    def work() -> NoReturn:
        with own_connection() as using:
            assert using == OWN
            Credential.objects.using(using).count()
            raise error

    with pytest.raises((error, RowsUnavailable)):
        work()
    assert settled(database) == 0
    assert not known(OWN)


def test_no_thread_leaves_one_open(database: str) -> None:
    rows().put(Secret("refresh-1"))
    threads = [threading.Thread(target=lambda: rows().read()) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert settled(database) == 0


def test_the_caller_s_own_connection_is_neither_opened_nor_closed(database: str) -> None:
    connections[database].close()
    rows().put(Secret("refresh-1"))
    assert connections[database].connection is None
    Credential.objects.using(database).count()
    mine = connections[database].connection
    rows().read()
    assert connections[database].connection is mine


def test_who_listens_to_the_model_may_use_it_himself(database: str) -> None:
    heard: list[str] = []

    def listen(instance: Credential, **_: Any) -> None:
        heard.append(str(rows().read().state))

    post_save.connect(listen, sender=Credential)
    try:
        rows().put(Secret("refresh-1"))
    finally:
        post_save.disconnect(listen, sender=Credential)
    assert held() == "refresh-1"
    assert settled(database) == 0


@pytest.mark.django_db(transaction=True)
def test_a_database_in_memory_is_reached_on_the_caller_s_connection() -> None:
    with own_connection() as using:
        assert using == "default"
    rows().put(Secret("refresh-1"))
    assert held() == "refresh-1"
    assert Credential.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_in_memory_a_row_that_is_there_already_breaks_no_transaction() -> None:
    nothing = rows().read()
    rows().put(Secret("refresh-1"))
    with transaction.atomic():
        assert not rows().keep(nothing, Secret("refresh-2"))
        assert held() == "refresh-1"


class TimeLimit(BaseException):
    """What a task queue raises in the middle of a task."""


def test_an_interruption_shows_no_password_of_the_database(postgresql: str) -> None:
    connections.settings[postgresql]["PASSWORD"] = password = "hunter2-of-the-database"
    rows().put(Secret("refresh-1"))

    def raised(*_: object) -> NoReturn:
        raise TimeLimit

    before = signal.signal(signal.SIGALRM, raised)
    try:
        with transaction.atomic(using=postgresql):
            Credential.objects.using(postgresql).update(owner=99)
            signal.setitimer(signal.ITIMER_REAL, 0.2)
            with pytest.raises(TimeLimit) as caught:
                rows().put(Secret("refresh-2"))
    finally:
        signal.signal(signal.SIGALRM, before)
    shown = [text for text in local_variables(caught.value) if not text.startswith("test_")]
    assert len(shown) > 5
    assert [text for text in shown if password in text] == []
    assert settled(postgresql) == 0
