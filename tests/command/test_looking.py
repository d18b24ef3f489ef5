"""`list` and `inspect` tell what is known, and ask no API."""

from typing import Any

import pytest

from apiclient_app import clients
from tests.conftest import Configure
from tests.servers import Handle

from .orders import order

BROKEN: dict[str, Any] = {"BASE_URL": "nowhere"}
STATIC = {
    "BASE_URL": "https://static.example/",
    "AUTH": {"BACKEND": "apiclient_app.auth.StaticToken", "OPTIONS": {"token": "h1dden-t0ken"}},
}


def words(line: str) -> list[str]:
    return line.split()


def test_list_shows_each_client_and_its_state(api: Handle, api_clients: Configure) -> None:
    api_clients(shop=api.config(), crm=api.config(), static=STATIC)
    clients["shop"].token()
    shown = order("list")
    head, shop, crm, static = shown.out.splitlines()
    assert words(head)[:2] == ["ALIAS", "TOKEN"]
    assert words(shop)[:5] == ["shop", "fresh", "59", "min", "59"]
    assert words(crm) == ["crm", "absent", api.base_url, "ClientCredentials"]
    assert words(static) == ["static", "static", "https://static.example/", "StaticToken"]
    assert (shown.code, shown.err) == (0, "")
    assert len(api.token_requests) == 1


def test_list_goes_on_behind_a_client_that_is_misconfigured(
    api: Handle, api_clients: Configure
) -> None:
    api_clients(broken=BROKEN, shop=api.config())
    shown = order("list")
    _head, broken, problem, shop = shown.out.splitlines()
    assert words(broken) == ["broken", "misconfigured"]
    assert problem.startswith("  ! API_CLIENTS['broken']['BASE_URL'] is not an http or https URL")
    assert words(shop)[:2] == ["shop", "absent"]
    assert (shown.code, shown.error) == (2, "need attention: broken")


def test_list_tells_of_a_recorded_failure(api: Handle, api_clients: Configure) -> None:
    wrong = {"client_secret": "wrong"}
    api_clients(shop=api.config(), crm=api.config(OPTIONS=wrong))
    assert order("rotate", "crm").code == 1
    shown = order("list")
    assert "  ! invalid_client: unknown; next attempt in " in shown.out
    assert (shown.code, shown.error) == (3, "need attention: crm")


def test_json_has_the_same_names_whatever_was_found(api: Handle, api_clients: Configure) -> None:
    api_clients(shop=api.config(), broken=BROKEN, static=STATIC)
    clients["shop"].token()
    shop, broken, static = order("list", format="json").document
    assert list(shop) == list(broken) == list(static)
    assert (shop["state"], broken["state"], static["state"]) == ("fresh", None, "static")
    assert shop["expires_at"].endswith("+00:00")
    assert 3590 < shop["expires_in"] <= 3600
    assert shop["problem"] == ""
    assert "BASE_URL" in broken["problem"]


@pytest.mark.parametrize("form", ["table", "json"])
def test_inspect_masks_the_secrets_among_the_settings(
    api: Handle, api_clients: Configure, form: str
) -> None:
    api_clients(shop=api.config(HEADERS={"X-Api-Key": "h1dden-key"}))
    clients["shop"].token()
    shown = order("inspect", "shop", format=form)
    assert clients["shop"].token().fingerprint in shown.out
    assert "AUTH.client_secret" in shown.out
    for secret in ("s3cr3t", "h1dden-key", *clients["shop"].token().revealed()):
        assert secret not in shown.out


def test_inspect_tells_token_and_settings_apart(api: Handle, api_clients: Configure) -> None:
    api_clients(shop=api.config())
    document = order("inspect", "shop", "--format", "json").document
    assert document["alias"] == "shop"
    assert document["settings"]["AUTH.client_id"] == "app"
    lines = order("inspect", "shop").out.splitlines()
    assert lines[:3] == ["Token", "  state  absent", "Settings"]


def test_inspect_asks_no_api(api: Handle, api_clients: Configure) -> None:
    api_clients(shop=api.config())
    assert order("inspect", "shop").code == 0
    assert api.requests == []


def test_a_cache_that_does_not_answer_is_told(api: Handle, api_clients: Configure) -> None:
    api_clients(shop=api.config(CACHE="dummy"))
    shown = order("list")
    assert "unknown" in shown.out
    assert "the cache does not answer" in shown.out
    assert shown.code == order("inspect", "shop").code == 3
    assert order("list", format="json").document[0]["store_available"] is False


def test_a_cache_of_this_process_alone_is_told(api: Handle, api_clients: Configure) -> None:
    api_clients(shop=api.config(CACHE="locmem"))
    shown = order("list", format="json")
    assert "CACHES['locmem'] is each process's own" in shown.err
    assert (shown.code, len(shown.document)) == (0, 1)


def test_no_clients_are_no_error(api_clients: Configure) -> None:
    api_clients()
    assert order("list", format="json").document == []
    assert order("check", format="json").document == []
    for word in ("list", "check"):
        shown = order(word)
        assert (shown.code, shown.out) == (0, "")
        assert "no clients" in shown.err


@pytest.mark.parametrize("words", [("list",), ("check",), ("inspect", "shop")])
def test_settings_that_are_no_dict_are_unusable(settings: Any, words: tuple[str, ...]) -> None:
    settings.API_CLIENTS = ["shop"]
    shown = order(*words)
    assert (shown.code, shown.out) == (2, "")
    assert "settings.API_CLIENTS must be a dict" in shown.error
