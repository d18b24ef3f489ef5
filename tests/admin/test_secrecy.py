"""A canary in every place for a secret, and every page that might sing."""

import logging
import sys
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.core.signals import got_request_exception
from django.test import Client
from django.views.debug import ExceptionReporter
from pytest_django import Settings

from apiclient_app import clients
from apiclient_app.auth import NoAuth
from apiclient_app.models import Credential
from tests.servers import Handle, Reply

from .pages import CREDENTIALS, LIST, OPERATIONS, Configure, page, row_page

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


def rows_and_pages(browser: Client) -> list[bytes]:
    """Give every page about refresh tokens, each operation done, as it was sent."""
    rows = [row_page("shop", subject, n) for subject in ("", "ann") for n in ("change", "history")]
    looked = [CREDENTIALS, f"{CREDENTIALS}?q=shop", *rows, page("shop", subject="new")]
    names = ("check", "rotate", "store", "switch", "revoke")
    orders = [page("shop", name, subject) for name in names for subject in ("", "ann", "new")]
    asked = [browser.get(url, follow=True) for url in (*looked, *orders)]
    fields = {"refresh_token": f"{CANARY}-3"}
    done = [browser.post(url, fields, follow=True) for url in orders]
    refused = browser.post(page("shop", "store"), {"refresh_token": f"{CANARY}\x07"}, follow=True)
    again = [browser.get(url, follow=True) for url in looked]
    responses = [*asked, *done, refused, *again]
    for response in responses:
        assert response.status_code == 200
        assert CANARY not in "".join(url for url, _status in response.redirect_chain)
    return [response.content for response in responses]


@pytest.mark.parametrize("refusing", [False, True])
def test_no_page_and_no_history_holds_a_refresh_token(
    admin_client: Client,
    api: Handle,
    api_clients: Configure,
    caplog: pytest.LogCaptureFixture,
    refusing: bool,
) -> None:
    caplog.set_level(logging.DEBUG)
    api.set(credentials={"app": CANARY}, token_fields={"refresh_token": f"{CANARY}-2"})
    source = secretive(api)
    source["AUTH"]["BACKEND"] = "apiclient_app.auth.RefreshToken"
    source["AUTH"]["OPTIONS"] |= {"next": {"client_secret": CANARY}, "refresh_token": CANARY}
    api_clients(shop=source)
    clients["shop"].token()
    clients["shop"].for_subject("ann").store_refresh_token(f"{CANARY}-1")
    if refusing:  # a server that repeats what it was told
        refusal = {"error": "invalid_grant", "error_description": f"no {CANARY}-1 here"}
        api.always("/token", Reply.of(refusal, 401))
    sealed = [text for text in Credential.objects.values_list("refresh_token", flat=True) if text]
    shown = rows_and_pages(admin_client)
    told = " ".join(f"{e.change_message} {e.object_repr}" for e in LogEntry.objects.all())
    assert len(sealed) == 2
    assert "Stored" in told
    for secret in (CANARY, *sealed):
        assert not [content for content in shown if secret.encode() in content]
        assert secret not in told
        assert secret not in caplog.text


def test_an_error_report_of_storing_holds_no_refresh_token(
    admin_client: Client, api: Handle, api_clients: Configure, monkeypatch: pytest.MonkeyPatch
) -> None:
    api_clients(shop=api.config("RefreshToken"))
    monkeypatch.setattr(LogEntry.objects, "log_actions", None)  # a fault of somebody else's
    admin_client.raise_request_exception = False
    reports = []

    def listen(request: Any, **_kwargs: Any) -> None:
        reports.append(ExceptionReporter(request, *sys.exc_info()).get_traceback_html())

    got_request_exception.connect(listen)
    admin_client.post(page("shop", "store"), {"refresh_token": CANARY})
    got_request_exception.disconnect(listen)
    (report,) = reports
    assert "refresh_token" in report
    assert CANARY not in report


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
