"""settings.API_CLIENTS: read late, frozen, shown without a secret, and read again when changed."""

import dataclasses
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import responses
from django.test import override_settings
from pytest_django import Settings

from apiclient_app import UnknownClient, clients
from apiclient_app.conf import config_for
from apiclient_app.conf.keys import KEYS
from tests.conftest import Configure

BASE = "https://api.example/v1/"
NO_AUTH = "apiclient_app.auth.NoAuth"
LOADED = {
    "BASE_URL": BASE,
    "AUTH": {
        "BACKEND": "apiclient_app.auth.ClientCredentials",
        "OPTIONS": {
            "token_url": "https://api.example/token?api_key=hunter2",
            "client_id": "app",
            "client_secret": "hunter2",
            "scope": "read",
            "extra": {"password": "hunter2", "resource": "shop"},
        },
    },
    "HEADERS": {"X-Api-Key": "hunter2", "Accept-Language": "en"},
    "PROXIES": {"https": "http://joe:hunter2@proxy.example:3128"},
    "TIMEOUT": [1, 2],
}


def test_defaults_are_those_of_the_documentation(api_clients: Configure) -> None:
    api_clients(shop={"BASE_URL": BASE})
    config: Any = config_for("shop")
    assert config.timeout == (3.05, 27)
    assert config.token_timeout == 10
    assert (config.cache, config.engine, config.auth_path) == ("default", "requests", NO_AUTH)
    assert (config.pool_size, config.concurrency, config.memory_seconds) == (10, 60, 5)
    assert (config.verify, config.raise_for_status) == (True, True)
    assert (config.headers, config.proxies, config.cert, config.check) == ({}, None, None, None)


@pytest.mark.parametrize(
    ("timeout", "token_timeout"),
    [(3, 6), (30, 10), ((1, 2), 3), ((1, None), 10), ([0.5, 0.5], 1)],
    ids=repr,
)
def test_token_timeout_follows_timeout(
    api_clients: Configure, timeout: Any, token_timeout: float
) -> None:
    api_clients(shop={"BASE_URL": BASE, "TIMEOUT": timeout})
    assert config_for("shop").token_timeout == token_timeout


def test_a_config_is_frozen_and_apart_from_the_settings(settings: Settings) -> None:
    source: dict[str, Any] = {"BASE_URL": BASE, "HEADERS": {"A": "1"}, "ENDPOINTS": {"a": "GET a"}}
    settings.API_CLIENTS = {"shop": source}
    config = clients["shop"].config
    with pytest.raises(dataclasses.FrozenInstanceError):
        config.base_url = "x"  # type: ignore[misc]
    with pytest.raises(TypeError):
        config.headers["A"] = "2"  # type: ignore[index]
    with pytest.raises(TypeError):
        config.endpoints["a"] = ("GET", "b")  # type: ignore[index]
    source["HEADERS"]["A"] = "2"
    assert config.headers == {"A": "1"}


def test_people_see_every_key_and_no_secret(api_clients: Configure) -> None:
    api_clients(shop=LOADED)
    config = clients["shop"].config
    shown = config.masked()
    assert "hunter2" not in f"{shown}{config}{config!r}{config.auth}"
    assert shown.keys() >= KEYS.keys()
    assert all(isinstance(value, str) for value in shown.values())
    assert shown["AUTH"] == "apiclient_app.auth.ClientCredentials"
    assert shown["AUTH.client_id"] == "app"
    assert shown["AUTH.client_secret"] == "***"
    assert shown["AUTH.scope"] == "read"
    assert shown["AUTH.token_url"] == "https://api.example/token?api_key=***"
    assert json.loads(shown["AUTH.extra"]) == {"password": "***", "resource": "shop"}
    assert json.loads(shown["HEADERS"]) == {"X-Api-Key": "***", "Accept-Language": "en"}
    assert "proxy.example" in shown["PROXIES"]
    assert (shown["TIMEOUT"], shown["TOKEN_TIMEOUT"]) == ("1, 2", "3")


def test_every_secret_of_the_settings_is_known_to_redaction(api_clients: Configure) -> None:
    loaded = {**LOADED, "HEADERS": {"X-Api-Key": "a-key", "Accept": "text/html"}}
    loaded["PROXIES"] = {"https": "http://joe:a-password@proxy.example"}
    api_clients(shop=loaded)
    assert {"hunter2", "a-key", "a-password"} <= set(config_for("shop").secrets())
    assert "text/html" not in config_for("shop").secrets()


def test_a_proxy_without_a_scheme_has_its_password_masked_too(api_clients: Configure) -> None:
    api_clients(shop={"BASE_URL": BASE, "PROXIES": {"https": "joe:p%40ss-word@proxy.example:1"}})
    config = clients["shop"].config
    assert json.loads(config.masked()["PROXIES"]) == {"https": "http://proxy.example:1"}
    assert {"p%40ss-word", "p@ss-word"} <= set(config.secrets())


def test_an_unknown_alias_is_told_which_are_known(api_clients: Configure) -> None:
    api_clients(shop={"BASE_URL": BASE}, bank={"BASE_URL": BASE})
    with pytest.raises(UnknownClient, match=r"API_CLIENTS\['ship'\].*known: 'shop', 'bank'"):
        clients["ship"]


def test_without_the_setting_there_are_no_clients(settings: Settings) -> None:
    del settings.API_CLIENTS
    assert list(clients) == []
    with pytest.raises(UnknownClient, match="known: none"):
        clients["shop"]


@responses.activate
def test_overridden_settings_count_at_once_and_no_longer() -> None:
    responses.get("https://one.example/x", body="one")
    responses.get("https://two.example/x", body="two")
    with override_settings(API_CLIENTS={"shop": {"BASE_URL": "https://one.example/"}}):
        first = clients["shop"]
        assert first.get("x").text == "one"
        with override_settings(API_CLIENTS={"shop": {"BASE_URL": "https://two.example/"}}):
            assert clients["shop"].get("x").text == "two"
        assert clients["shop"].get("x").text == "one"
        assert first.get("x").text == "one"
    assert "shop" not in clients


@pytest.mark.parametrize("name", ["CACHES", "SECRET_KEY", "SECRET_KEY_FALLBACKS"])
def test_clients_are_built_anew_when_what_they_rest_on_changes(
    settings: Settings, name: str
) -> None:
    settings.API_CLIENTS = {"shop": {"BASE_URL": BASE}}
    before = clients["shop"]
    changed = {"CACHES": settings.CACHES, "SECRET_KEY": "other", "SECRET_KEY_FALLBACKS": ["old"]}
    setattr(settings, name, changed[name])
    assert clients["shop"] is not before
    assert clients["shop"] is clients["shop"]


def test_other_settings_leave_clients_alone(settings: Settings) -> None:
    settings.API_CLIENTS = {"shop": {"BASE_URL": BASE}}
    before = clients["shop"]
    settings.DEBUG = True
    assert clients["shop"] is before


EARLY = """
from apiclient_app import clients, APIClientError
from django.conf import settings
import apiclient_app.auth, apiclient_app.signals, apiclient_app.testing
assert not settings.configured
settings.configure(API_CLIENTS={"shop": {"BASE_URL": "https://api.example/"}}, SECRET_KEY="k")
assert list(clients) == ["shop"]
assert clients["shop"].config.base_url == "https://api.example/"
"""


def test_importing_the_app_reads_no_settings() -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", EARLY],
        env={"PATH": ""},
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stderr) == (0, "")
