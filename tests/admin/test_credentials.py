"""The list of refresh tokens, and the page of one: whose they are, and how they fare."""

import html
import re

import pytest
from django.db import connection
from django.test import Client

from apiclient_app import clients
from apiclient_app.exceptions import APIClientError
from apiclient_app.models import Credential
from apiclient_app.rows import RowState
from tests.servers import Handle, Reply

from .pages import CREDENTIALS, LIST, Configure, page, row_page, subjects, text

REFUSAL = Reply.of({"error": "invalid_grant"}, 400)
ODD = ("a/b", "..", "x//y", "50%_2F?#&=", 'O\'Neil "the" <b>', "ключ 鍵", "é" * 255, " spaced ")
TOLD = (RowState.HELD, RowState.ASKING, RowState.IN_DOUBT, RowState.ATTENTION, RowState.EMPTY)


@pytest.fixture(autouse=True)
def shop(api: Handle, api_clients: Configure) -> None:
    api_clients(shop=api.config("RefreshToken"))


def hold(*subjects: str, alias: str = "shop") -> None:
    for subject in subjects:
        clients[alias].for_subject(subject).store_refresh_token(f"s3cret-{len(subject)}")


def fail(api: Handle, subject: str, reply: Reply) -> None:
    """Have a subject's refresh fail."""
    api.script("/token", reply)
    with pytest.raises(APIClientError):
        clients["shop"].for_subject(subject).token()


def in_every_state(api: Handle) -> None:
    """Make a row for each state, whose subject is the state."""
    hold(*TOLD)
    fail(api, RowState.ATTENTION, REFUSAL)
    fail(api, RowState.IN_DOUBT, Reply(504))
    clients["shop"].for_subject(RowState.EMPTY).revoke_token()
    rows = clients["shop"].for_subject(RowState.ASKING).rooms.rows
    assert rows.claim(rows.read(), 7, 60.0)


def test_each_state_is_told_as_the_client_knows_it(admin_client: Client, api: Handle) -> None:
    in_every_state(api)
    listed = text(admin_client.get(CREDENTIALS))
    words = {
        row.subject: row.state for row in admin_client.get(CREDENTIALS).context["cl"].queryset
    }
    for state in TOLD:
        assert words[state] == clients["shop"].for_subject(state).inspect().grant == state
        assert f"shop {state} {state.capitalize()}" in listed
        assert state.capitalize() in text(admin_client.get(row_page("shop", state)))
        assert subjects(admin_client, state=state) == [state]


def test_an_unreadable_row_is_told_on_its_page(admin_client: Client) -> None:
    hold("ann")
    Credential.objects.update(refresh_token="1.sealed-by-nobody")
    told = text(admin_client.get(row_page("shop", "ann")))
    assert "Unreadable no key that is configured opens it" in told
    assert "SECRET_KEY_FALLBACKS" in told


def test_what_needs_attention_says_why_and_what_to_do(admin_client: Client, api: Handle) -> None:
    hold("ann o'hara")
    fail(api, "ann o'hara", REFUSAL)
    told = text(admin_client.get(row_page("shop", "ann o'hara")))
    assert "the provider refused the refresh token (invalid_grant)" in told
    order = "manage.py apiclient store-refresh-token shop --subject 'ann o'\"'\"'hara'"
    assert order in told


def test_a_client_with_a_password_needs_nobody(
    admin_client: Client, api: Handle, api_clients: Configure
) -> None:
    options = {"username": "joe", "password": "pw"}
    api_clients(shop=api.config("Password", OPTIONS=options))
    clients["shop"].store_refresh_token("s3cret")
    api.script("/token", REFUSAL, Reply(503))
    with pytest.raises(APIClientError):
        clients["shop"].token()
    told = text(admin_client.get(page("shop")))
    assert "Needs attention" in told
    assert "store-refresh-token" not in told


def test_the_page_of_a_row_shows_the_access_token_too(admin_client: Client, api: Handle) -> None:
    hold("ann")
    token = clients["shop"].for_subject("ann").token()
    asked = len(api.requests)
    told = text(admin_client.get(row_page("shop", "ann")))
    assert f"Fingerprint: {token.fingerprint}" in told
    assert "Refresh token obtained:" in told
    assert len(api.requests) == asked


def test_the_search_finds_subjects_and_aliases_and_nothing_else(admin_client: Client) -> None:
    hold("ann", "bob", "100%", "1000")
    row = Credential.objects.get(subject="ann")
    assert subjects(admin_client, q="an") == ["ann"]
    assert subjects(admin_client, q="SHO") == ["100%", "1000", "ann", "bob"]
    assert subjects(admin_client, q="0%") == ["100%"]
    for nothing in (row.refresh_token, row.refresh_token[:6], row.identity, row.identity[:6]):
        assert subjects(admin_client, q=nothing) == []


@pytest.mark.parametrize("field", ["refresh_token", "seeds", "identity", "subject", "nothing"])
@pytest.mark.parametrize("how", ["", "__startswith", "__gt"])
def test_no_query_string_looks_anything_up(admin_client: Client, field: str, how: str) -> None:
    hold("ann")
    assert admin_client.get(CREDENTIALS, {field + how: "1"}).status_code == 400


def test_rows_are_filtered_by_alias(
    admin_client: Client, api: Handle, api_clients: Configure
) -> None:
    api_clients(shop=api.config("RefreshToken"), crm=api.config("RefreshToken"), api=api.config())
    hold("ann")
    hold("bob", alias="crm")
    assert subjects(admin_client, alias="crm") == ["bob"]
    (choices,) = (
        f for f in admin_client.get(CREDENTIALS).context["cl"].filter_specs if f.title == "alias"
    )
    assert [alias for alias, _ in choices.lookup_choices] == ["shop", "crm"]


def test_rows_that_no_client_uses_are_told_and_only_looked_at(
    admin_client: Client, api: Handle, api_clients: Configure
) -> None:
    hold("ann")
    api_clients(shop=api.config("RefreshToken", OPTIONS={"client_id": "another"}))
    hold("bob")
    for why, orphans in (("has another grant", ["ann"]), ("not in the settings", ["ann", "bob"])):
        response = admin_client.get(CREDENTIALS)
        assert len(re.findall(">Orphaned<", response.content.decode())) == len(orphans)
        told = text(admin_client.get(row_page("shop", "ann")))
        assert why in told
        assert "Held" in told
        assert "Token State" not in told
        assert not [button for button in ("Rotate token", "Revoke token") if button in told]
        api_clients()
    assert subjects(admin_client, state="orphaned") == ["ann", "bob"]


def test_a_row_whose_client_is_misconfigured_is_no_orphan(
    admin_client: Client, api_clients: Configure
) -> None:
    hold("ann")
    api_clients(shop={"TIMEOUTS": 3})
    assert ">Orphaned<" not in admin_client.get(CREDENTIALS).content.decode()
    told = text(admin_client.get(row_page("shop", "ann")))
    assert "['TIMEOUTS'] is not a known key" in told
    assert "Held" in told


@pytest.mark.parametrize("subject", ODD)
def test_any_subject_will_do(admin_client: Client, subject: str) -> None:
    hold(subject, "other")
    listed = admin_client.get(CREDENTIALS)
    assert html.escape(subject.strip()) in listed.content.decode()
    assert row_page("shop", subject) in listed.content.decode()
    there = admin_client.get(page("shop", subject=subject))
    assert there.headers["Location"] == row_page("shop", subject)
    response = admin_client.get(row_page("shop", subject))
    assert html.escape(subject) in response.content.decode()
    assert html.escape(page("shop", "revoke", subject)) in response.content.decode()
    done = text(admin_client.post(page("shop", "revoke", subject), follow=True))
    assert "Revoked the token." in done
    assert "Revoked the token." in text(admin_client.get(row_page("shop", subject, "history")))
    grants = {s: clients["shop"].for_subject(s).inspect().grant for s in (subject, "other")}
    assert grants == {subject: "no refresh token", "other": "held"}


def test_clients_without_refresh_tokens_hear_nothing_of_them(
    admin_client: Client, api: Handle, api_clients: Configure
) -> None:
    api_clients(shop=api.config())
    assert "refresh token" not in text(admin_client.get(LIST)).lower()
    api_clients(shop=api.config("RefreshToken"))
    assert "no refresh token" in text(admin_client.get(LIST)).lower()


def test_nothing_can_be_added_changed_or_deleted(admin_client: Client) -> None:
    hold("ann")
    for url in (
        f"{CREDENTIALS}add/",
        row_page("shop", "ann"),
        row_page("shop", "ann", "delete"),
    ):
        assert admin_client.post(url, {"subject": "x", "post": "yes"}).status_code == 403
    assert admin_client.post(CREDENTIALS, {"action": "delete_selected"}).status_code != 500
    assert Credential.objects.get().subject == "ann"


def test_a_table_that_is_missing_breaks_no_page_of_a_client(admin_client: Client) -> None:
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE apiclient_app_credential RENAME TO gone")
    told = text(admin_client.get(page("shop")))
    assert "run `manage.py migrate apiclient_app`" in told
    assert "Grant unknown" in text(admin_client.get(LIST))
    stored = admin_client.post(page("shop", "store", "ann"), {"refresh_token": "x"}, follow=True)
    assert "Storing the refresh token failed" in text(stored)
