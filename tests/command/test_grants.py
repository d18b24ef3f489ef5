"""What `list`, `inspect` and `check` say of grants by refresh token."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apiclient_app import Client, clients
from tests.conftest import Configure
from tests.servers import Handle

from .grants import held, in_doubt, of_subjects, refreshing, refused, strangers
from .orders import order

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop(api: Handle, api_clients: Configure) -> Client:
    api_clients(shop=refreshing(api))
    return clients["shop"]


def test_a_grant_that_is_held_needs_nothing(shop: Client) -> None:
    held(shop)
    shown = order("list")
    head, line = shown.out.splitlines()
    assert head.split()[:3] == ["ALIAS", "TOKEN", "GRANT"]
    assert line.split()[:3] == ["shop", "absent", "held"]
    assert (shown.code, shown.error) == (0, "")
    assert "Grant\n  state  held\n" in order("inspect", "shop").out


def unreadable(api: Handle, client: Client, settings: Any) -> None:
    held(client)
    settings.SECRET_KEY = "another"


States = Callable[[Handle, Client, Any], Any]


@pytest.mark.parametrize(
    ("bring", "state", "said"),
    [
        (
            lambda api, client, _: refused(api, client),
            "needs attention",
            "authorise anew, and store the new one with `manage.py apiclient store-refresh-token",
        ),
        (
            lambda api, client, _: in_doubt(api, client),
            "in doubt",
            "it is tried again by itself, or at once with `manage.py apiclient rotate shop`",
        ),
        (
            lambda *_: None,
            "no refresh token",
            "authorise, and store it with `manage.py apiclient store-refresh-token shop`",
        ),
        (
            unreadable,
            "unreadable",
            "put the SECRET_KEY it was stored with into SECRET_KEY_FALLBACKS",
        ),
    ],
    ids=["refused", "in doubt", "empty", "unreadable"],
)
def test_a_grant_in_trouble_is_told_with_its_remedy(
    api: Handle, shop: Client, settings: Any, bring: States, state: str, said: str
) -> None:
    bring(api, shop, settings)
    listed, inspected = order("list"), order("inspect", "shop")
    assert state in listed.out
    assert said in listed.out
    assert listed.out.count("  ! ") == (2 if state == "in doubt" else 1)
    assert said in inspected.error
    assert listed.code == inspected.code == 3
    assert listed.error == "need attention: shop"
    document = order("list", format="json").document[0]
    assert document["grant"] == state
    assert any(said in note for note in document["attention"])
    whole = order("inspect", "shop", format="json").document
    assert timeless(document) == timeless({n: v for n, v in whole.items() if n != "settings"})


def timeless(document: dict[str, Any]) -> dict[str, Any]:
    """Leave out how long ago it was: that differs from one look to the next."""
    notes = [re.sub(r"\b\d+ s\b", "… s", note) for note in document["attention"]]
    return {**document, "attention": notes}


def test_check_tells_of_the_grant(api: Handle, shop: Client) -> None:
    refused(api, shop)
    document = order("check", format="json").document[0]
    assert (document["ok"], document["grant"]) == (False, "needs attention")
    assert document["grant_note"] == "refused: invalid_grant"
    assert "store-refresh-token shop" in document["error"]
    held(shop, "r2")
    document = order("check", format="json").document[0]
    assert (document["ok"], document["grant"], document["attention"]) == (True, "held", [])


def test_who_has_credentials_of_his_own_needs_no_refresh_token(
    api: Handle, api_clients: Configure
) -> None:
    password = {"username": "ann", "password": "p4ss"}
    api_clients(shop=api.config("Password", OPTIONS=password))
    clients["shop"].token()
    for word in ("list", "check"):
        assert (order(word).code, order(word).error) == (0, "")
    assert order("list", format="json").document[0]["grant"] == "no refresh token"
    assert "no refresh token" not in order("list").out


def test_subjects_that_need_attention_are_counted(api: Handle, shop: Client) -> None:
    held(shop)
    for client in of_subjects("shop", "ann", "bob", "cid"):
        held(client)
    for client in of_subjects("shop", "dan", "eve"):
        refused(api, client)
    shown = order("list")
    said = (
        "2 of 5 subjects need attention: manage.py apiclient subjects shop "
        "--state 'needs attention'"
    )
    assert f"  ! {said}\n" in shown.out
    assert (shown.code, shown.error) == (3, "need attention: shop")
    assert order("inspect", "shop").error == f"shop: {said}"
    assert order("check", "shop").error == f"shop: {said}"
    document = order("list", format="json").document[0]
    assert (document["subjects"], document["subjects_needing_attention"]) == (5, 2)
    assert document["attention"] == [said]
    needy = order("subjects", "shop", "--state", "needs attention", format="json").document
    assert needy["count"] == 2


def test_a_client_for_subjects_alone_is_not_blamed_for_having_no_grant(
    api: Handle, shop: Client
) -> None:
    held(shop.for_subject("ann"))
    assert (order("list").code, order("list").error) == (0, "")
    shown = order("check")
    assert shown.out.splitlines()[1].split()[:2] == ["shop", "skipped"]
    assert (shown.code, api.token_requests) == (0, [])
    assert order("check", format="json").document[0]["tested"] is False
    assert order("check", "shop").code == 1
    assert order("check", "shop", subject="ann").code == 0


def test_listing_costs_no_query_per_client_beyond_its_own_row(
    api: Handle, api_clients: Configure
) -> None:
    api_clients(**{f"shop{n}": refreshing(api) for n in range(10)})
    strangers("shop3", 200)
    with CaptureQueriesContext(connection) as queries:
        order("list")
    assert len(queries) == 11
    api_clients(**{f"shop{n}": api.config() for n in range(10)})
    with CaptureQueriesContext(connection) as queries:
        order("list")
    assert len(queries) == 0


def test_a_database_without_the_table_is_told(shop: Client) -> None:
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE apiclient_app_credential RENAME TO mislaid")
    shown = order("list")
    assert "run `manage.py migrate apiclient_app`" in shown.out
    assert (shown.code, shown.error) == (3, "need attention: shop")
    for word in ("subjects", "prune", "reencrypt"):
        shown = order(word)
        assert shown.code == 1
        assert "run `manage.py migrate apiclient_app`" in shown.error


def test_switched_credentials_are_told(api: Handle, api_clients: Configure) -> None:
    api.set(credentials={"app": "s3cr3t", "app2": "n3w"})
    api_clients(shop=api.config(OPTIONS={"next": {"client_id": "app2", "client_secret": "n3w"}}))
    shown = order("switch", "shop")
    assert shown.code == 0
    assert shown.out.startswith("shop: switched; every process uses the next credentials")
    assert "(client_id, client_secret) in API_CLIENTS['shop'], and deploy" in shown.out
    assert api.token_requests[-1]["client_id"] == "app2"
    assert "the next ones" in order("inspect", "shop").out
    assert order("list", format="json").document[0]["switched"] is True
    again = order("switch", "shop")
    assert (again.code, again.out) == (1, "")
    assert "they are in use" in again.error


def test_credentials_that_do_not_work_are_not_switched_to(
    api: Handle, api_clients: Configure
) -> None:
    wrong = {"next": {"client_id": "app2", "client_secret": "wr0ng"}}
    api_clients(shop=api.config(OPTIONS=wrong))
    shown = order("switch", "shop")
    assert (shown.code, shown.out) == (1, "")
    assert "nothing was changed" in shown.error
    assert order("list", format="json").document[0]["switched"] is False


def test_a_clock_that_differs_is_told(shop: Client) -> None:
    held(shop)
    shop.memory.offset = -90.0
    assert "their clock  1 min 30 s behind ours" in order("inspect", "shop").out
    assert order("inspect", "shop", format="json").document["clock_offset"] == -90.0
