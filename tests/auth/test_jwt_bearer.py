"""A token for an assertion that the client signs itself (RFC 7523 section 2.1)."""

from typing import Any

import jwt
import pytest

from apiclient_app import clients
from apiclient_app.auth import JWTBearer, Secret
from apiclient_app.auth.options import build
from apiclient_app.exceptions import TokenUnavailable
from tests.conftest import Configure
from tests.servers import Handle

from .keys import KINDS, pem
from .replies import NOW, reply
from .sent import URL, claims, fields


def backend(**options: Any) -> JWTBearer:
    given = {
        "token_url": URL,
        "issuer": "robot@shop.example",
        "subject": "joe@shop.example",
        "private_key": pem("p256"),
        "algorithm": "ES256",
    }
    return JWTBearer(**{**given, **options}).at(NOW)


@pytest.mark.parametrize("algorithm", ["RS256", "ES256", "EdDSA"])
def test_the_assertion_is_the_grant(algorithm: Any) -> None:
    own = backend(algorithm=algorithm, private_key=pem(KINDS[algorithm]), scope="a b")
    sent = fields(own.token_request())
    told = claims(sent.pop("assertion"), algorithm)
    assert sent == {
        "grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer",
        "scope": "a b",
    }
    assert told.pop("jti")
    assert told == {
        "iss": "robot@shop.example",
        "sub": "joe@shop.example",
        "aud": URL,
        "iat": NOW - 10,
        "exp": NOW + 110,
    }


def test_an_audience_stands_in_the_assertion_and_not_in_the_fields() -> None:
    sent = fields(backend(audience="https://aud.example", token_url="token").token_request())
    assert "audience" not in sent
    told = claims(sent["assertion"], audience="https://aud.example")
    assert told["aud"] == "https://aud.example"


def test_more_claims_can_be_added_but_not_other_times() -> None:
    own = backend(claims={"scope": "drive", "aud": ["a", "b"], "exp": 1, "jti": "same"})
    told = claims(fields(own.token_request())["assertion"], audience="b")
    assert (told["scope"], told["aud"], told["exp"]) == ("drive", ["a", "b"], NOW + 110)
    assert told["jti"] != "same"


def test_each_request_has_an_assertion_of_its_own_and_the_keys_name() -> None:
    own = backend(key_id="key-7")
    sent = [fields(own.token_request())["assertion"] for _ in range(2)]
    assert len({jwt.decode_complete(s, options={"verify_signature": False})["payload"]["jti"]
                for s in sent}) == 2  # fmt: skip
    assert jwt.get_unverified_header(sent[0])["kid"] == "key-7"


def test_it_obtains_and_never_refreshes_and_minds_the_clock() -> None:
    own = backend()
    assert (own.obtains, own.refreshes, own.timed) == (True, False, True)
    pair = reply({"access_token": "abc", "refresh_token": "r1"})
    assert own.read(pair).refresh_token is None
    assert own.refresh_token_in(pair) is None


def test_a_subject_takes_its_place_in_a_template() -> None:
    shared = backend(subject="{subject}@shop.example")
    own = shared.for_subject("ann{0}%s")
    told = claims(fields(own.token_request())["assertion"])
    assert told["sub"] == "ann{0}%s@shop.example"
    assert shared.subject == "{subject}@shop.example"
    assert own.identity() != shared.for_subject("joe").identity()
    assert own.now == NOW


def test_without_a_template_every_subject_is_the_same() -> None:
    own = backend()
    assert own.for_subject("ann") is own


def test_a_template_without_a_subject_is_told_when_a_token_is_asked_for() -> None:
    with pytest.raises(TokenUnavailable, match=r"call for_subject\(…\)") as caught:
        backend(subject="{subject}").token_request()
    assert caught.value.error == "no_subject"


def test_a_call_without_a_subject_sends_nothing_and_says_why(
    api: Handle, api_clients: Configure
) -> None:
    options = {
        "token_url": api.token_url,
        "issuer": "robot",
        "subject": "{subject}",
        "private_key": pem("p256").reveal(),
        "algorithm": "ES256",
    }
    auth = {"BACKEND": "apiclient_app.auth.JWTBearer", "OPTIONS": options}
    api_clients(api={"BASE_URL": api.base_url, "AUTH": auth})
    with pytest.raises(TokenUnavailable, match="no subject was named"):
        clients["api"].get("echo")
    assert api.requests == []


@pytest.mark.parametrize(
    ("options", "sent", "header"),
    [
        ({}, {}, False),
        ({"client_id": "app"}, {"client_id": "app"}, False),
        (
            {
                "client_id": "app",
                "client_secret": Secret("s"),
                "client_auth": "client_secret_post",
            },
            {"client_id": "app", "client_secret": "s"},
            False,
        ),
        (
            {
                "client_id": "app",
                "client_secret": Secret("s"),
                "client_auth": "client_secret_basic",
            },
            {},
            True,
        ),
    ],
    ids=["nobody", "named", "post", "basic"],
)
def test_who_asks_is_said_if_it_is_configured(
    options: dict[str, Any], sent: dict[str, str], header: bool
) -> None:
    request = backend(**options).token_request()
    told = {n: v for n, v in fields(request).items() if n.startswith("client")}
    assert told == sent
    assert ("Authorization" in request.headers) is header


def test_grant_and_client_can_be_signed_by_one_key() -> None:
    sent = fields(backend(client_auth="private_key_jwt", client_id="app").token_request())
    grant, client = (claims(sent[name]) for name in ("assertion", "client_assertion"))
    assert (grant["iss"], client["iss"], client["sub"]) == ("robot@shop.example", "app", "app")
    assert grant["jti"] != client["jti"]


@pytest.mark.parametrize(
    "option",
    [
        {"issuer": "other"},
        {"subject": "other"},
        {"audience": "other"},
        {"scope": "other"},
        {"claims": {"a": 1}},
        {"private_key": pem("p256 again")},
    ],
    ids=lambda option: next(iter(option)),
)
def test_what_determines_the_token_is_in_its_identity(option: dict[str, Any]) -> None:
    assert backend(**option).identity() != backend().identity()


OPTIONS = {
    "token_url": URL,
    "issuer": "robot",
    "subject": "joe",
    "private_key": pem("rsa").reveal(),
}
SECRET = {"client_id": "app", "client_secret": "hunter2" * 9}
MISTAKES: dict[str, tuple[dict[str, Any], str, str, str]] = {
    "no key": ({"private_key": None}, "missing", "private_key", "Add"),
    "garbage": ({"private_key": "hunter2"}, "wrong", "private_key", "in PEM"),
    "kind": ({"algorithm": "EdDSA"}, "wrong", "private_key", "Ed25519"),
    "HS": ({"algorithm": "HS256"}, "wrong", "algorithm", "no private key"),
    "relative": ({"token_url": "token"}, "wrong", "token_url", "add 'audience'"),
    "no client": ({"client_auth": "tls_client_auth"}, "missing", "client_id", "Add"),
    "two algorithms": (
        {**SECRET, "client_auth": "client_secret_jwt", "algorithm": "HS256"},
        "wrong",
        "client_auth",
        "Use private_key_jwt",
    ),
    "claims": ({"claims": {"a": {1, 2}}}, "wrong", "claims", "JSON"),
    "claims nan": ({"claims": {"a": float("nan")}}, "wrong", "claims", "JSON"),
}


@pytest.mark.parametrize(("options", "kind", "option", "remedy"), MISTAKES.values(), ids=MISTAKES)
def test_what_cannot_work_is_told_before_it_is_needed(
    options: dict[str, Any], kind: str, option: str, remedy: str
) -> None:
    backend, (problem,) = build(JWTBearer, {**OPTIONS, **options})
    assert backend is None
    assert (problem.kind, problem.option) == (kind, option)
    assert remedy in problem.remedy
    assert "hunter2" not in repr(problem)


def test_all_that_is_missing_is_told_at_once() -> None:
    _, problems = build(JWTBearer, {"token_url": URL, "client_auth": "private_key_jwt"})
    assert sorted(p.option for p in problems) == ["client_id", "issuer", "private_key", "subject"]
    assert {p.kind for p in problems} == {"missing"}
