"""Refresh tokens in real databases: claimed by one, kept in order, and read with the right key."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
from django.db import connections
from pytest_django import Settings

from apiclient_app.models import Credential
from apiclient_app.rows import UNANSWERED, Row, RowState
from apiclient_app.secret import Secret
from apiclient_app.store.rows import Rows
from apiclient_app.store.table import DjangoTable

from .conftest import rows

ME, OTHER = 4611686018427387904, 3
LEASE = 60.0

pytestmark = pytest.mark.usefixtures("database")


def holding(token: str = "refresh-1", **whose: Any) -> Rows:
    held = rows(**whose)
    held.put(Secret(token))
    return held


def claimed(held: Rows, owner: int = ME, lease: float = LEASE) -> Row:
    row = held.claim(held.read(), owner, lease)
    assert row is not None
    return row


def token_of(row: Row) -> str:
    return row.refresh_token.reveal() if row.refresh_token else ""


def stored(database: str) -> Any:
    return Credential.objects.using(database).get()


def test_where_there_is_no_row_there_is_no_refresh_token() -> None:
    row = rows().read()
    assert (row.state, row.generation) == (RowState.EMPTY, 0)
    assert abs(row.now - time.time()) < 1


def test_what_is_put_is_read_by_others() -> None:
    holding()
    row = rows().read()
    assert (token_of(row), row.generation, row.state) == ("refresh-1", 1, RowState.HELD)
    assert row.obtained_at is not None


@pytest.mark.parametrize("tz", [True, False])
@pytest.mark.parametrize("zone", ["UTC", "America/Chicago", "Asia/Kathmandu"])
def test_time_is_that_of_the_world_whatever_the_project_s_zone(
    settings: Settings, tz: bool, zone: str
) -> None:
    settings.USE_TZ, settings.TIME_ZONE = tz, zone
    held = holding()
    claimed(held)
    row = held.read()
    assert abs(row.now - time.time()) < 5
    assert row.asking_since is not None
    assert abs(row.asking_since - time.time()) < 5
    assert abs(row.leased_until - time.time() - LEASE) < 5
    assert row.obtained_at is not None
    assert abs(row.obtained_at - time.time()) < 5


@pytest.mark.parametrize("tz", [True, False])
def test_a_claim_ends_by_the_clock_of_the_database(settings: Settings, tz: bool) -> None:
    settings.USE_TZ = tz
    held = holding()
    claimed(held, lease=0.3)
    assert held.read().claimed
    time.sleep(0.35)
    assert held.read().state is RowState.IN_DOUBT
    assert claimed(held, OTHER).owner == OTHER


def test_what_stands_in_the_row_shows_nothing(database: str) -> None:
    holding("hunter2")
    columns = Credential.objects.using(database).values().get()
    assert "hunter2" not in repr(columns)
    assert columns["refresh_token"].isascii()


def test_a_sealed_text_is_good_in_its_own_row_only(database: str) -> None:
    holding("refresh-of-ann", subject="ann")
    holding("refresh-of-bob", subject="bob")
    both = Credential.objects.using(database)
    both.filter(subject="bob").update(refresh_token=both.get(subject="ann").refresh_token)
    assert rows(subject="bob").read().state is RowState.UNREADABLE


# Claims


def test_a_claim_says_that_it_was_asked_with(database: str) -> None:
    held = holding()
    row = claimed(held)
    assert held.read().state is RowState.ASKING
    assert row.asking_since == pytest.approx(row.now)
    assert stored(database).asking_since is not None


def test_a_claim_of_what_was_read_before_another_s_is_none(database: str) -> None:
    held = holding()
    read = held.read()
    claimed(held)
    assert held.claim(read, OTHER, LEASE) is None
    assert stored(database).owner == ME


def test_a_claim_of_what_was_read_before_another_s_is_none_though_he_has_let_go() -> None:
    held = holding()
    read = held.read()
    row = claimed(held)
    assert held.let_go(replace(row, asking_since=None), ME)
    assert held.claim(read, OTHER, LEASE) is None
    assert claimed(held, OTHER).owner == OTHER


def test_an_older_doubt_keeps_its_beginning() -> None:
    held = holding()
    first = claimed(held, lease=0.05)
    time.sleep(0.1)
    second = claimed(held, OTHER)
    assert second.asking_since == pytest.approx(first.asking_since)


def test_what_is_not_there_or_not_readable_is_not_claimed() -> None:
    assert rows().claim(rows().read(), ME, LEASE) is None
    holding(keys=("old key",))
    assert rows().claim(rows().read(), ME, LEASE) is None
    held = holding(subject="ann")
    held.clear()
    assert held.claim(held.read(), ME, LEASE) is None


def test_who_does_not_have_the_claim_lets_nothing_go() -> None:
    held = holding()
    row = claimed(held)
    assert not held.let_go(replace(row, attention="refused: invalid_grant"), OTHER)
    assert held.read().state is RowState.ASKING
    held.put(Secret("refresh-2"))
    assert not held.let_go(replace(row, attention="refused: invalid_grant"), ME)
    assert held.read().state is RowState.HELD


def test_letting_go_leaves_the_row_as_it_is_told() -> None:
    held = holding()
    row = claimed(held)
    left = replace(row, attention=UNANSWERED, tries=3, retry_at=row.now + 40)
    assert held.let_go(left, ME)
    found = held.read()
    assert (found.attention, found.tries) == (UNANSWERED, 3)
    assert found.retry_at == pytest.approx(row.now + 40)
    assert found.asking_since == pytest.approx(row.now)
    assert not found.claimed
    assert token_of(found) == "refresh-1"


# Successors


def test_a_successor_ends_claim_doubt_and_attention() -> None:
    held = holding()
    row = claimed(held)
    held.let_go(replace(row, attention=UNANSWERED, tries=3, retry_at=row.now + 40), ME)
    assert held.keep(row, Secret("refresh-2"))
    found = held.read()
    assert (token_of(found), found.generation) == ("refresh-2", 2)
    assert (found.attention, found.tries, found.retry_at) == ("", 0, 0.0)
    assert found.state is RowState.HELD


def test_of_two_successors_the_first_is_kept() -> None:
    held = holding()
    row = claimed(held)
    assert held.keep(row, Secret("refresh-2"))
    assert not held.keep(row, Secret("refresh-3"))
    assert token_of(held.read()) == "refresh-2"


def test_a_first_one_does_not_replace_another_s() -> None:
    nothing = rows().read()
    holding()
    assert not rows().keep(nothing, Secret("refresh-2"))
    assert token_of(rows().read()) == "refresh-1"


def test_a_row_is_emptied_and_stays() -> None:
    held = holding()
    assert token_of_secret(held.clear()) == "refresh-1"
    found = held.read()
    assert (found.state, found.generation) == (RowState.EMPTY, 2)


def token_of_secret(secret: Secret[str] | None) -> str:
    return secret.reveal() if secret else ""


def test_clearing_what_is_not_there_makes_no_row(database: str) -> None:
    assert rows().clear() is None
    assert not Credential.objects.using(database).exists()


# Seeds: refresh tokens from the settings


def adopted(first: str) -> str:
    """Give what a process with this seed would send, after it has saved what it must."""
    seeded = rows(first=first)
    row = seeded.read()
    while row.unsaved:  # others may have been quicker, with another one
        assert seeded.claim(row, ME, LEASE) is None
        row = seeded.read()
    return token_of(row)


def test_a_seed_is_adopted_once() -> None:
    assert adopted("seed-1") == "seed-1"
    row = rows().read()
    assert rows().keep(row, Secret("refresh-2"))
    assert adopted("seed-1") == "refresh-2"


def test_a_seed_does_not_come_after_a_stored_one() -> None:
    rows(first="seed-1").put(Secret("refresh-9"))
    assert adopted("seed-1") == "refresh-9"


def test_a_seed_does_not_come_back_after_a_revocation() -> None:
    assert token_of_secret(rows(first="seed-1").clear()) == "seed-1"
    assert rows(first="seed-1").read().state is RowState.EMPTY


def test_a_new_seed_is_the_newest() -> None:
    adopted("seed-1")
    rows().keep(rows().read(), Secret("refresh-2"))
    assert adopted("seed-2") == "seed-2"


def test_the_seed_of_an_old_deployment_does_not_come_back() -> None:
    adopted("seed-1")
    adopted("seed-2")
    assert adopted("seed-1") == "seed-2"
    rows(first="seed-1").keep(rows(first="seed-1").read(), Secret("refresh-3"))
    assert adopted("seed-2") == "refresh-3"


def test_a_new_seed_mends_what_needs_attention() -> None:
    adopted("seed-1")
    held = rows()
    row = claimed(held)
    held.let_go(replace(row, attention="refused: invalid_grant", asking_since=None), ME)
    assert adopted("seed-2") == "seed-2"
    assert held.read().state is RowState.HELD


def test_a_new_seed_waits_for_who_is_asking() -> None:
    adopted("seed-1")
    row = claimed(rows())
    assert rows(first="seed-2").read().claimed
    assert rows().keep(row, Secret("refresh-2"))
    assert adopted("seed-2") == "seed-2"


def test_revoking_where_a_new_seed_waits_gives_the_token_that_was_in_use() -> None:
    adopted("seed-1")
    rows().keep(rows().read(), Secret("refresh-2"))
    cleared = token_of_secret(rows(first="seed-2").clear())
    assert cleared == "refresh-2"  # the one that a provider knows to be in use


# Keys


NEW, OLD = ("new key",), ("old key",)
BOTH = (*NEW, *OLD)  # as a server has them that is deployed with another SECRET_KEY


def test_a_row_keeps_its_key_for_servers_that_have_no_other() -> None:
    holding(keys=OLD)
    row = claimed(rows(keys=BOTH))
    assert rows(keys=BOTH).keep(row, Secret("refresh-2"))
    assert token_of(rows(keys=OLD).read()) == "refresh-2"
    rows(keys=BOTH).put(Secret("refresh-3"))
    assert token_of(rows(keys=OLD).read()) == "refresh-3"
    assert rows(keys=NEW).read().state is RowState.UNREADABLE


def test_a_row_that_was_moved_to_the_first_key_stays_there(database: str) -> None:
    holding(keys=OLD)
    row = claimed(both := rows(keys=BOTH))
    moved(database, both)  # while another asks
    assert both.keep(row, Secret("refresh-2"))
    assert token_of(rows(keys=NEW).read()) == "refresh-2"


def moved(database: str, held: Rows) -> None:
    """Do as `reencrypt` does."""
    sealed = stored(database).refresh_token
    anew = held.seal.resealed(sealed, held._place)
    Credential.objects.using(database).update(refresh_token=anew)


def test_a_row_that_is_moved_just_when_it_is_written_stays_moved(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    holding(keys=OLD)
    row = claimed(both := rows(keys=BOTH))
    get = DjangoTable.get

    def getting(table: DjangoTable, identity: str) -> Any:
        monkeypatch.undo()
        found = get(table, identity)
        moved(database, both)
        return found

    monkeypatch.setattr(DjangoTable, "get", getting)
    assert both.keep(row, Secret("refresh-2"))
    assert token_of(rows(keys=NEW).read()) == "refresh-2"


@pytest.mark.parametrize("before", ["", "1.AAAA"])
def test_where_no_key_opened_the_row_the_first_is_taken(database: str, before: str) -> None:
    holding(keys=OLD)
    Credential.objects.using(database).update(refresh_token=before)
    rows(keys=BOTH).put(Secret("refresh-2"))
    assert token_of(rows(keys=NEW).read()) == "refresh-2"


def test_a_new_row_takes_the_first_key() -> None:
    holding(keys=BOTH)
    assert token_of(rows(keys=NEW).read()) == "refresh-1"


def test_what_no_key_opens_is_not_touched_by_reading_and_claiming(database: str) -> None:
    holding(keys=("old key",))
    before = stored(database).refresh_token
    row = rows(keys=("new key",)).read()
    assert row.unreadable
    assert rows(keys=("new key",)).claim(row, ME, LEASE) is None
    assert stored(database).refresh_token == before
    assert token_of(rows(keys=("old key",)).read()) == "refresh-1"


@pytest.mark.parametrize("garbage", ["1.", "1.AAAA", "2.x", "plain", "1.é"])
def test_garbage_in_a_row_is_unreadable_and_no_crash(database: str, garbage: str) -> None:
    holding()
    Credential.objects.using(database).update(refresh_token=garbage)
    assert rows().read().state is RowState.UNREADABLE


# Many at once


def at_once(number: int, work: Callable[[int], Any]) -> list[Any]:
    """Do work in threads that begin together."""
    meet = threading.Barrier(number)

    def one(index: int) -> Any:
        meet.wait()
        return work(index)

    with ThreadPoolExecutor(number) as pool:
        return list(pool.map(one, range(number)))


@pytest.fixture
def patient(database: str) -> None:
    """Have SQLite wait for its lock as long as it takes."""
    options = connections.settings[database]["OPTIONS"]
    if "timeout" in options:
        options["timeout"] = 20


@pytest.mark.usefixtures("patient")
def test_of_many_that_claim_one_does() -> None:
    held = holding()
    for turn in range(1, 6):
        claim = partial(claiming, held.read(), turn * 10)
        winners = [row for row in at_once(8, claim) if row is not None]
        assert len(winners) == 1
        assert held.let_go(replace(winners[0], asking_since=None), winners[0].owner)


def claiming(read: Row, first: int, number: int) -> Row | None:
    return rows().claim(read, first + number, LEASE)


@pytest.mark.usefixtures("patient")
def test_of_many_that_read_and_claim_one_does() -> None:
    holding()
    outcomes = at_once(8, lambda n: rows().claim(rows().read(), n + 10, LEASE))
    assert len([row for row in outcomes if row is not None]) == 1


@pytest.mark.usefixtures("patient")
def test_of_many_successors_one_is_kept() -> None:
    held = holding()
    row = claimed(held)
    outcomes = at_once(8, lambda n: rows().keep(row, Secret(f"refresh-{n}")))
    assert sorted(outcomes) == [False] * 7 + [True]
    assert token_of(held.read()) == f"refresh-{outcomes.index(True)}"


@pytest.mark.usefixtures("patient")
def test_many_that_adopt_one_seed_make_one_row(database: str) -> None:
    at_once(8, lambda _: adopted("seed-1"))
    row = rows().read()
    assert (token_of(row), row.generation) == ("seed-1", 1)
    assert stored(database).seeds.count(" ") == 0


@pytest.mark.usefixtures("patient")
def test_many_that_adopt_two_seeds_end_with_one_of_them(database: str) -> None:
    at_once(8, lambda n: adopted(f"seed-{n % 2}"))
    row = rows().read()
    assert token_of(row) in ("seed-0", "seed-1")
    assert len(stored(database).seeds.split()) == 2
    assert row.generation == 2


@pytest.mark.usefixtures("patient")
def test_many_people_that_store_one_each_are_heard_in_turn() -> None:
    at_once(4, lambda n: rows().put(Secret(f"refresh-{n}")))
    assert rows().read().generation == 4


@pytest.mark.usefixtures("patient")
def test_a_person_s_word_counts_though_others_are_asking() -> None:
    held = holding()
    row = claimed(held)
    held.put(Secret("refresh-9"))
    assert not held.keep(row, Secret("refresh-2"))
    assert not held.let_go(row, ME)
    assert token_of(held.read()) == "refresh-9"
    assert held.read().state is RowState.HELD


# Whose


WHOSE = [
    "ann",
    "Ann",
    "ANN",
    "änn",
    "a\u0308nn",
    "ann ",
    "ann%",
    "a_n",
    "\uff41nn",
    "0",
    "x" * 255,
]


def test_no_two_subjects_share_a_row(database: str) -> None:
    for subject in WHOSE:
        holding(f"of {subject}", subject=subject)
    for subject in WHOSE:
        assert token_of(rows(subject=subject).read()) == f"of {subject}"
    assert Credential.objects.using(database).count() == len(WHOSE)


def test_no_two_aliases_share_a_row() -> None:
    holding("of api")
    holding("of bank", alias="bank")
    assert token_of(rows().read()) == "of api"
