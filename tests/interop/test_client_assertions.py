"""Clients that authenticate by assertion (RFC 7523 section 2.2)."""

import pytest

from apiclient_app import TokenRefused, clients
from tests.conftest import Configure

from .authority import Authority
from .keys import ALGORITHMS, Key, key
from .options import signing
from .reports import said

pytestmark = [pytest.mark.interop, pytest.mark.django_db]


def register(authority: Authority, signer: Key | None) -> None:
    if signer is None:
        authority.register("client_secret_jwt")
    else:
        authority.register("private_key_jwt", signer)


@pytest.fixture(params=[*ALGORITHMS, "HS256"])
def signer(request: pytest.FixtureRequest) -> Key | None:
    return None if request.param == "HS256" else key(request.param)


def test_each_token_is_asked_for_with_an_assertion_of_its_own(
    authority: Authority, api_clients: Configure, signer: Key | None
) -> None:
    register(authority, signer)
    api_clients(api=authority.config("ClientCredentials", **signing(signer)))
    for _ in range(3):
        assert clients["api"].get("me").json()["client"] == "app"
        authority.expire()
    assert [asked["status"] for asked in authority.seen] == [200] * 3
    assert len(set(authority.jtis)) == 3


def test_refresh_tokens_are_used_with_assertions_too(
    authority: Authority, api_clients: Configure, signer: Key | None
) -> None:
    register(authority, signer)
    options = {**signing(signer), "refresh_token": authority.consent("kim")}
    api_clients(api=authority.config("RefreshToken", **options))
    for _ in range(3):
        assert clients["api"].get("me").json()["subject"] == "kim"
        authority.expire()
    assert [asked["status"] for asked in authority.seen] == [200] * 3
    assert len(set(authority.jtis)) == 3


@pytest.mark.parametrize("ahead", [3600, -3600])
def test_a_clock_that_is_an_hour_off_costs_one_refusal(
    authority: Authority, api_clients: Configure, ahead: int
) -> None:
    authority.set(ahead=ahead)
    register(authority, None)
    api_clients(api=authority.config("ClientCredentials", **signing(None)))
    for _ in range(3):
        assert clients["api"].get("me").json()["client"] == "app"
        authority.expire()
    refused = [] if ahead < 0 else ["invalid_client"]  # it takes a late `exp` as it is
    assert [asked["error"] for asked in authority.seen] == [*refused, "", "", ""]
    assert len(set(authority.jtis)) == len(authority.seen)


def test_a_key_that_is_not_registered_is_refused_once_and_not_shown(
    authority: Authority, api_clients: Configure
) -> None:
    register(authority, key("ES256"))
    wrong = key("ES256", "second")
    api_clients(api=authority.config("ClientCredentials", **signing(wrong)))
    for _ in range(3):
        with pytest.raises(TokenRefused, match="client authentication failed") as caught:
            clients["api"].get("me")
    assert caught.value.error == "invalid_client"
    assert len(authority.seen) == 1
    report = said(caught.value)
    assert authority.seen[0]["client_assertion"] not in report
    assert wrong.private.splitlines()[1] not in report


def test_a_wrong_audience_is_refused(authority: Authority, api_clients: Configure) -> None:
    register(authority, key("EdDSA"))
    options = {**signing(key("EdDSA")), "assertion_audience": "https://elsewhere.example/"}
    api_clients(api=authority.config("ClientCredentials", **options))
    with pytest.raises(TokenRefused, match="client authentication failed"):
        clients["api"].get("me")
    assert "audience" in authority.seen[0]["detail"]


def test_revoking_is_authenticated_by_an_assertion_of_its_own(
    authority: Authority, api_clients: Configure, signer: Key | None
) -> None:
    register(authority, signer)
    options = {**signing(signer), "revocation_url": authority.revocation_url}
    api_clients(api=authority.config("ClientCredentials", **options))
    value = clients["api"].token().headers["Authorization"].reveal().removeprefix("Bearer ")
    assert authority.me(value).ok
    clients["api"].revoke_token()
    assert authority.me(value).status_code == 401
    assert [asked["path"] for asked in authority.seen] == ["/token", "/token/revocation"]
    assert len(set(authority.jtis)) == 2


def test_a_key_that_is_withdrawn_gives_way_to_the_next(
    authority: Authority, api_clients: Configure
) -> None:
    old, new = key("ES256"), key("ES256", "second")
    authority.register("private_key_jwt", old)
    options = {**signing(old), "next": {"private_key": new.private, "key_id": new.key_id}}
    api_clients(api=authority.config("ClientCredentials", **options))
    clients["api"].get("me")
    authority.register("private_key_jwt", new)
    for _ in range(2):
        authority.expire()
        assert clients["api"].get("me").json()["client"] == "app"
    assert [asked["error"] for asked in authority.seen] == ["", "invalid_client", "", ""]
