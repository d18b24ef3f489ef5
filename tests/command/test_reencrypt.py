"""`reencrypt`: a SECRET_KEY can be dropped, and no grant is lost with it."""

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apiclient_app import Client, clients
from apiclient_app.models import Credential
from apiclient_app.store.seal import Seal
from tests.conftest import Configure
from tests.servers import Handle

from .grants import aged, held, of_subjects, refreshing, row, strangers
from .orders import order

pytestmark = pytest.mark.django_db

OLD, NEW = "the old key", "the new key"


@pytest.fixture
def shop(api: Handle, api_clients: Configure, settings: Any) -> Client:
    """A client whose rows were written with the old key, while the new one is in use."""
    settings.SECRET_KEY = OLD
    api_clients(shop=refreshing(api))
    held(clients["shop"])
    for client in of_subjects("shop", "ann", "bob"):
        held(client, f"r-{client.subject}")
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = NEW, [OLD]
    return clients["shop"]


def test_rows_open_and_renew_when_the_old_key_is_dropped(
    api: Handle, shop: Client, settings: Any
) -> None:
    shown = order("reencrypt")
    assert shown.out == "3 encrypted anew, 0 current, 0 unreadable\n"
    assert shown.code == 0
    settings.SECRET_KEY_FALLBACKS = []
    for client in (clients["shop"], *of_subjects("shop", "ann", "bob")):
        assert client.inspect().grant == "held"
        assert client.get("echo").status_code == 200
    asked = [request["fields"]["refresh_token"] for request in api.token_requests]
    assert asked == ["r1", "r-ann", "r-bob"]


def test_without_it_they_are_lost_with_the_old_key(shop: Client, settings: Any) -> None:
    settings.SECRET_KEY_FALLBACKS = []
    shown = order("reencrypt")
    assert shown.out == "0 encrypted anew, 0 current, 3 unreadable\n"
    assert shown.code == 3
    assert "put the SECRET_KEY that they were stored with into SECRET_KEY_FALLBACKS" in shown.error
    settings.SECRET_KEY_FALLBACKS = [OLD]
    assert order("reencrypt").code == 0


def test_it_can_be_repeated(shop: Client) -> None:
    assert order("reencrypt").code == 0
    before = [*Credential.objects.values()]
    assert order("reencrypt").out == "0 encrypted anew, 3 current, 0 unreadable\n"
    assert [*Credential.objects.values()] == before


def columns() -> list[dict[str, Any]]:
    """Give all rows without their sealed texts."""
    rows: list[dict[str, Any]] = [{**values} for values in Credential.objects.values()]
    return [{n: v for n, v in values.items() if n != "refresh_token"} for values in rows]


def test_it_changes_nothing_but_the_sealed_text(shop: Client) -> None:
    aged(9, alias="shop")
    before, sealed = columns(), {one.refresh_token for one in Credential.objects.all()}
    assert order("reencrypt").code == 0
    assert columns() == before
    assert sealed.isdisjoint(one.refresh_token for one in Credential.objects.all())


def test_a_dry_run_counts_and_changes_nothing(shop: Client) -> None:
    before = [*Credential.objects.values()]
    shown = order("reencrypt", "--dry-run")
    assert shown.out == "3 to be encrypted anew, 0 current, 0 unreadable\n"
    assert [*Credential.objects.values()] == before


def deleted() -> None:
    Credential.objects.all().delete()


def emptied() -> None:
    Credential.objects.update(refresh_token="")


def meddled(monkeypatch: pytest.MonkeyPatch, meddle: Callable[[], object]) -> None:
    """Have something happen to a row between the read and the write."""
    resealed = Seal.resealed
    waiting = [meddle]

    def meanwhile(self: Seal, sealed: str, place: str) -> str | None:
        anew = resealed(self, sealed, place)
        while waiting:
            waiting.pop()()
        return anew

    monkeypatch.setattr(Seal, "resealed", meanwhile)


def test_a_rotation_at_the_same_moment_is_not_written_over(
    api: Handle, shop: Client, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    Credential.objects.exclude(subject="").delete()
    api.set(token_fields={"refresh_token": "r2"})
    meddled(monkeypatch, shop.rotate_token)
    assert order("reencrypt").out == "1 encrypted anew, 0 current, 0 unreadable\n"
    settings.SECRET_KEY_FALLBACKS = []
    clients["shop"].rotate_token()
    assert [one["fields"]["refresh_token"] for one in api.token_requests] == ["r1", "r2"]


def test_a_rotation_by_a_server_with_the_old_key_moves_too(
    shop: Client, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    Credential.objects.exclude(subject="").delete()
    other = Seal([OLD]).seal("r2", f"credential:{row().identity}")
    meddled(monkeypatch, lambda: Credential.objects.update(refresh_token=other))
    assert order("reencrypt").out == "1 encrypted anew, 0 current, 0 unreadable\n"
    assert Seal([NEW]).open(row().refresh_token, f"credential:{row().identity}") == "r2"


@pytest.mark.parametrize("goes", [deleted, emptied])
def test_a_row_that_goes_meanwhile_is_none_to_move(
    shop: Client, monkeypatch: pytest.MonkeyPatch, goes: Callable[[], object]
) -> None:
    Credential.objects.exclude(subject="").delete()
    meddled(monkeypatch, goes)
    assert order("reencrypt").out == "0 encrypted anew, 1 current, 0 unreadable\n"


def test_many_rows_go_in_batches(shop: Client) -> None:
    strangers("shop", 1_200)
    with CaptureQueriesContext(connection) as queries:
        shown = order("reencrypt")
    assert shown.out == "3 encrypted anew, 0 current, 1200 unreadable\n"
    assert shown.code == 3
    kinds = Counter(query["sql"].split()[0] for query in queries)
    assert (kinds["SELECT"], kinds["UPDATE"]) == (4, 3)
