"""Grants that are kept alive by refresh tokens, and those that are not."""

from typing import Any

import pytest

from apiclient_app.auth import (
    ClientCredentials,
    OptionError,
    Password,
    RefreshToken,
    Secret,
)
from apiclient_app.auth.options import build
from apiclient_app.exceptions import TokenRefused, TokenUnavailable

from .replies import reply
from .sent import fields

CLIENT: dict[str, Any] = {
    "token_url": "https://id.example/token",
    "client_id": "app",
    "client_secret": Secret("s3cr3t"),
}
USER: dict[str, Any] = {"username": "joe", "password": Secret("hunter2")}


def held(**options: Any) -> RefreshToken:
    return RefreshToken(**{**CLIENT, **options})


def password(**options: Any) -> Password:
    return Password(**{**CLIENT, **USER, **options})


GRANTS = [held(), password()]
PAIR = {"access_token": "abc", "refresh_token": "next-one", "expires_in": 60}


@pytest.mark.parametrize(
    ("backend", "obtains", "refreshes"),
    [
        (ClientCredentials(**CLIENT), True, False),
        (held(), False, True),
        (password(), True, True),
    ],
)
def test_each_grant_says_what_it_can_do(backend: Any, obtains: bool, refreshes: bool) -> None:
    assert (backend.obtains, backend.refreshes) == (obtains, refreshes)
    assert backend.renewable


@pytest.mark.parametrize("backend", GRANTS)
def test_a_refresh_sends_the_token_and_says_who_asks(backend: RefreshToken | Password) -> None:
    request = backend.refresh_request(Secret("r&1"))
    assert (request.method, request.url) == ("POST", CLIENT["token_url"])
    assert fields(request) == {"grant_type": "refresh_token", "refresh_token": "r&1"}
    assert request.headers["Authorization"].startswith("Basic ")
    assert "r&1" not in repr(request)


def test_a_refresh_sends_what_else_is_configured() -> None:
    own = held(scope="a b", audience="api", extra={"resource": "x"})
    assert fields(own.refresh_request(Secret("r1"))) == {
        "grant_type": "refresh_token",
        "refresh_token": "r1",
        "scope": "a b",
        "audience": "api",
        "resource": "x",
    }


def test_a_password_is_sent_only_where_it_is_the_grant() -> None:
    assert fields(password(scope="a").token_request()) == {
        "grant_type": "password",
        "username": "joe",
        "password": "hunter2",
        "scope": "a",
    }
    assert "password" not in fields(password().refresh_request(Secret("r1")))


@pytest.mark.parametrize("backend", GRANTS)
def test_a_reply_brings_the_next_refresh_token(backend: RefreshToken | Password) -> None:
    grant = backend.read(reply(PAIR))
    assert grant.refresh_token == Secret("next-one")
    assert grant.life == 60
    assert "next-one" not in repr(grant)


def test_a_refresh_token_is_found_where_the_reply_has_it() -> None:
    own = held(token_path="data.0.at", refresh_token_path="data.0.rt")
    answer = reply({"data": [{"at": "abc", "rt": "r2"}]})
    assert own.read(answer).refresh_token == Secret("r2")
    assert own.refresh_token_in(answer) == Secret("r2")


@pytest.mark.parametrize(
    "useless",
    [{"access_token": None}, {"access_token": "a\nb"}, {"token_type": "mac"}, {"expires_in": []}],
    ids=str,
)
def test_a_new_refresh_token_is_found_where_the_access_token_is_useless(
    useless: dict[str, Any],
) -> None:
    assert held().refresh_token_in(reply({**PAIR, **useless})) == Secret("next-one")


def test_client_credentials_ignore_a_refresh_token() -> None:
    own = ClientCredentials(**CLIENT)
    assert own.read(reply(PAIR)).refresh_token is None
    assert own.refresh_token_in(reply(PAIR)) is None


@pytest.mark.parametrize(
    ("error", "ends"),
    [
        ("invalid_grant", True),
        ("invalid_client", False),
        ("unauthorized_client", False),
        ("unsupported_grant_type", False),
        ("invalid_scope", False),
        ("access_denied", False),
        ("invalid_request", False),
        ("server_error", False),
        ("http_400", False),
        ("", False),
    ],
)
@pytest.mark.parametrize("backend", GRANTS)
def test_what_is_about_the_client_does_not_end_its_grant(
    backend: RefreshToken | Password, error: str, ends: bool
) -> None:
    assert backend.ends_grant(error) is ends


def test_a_provider_may_say_otherwise_that_a_grant_has_ended() -> None:
    own = held(terminal_errors=("invalid_grant", "invalid_request", "invalid_client"))
    assert own.ends_grant("invalid_request")
    assert not own.ends_grant("invalid_client")
    with pytest.raises(TokenRefused):
        own.read(reply({"error": "invalid_request"}, 400))
    with pytest.raises(TokenUnavailable):
        held().read(reply({"error": "invalid_request"}, 400))


def test_a_first_refresh_token_comes_from_the_options() -> None:
    assert held().first_refresh_token is None
    assert held(refresh_token=Secret("first")).first_refresh_token == Secret("first")
    assert password().first_refresh_token is None


def test_a_grant_belongs_to_endpoint_and_client_and_user() -> None:
    assert held().grant_identity() == ["https://id.example/token", "app"]
    assert password().grant_identity() == ["https://id.example/token", "app", "joe"]


@pytest.mark.parametrize(
    "option",
    [
        {"client_secret": Secret("other")},
        {"scope": "other"},
        {"audience": "other"},
        {"password": Secret("other")},
        {"extra": {"resource": "other"}},
    ],
    ids=str,
)
def test_a_grant_outlives_what_the_tokens_do_not(option: dict[str, Any]) -> None:
    assert password(**option).grant_identity() == password().grant_identity()
    assert password(**option).identity() != password().identity()


@pytest.mark.parametrize(
    "option",
    [{"token_url": "other"}, {"client_id": "other"}, {"username": "other"}],
    ids=str,
)
def test_another_grant_has_another_identity(option: dict[str, Any]) -> None:
    assert password(**option).grant_identity() != password().grant_identity()
    assert password(**option).identity() != password().identity()


def test_neither_the_first_refresh_token_nor_grace_is_in_the_identity() -> None:
    assert held(refresh_token=Secret("r"), grace=30.0).identity() == held().identity()


def test_a_refresh_token_is_revoked_as_one() -> None:
    assert held().refresh_revocation_request(Secret("r1")) is None
    request = held(revocation_url="revoke").refresh_revocation_request(Secret("r1"))
    assert fields(request) == {"token": "r1", "token_type_hint": "refresh_token"}
    assert request is not None
    assert request.url == "revoke"
    assert request.headers["Authorization"].startswith("Basic ")


@pytest.mark.parametrize("grace", [-1.0, float("inf"), float("nan")])
def test_grace_is_a_number_of_seconds(grace: float) -> None:
    with pytest.raises(OptionError, match="'grace' is wrong"):
        held(grace=grace)
    assert held(grace=30.0).grace == 30
    assert held().grace == password().grace == 0


def test_every_secret_of_a_grant_is_known_to_redaction_and_none_is_shown() -> None:
    assert {"s3cr3t", "r1"} <= set(held(refresh_token=Secret("r1")).secrets())
    assert {"s3cr3t", "hunter2"} <= set(password().secrets())
    assert "joe" not in password().secrets()
    assert "hunter2" not in f"{password()!r}{vars(password())}{password().token_request()!r}"


def test_options_become_a_grant() -> None:
    given = {"token_url": "t", "client_id": "c", "client_secret": "s", "refresh_token": "first"}
    backend, problems = build(RefreshToken, {**given, "grace": 30})
    assert problems == []
    assert isinstance(backend, RefreshToken)
    assert (backend.refresh_token, backend.client_secret) == (Secret("first"), Secret("s"))
    _, problems = build(RefreshToken, {**given, "grace": -1, "refresh_token": None})
    assert [(p.kind, p.option) for p in problems] == [("wrong", "grace")]


def test_a_missing_secret_is_told_with_all_the_rest() -> None:
    _, problems = build(Password, {"token_url": "t", "username": 7, "scopes": "x"})
    assert {(p.kind, p.option) for p in problems} == {
        ("missing", "client_id"),
        ("missing", "client_secret"),
        ("missing", "password"),
        ("wrong", "username"),
        ("unknown", "scopes"),
    }
    (secret,) = [p for p in problems if p.option == "client_secret"]
    assert secret.remedy == "Add 'client_secret'."
