"""The server itself, asked without the app: it is as strict as the other tests take it to be."""

import secrets
import time
from email.utils import parsedate_to_datetime
from typing import Any

import jwt
import pytest
from requests import Response

from .authority import ASSERTION_TYPE, JWT_BEARER, SECRET, Authority
from .keys import ALGORITHMS, key

pytestmark = pytest.mark.interop


def claims(authority: Authority, **others: Any) -> dict[str, Any]:
    now = int(time.time())
    standard = {
        "iss": "app",
        "sub": "app",
        "aud": authority.token_url,
        "iat": now,
        "exp": now + 60,
        "jti": secrets.token_hex(8),
    }
    return {name: value for name, value in {**standard, **others}.items() if value is not None}


def refresh(authority: Authority, refresh_token: str) -> Response:
    return authority.ask(grant_type="refresh_token", refresh_token=refresh_token)


def bearer(authority: Authority, assertion: str) -> Response:
    return authority.ask(basic=False, grant_type=JWT_BEARER, assertion=assertion)


def authenticated(authority: Authority, assertion: str) -> Response:
    return authority.ask(
        basic=False,
        grant_type="client_credentials",
        client_assertion_type=ASSERTION_TYPE,
        client_assertion=assertion,
    )


def detail(authority: Authority) -> str:
    return str(authority.seen[-1]["detail"])


def test_a_refresh_token_used_twice_ends_its_grant(authority: Authority) -> None:
    authority.register()
    first = authority.consent("kim")
    pair = refresh(authority, first).json()
    assert authority.me(pair["access_token"]).json()["subject"] == "kim"

    assert refresh(authority, first).json()["error"] == "invalid_grant"
    assert detail(authority) == "refresh token already used"
    assert refresh(authority, pair["refresh_token"]).json()["error"] == "invalid_grant"
    assert authority.me(pair["access_token"]).status_code == 401


def test_rotation_goes_on_for_as_long_as_each_is_used_once(authority: Authority) -> None:
    authority.register()
    token, used = authority.consent("kim"), set[str]()
    for _ in range(5):
        used.add(token)
        token = refresh(authority, token).json()["refresh_token"]
    assert len(used | {token}) == 6


def test_expiry_ends_access_tokens_and_no_grant(authority: Authority) -> None:
    authority.register()
    pair = refresh(authority, authority.consent("kim")).json()
    authority.expire()
    refused = authority.me(pair["access_token"])
    assert refused.status_code == 401
    assert refused.headers["WWW-Authenticate"] == 'Bearer error="invalid_token"'
    assert refresh(authority, pair["refresh_token"]).ok


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_bearer_assertion_gives_one_token(authority: Authority, algorithm: str) -> None:
    authority.register("none")
    authority.trust("app", key(algorithm))
    assertion = key(algorithm).sign(claims(authority, sub="kim"))
    token = bearer(authority, assertion).json()["access_token"]
    assert authority.me(token).json() == {"client": "app", "scope": "", "subject": "kim"}

    assert bearer(authority, assertion).json()["error"] == "invalid_grant"
    assert detail(authority) == "assertion already used"


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"aud": "https://elsewhere.example/token"}, '"aud"'),
        ({"exp": -60}, '"exp"'),
        ({"iat": 600}, '"iat"'),
        ({"iat": -7200}, '"iat"'),
        ({"iat": None}, '"iat"'),
        ({"sub": None}, '"sub"'),
        ({"jti": None}, '"jti"'),
    ],
    ids=str,
)
def test_a_bearer_assertion_with_a_wrong_claim_is_refused(
    authority: Authority, wrong: dict[str, Any], said: str
) -> None:
    authority.register("none")
    authority.trust("app", key("ES256"))
    now = int(time.time())
    wrongly = {n: now + value if isinstance(value, int) else value for n, value in wrong.items()}
    reply = bearer(authority, key("ES256").sign(claims(authority, **wrongly)))
    assert reply.json()["error"] == "invalid_grant"
    assert said in detail(authority)


def test_a_bearer_assertion_of_another_key_is_refused(authority: Authority) -> None:
    authority.register("none")
    authority.trust("app", key("ES256"))
    for forged in (
        key("ES256", "second").sign(claims(authority)),
        jwt.encode(claims(authority), key("ES256", "second").private, algorithm="ES256"),
        jwt.encode(claims(authority), "", algorithm="none"),
    ):
        assert bearer(authority, forged).json()["error"] == "invalid_grant"


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_client_assertion_authenticates_once(authority: Authority, algorithm: str) -> None:
    authority.register("private_key_jwt", key(algorithm))
    assertion = key(algorithm).sign(claims(authority))
    token = authenticated(authority, assertion).json()["access_token"]
    assert authority.me(token).json()["client"] == "app"

    assert authenticated(authority, assertion).json()["error"] == "invalid_client"
    assert detail(authority) == "client assertion tokens must only be used once"


def test_a_client_secret_signs_too(authority: Authority) -> None:
    authority.register("client_secret_jwt")
    assert authenticated(authority, jwt.encode(claims(authority), SECRET, "HS256")).ok
    forged = jwt.encode(claims(authority), SECRET[::-1], "HS256")
    assert authenticated(authority, forged).json()["error"] == "invalid_client"


def test_a_client_assertion_of_another_key_is_refused(authority: Authority) -> None:
    authority.register("private_key_jwt", key("RS256"))
    reply = authenticated(authority, key("RS256", "second").sign(claims(authority)))
    assert (reply.status_code, reply.json()["error"]) == (401, "invalid_client")


@pytest.mark.parametrize("ahead", [3600, -3600])
def test_its_clock_can_be_wrong(authority: Authority, ahead: int) -> None:
    authority.register("none")
    authority.trust("app", key("ES256"))
    authority.set(ahead=ahead)
    ours = claims(authority, sub="kim")
    refused = bearer(authority, key("ES256").sign(ours))
    assert refused.json()["error"] == "invalid_grant"
    offset = parsedate_to_datetime(refused.headers["Date"]).timestamp() - time.time()
    assert offset == pytest.approx(ahead, abs=2)

    theirs = {"iat": ours["iat"] + ahead, "exp": ours["exp"] + ahead}
    assert bearer(authority, key("ES256").sign({**ours, **theirs})).ok


def test_revoking_a_refresh_token_ends_the_grant(authority: Authority) -> None:
    authority.register()
    pair = refresh(authority, authority.consent("kim")).json()
    assert authority.ask(authority.revocation_url, token=pair["refresh_token"]).ok
    assert authority.me(pair["access_token"]).status_code == 401
    assert refresh(authority, pair["refresh_token"]).json()["error"] == "invalid_grant"


def test_revoking_an_access_token_ends_the_grant_too(authority: Authority) -> None:
    """As RFC 7009 section 2.1 allows: hence nobody who wants to keep a grant may do that."""
    authority.register()
    pair = refresh(authority, authority.consent("kim")).json()
    assert authority.ask(authority.revocation_url, token=pair["access_token"]).ok
    assert refresh(authority, pair["refresh_token"]).json()["error"] == "invalid_grant"
