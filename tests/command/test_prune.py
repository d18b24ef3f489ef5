"""`prune`: what is dead goes, what may be of use stays."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.db.models.signals import pre_delete
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apiclient_app import Client, clients
from apiclient_app.models import Credential
from tests.conftest import Configure
from tests.servers import Handle

from .grants import (
    REFUSED,
    aged,
    asked,
    held,
    in_doubt,
    of_subjects,
    refreshing,
    refused,
    row,
    strangers,
)
from .orders import order

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop(api: Handle, api_clients: Configure) -> Client:
    api_clients(shop=refreshing(api))
    return clients["shop"]


def left() -> list[str]:
    return sorted(Credential.objects.values_list("subject", flat=True))


@pytest.fixture
def crowd(api: Handle, shop: Client) -> None:
    """A row of every kind, all of them old."""
    for client in of_subjects("shop", "held", "empty"):
        held(client)
    assert order("revoke", "shop", subject="empty").code == 0
    refused(api, shop.for_subject("refused"))
    in_doubt(api, shop.for_subject("in doubt"))
    for name in ("unanswered", "asking"):
        held(shop.for_subject(name))
    Credential.objects.filter(subject="unanswered").update(attention="unanswered")
    soon = timezone.now() + timedelta(minutes=5)
    Credential.objects.filter(subject="asking").update(
        leased_until=soon, attention="refused: invalid_grant"
    )
    aged(31, alias="shop")


USEFUL = ["asking", "held", "in doubt", "unanswered"]


def test_dead_rows_go_and_all_others_stay(crowd: None) -> None:
    shown = order("prune")
    assert shown.out == "removed: 1 without a refresh token, 1 refused, 0 orphaned\n"
    assert (shown.code, left()) == (0, USEFUL)
    assert order("prune").out.startswith("removed: 0 without a refresh token, 0 refused")


def test_rows_that_changed_of_late_stay(crowd: None) -> None:
    aged(29, alias="shop")
    order("prune")
    assert left() == sorted([*USEFUL, "empty", "refused"])
    order("prune", "--days", "28")
    assert left() == USEFUL


def test_a_dry_run_counts_and_removes_nothing(crowd: None) -> None:
    strangers("gone", 2, attention="refused: invalid_grant")
    aged(31, alias="gone")
    before = left()
    shown = order("prune", "--dry-run", "--orphans")
    assert shown.out == "to be removed: 1 without a refresh token, 3 refused, 0 orphaned\n"
    assert left() == before
    assert order("prune", "--orphans").out == shown.out.replace("to be removed", "removed")


def test_a_row_that_is_mended_at_this_moment_stays(crowd: None) -> None:
    strangers("gone", 1)
    # Where anybody listens to deletions of all models, Django's own way is to look first.
    pre_delete.connect(print)
    try:
        with CaptureQueriesContext(connection) as queries:
            order("prune", "--orphans", "--days", "0")
    finally:
        pre_delete.disconnect(print)
    removals = [query["sql"] for query in queries if query["sql"].startswith("DELETE")]
    assert len(removals) == 3
    assert all("updated_at" in sql and "leased_until" in sql for sql in removals)
    assert left() == USEFUL


def test_a_refused_token_of_the_settings_is_remembered(
    api: Handle, api_clients: Configure
) -> None:
    api_clients(shop=refreshing(api, OPTIONS={"refresh_token": "first"}))
    api.always("/token", REFUSED)
    asked(clients["shop"])
    aged(99, alias="shop")
    order("prune")
    clients.reset()
    asked(clients["shop"])
    assert row().attention == "refused: invalid_grant"
    assert [one["fields"]["refresh_token"] for one in api.token_requests] == ["first"]


def test_orphans_are_listed_and_go_only_when_told_so(
    api: Handle, shop: Client, api_clients: Configure
) -> None:
    held(shop.for_subject("ann"))
    strangers("gone", 3)
    strangers("broken", 1)
    api_clients(shop=refreshing(api, OPTIONS={"client_id": "app2"}), broken={"BASE_URL": "x"})
    held(clients["shop"].for_subject("bob"))
    aged(31)
    shown = order("prune")
    assert shown.out.splitlines() == [
        "removed: 0 without a refresh token, 0 refused, 0 orphaned",
        "kept: 3 orphaned of gone, configured no more",
        "kept: 1 orphaned of shop, whose grant is another now",
        "`prune --orphans` removes them; `subjects ALIAS` shows them.",
    ]
    assert shown.code == 2
    assert shown.error.startswith("API_CLIENTS['broken']['BASE_URL']")
    shown = order("prune", "--orphans")
    assert shown.out == "removed: 0 without a refresh token, 0 refused, 4 orphaned\n"
    assert [*Credential.objects.values_list("alias", "subject")] == [
        ("broken", "user-0"),
        ("shop", "bob"),
    ]


def test_orphans_that_are_in_use_elsewhere_stay(shop: Client) -> None:
    strangers("gone", 2)
    shown = order("prune", "--orphans")
    assert shown.out.splitlines()[1:] == [
        "kept: 2 orphaned of gone, configured no more",
        "Kept were those that have changed in the last 30 days (--days).",
    ]
    assert order("prune", "--orphans", "--days", "0").out.endswith("2 orphaned\n")


def test_many_orphans_go_in_batches(shop: Client) -> None:
    strangers("gone", 1_200)
    held(shop)
    assert order("prune", "--orphans", "--days", "0").out.endswith("1200 orphaned\n")
    assert left() == [""]


def test_rows_that_a_dropped_key_hides_are_orphans(
    api: Handle, api_clients: Configure, settings: Any
) -> None:
    # A password may be in the grant's name, which a keyed hash hides.
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "new", ["old"]
    api.set(token_fields={"refresh_token": "r2"})
    api_clients(shop=api.config("Password", OPTIONS={"username": "ann", "password": "p4ss"}))
    clients["shop"].token()
    assert order("reencrypt").code == 0
    settings.SECRET_KEY_FALLBACKS = []
    assert clients["shop"].get("echo").status_code == 200
    assert Credential.objects.count() == 2
    assert order("prune", "--orphans", "--days", "0").out.endswith("1 orphaned\n")
    assert clients["shop"].inspect().grant == "held"


def test_due_revocations_are_done_for_all_clients(api: Handle, api_clients: Configure) -> None:
    url = {"revocation_url": f"{api.origin}/revoke"}
    due = api.config(MEMORY_SECONDS=0.001, OPTIONS=url)
    api_clients(shop=due, crm=due, static={"BASE_URL": api.base_url})
    for alias in ("shop", "crm"):
        clients[alias].token()
        clients[alias].rotate_token()
    assert order("prune", "--dry-run").code == 0
    assert api.seen()["revocations"] == []
    assert order("prune").code == 0
    assert len(api.seen()["revocations"]) == 2
