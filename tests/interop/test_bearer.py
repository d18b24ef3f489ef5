"""Tokens for an assertion that is the grant itself (RFC 7523 section 2.1)."""

from typing import Any

import pytest

from apiclient_app import TokenRefused, clients
from tests.conftest import Configure

from .authority import Authority
from .keys import ALGORITHMS, Key, key
from .reports import said

pytestmark = pytest.mark.interop


def bearing(authority: Authority, signer: Key, **options: Any) -> dict[str, Any]:
    given = {
        "issuer": "app",
        "subject": "kim",
        "audience": authority.token_url,
        "private_key": signer.private,
        "key_id": signer.key_id,
        "algorithm": signer.algorithm,
        **options,
    }
    return authority.config("JWTBearer", **given)


@pytest.fixture
def issuer(authority: Authority) -> Authority:
    """The server, which trusts the first key of each algorithm."""
    authority.register("none")
    authority.trust("app", *map(key, ALGORITHMS))
    return authority


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_each_token_is_asked_for_with_an_assertion_of_its_own(
    issuer: Authority, api_clients: Configure, algorithm: str
) -> None:
    api_clients(api=bearing(issuer, key(algorithm), scope="api"))
    for _ in range(3):
        told = clients["api"].get("me").json()
        assert told == {"client": "app", "scope": "api", "subject": "kim"}
        issuer.expire()
    assert [asked["status"] for asked in issuer.seen] == [200] * 3
    assert len(set(issuer.jtis)) == 3


@pytest.mark.parametrize("ahead", [3600, -3600])
def test_a_clock_that_is_an_hour_off_costs_one_refusal(
    issuer: Authority, api_clients: Configure, ahead: int
) -> None:
    issuer.set(ahead=ahead)
    api_clients(api=bearing(issuer, key("ES256")))
    for _ in range(3):
        assert clients["api"].get("me").json()["subject"] == "kim"
        issuer.expire()
    assert [asked["error"] for asked in issuer.seen] == ["invalid_grant", "", "", ""]
    assert len(set(issuer.jtis)) == 4


@pytest.mark.parametrize("ahead", [1.5, -1.5])
def test_a_clock_that_is_a_little_off_costs_nothing(
    issuer: Authority, api_clients: Configure, ahead: float
) -> None:
    issuer.set(ahead=ahead)
    api_clients(api=bearing(issuer, key("ES256")))
    assert clients["api"].get("me").json()["subject"] == "kim"
    assert [asked["status"] for asked in issuer.seen] == [200]


def test_a_wrong_audience_is_refused(issuer: Authority, api_clients: Configure) -> None:
    elsewhere = "https://elsewhere.example/token"
    api_clients(api=bearing(issuer, key("ES256"), audience=elsewhere))
    with pytest.raises(TokenRefused, match="grant request is invalid") as caught:
        clients["api"].get("me")
    assert caught.value.error == "invalid_grant"
    assert '"aud"' in issuer.seen[0]["detail"]


def test_a_key_that_is_not_trusted_is_refused_once_and_not_shown(
    issuer: Authority, api_clients: Configure
) -> None:
    wrong = key("RS256", "second")
    api_clients(api=bearing(issuer, wrong))
    for _ in range(3):
        with pytest.raises(TokenRefused) as caught:
            clients["api"].get("me")
    assert caught.value.error == "invalid_grant"
    assert len(issuer.seen) == 1
    report = said(caught.value)
    assert issuer.seen[0]["assertion"] not in report
    assert wrong.private.splitlines()[1] not in report


def test_each_subject_has_a_token_of_its_own(issuer: Authority, api_clients: Configure) -> None:
    api_clients(api=bearing(issuer, key("EdDSA"), subject="{subject}"))
    for subject in ("ann", "bob", "ann"):
        told = clients["api"].for_subject(subject).get("me").json()
        assert told["subject"] == subject
    assert len(issuer.seen) == 2


def test_the_client_may_authenticate_by_another_assertion(
    issuer: Authority, api_clients: Configure
) -> None:
    signer = key("ES256")
    issuer.register("private_key_jwt", signer)
    options = {"client_id": "app", "client_auth": "private_key_jwt"}
    api_clients(api=bearing(issuer, signer, **options))
    for _ in range(2):
        assert clients["api"].get("me").json()["subject"] == "kim"
        issuer.expire()
    assert [asked["status"] for asked in issuer.seen] == [200] * 2
    assert len(set(issuer.jtis)) == 4
