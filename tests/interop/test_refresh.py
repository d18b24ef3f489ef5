"""Refresh tokens that work once (RFC 6749 section 6, RFC 9700 section 4.14)."""

from typing import Any

import pytest

from apiclient_app import TokenError, TokenRefused, clients
from tests.conftest import Configure

from .authority import SECRET, Authority
from .reports import said

pytestmark = [pytest.mark.interop, pytest.mark.django_db]


def keeping(authority: Authority, **options: Any) -> dict[str, Any]:
    """A client of its own that keeps a grant, with a first refresh token unless told otherwise."""
    given = {"client_id": "app", "client_secret": SECRET, **options}
    return authority.config("RefreshToken", **given)


def used(authority: Authority) -> list[str]:
    """The refresh tokens that were sent, in order."""
    return [
        asked["refresh_token"]
        for asked in authority.seen
        if asked.get("grant_type") == "refresh_token"
    ]


@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post"])
def test_a_grant_outlives_its_access_tokens(
    authority: Authority, api_clients: Configure, method: str
) -> None:
    authority.register(method)
    first = authority.consent("kim")
    api_clients(api=keeping(authority, refresh_token=first, client_auth=method))
    for _ in range(4):
        assert clients["api"].get("me").json()["subject"] == "kim"
        authority.expire()
    sent = used(authority)
    assert sent[0] == first
    assert len(set(sent)) == len(sent) == 4


def test_a_grant_that_was_stolen_needs_attention_and_a_new_one_mends_it(
    authority: Authority, api_clients: Configure
) -> None:
    authority.register()
    first = authority.consent("kim")
    api_clients(api=keeping(authority, refresh_token=first))
    clients["api"].get("me")
    authority.ask(grant_type="refresh_token", refresh_token=first)  # the thief
    for _ in range(3):
        with pytest.raises(TokenError, match="store-refresh-token") as caught:
            clients["api"].get("me")
    assert len(used(authority)) == 3
    assert not any(token in said(caught.value) for token in used(authority))

    clients["api"].store_refresh_token(authority.consent("kim"))
    assert clients["api"].get("me").json()["subject"] == "kim"


def test_rotation_leaves_the_grant_alive(authority: Authority, api_clients: Configure) -> None:
    """Here, to revoke an access token is to revoke its grant."""
    authority.register()
    options = {"refresh_token": authority.consent("kim")}
    options["revocation_url"] = authority.revocation_url
    api_clients(api={**keeping(authority, **options), "MEMORY_SECONDS": 0.1})
    clients["api"].get("me")
    for _ in range(2):
        clients["api"].rotate_token(wait=True)
        assert clients["api"].get("me").json()["subject"] == "kim"
    authority.expire()
    assert clients["api"].get("me").json()["subject"] == "kim"


def test_revoking_ends_the_grant_at_the_provider(
    authority: Authority, api_clients: Configure
) -> None:
    authority.register()
    options = {"refresh_token": authority.consent("kim")}
    options["revocation_url"] = authority.revocation_url
    api_clients(api=keeping(authority, **options))
    value = clients["api"].token().headers["Authorization"].reveal().removeprefix("Bearer ")
    clients["api"].revoke_token()
    assert authority.me(value).status_code == 401
    with pytest.raises(TokenRefused):
        clients["api"].get("me")


def test_each_subject_keeps_a_grant_of_its_own(
    authority: Authority, api_clients: Configure
) -> None:
    authority.register()
    api_clients(api=keeping(authority))
    for name in ("ann", "bob"):
        clients["api"].for_subject(name).store_refresh_token(authority.consent(name))
    for _ in range(3):
        for name in ("ann", "bob"):
            assert clients["api"].for_subject(name).get("me").json()["subject"] == name
        authority.expire()
    assert len(set(used(authority))) == len(used(authority)) == 6
