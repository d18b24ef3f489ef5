"""How a client says who it is without an assertion, and the credentials that it will have next."""

from typing import Any
from urllib.parse import parse_qs

import jwt
import pytest

from apiclient_app.auth import ClientCredentials, OptionError, Password, RefreshToken, Secret
from apiclient_app.auth.options import build
from apiclient_app.tokens import new_token

from .keys import pem
from .replies import NOW
from .sent import URL, claims, fields


def backend(**options: Any) -> RefreshToken:
    return RefreshToken(**{"token_url": URL, "client_id": "app", **options})


@pytest.mark.parametrize("how", ["none", "tls_client_auth"])
def test_a_client_without_a_secret_gives_its_name(how: Any) -> None:
    own = backend(client_auth=how, revocation_url="revoke")
    token = new_token({"Authorization": Secret("Bearer abc")}, sent_at=0, obtained_at=0, life=60)
    for request in (
        own.refresh_request(Secret("r1")),
        own.refresh_revocation_request(Secret("r1")),
        own.revocation_request(token),
    ):
        assert request is not None
        sent = parse_qs(request.content[0].decode())
        assert sent["client_id"] == ["app"]
        assert "client_secret" not in sent
        assert request.headers == {"Accept": "application/json"}
    assert own.secrets() == []


def test_an_empty_secret_is_not_sent_as_a_pair() -> None:
    own = backend(client_auth="none")
    assert own.client_secret is None
    assert own.identity()["client_secret"] is None


@pytest.mark.parametrize("how", ["client_secret_basic", "client_secret_post"])
@pytest.mark.parametrize("given", [{}, {"client_secret": None}], ids=str)
def test_a_secret_that_is_needed_is_missing(how: str, given: dict[str, Any]) -> None:
    with pytest.raises(OptionError, match="'client_secret' is missing"):
        backend(client_auth=how, **given)
    options = {"token_url": URL, "client_id": "app", "client_auth": how, **given}
    for kind in (ClientCredentials, RefreshToken):
        _, (problem,) = build(kind, options)
        assert (problem.kind, problem.option) == ("missing", "client_secret")
        assert problem.remedy == "Add 'client_secret'."


@pytest.mark.parametrize("how", ["magic", 7, ["none"], None], ids=repr)
def test_another_way_is_told_which_there_are(how: Any) -> None:
    _, problems = build(
        ClientCredentials, {"token_url": URL, "client_id": "a", "client_auth": how}
    )
    (problem,) = problems
    assert (problem.kind, problem.option) == ("wrong", "client_auth")
    assert "'client_secret_basic', 'client_secret_post'" in problem.remedy


def test_without_a_successor_there_is_none() -> None:
    assert backend(client_auth="none").successor is None


def test_the_successor_has_the_next_credentials_and_all_the_rest() -> None:
    given = {"client_id": "app-2", "client_secret": "s3cr3t-2"}
    start: Any = {"token_url": URL, "scope": "a"}
    own = ClientCredentials(
        client_id="app", client_secret=Secret("s3cr3t-1"), next=Secret(given), **start
    ).at(NOW)
    after = own.successor
    assert after is not None
    assert (after.client_id, after.client_secret) == ("app-2", Secret("s3cr3t-2"))
    assert (after.scope, after.now, after.next, after.successor) == ("a", NOW, None, None)
    assert own.client_secret == Secret("s3cr3t-1")
    assert after.identity() != own.identity()
    direct = ClientCredentials(client_id="app-2", client_secret=Secret("s3cr3t-2"), **start)
    assert after.identity() == direct.identity()


def test_either_may_stay_as_it_is() -> None:
    own = backend(client_secret=Secret("one"), next=Secret({"client_secret": "two"}))
    assert own.successor is not None
    assert (own.successor.client_id, own.successor.client_secret) == ("app", Secret("two"))
    assert own.successor.grant_identity() == own.grant_identity()


def test_the_next_key_signs_for_the_successor() -> None:
    after = backend(
        client_auth="private_key_jwt",
        private_key=pem("p256"),
        algorithm="ES256",
        next=Secret({"private_key": pem("p256 again").reveal(), "key_id": "new"}),
    ).successor
    assert after is not None
    sent = fields(after.at(NOW).refresh_request(Secret("r1")))["client_assertion"]
    assert claims(sent, kind="p256 again")["sub"] == "app"
    assert jwt.get_unverified_header(sent)["kid"] == "new"


@pytest.mark.parametrize(
    "given",
    [
        {"client_secrte": "hunter2"},
        {"token_url": "https://hunter2.example"},
        {"client_secret": ""},
        {"client_id": "app-2", "scope": "hunter2"},
    ],
    ids=str,
)
def test_what_cannot_be_switched_to_is_told(given: dict[str, str]) -> None:
    _, (problem,) = build(
        ClientCredentials,
        {"token_url": URL, "client_id": "app", "client_secret": "s", "next": given},
    )
    assert (problem.kind, problem.option) == ("wrong", "next")
    assert "client_id, client_secret, private_key, key_id" in problem.remedy
    assert "hunter2" not in repr(problem)


@pytest.mark.parametrize(
    ("given", "remedy"),
    [
        ({"private_key": "hunter2"}, "Give a private key in PEM"),
        ({"private_key": pem("rsa").reveal()}, "curve secp256r1"),
    ],
    ids=["garbage", "kind"],
)
def test_the_next_key_is_examined_with_the_present_one(given: dict[str, str], remedy: str) -> None:
    options = {
        "token_url": URL,
        "client_id": "app",
        "client_auth": "private_key_jwt",
        "private_key": pem("p256").reveal(),
        "algorithm": "ES256",
        "next": given,
    }
    _, (problem,) = build(ClientCredentials, options)
    assert (problem.kind, problem.option) == ("wrong", "next")
    assert remedy in problem.remedy
    assert "hunter2" not in repr(problem)


@pytest.mark.parametrize("given", [{}, "x", {"client_secret": 7}, ["client_secret"]], ids=repr)
def test_the_next_credentials_are_a_dict_of_texts(given: Any) -> None:
    options = {"token_url": URL, "client_id": "a", "client_secret": "s", "next": given}
    _, (problem,) = build(ClientCredentials, options)
    assert (problem.kind, problem.option) == ("wrong", "next")


def test_the_next_credentials_are_no_part_of_the_identity() -> None:
    own = backend(client_secret=Secret("one"), next=Secret({"client_secret": "two"}))
    assert own.identity() == backend(client_secret=Secret("one")).identity()


def test_the_next_secrets_are_known_to_redaction_and_the_next_name_is_not_secret() -> None:
    own = Password(
        token_url=URL,
        client_id="app",
        client_secret=Secret("one-s3cr3t"),
        username="joe",
        password=Secret("hunter2"),
        next=Secret({"client_id": "shop", "client_secret": "two-s3cr3t"}),
    )
    known = own.secrets()
    assert own.successor is not None
    pairs = [b.token_request().headers["Authorization"][6:] for b in (own, own.successor)]
    assert {"one-s3cr3t", "two-s3cr3t", "hunter2", *pairs} <= set(known)
    assert not {"app", "shop"} & set(known)
    assert "s3cr3t" not in f"{own!r}{vars(own)}"
