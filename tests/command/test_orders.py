"""`rotate`, `revoke` and `check`, and what their exit codes tell."""

from typing import Any

import pytest
from django.core.management import CommandError, call_command

from apiclient_app import InvalidConfiguration, TokenRefused, clients
from apiclient_app.auth import NoAuth
from tests.conftest import Configure
from tests.servers import Handle, Reply

from .orders import order


class Faulty(NoAuth):
    """A backend of somebody's, with a fault in it."""

    def sign(self, request: Any, token: Any) -> None:
        raise ZeroDivisionError("h1dden-t0ken")


def test_rotate_obtains_a_new_token(api: Handle, api_clients: Configure) -> None:
    api_clients(shop=api.config())
    old = clients["shop"].token()
    shown = order("rotate", "shop")
    new = clients["shop"].token()
    assert new.fingerprint != old.fingerprint
    assert shown.out.startswith(
        f"shop: rotated; the new token has the fingerprint {new.fingerprint}"
    )
    assert shown.code == 0
    document = order("rotate", "shop", format="json").document
    assert (document["alias"], document["state"]) == ("shop", "fresh")
    assert document["fingerprint"] == clients["shop"].token().fingerprint


def test_rotate_waits_until_the_old_token_is_revoked(api: Handle, api_clients: Configure) -> None:
    url = {"revocation_url": f"{api.origin}/revoke"}
    api_clients(shop=api.config(MEMORY_SECONDS=0.2, OPTIONS=url))
    clients["shop"].token()
    assert order("rotate", "shop", wait=True).code == 0
    assert len(api.seen()["revocations"]) == 1


def test_revoke_forgets_the_token(api: Handle, api_clients: Configure) -> None:
    api_clients(shop=api.config())
    clients["shop"].token()
    assert order("revoke", "shop").out == "shop: revoked; the next call obtains a new token\n"
    assert clients["shop"].inspect().state == "absent"
    assert order("revoke", "shop", format="json").document["state"] == "absent"


def test_rotate_fails_where_no_other_process_hears_of_it(
    api: Handle, api_clients: Configure
) -> None:
    api_clients(shop=api.config(CACHE="dummy"))
    shown = order("rotate", "shop")
    assert shown.code == 1
    assert "the cache does not answer" in shown.error


@pytest.mark.parametrize("word", ["inspect", "rotate", "revoke", "check"])
def test_an_unknown_alias_is_told_from_a_failure(api_clients: Configure, word: str) -> None:
    api_clients(shop={"BASE_URL": "https://shop.example/"})
    shown = order(word, "shpo")
    assert shown.code == 2
    assert shown.error == "There is no API_CLIENTS['shpo'] in settings; known: 'shop'."


@pytest.mark.parametrize("word", ["inspect", "rotate", "revoke", "check"])
def test_unusable_settings_are_told_from_a_failure(api_clients: Configure, word: str) -> None:
    api_clients(shop={"BASE_URL": "nowhere"})
    with pytest.raises(CommandError, match="BASE_URL") as caught:
        call_command("apiclient", word, "shop")
    assert caught.value.returncode == 2
    assert isinstance(caught.value.__cause__, InvalidConfiguration)


def test_a_refused_token_fails(api: Handle, api_clients: Configure) -> None:
    api_clients(shop=api.config(OPTIONS={"client_secret": "wrong"}))
    with pytest.raises(CommandError, match="invalid_client: unknown") as caught:
        call_command("apiclient", "rotate", "shop")
    assert caught.value.returncode == 1
    assert isinstance(caught.value.__cause__, TokenRefused)


def test_a_static_token_cannot_be_rotated(api_clients: Configure) -> None:
    api_clients(shop={"BASE_URL": "https://shop.example/"})
    shown = order("rotate", "shop")
    assert (shown.code, shown.out) == (1, "")
    assert "there is no token to rotate" in shown.error


def test_check_calls_what_is_configured(api: Handle, api_clients: Configure) -> None:
    api_clients(shop=api.config(CHECK="GET status/204"), crm=api.config())
    shown = order("check")
    _head, shop, crm = (line.split() for line in shown.out.splitlines())
    assert (shop[:2], shop[4:]) == (["shop", "ok"], ["204"])
    assert (crm[:2], crm[4:]) == (["crm", "ok"], ["no", "CHECK", "to", "call"])
    assert shown.code == 0
    assert api.count(204) == 1
    assert len(api.token_requests) == 2


def test_check_goes_on_behind_every_failure(api: Handle, api_clients: Configure) -> None:
    auth = {"BACKEND": f"{__name__}.Faulty"}
    api_clients(
        broken={"BASE_URL": "nowhere"},
        faulty={"BASE_URL": api.base_url, "AUTH": auth, "CHECK": "GET echo"},
        refused=api.config(OPTIONS={"client_secret": "wrong"}),
        down=api.config(CHECK="GET status/503"),
        uncached=api.config(CACHE="dummy"),
        shop=api.config(CHECK="GET echo"),
    )
    shown = order("check", format="json")
    kinds = {one["alias"]: (one["ok"], one["status"], one["error_type"]) for one in shown.document}
    assert kinds == {
        "broken": (False, None, "InvalidConfiguration"),
        "faulty": (False, None, "ZeroDivisionError"),
        "refused": (False, None, "TokenRefused"),
        "down": (False, None, "ServerError"),
        "uncached": (True, None, ""),
        "shop": (True, 200, ""),
    }
    assert shown.code == 1
    assert shown.error == "need attention: broken, faulty, refused, down, uncached"
    assert "h1dden-t0ken" not in shown.out


def test_the_lowest_code_wins(api: Handle, api_clients: Configure) -> None:
    broken, uncached = {"BASE_URL": "nowhere"}, api.config(CACHE="dummy")
    down = api.config(CHECK="GET status/503")
    api_clients(uncached=uncached)
    assert order("check").code == 3
    api_clients(uncached=uncached, broken=broken)
    assert order("check").code == 2
    api_clients(uncached=uncached, broken=broken, down=down)
    assert order("check").code == 1


def test_a_lone_check_tells_its_error_in_full(api: Handle, api_clients: Configure) -> None:
    api.always("/api/echo", Reply(503, "closed for the night"))
    api_clients(shop=api.config(CHECK="GET echo"))
    shown = order("check", "shop")
    assert shown.code == 1
    url = f"{api.base_url}echo"
    assert shown.error == f"shop: GET {url}: 503 Service Unavailable: closed for the night"
    assert "closed for the night" not in shown.out


def test_words_that_make_no_sense_raise(api_clients: Configure) -> None:
    api_clients()
    for wrong in ((), ("lits",), ("rotate",), ("list", "--format", "xml")):
        with pytest.raises(CommandError):
            call_command("apiclient", *wrong)
