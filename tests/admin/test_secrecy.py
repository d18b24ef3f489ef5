"""A canary in every place for a secret, and every page that might sing."""

import logging
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client
from pytest_django import Settings

from apiclient_app import clients
from apiclient_app.auth import NoAuth
from tests.servers import Handle, Reply

from .pages import LIST, OPERATIONS, Configure, page

CANARY = "c4n4ry-5ecret"


class Faulty(NoAuth):
    """A backend of somebody's, with a fault in it."""

    def __init__(self, password: str) -> None:
        self.password = password

    def sign(self, request: Any, token: Any) -> None:
        raise ZeroDivisionError


def secretive(api: Handle) -> dict[str, Any]:
    """Give a client that has the canary wherever one can be put."""
    return api.config(
        HEADERS={"X-Api-Key": CANARY, "Cookie": f"sid={CANARY}"},
        PROXIES={"ftp": f"http://joe:{CANARY}@127.0.0.1:9/"},
        CHECK="GET echo",
        OPTIONS={
            "client_secret": CANARY,
            "extra": {"password": CANARY},
            "revocation_url": f"{api.origin}/revoke",
        },
    )


def pages(browser: Client) -> list[bytes]:
    """Give every page, each operation done, as it was sent."""
    urls = [LIST, page("shop"), page("shop", "history"), "/admin/"]
    asked = [browser.get(page("shop", name)) for name in OPERATIONS]
    done = [browser.post(page("shop", name), follow=True) for name in OPERATIONS]
    return [response.content for response in [*asked, *done, *map(browser.get, urls)]]


@pytest.mark.parametrize("refusing", [False, True])
def test_no_page_and_no_history_holds_a_secret(
    admin_client: Client,
    api: Handle,
    api_clients: Configure,
    caplog: pytest.LogCaptureFixture,
    refusing: bool,
) -> None:
    caplog.set_level(logging.DEBUG)
    api.set(credentials={"app": CANARY})
    if refusing:  # a server that repeats what it was told
        refusal = {"error": "invalid_client", "error_description": f"no {CANARY} here"}
        api.always("/token", Reply.of(refusal, 401))
    api_clients(shop=secretive(api))
    shown = pages(admin_client)
    tokens = [asked["token"] for asked in api.token_requests if "token" in asked]
    assert bool(tokens) is not refusing
    kept = " ".join(f"{e.change_message} {e.object_repr}" for e in LogEntry.objects.all())
    for secret in (CANARY, *tokens):
        assert not [content for content in shown if secret.encode() in content]
        assert secret not in kept
        assert secret not in caplog.text


def test_the_problem_of_a_broken_client_quotes_no_secret(
    admin_client: Client, api: Handle, api_clients: Configure
) -> None:
    whole = secretive(api)
    api_clients(
        user={**whole, "BASE_URL": f"https://joe:{CANARY}@shop.example/"},
        query={**whole, "BASE_URL": f"ftp://shop.example/?key={CANARY}"},
        header={**whole, "HEADERS": f"X-Api-Key: {CANARY}"},
        option={**whole, "AUTH": {**whole["AUTH"], "OPTIONS": {"client_secrte": CANARY}}},
        text={"AUTH": CANARY},
        none=CANARY,
    )
    for alias in ("user", "query", "header", "option", "text", "none"):
        for url in (LIST, page(alias)):
            response = admin_client.get(url)
            assert response.status_code == 200
            assert CANARY.encode() not in response.content, alias
        assert b"Misconfigured" in response.content


def test_no_debug_page_holds_a_secret(
    admin_client: Client, api_clients: Configure, settings: Settings
) -> None:
    settings.DEBUG = True
    auth = {"BACKEND": "tests.admin.test_secrecy.Faulty", "OPTIONS": {"password": CANARY}}
    api_clients(
        shop={"BASE_URL": "https://shop.example/", "AUTH": auth, "CHECK": "GET x"},
        other={"BASE_URL": "https://x.example/", "HEADERS": {"X-Api-Key": CANARY}},
    )
    admin_client.raise_request_exception = False
    clients["shop"].inspect()
    response = admin_client.post(page("shop", "check"))
    assert response.status_code == 500
    assert b"ZeroDivisionError" in response.content
    assert CANARY.encode() not in response.content
