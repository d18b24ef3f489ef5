"""Token replies as real providers send them: read, or turned into an error of ours."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apiclient_app.auth import ClientCredentials, Grant, Login, Reply, Secret
from apiclient_app.auth.messages import ABSURD_SECONDS
from apiclient_app.auth.replies import life, retry_after
from apiclient_app.dates import instant, number
from apiclient_app.exceptions import TokenError, TokenRefused, TokenUnavailable

from .replies import NOW, reply

OAUTH = ClientCredentials(
    token_url="token", client_id="app", client_secret=Secret("s3cr3t"), scope="asked"
)
LOGIN = Login(login_url="login", credentials=Secret({"user": "u"}), token_path="data.0.key")


def grant(**document: Any) -> Grant:
    return OAUTH.read(reply({"access_token": "abc", **document}))


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        (60, 60),
        (60.5, 60.5),
        ("60", 60),
        (" 60.0 ", 60),
        ("6e1", 60),
        (0, 3600),
        (-1, 3600),
        ("-1", 3600),
        (None, 3600),
        ("", 3600),
        ("soon", 3600),
        ("NaN", 3600),
        ("inf", 3600),
        (True, 3600),
        ([60], 3600),
        ({}, 3600),
        (10**400, 3600),
        (10**12, 3600),
    ],
    ids=repr,
)
def test_expires_in_is_read_tolerantly(said: Any, meant: float) -> None:
    assert grant(expires_in=said).life == meant


def test_a_missing_expires_in_stands_for_the_default_life() -> None:
    assert grant().life == 3600
    short = ClientCredentials(
        token_url="t", client_id="c", client_secret=Secret("s"), default_life=60.0
    )
    assert short.read(reply({"access_token": "abc"})).life == 60


@pytest.mark.parametrize(
    ("unit", "said", "meant"),
    [
        ("milliseconds", 60_000, 60),
        ("milliseconds", "60000", 60),
        ("epoch", NOW + 60, 60),
        ("epoch", str(NOW + 60), 60),
        ("epoch", NOW - 1, None),
        ("datetime", "2027-01-15T08:01:00Z", 60),
        ("datetime", "2027-01-15T08:01:00", 60),
        ("datetime", "2027-01-15T10:01:00.5+02:00", 60.5),
        ("datetime", "Fri, 15 Jan 2027 08:01:00 GMT", 60),
        ("datetime", "2027-01-15T07:00:00Z", None),
        ("datetime", "tomorrow", None),
        ("datetime", 60, None),
        ("datetime", None, None),
    ],
    ids=repr,
)
def test_life_is_read_in_each_unit(unit: Any, said: Any, meant: float | None) -> None:
    assert life(said, unit, NOW) == meant


@pytest.mark.parametrize("kind", ["Bearer", "bearer", "BEARER", None])
def test_bearer_in_any_case_is_sent_as_bearer(kind: str | None) -> None:
    given = {} if kind is None else {"token_type": kind}
    assert grant(**given).headers["Authorization"] == Secret("Bearer abc")


@pytest.mark.parametrize("kind", ["mac", "DPoP", "", 7, ["Bearer"]])
def test_another_token_type_is_an_error(kind: Any) -> None:
    with pytest.raises(TokenUnavailable, match="not Bearer") as caught:
        grant(token_type=kind)
    assert caught.value.error == "unknown_token_type"


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ({}, "asked"),
        ({"scope": "a b"}, "a b"),
        ({"scope": ["a", "b"]}, "a b"),
        ({"scope": None}, ""),
    ],
)
def test_the_scope_is_the_one_granted(said: dict[str, Any], meant: str) -> None:
    assert grant(**said).scope == meant


@pytest.mark.parametrize("error", ["invalid_client", "invalid_grant", "invalid_scope"])
@pytest.mark.parametrize("status", [200, 400, 401])
def test_the_oauth_errors_that_stay_are_refusals(error: str, status: int) -> None:
    with pytest.raises(TokenRefused) as caught:
        OAUTH.read(reply({"error": error, "error_description": "no\r\nway"}, status))
    assert (caught.value.error, caught.value.description) == (error, "no way")


@pytest.mark.parametrize(
    ("status", "document", "error"),
    [
        (503, {}, "http_503"),
        (500, {"error": "server_error"}, "server_error"),
        (400, {"error": "temporarily_unavailable"}, "temporarily_unavailable"),
        (200, {"error": "slow_down"}, "slow_down"),
        (429, {}, "http_429"),
        (408, {}, "http_408"),
        (307, {}, "http_307"),
    ],
)
def test_the_errors_that_pass_are_not(status: int, document: Any, error: str) -> None:
    with pytest.raises(TokenUnavailable) as caught:
        OAUTH.read(reply(document, status))
    assert caught.value.error == error


def test_terminal_errors_can_be_named() -> None:
    own = ClientCredentials(
        token_url="t",
        client_id="c",
        client_secret=Secret("s"),
        terminal_errors=("invalid_request",),
    )
    with pytest.raises(TokenRefused):
        own.read(reply({"error": "invalid_request"}, 400))
    with pytest.raises(TokenUnavailable):
        own.read(reply({"error": "invalid_client"}, 401))


def test_an_error_of_many_json_apis_is_read() -> None:
    with pytest.raises(TokenRefused) as caught:
        LOGIN.read(reply({"error": {"code": "invalid_grant", "message": "wrong password"}}, 401))
    assert (caught.value.error, caught.value.description) == ("invalid_grant", "wrong password")


def test_an_error_of_megabytes_is_cut_short() -> None:
    with pytest.raises(TokenUnavailable) as caught:
        OAUTH.read(reply({"error": "e" * 100_000, "error_description": "d" * 100_000}, 400))
    # To what a secret may be long; what people see is cut further, after redaction.
    assert len(str(caught.value)) < 5_000
    assert len(caught.value.error) < 5_000


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("7", 7),
        ("7.5", 7.5),
        ("-3", 0),
        ("Fri, 15 Jan 2027 08:01:00 GMT", 60),
        ("Fri, 15 Jan 2027 07:00:00 GMT", 0),
        ("Fri, 31 Dec 9999 23:59:59 GMT", ABSURD_SECONDS),
        ("1e308", ABSURD_SECONDS),
        ("", None),
        ("soon", None),
        ("inf", None),
        ("Fri, 99 Jan 2027 08:01:00 GMT", None),
    ],
)
def test_retry_after_is_seconds_or_a_date(value: str, seconds: float | None) -> None:
    assert retry_after(value, NOW) == seconds


OAUTH_MEMBERS = ["access_token", "token_type", "expires_in", "scope", "error"]
MEMBERS = [*OAUTH_MEMBERS, "error_description", "data", "key", "code", "message"]
JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(MEMBERS),
            inner,
            max_size=6,
        )
    ),
    max_leaves=12,
)
BODIES = JSON.map(lambda document: json.dumps(document).encode()) | st.binary(max_size=40)
HEADERS = st.dictionaries(st.sampled_from(["content-type", "retry-after"]), st.text(max_size=30))


@given(st.sampled_from([OAUTH, LOGIN]), st.integers(100, 599), BODIES, HEADERS)
def test_any_reply_gives_a_grant_or_an_error_of_ours(
    backend: ClientCredentials | Login, status: int, body: bytes, headers: dict[str, str]
) -> None:
    reply = Reply(status, headers, body, NOW)
    try:
        granted = backend.read(reply)
    except (TokenError, ValueError) as error:
        refused = error
    else:
        assert status < 300
        assert granted.life is not None
        assert 0 < granted.life < 4e8
        assert granted.headers
        return
    # ValueError: for a token that no header can carry.
    assert isinstance(refused, TokenError) or "header" in str(refused)
    assert str(refused).isprintable()
    assert len(str(refused)) < 400


@given(JSON | st.text())
def test_no_value_breaks_number_nor_date(value: Any) -> None:
    number(value)
    instant(value)
    for unit in ("seconds", "milliseconds", "epoch", "datetime"):
        life(value, unit, NOW)
