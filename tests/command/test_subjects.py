"""What the command shows and does for one subject of a client."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apiclient_app import Client, clients
from apiclient_app.models import Credential
from tests.conftest import Configure
from tests.servers import Handle

from .grants import aged, held, in_doubt, of_subjects, refreshing, refused, row, strangers
from .orders import order

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop(api: Handle, api_clients: Configure) -> Client:
    api_clients(shop=refreshing(api, CHECK="GET echo"))
    return clients["shop"]


def rows(*words: str, **options: Any) -> list[dict[str, Any]]:
    return list(order("subjects", *words, format="json", **options).document["rows"])


def found(*words: str, **options: Any) -> list[str]:
    return [row["subject"] for row in rows(*words, **options)]


def test_each_word_acts_on_the_token_of_its_subject(api: Handle, shop: Client) -> None:
    ann, bob = (held(client) for client in of_subjects("shop", "ann", "bob"))
    bobs = bob.token().fingerprint
    shown = order("rotate", "shop", "--subject", "ann")
    anns = ann.token().fingerprint
    assert shown.out.startswith(f"shop (ann): rotated; the new token has the fingerprint {anns}")
    told = order("inspect", "shop", "--subject", "ann").out.split()
    assert told[:7] == ["Token", "subject", "ann", "state", "fresh", "fingerprint", anns]
    for word in ("rotate", "inspect", "revoke"):
        document = order(word, "shop", "--subject", "ann", format="json").document
        assert (document["alias"], document["subject"]) == ("shop", "ann")
    assert (row("shop", "ann").refresh_token, bob.token().fingerprint) == ("", bobs)
    assert row("shop", "bob").refresh_token


def test_calls_are_made_with_the_token_of_the_subject(api: Handle, shop: Client) -> None:
    for client in of_subjects("shop", "ann", "bob"):
        held(client).token()
    sent = order("call", "shop", "GET", "echo", "--subject", "ann").document["headers"]
    assert sent["authorization"] == f"Bearer {api.token_requests[0]['token']}"
    failed = order("call", "shop", "GET", "status/404", subject="bob")
    assert failed.error == "shop (bob): 404 Not Found"


def test_check_names_the_subject(api: Handle, shop: Client) -> None:
    held(shop.for_subject("ann"))
    shown = order("check", "shop", "--subject", "ann")
    assert shown.out.splitlines()[1].split()[:3] == ["shop", "(ann)", "ok"]
    assert shown.code == 0
    document = order("check", "shop", "--subject", "ann", format="json").document[0]
    assert (document["alias"], document["subject"], document["status"]) == ("shop", "ann", 200)
    refused(api, shop.for_subject("bob"))
    failed = order("check", "shop", "--subject", "bob")
    assert failed.code == 1
    assert failed.error.startswith("shop (bob): the provider refused")
    assert "store-refresh-token shop --subject bob" in failed.error


def test_the_remedy_names_the_subject_ready_for_a_shell(api: Handle, shop: Client) -> None:
    in_doubt(api, shop.for_subject("Ann & Bob"))
    shown = order("inspect", "shop", "--subject", "Ann & Bob")
    assert shown.code == 3
    assert shown.error.startswith("shop (Ann & Bob): ")
    assert "`manage.py apiclient rotate shop --subject 'Ann & Bob'`" in shown.error


def test_revoking_a_refresh_token_tells_how_to_begin_anew(shop: Client) -> None:
    held(shop.for_subject("ann"))
    shown = order("revoke", "shop", "--subject", "ann")
    assert shown.out == (
        "shop (ann): revoked, with its refresh token; to begin anew, authorise and "
        "`manage.py apiclient store-refresh-token shop --subject ann`\n"
    )


@pytest.mark.parametrize("word", ["inspect", "check", "rotate", "revoke"])
def test_what_can_be_no_subject_is_refused(shop: Client, word: str) -> None:
    shown = order(word, "shop", "--subject", "")
    assert shown.code == 2
    assert "a subject is a text" in shown.error


def test_a_subject_needs_a_client(shop: Client) -> None:
    shown = order("check", "--subject", "ann")
    assert (shown.code, shown.error) == (2, "--subject needs the ALIAS of a client")


def test_subjects_shows_each_row(api: Handle, shop: Client) -> None:
    held(shop)
    held(shop.for_subject("ann"))
    refused(api, shop.for_subject("bob"))
    in_doubt(api, shop.for_subject("cid"))
    held(shop.for_subject("dan"))
    Credential.objects.filter(subject="dan").update(
        leased_until=timezone.now() + timedelta(minutes=1)
    )
    held(shop.for_subject("eve"))
    assert order("revoke", "shop", subject="eve").code == 0
    shown = order("subjects")
    table = [line.split("  ") for line in shown.out.splitlines()]
    assert [[cell.strip() for cell in line if cell.strip()][:3] for line in table] == [
        ["SUBJECT", "STATE", "ALIAS"],
        ["-", "held", "shop"],
        ["ann", "held", "shop"],
        ["bob", "needs attention", "shop"],
        ["cid", "in doubt", "shop"],
        ["dan", "asking", "shop"],
        ["eve", "no refresh token", "shop"],
    ]
    assert (shown.code, shown.err) == (0, "6 of 6 shown: page 1 of 1\n")
    bob = rows("shop", "--search", "bob")[0]
    assert bob == {
        "alias": "shop",
        "subject": "bob",
        "state": "needs attention",
        "note": "refused: invalid_grant",
        "orphaned": False,
        "obtained_at": bob["obtained_at"],
        "changed_at": bob["changed_at"],
        "asking_since": None,
    }
    assert bob["obtained_at"].endswith("+00:00")
    for state, subject in (
        ("held", ["", "ann"]),
        ("needs attention", ["bob"]),
        ("in doubt", ["cid"]),
        ("asking", ["dan"]),
        ("no refresh token", ["eve"]),
        ("unreadable", []),
    ):
        assert found("--state", state) == subject


def test_times_are_told_by_their_distance(shop: Client) -> None:
    held(shop.for_subject("ann"))
    aged(3.5, subject="ann")
    assert order("subjects").out.splitlines()[1].endswith("shop   0 s ago   3 d 12 h ago")


def test_unreadable_rows_are_told_and_found(shop: Client, settings: Any) -> None:
    held(shop.for_subject("ann"))
    settings.SECRET_KEY = "another"
    held(clients["shop"].for_subject("bob"))
    assert [one["state"] for one in rows("shop")] == ["unreadable", "held"]
    assert found("--state", "unreadable") == ["ann"]


def test_rows_are_searched_and_paged(shop: Client) -> None:
    strangers("shop", 120)
    strangers("crm", 3)
    shown = order("subjects", "shop")
    assert len(shown.out.splitlines()) == 51
    assert shown.err == "50 of 120 shown: page 1 of 3\n"
    last = order("subjects", "shop", "--page", "3", format="json").document
    assert (last["count"], last["page"], last["pages"], len(last["rows"])) == (120, 3, 3, 20)
    pages = [found("shop", "--limit", "60", "--page", page) for page in ("1", "2")]
    assert len({*pages[0], *pages[1]}) == 120
    assert found("--search", "USER-11") == [f"user-11{n}" for n in ("", *range(10))]
    assert found("shop", "--state", "unreadable", "--limit", "7", "--page", "18") == ["user-99"]
    beyond = order("subjects", "shop", "--page", "9")
    assert (beyond.out, beyond.err) == ("", "0 of 120 shown: page 9 of 3\n")


@pytest.mark.parametrize("state", [[], ["--state", "held"], ["--state", "unreadable"]])
def test_the_queries_do_not_grow_with_the_rows(shop: Client, state: list[str]) -> None:
    strangers("shop", 400)
    with CaptureQueriesContext(connection) as queries:
        order("subjects", *state)
    assert len(queries) <= 3


def test_orphans_are_marked(api: Handle, shop: Client, api_clients: Configure) -> None:
    held(shop.for_subject("ann"))
    strangers("gone", 1)
    api_clients(shop=refreshing(api, OPTIONS={"client_id": "app2"}), broken={"BASE_URL": "x"})
    held(clients["shop"].for_subject("ann"))
    strangers("broken", 1)
    assert [(one["alias"], one["orphaned"]) for one in rows()] == [
        ("broken", False),  # who knows, until its settings are mended
        ("gone", True),
        ("shop", True),
        ("shop", False),
    ]
    assert "unreadable, orphaned" in order("subjects", "gone").out
    assert "held, orphaned" in order("subjects", "shop").out


def test_an_alias_that_nobody_knows_is_a_mistake(shop: Client) -> None:
    assert order("subjects", "shop").code == 0
    shown = order("subjects", "shpo")
    assert (shown.code, shown.out) == (2, "")
    assert "There is no API_CLIENTS['shpo']" in shown.error


@pytest.mark.parametrize(
    "words",
    [["--state", "odd"], ["--limit", "0"], ["--limit", "9999"], ["--page", "0"], ["--page", "x"]],
)
def test_what_makes_no_sense_is_refused(shop: Client, words: list[str]) -> None:
    assert order("subjects", *words).code == 1  # 2 from a shell
