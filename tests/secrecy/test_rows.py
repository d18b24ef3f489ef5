"""Whoever looks into the database, or over its shoulder, finds refresh tokens sealed."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, connections
from pytest_django import Settings

from apiclient_app import Client
from tests import settings as test_settings

from .canaries import HEADER_TAIL, Canaries
from .conftest import Scene
from .faults import TABLE, Stopped, StoppingCache, down, failing_from
from .holders import REFRESHING
from .parrot import Parrot
from .traces import raw, rows
from .witnesses import Call, Told, caught

each_refreshing = pytest.mark.parametrize("holder", REFRESHING)
each_database = pytest.mark.parametrize("database", ["default", "apart"], indirect=True)
KEEPING = 2  # the statement of a refresh that stores what it got


@pytest.fixture
def database(
    request: pytest.FixtureRequest,
    settings: Settings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    canaries: Canaries,
    transactional_db: None,
) -> Iterator[sqlite3.Connection]:
    """Put the rows into the database in memory, or into one that is connected to each time."""
    connection.ensure_connection()
    memory: sqlite3.Connection = connection.connection
    if request.param == "default":
        yield memory
        return
    file = {"NAME": str(tmp_path / "rows.sqlite3"), "PASSWORD": canaries.hatch("DB password")}
    apart = {**connections.settings["default"], **file}
    monkeypatch.setitem(connections.settings, "apart", apart)
    settings.DATABASE_ROUTERS = ["tests.secrecy.faults.Apart"]
    with closing(sqlite3.connect(file["NAME"], isolation_level=None)) as copy:
        memory.backup(copy)
        yield copy
    del connections["apart"]


def life(client: Client, parrot: Parrot) -> Iterator[str]:
    """Lead a client through all that is done with refresh tokens; name what was done."""
    token = parrot.canaries.hatch("stored refresh token", tail=HEADER_TAIL)
    for who in (client, client.for_subject("user-42")):
        who.store_refresh_token(token)
        yield "stored"
        parrot.speech = "api 404"
        who.get("echo", raise_for_status=False)
        who.rotate_token()
        yield "rotated"
        parrot.speech = "description"
        caught(Client.rotate_token, who)
        yield "refused"
        parrot.speech = "500"
        caught(Client.rotate_token, who)
        yield "lost"
        parrot.speech = "api 404"
        caught(Client.switch_credentials, who)
        caught(Client.revoke_token, who)
        yield "revoked"
        who.store_refresh_token(token)


@each_refreshing
@each_database
def test_no_row_holds_one_in_clear(
    scene: Scene, configured: Any, parrot: Parrot, database: sqlite3.Connection, holder: str
) -> None:
    client, sealed = configured(holder, parrot.origin), set()
    for done in life(client, parrot):
        found = list(rows(database))
        assert found
        scene.hear(found, done)
        sealed |= {text for _, text in found if "'1." in str(text)}
    assert len(sealed) > 4
    assert scene.all_leaks() == []


@each_refreshing
@each_database
def test_no_statement_shows_one_to_whoever_logs_it(
    scene: Scene,
    configured: Any,
    parrot: Parrot,
    settings: Settings,
    database: sqlite3.Connection,
    holder: str,
) -> None:
    settings.DEBUG = True
    for _done in life(configured(holder, parrot.origin), parrot):
        pass
    logged = scene.heard_from("django.db.backends")
    assert [said for said in logged if f'UPDATE "{TABLE}"' in said]
    if database is connection.connection:
        kept = [query["sql"] for query in connection.queries]
        assert [sql for sql in kept if "'1." in sql]
        scene.hear(("query", sql) for sql in kept)
    assert scene.all_leaks() == []


@each_refreshing
@each_database
def test_no_error_of_a_database_that_is_not_there_shows_one(
    scene: Scene, configured: Any, parrot: Parrot, database: sqlite3.Connection, holder: str
) -> None:
    calls: dict[str, Call] = {
        "store": lambda c: c.store_refresh_token(scene.canaries.hatch("new refresh token")),
        "get": lambda c: c.get("echo"),
        "revoke": Client.revoke_token,
    }
    client = configured(holder, parrot.origin)
    database.execute(f"ALTER TABLE {TABLE} RENAME TO gone")
    try:
        assert scene.attempt(client, calls)
        scene.hear([("inspection", repr(client.inspect()))])
    finally:
        database.execute(f"ALTER TABLE gone RENAME TO {TABLE}")
    assert scene.all_leaks() == []


def stashed(client: Client, scene: Scene) -> None:
    """Have the database not take what a refresh brings."""
    client.store_refresh_token(scene.canaries.hatch("stored refresh token", tail=HEADER_TAIL))
    with failing_from(KEEPING, down):
        client.rotate_token()
    assert client.memory.stash
    assert scene.canaries.heard_in(client.memory.stash.refresh_token.reveal())


@pytest.mark.parametrize("cache", ["default", "django_redis_builtin", "locmem", "file"])
def test_no_stash_holds_one_in_clear(
    scene: Scene, configured: Any, parrot: Parrot, cache: str
) -> None:
    client = configured("refreshing", parrot.origin, CACHE=cache)
    stashed(client, scene)
    found = list(raw(cache))
    assert cache == "file" or [told for told in found if "stash" in str(told)]
    stash = client.memory.stash
    shown: list[Told] = [("memory", f"{vars(client.memory)} {stash} {stash!r} {[stash]}")]
    scene.hear([*found, *shown])
    client.rotate_token()
    assert client.memory.stash is None
    scene.hear([*raw(cache), *rows()])
    assert scene.all_leaks() == []


@pytest.mark.parametrize("holder", ["refreshing", "with_password", "login"])
@pytest.mark.parametrize("database_fails", [False, True])
def test_no_frame_shows_one_where_the_cache_is_interrupted(
    scene: Scene,
    configured: Any,
    parrot: Parrot,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    holder: str,
    database_fails: bool,
) -> None:
    monkeypatch.setattr("apiclient_app.flow.refreshing.KEEP_PAUSES", ())
    backend = {"BACKEND": "tests.secrecy.faults.StoppingCache", "LOCATION": test_settings.RUN}
    settings.CACHES = {**settings.CACHES, "stopping": backend}
    client = configured(holder, parrot.origin, CACHE="stopping")
    stopped = 0
    for operations in range(16):
        if holder in REFRESHING:
            client.store_refresh_token(scene.canaries.hatch("stored", tail=HEADER_TAIL))
        StoppingCache.left = operations
        with failing_from(KEEPING if database_fails else 99, down):
            errors = scene.attempt(client, {"rotate": Client.rotate_token})
        stopped += any(isinstance(error, Stopped) for error in errors)
        StoppingCache.left = -1
    assert stopped > 6
    assert scene.all_leaks() == []
