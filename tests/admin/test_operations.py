"""Rotate, revoke and test: what is done, what the person is told, what the history keeps."""

from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.db.models.signals import post_save
from django.test import Client
from django.utils.translation import get_language
from pytest_django import Settings

from apiclient_app import CircuitOpen, clients
from tests.servers import Handle, Reply

from .pages import LIST, OPERATIONS, Configure, history, page, text

each_operation = pytest.mark.parametrize("operation", OPERATIONS)


def order(browser: Client, alias: str, operation: str) -> str:
    return text(browser.post(page(alias, operation), follow=True))


def test_rotating_publishes_a_new_token(
    admin_client: Client, api: Handle, api_clients: Configure
) -> None:
    api_clients(shop=api.config())
    old = clients["shop"].token()
    shown = order(admin_client, "shop", "rotate")
    new = clients["shop"].token()
    assert new.fingerprint != old.fingerprint
    assert len(api.token_requests) == 2
    outcome = f"Rotated the token: the new one has the fingerprint {new.fingerprint}."
    assert outcome in shown
    assert history() == [outcome]


def test_revoking_forgets_the_token(
    admin_client: Client, api: Handle, api_clients: Configure
) -> None:
    api_clients(shop=api.config(OPTIONS={"revocation_url": f"{api.origin}/revoke"}))
    clients["shop"].token()
    shown = order(admin_client, "shop", "revoke")
    assert "Revoked the token." in shown
    assert "Absent" in shown
    assert len(api.seen()["revocations"]) == 1
    assert history() == ["Revoked the token."]


def test_testing_calls_check(admin_client: Client, api: Handle, api_clients: Configure) -> None:
    api_clients(shop=api.config(CHECK="GET status/204"))
    assert "“GET status/204” is called" in text(admin_client.get(page("shop", "check")))
    assert "the API answered 204 in " in order(admin_client, "shop", "check")
    assert api.count(204, "/api/status/204") == 1


def test_testing_without_check_obtains_a_token_alone(
    admin_client: Client, api: Handle, api_clients: Configure
) -> None:
    api_clients(shop=api.config())
    assert "No call is sent to the API" in text(admin_client.get(page("shop", "check")))
    assert "there is a usable token" in order(admin_client, "shop", "check")
    assert len(api.token_requests) == 1
    assert api.count(200, "/api/") == 0


def test_a_failed_test_is_one_line_on_the_page_and_in_the_history(
    admin_client: Client, api: Handle, api_clients: Configure
) -> None:
    api_clients(shop=api.config(CHECK="GET status/503"))
    shown = order(admin_client, "shop", "check")
    (kept,) = history()
    assert kept.startswith("Testing the connection failed: ")
    assert "503" in kept
    assert "\n" not in kept
    assert kept in shown


@pytest.mark.parametrize("operation", ["check", "rotate"])
def test_a_refused_token_request_is_told(
    admin_client: Client, api: Handle, api_clients: Configure, operation: str
) -> None:
    api.set(credentials={})
    api_clients(shop=api.config())
    assert "invalid_client" in order(admin_client, "shop", operation)
    assert "failed: " in history()[0]
    assert "invalid_client" in text(admin_client.get(LIST))
    assert "Failing" in text(admin_client.get(LIST))


@each_operation
def test_a_broken_client_is_told_and_not_an_error_page(
    admin_client: Client, api_clients: Configure, operation: str
) -> None:
    api_clients(shop={"BASE_URL": "https://shop.example/", "TIMEOUTS": 3})
    assert "TIMEOUTS" in text(admin_client.get(page("shop", operation), follow=True))
    assert "TIMEOUTS" in order(admin_client, "shop", operation)
    assert "failed: " in history()[0]


@pytest.mark.parametrize("operation", ["rotate", "revoke"])
def test_a_static_token_can_only_be_tested(
    admin_client: Client, api: Handle, api_clients: Configure, operation: str
) -> None:
    auth = {"BACKEND": "apiclient_app.auth.StaticToken", "OPTIONS": {"token": "c4n4ry"}}
    api.set(accept=["c4n4ry"])
    api_clients(shop={"BASE_URL": api.base_url, "AUTH": auth, "CHECK": "GET echo"})
    shown = text(admin_client.get(page("shop")))
    assert "Test connection" in shown
    assert f"{operation.capitalize()} token" not in shown
    assert "there is no token to" in order(admin_client, "shop", operation)
    assert "the API answered 200" in order(admin_client, "shop", "check")


@each_operation
def test_an_alias_that_is_not_configured_is_told(
    admin_client: Client, api_clients: Configure, operation: str
) -> None:
    api_clients()
    assert "ID “gone”" in order(admin_client, "gone", operation)
    assert history() == []


@pytest.mark.parametrize("alias", ["a/b", "eu west", "ключ", "50%_2F?#", "rotate", "<b>"])
def test_any_alias_will_do(
    admin_client: Client, api: Handle, settings: Settings, alias: str
) -> None:
    settings.API_CLIENTS = {alias: api.config()}
    assert page(alias) in admin_client.get(LIST).content.decode()
    assert alias in text(admin_client.get(page(alias)))
    assert page(alias, "rotate") in admin_client.get(page(alias)).content.decode()
    assert "Rotated" in order(admin_client, alias, "rotate")
    assert "Rotated" in text(admin_client.get(page(alias, "history")))


def test_the_history_is_in_the_language_of_the_site(
    admin_client: Client, api: Handle, api_clients: Configure, settings: Settings
) -> None:
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, "django.middleware.locale.LocaleMiddleware"]
    settings.LANGUAGE_CODE = "pt"
    api_clients(shop=api.config())
    spoken = []

    def listen(**_kwargs: Any) -> None:
        spoken.append(get_language())

    post_save.connect(listen, sender=LogEntry)
    admin_client.post(page("shop", "revoke"), headers={"Accept-Language": "de"})
    post_save.disconnect(listen, sender=LogEntry)
    assert spoken == ["pt"]


def test_every_script_of_the_outcome_is_escaped(
    admin_client: Client, api: Handle, api_clients: Configure
) -> None:
    refusal = {"error": "invalid_client", "error_description": "<script>alert(1)</script>"}
    api.always("/token", Reply.of(refusal, 401))
    api_clients(shop=api.config())
    for response in (
        admin_client.post(page("shop", "rotate"), follow=True),
        admin_client.get(LIST),
        admin_client.get(page("shop", "history")),
    ):
        assert b"<script>alert" not in response.content


def test_a_circuit_is_opened_and_closed(
    admin_client: Client, api: Handle, api_clients: Configure
) -> None:
    api_clients(shop=api.config(BREAKER=True))
    home = page("shop")
    assert "Circuit: Closed" in text(admin_client.get(home))
    assert "nothing is sent, until somebody closes" in text(admin_client.get(page("shop", "open")))
    assert "Opened the circuit" in order(admin_client, "shop", "open")
    shown = text(admin_client.get(home))
    assert "Opened by hand" in shown
    assert "Close circuit" in shown
    assert "Circuit open" in text(admin_client.get(LIST))
    with pytest.raises(CircuitOpen):
        clients["shop"].get("echo")
    assert "Closed the circuit" in order(admin_client, "shop", "close")
    assert clients["shop"].get("echo").status_code == 200
    assert "Circuit" not in text(admin_client.get(LIST))
    assert history()[0] == "Closed the circuit: calls are sent again."


def test_without_a_breaker_no_page_speaks_of_a_circuit(
    admin_client: Client, api: Handle, api_clients: Configure
) -> None:
    api_clients(shop=api.config())
    assert "ircuit" not in text(admin_client.get(page("shop")))
    for name in ("open", "close"):
        assert admin_client.post(page("shop", name)).status_code in (302, 403, 404)
