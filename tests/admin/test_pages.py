"""The list, a client's page and its history: what they show, and what they survive."""

import json
import re
import subprocess
import sys
import time
from io import StringIO

import pytest
import redis
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from apiclient_app import clients
from apiclient_app.models import ApiClient
from tests.servers import Handle

from .pages import LIST, Configure, page, text

NOWHERE = {"BASE_URL": "https://nowhere.example/"}


def test_the_list_tells_of_every_client(
    admin_client: Client, api: Handle, api_clients: Configure
) -> None:
    api_clients(shop=api.config(), idle=api.config(), plain=NOWHERE)
    clients["shop"].token()
    shown = text(admin_client.get(LIST))
    shop, idle, plain = (shown.index(f" {name} ") for name in ("shop", "idle", "plain"))
    assert shop < idle < plain
    told = rf"Fresh 59 min \d+ s \d+ s ago {api.base_url} ClientCredentials -"
    assert re.search(told, shown[shop:idle].replace("\xa0", " "))
    assert "Absent - -" in shown[idle:plain]
    assert "Static - - https://nowhere.example/ NoAuth" in shown[plain:]
    assert "3 API clients" in shown


def test_a_look_asks_the_api_nothing(
    admin_client: Client, api: Handle, api_clients: Configure
) -> None:
    api_clients(shop=api.config(CHECK="GET echo"))
    for url in (LIST, page("shop"), page("shop", "history"), page("shop", "rotate")):
        assert admin_client.get(url).status_code == 200
    assert api.requests == []


def test_the_page_of_a_client_shows_token_and_settings(
    admin_client: Client, api: Handle, api_clients: Configure
) -> None:
    api.set(token_fields={"scope": "read write"})
    api_clients(shop=api.config(HEADERS={"X-Shop": "7"}))
    token = clients["shop"].token()
    shown = text(admin_client.get(page("shop")))
    assert f"Fingerprint: {token.fingerprint}" in shown
    assert "Scope: read write" in shown
    assert "(in 59" in shown
    assert f"AUTH.token_url: {api.token_url}" in shown
    assert "AUTH.client_secret: ***" in shown
    assert 'HEADERS: {"X-Shop": "7"}' in shown
    assert "MEMORY_SECONDS: 5" in shown


def test_the_page_of_a_client_without_a_token_has_no_empty_lines(
    admin_client: Client, api: Handle, api_clients: Configure
) -> None:
    api_clients(shop=api.config())
    shown = text(admin_client.get(page("shop")))
    assert "State: Absent" in shown
    for label in ("Fingerprint:", "Expires:", "Last error:", "Next attempt:", "PROXIES:"):
        assert label not in shown


@pytest.mark.parametrize(
    ("expires_in", "word"), [(3600, "Fresh"), (0.5, "Expired")], ids=["fresh", "expired"]
)
def test_a_state_has_its_word_and_its_colour(
    admin_client: Client, api: Handle, api_clients: Configure, expires_in: float, word: str
) -> None:
    api.set(expires_in=expires_in)
    api_clients(shop=api.config())
    clients["shop"].token()
    time.sleep(0.6)
    for url in (LIST, page("shop")):
        assert f'<span class="apiclient-state {word.lower()}"' in (
            admin_client.get(url).content.decode()
        )


def test_one_broken_client_does_not_hide_the_others(
    admin_client: Client, api: Handle, api_clients: Configure
) -> None:
    api_clients(old={"TIMEOUTS": 3}, shop=api.config())
    shown = text(admin_client.get(LIST))
    assert "old Misconfigured - - - - API_CLIENTS['old']['TIMEOUTS'] is not a known" in shown
    assert "shop Absent" in shown
    assert "API_CLIENTS['old']['BASE_URL'] is missing." in text(admin_client.get(page("old")))


@pytest.mark.parametrize("value", [["shop"], {5: NOWHERE}, {"": NOWHERE}, {}])
def test_settings_that_make_no_sense_still_give_a_page(
    admin_client: Client, settings: Settings, value: object
) -> None:
    settings.API_CLIENTS = value
    shown = text(admin_client.get(LIST))
    assert "API_CLIENTS" in shown or "0 API clients" in shown


def test_an_unknown_client_is_told_as_django_does(
    admin_client: Client, api_clients: Configure
) -> None:
    api_clients()
    for name in ("change", "history"):
        shown = admin_client.get(page("gone", name), follow=True)
        assert "API client with ID “gone”" in text(shown)


def test_query_strings_look_nothing_up(admin_client: Client, api_clients: Configure) -> None:
    api_clients(shop=NOWHERE)
    for query in ("q=s3cr3t", "alias=x", "alias__contains=y", "o=1.-2", "p=9", "all=", "e=1"):
        assert "1 API client" in text(admin_client.get(f"{LIST}?{query}"))


@pytest.mark.parametrize("ignoring", [False, True])
def test_a_cache_that_is_down_is_told_on_the_page(
    admin_client: Client, api: Handle, api_clients: Configure, settings: Settings, ignoring: bool
) -> None:
    cache = settings.CACHES["ignoring" if ignoring else "default"]
    settings.CACHES = {**settings.CACHES, "default": {**cache, "LOCATION": "redis://127.0.0.1:1"}}
    api_clients(shop=api.config())
    clients["shop"].token()
    for url in (LIST, page("shop")):
        shown = text(admin_client.get(url))
        assert "The cache does not answer." in shown
        assert "Fresh" in shown
    assert "Rotated" in text(admin_client.post(page("shop", "rotate"), follow=True))


def test_each_client_costs_one_round_trip_to_the_cache_and_no_query(
    admin_client: Client, api: Handle, api_clients: Configure, redis_url: str
) -> None:
    redis_ = redis.Redis.from_url(redis_url)

    def cost(count: int) -> tuple[int, int]:
        api_clients(**{f"shop{n}": api.config() for n in range(count)})
        admin_client.get(LIST)
        before = redis_.info("stats")["total_commands_processed"]
        with CaptureQueriesContext(connection) as queries:
            admin_client.get(LIST)
        return redis_.info("stats")["total_commands_processed"] - before, len(queries)

    few, many = cost(5), cost(25)
    redis_.close()
    assert many[0] - few[0] <= 20
    assert many[1] == few[1]


@pytest.mark.django_db
def test_the_model_without_a_table_is_never_asked_for() -> None:
    for options in ([], ["--all"]):
        out = StringIO()
        call_command("dumpdata", "apiclient_app.ApiClient", *options, stdout=out)
        assert json.loads(out.getvalue()) == []
    assert ApiClient.objects.count() == 0


def test_the_app_works_without_admin() -> None:
    program = """
import sys
from django.conf import settings
settings.configure(INSTALLED_APPS=["apiclient_app"], SECRET_KEY="x",
    API_CLIENTS={"shop": {"BASE_URL": "https://shop.example/"}})
import django; django.setup()
from django.core.management import call_command
call_command("check")
from apiclient_app import clients
assert clients["shop"].inspect().state == "static"
assert "django.contrib.admin" not in sys.modules and "apiclient_app.admin" not in sys.modules
"""
    command = [sys.executable, "-W", "error", "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
