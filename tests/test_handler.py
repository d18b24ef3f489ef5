"""`clients` behaves as Django's own handlers do, in threads and over forks."""

import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

import pytest
from pytest_django import Settings

import apiclient_app
from apiclient_app import InvalidConfiguration, UnknownClient, clients
from apiclient_app.handler import ClientHandler
from tests.conftest import Configure
from tests.servers import Handle

SHOP = {"BASE_URL": "https://api.example/"}


def test_it_is_what_the_package_gives() -> None:
    assert isinstance(clients, ClientHandler)
    assert apiclient_app.clients is clients


def test_aliases_are_iterated_counted_and_found(api_clients: Configure) -> None:
    api_clients(shop=SHOP, bank=SHOP, broken={})
    assert list(clients) == ["shop", "bank", "broken"]
    assert len(clients) == 3
    assert "shop" in clients
    assert "ship" not in clients
    assert not isinstance(clients, Mapping)


def test_each_alias_has_one_client(api_clients: Configure) -> None:
    api_clients(shop=SHOP, bank=SHOP)
    assert clients["shop"] is clients["shop"]
    assert clients["shop"] is not clients["bank"]
    assert clients["shop"].alias == "shop"
    assert clients.all() == [clients["shop"], clients["bank"]]


def test_thirty_two_threads_get_one_client(api_clients: Configure) -> None:
    api_clients(shop=SHOP)
    meet = threading.Barrier(32)

    def get(_: int) -> int:
        meet.wait()
        return id(clients["shop"])

    with ThreadPoolExecutor(32) as pool:
        assert len(set(pool.map(get, range(32)))) == 1


@pytest.mark.parametrize("kind", [UnknownClient, KeyError, apiclient_app.APIClientError])
def test_an_unknown_alias_is_a_key_error(api_clients: Configure, kind: type[Exception]) -> None:
    api_clients(shop=SHOP)
    with pytest.raises(kind, match="no API_CLIENTS"):
        clients["ship"]


def test_one_broken_client_does_not_break_the_others(api_clients: Configure) -> None:
    api_clients(shop=SHOP, broken={})
    with pytest.raises(InvalidConfiguration, match="BASE_URL"):
        clients["broken"]
    with pytest.raises(InvalidConfiguration):
        clients.all()
    assert clients["shop"].alias == "shop"


def test_a_mended_client_is_there_at_once(settings: Settings) -> None:
    settings.API_CLIENTS = {"shop": {}}
    with pytest.raises(InvalidConfiguration):
        clients["shop"]
    settings.API_CLIENTS = {"shop": SHOP}
    assert clients["shop"].alias == "shop"


def test_clients_of_one_alias_share_no_token_with_another(
    api: Handle, api_clients: Configure
) -> None:
    api_clients(one=api.config(), two=api.config())
    assert clients["one"].token().id != clients["two"].token().id
    assert len(api.token_requests) == 2


def test_threads_that_start_cold_cost_one_token_request(
    api: Handle, api_clients: Configure
) -> None:
    api.set(token_delay=0.1)
    api_clients(api=api.config())
    meet = threading.Barrier(32)

    def call(_: int) -> int:
        meet.wait()
        return clients["api"].get("echo").status_code

    with ThreadPoolExecutor(32) as pool:
        assert set(pool.map(call, range(32))) == {200}
    assert len(api.token_requests) == 1
    assert api.seen()["most_at_once"] == 1


def test_a_token_outlives_the_rotation_of_the_secret_key(api: Handle, settings: Settings) -> None:
    settings.API_CLIENTS = {"api": api.config()}
    settings.SECRET_KEY = "old"
    before = clients["api"].token()
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "new", ["old"]
    assert clients["api"].token().id == before.id
    settings.SECRET_KEY_FALLBACKS = []
    assert clients["api"].inspect().state == "absent"
    assert clients["api"].get("echo").status_code == 200
    assert len(api.token_requests) == 2
