"""Orders for one subject, refresh tokens that people bring, and the credentials that come next."""

import html
import re
import time
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.utils.http import http_date

from apiclient_app import clients
from apiclient_app.exceptions import APIClientError
from apiclient_app.models import Credential
from tests.servers import Handle, Reply

from .pages import CREDENTIALS, LIST, Configure, history, page, row_page, text

ODD = ("a/b", "..", "50%_2F?#&=", 'O\'Neil "the" <b>', "ключ 鍵", "é" * 255, " spaced ")
REFUSAL = Reply.of({"error": "invalid_grant"}, 400)


def token_of(subject: str) -> str:
    return clients["shop"].for_subject(subject).token().fingerprint


def order(browser: Client, name: str, subject: str = "", **fields: str) -> str:
    return text(browser.post(page("shop", name, subject), fields, follow=True))


@pytest.mark.parametrize("subject", ODD)
def test_a_subject_without_a_row_has_a_page_and_orders_of_its_own(
    admin_client: Client, api: Handle, api_clients: Configure, subject: str
) -> None:
    api_clients(shop=api.config())
    other, old = token_of("other"), token_of(subject)
    response = admin_client.get(page("shop", subject=subject))
    assert html.escape(subject) in response.content.decode()
    assert old in text(response)
    assert other not in text(response)
    assert html.escape(page("shop", "rotate", subject)) in response.content.decode()
    told = order(admin_client, "rotate", subject)
    new = token_of(subject)
    assert new != old
    assert token_of("other") == other
    assert f"Fingerprint: {new}" in told
    assert clients["shop"].inspect().state == "absent"
    assert history() == [
        f"Subject “{subject}”: Rotated the token: the new one has the fingerprint {new}."
    ]


@pytest.mark.parametrize("name", ["check", "rotate", "revoke"])
def test_an_order_for_a_subject_concerns_no_other_token(
    admin_client: Client, api: Handle, api_clients: Configure, name: str
) -> None:
    api_clients(shop=api.config(OPTIONS={"revocation_url": f"{api.origin}/revoke"}))
    mine, own = token_of("other"), clients["shop"].token().fingerprint
    token_of("ann")
    order(admin_client, name, "ann")
    assert (token_of("other"), clients["shop"].token().fingerprint) == (mine, own)
    assert clients["shop"].inspect().fingerprint == own


def test_the_page_of_a_client_leads_to_that_of_a_subject(
    admin_client: Client, api: Handle, api_clients: Configure
) -> None:
    api_clients(shop=api.config(), plain={"BASE_URL": "https://plain.example/"})
    assert 'name="subject"' in admin_client.get(page("shop")).content.decode()
    assert 'name="subject"' not in admin_client.get(page("plain")).content.decode()
    shown = text(admin_client.get(page("shop"), {"subject": "ann"}))
    assert "Subject: ann" in shown
    assert "shop (ann)" in shown
    assert "Configuration" not in shown


@pytest.mark.parametrize("subject", ["\x00", "a\nb", "x" * 256, "\u202e"])
def test_what_can_be_no_subject_is_told(
    admin_client: Client, api: Handle, api_clients: Configure, subject: str
) -> None:
    api_clients(shop=api.config())
    told = admin_client.get(page("shop", subject=subject), follow=True)
    assert "a subject is a text of 1 to 255 printable characters" in text(told)
    assert "Configuration" in text(told)
    for name in ("rotate", "revoke"):
        assert "1 to 255 printable characters" in order(admin_client, name, subject)
    assert api.token_requests == []
    assert history() == []  # which no database could keep


def test_a_stored_refresh_token_is_used(
    admin_client: Client, api: Handle, api_clients: Configure
) -> None:
    api_clients(shop=api.config("RefreshToken"))
    told = text(admin_client.get(page("shop", subject="ann")))
    assert "No refresh token" in told
    assert "with the button “Store refresh token” here" in told
    asked = admin_client.get(page("shop", "store", "ann"))
    assert 'type="password"' in asked.content.decode()
    assert 'autocomplete="off"' in asked.content.decode()
    told = order(admin_client, "store", "ann", refresh_token=" br0ught ")
    assert "Stored a refresh token" in told
    assert "Held" in told
    token_of("ann")
    (request,) = api.token_requests
    assert request["fields"]["refresh_token"] == "br0ught"
    assert clients["shop"].inspect().grant == "no refresh token"


def test_a_stored_refresh_token_mends_what_needs_attention(
    admin_client: Client, api: Handle, api_clients: Configure
) -> None:
    api_clients(shop=api.config("RefreshToken", OPTIONS={"refresh_token": "first"}))
    api.script("/token", REFUSAL)
    with pytest.raises(APIClientError):
        clients["shop"].token()
    told = text(admin_client.get(page("shop")))
    assert "Needs attention" in told
    assert "the provider refused the refresh token (invalid_grant)" in told
    assert "or with manage.py apiclient store-refresh-token shop , which asks for it" in told
    assert "Needs attention" in text(admin_client.get(LIST))
    assert "tried once more" in text(admin_client.get(page("shop", "rotate")))
    assert "Held" in order(admin_client, "store", refresh_token="second")
    assert "Needs attention" not in text(admin_client.get(LIST))
    clients["shop"].token()


@pytest.mark.parametrize("value", ["", "  "])
def test_no_refresh_token_is_asked_for_again(
    admin_client: Client, api: Handle, api_clients: Configure, value: str
) -> None:
    api_clients(shop=api.config("RefreshToken"))
    response = admin_client.post(page("shop", "store"), {"refresh_token": value})
    assert "This field is required." in text(response)
    assert history() == []
    assert not Credential.objects.exists()


def test_where_no_refresh_tokens_are_kept_none_can_be_stored(
    admin_client: Client, api: Handle, api_clients: Configure
) -> None:
    api_clients(shop=api.config())
    assert "Store refresh token" not in text(admin_client.get(page("shop")))
    told = order(admin_client, "store", refresh_token="s3cret")
    assert "its auth backend knows no refresh tokens" in told


def test_revoking_says_that_the_grant_ends(
    admin_client: Client, api: Handle, api_clients: Configure
) -> None:
    password = {"username": "joe", "password": "pw"}
    api_clients(
        shop=api.config("RefreshToken"),
        crm=api.config("Password", OPTIONS=password),
        plain=api.config(),
    )
    told = {a: text(admin_client.get(page(a, "revoke"))) for a in ("shop", "crm", "plain")}
    ends = "the grant ends. No call succeeds until a person authorises anew"
    assert [alias for alias in told if ends in told[alias]] == ["shop"]
    assert "The next call obtains new ones with its credentials." in told["crm"]
    assert "The next call obtains a new one." in told["plain"]


def test_rotating_in_doubt_says_what_may_come_of_it(
    admin_client: Client, api: Handle, api_clients: Configure
) -> None:
    api_clients(shop=api.config("RefreshToken", OPTIONS={"refresh_token": "first"}))
    api.script("/token", Reply(504))
    with pytest.raises(APIClientError):
        clients["shop"].token()
    assert "may end the grant" in text(admin_client.get(page("shop", "rotate")))
    told = text(admin_client.get(page("shop")))
    assert "In doubt" in told
    assert "Asking since:" in told


def switching(api: Handle, **settings: Any) -> dict[str, Any]:
    following = {"client_id": "next-app", "client_secret": "n3xt"}
    api.set(credentials={"app": "s3cr3t", "next-app": "n3xt"})
    return api.config(OPTIONS={"next": following}, **settings)


def test_the_next_credentials_are_switched_to_once(
    admin_client: Client, api: Handle, api_clients: Configure
) -> None:
    api_clients(shop=switching(api, CHECK="GET echo"))
    clients["shop"].token()
    assert "Switch to next credentials" in text(admin_client.get(page("shop")))
    asked = text(admin_client.get(page("shop", "switch")))
    assert "“GET echo” is called" in asked
    told = order(admin_client, "switch")
    assert "Switched to the next credentials" in told
    assert "Client credentials: The next ones are in use." in told
    assert [asked["client_id"] for asked in api.token_requests] == ["app", "next-app"]
    assert "Switch to next credentials" not in text(admin_client.get(page("shop")))
    assert "n3xt" not in told


def test_next_credentials_that_fail_change_nothing(
    admin_client: Client, api: Handle, api_clients: Configure
) -> None:
    api_clients(shop=switching(api))
    api.set(credentials={"app": "s3cr3t"})
    assert "nothing was changed" in order(admin_client, "switch")
    assert "Switch to next credentials" in text(admin_client.get(page("shop")))


def test_without_next_credentials_there_is_nothing_to_switch_to(
    admin_client: Client, api: Handle, api_clients: Configure
) -> None:
    api_clients(shop=api.config())
    assert "Switch to next credentials" not in text(admin_client.get(page("shop")))
    assert admin_client.get(page("shop", "switch")).status_code == 302
    assert "there are no next credentials" in order(admin_client, "switch")


def test_a_clock_that_differs_is_told(
    admin_client: Client, api: Handle, api_clients: Configure
) -> None:
    api_clients(shop=api.config())
    assert "Their clock" not in text(admin_client.get(page("shop")))
    document = {"access_token": "{token}", "expires_in": 3600}
    api.script("/token", Reply.of(document, Date=http_date(time.time() - 75)))
    clients["shop"].token()
    told = text(admin_client.get(page("shop"))).replace("\xa0", " ")
    assert re.search(r"Their clock: 1 min 1\d s behind ours", told)


def test_the_history_of_a_row_is_that_of_its_subject(
    admin_client: Client, api: Handle, api_clients: Configure
) -> None:
    api_clients(shop=api.config("RefreshToken"))
    order(admin_client, "store", "ann", refresh_token="a")
    order(admin_client, "store", refresh_token="b")
    order(admin_client, "revoke")
    assert [str(e.object_repr) for e in LogEntry.objects.order_by("pk")] == [
        "shop (ann)",
        "shop",
        "shop",
    ]
    told = text(admin_client.get(row_page("shop", "ann", "history")))
    assert "Stored a refresh token" in told
    assert "Revoked" not in told
    own = admin_client.get(row_page("shop", name="history"), follow=True)
    assert "Revoked the token." in text(own)
    assert "shop (ann)" not in text(admin_client.get(page("shop", "history")))
    assert "2 credentials" in text(admin_client.get(CREDENTIALS))
