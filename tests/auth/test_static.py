"""Credentials that are the same on every request."""

from base64 import b64decode
from typing import Any

import pytest
import requests

from apiclient_app import TokenError, clients
from apiclient_app.auth import ApiKey, AuthBackend, Basic, NoAuth, Secret, StaticToken
from tests.conftest import Configure
from tests.servers import Handle

STATIC = [
    StaticToken(token=Secret("hunter2")),
    ApiKey(key=Secret("hunter2")),
    ApiKey(key=Secret("hunter2"), query="key"),
    Basic(username="joe", password=Secret("hunter2")),
    NoAuth(),
]


def signed(backend: AuthBackend, url: str = "https://api.example/a?b=1") -> Any:
    request = requests.Request("GET", url).prepare()
    backend.sign(request, None)
    return request


def test_a_static_token_is_bearer_unless_told_otherwise() -> None:
    assert signed(STATIC[0]).headers["Authorization"] == "Bearer hunter2"
    own = StaticToken(token=Secret("hunter2"), header="X-Token", prefix="")
    assert signed(own).headers["X-Token"] == "hunter2"


def test_an_api_key_goes_into_a_header() -> None:
    assert signed(STATIC[1]).headers["X-API-Key"] == "hunter2"
    assert "hunter2" not in signed(STATIC[1]).url


@pytest.mark.parametrize(
    ("url", "becomes"),
    [
        ("https://a.example/x", "https://a.example/x?key=k%26y"),
        ("https://a.example/x?b=1", "https://a.example/x?b=1&key=k%26y"),
        ("https://a.example/x?b=%20+&c", "https://a.example/x?b=%20+&c&key=k%26y"),
        ("https://a.example/x?key=old&b=1", "https://a.example/x?b=1&key=k%26y"),
        ("https://a.example/x?monkey=1", "https://a.example/x?monkey=1&key=k%26y"),
    ],
)
def test_an_api_key_goes_into_the_query_once(url: str, becomes: str) -> None:
    request = signed(ApiKey(key=Secret("k&y"), query="key"), url)
    assert request.url == becomes
    assert "X-API-Key" not in request.headers


def test_basic_is_in_utf_8() -> None:
    header = signed(Basic(username="jöe", password=Secret("p:ä"))).headers["Authorization"]
    assert b64decode(header.removeprefix("Basic ")).decode() == "jöe:p:ä"


def test_no_auth_puts_nothing_on_the_request() -> None:
    before = requests.Request("GET", "https://api.example/a?b=1").prepare()
    assert dict(signed(NoAuth()).headers) == dict(before.headers)


@pytest.mark.parametrize(
    ("backend", "options"),
    [
        (StaticToken, {"token": Secret("a\nb")}),
        (StaticToken, {"token": Secret("  ")}),
        (StaticToken, {"token": Secret("ä")}),
        (StaticToken, {"token": Secret("a" * 70_000)}),
        (StaticToken, {"token": Secret("ab"), "prefix": "Bearer\r\nX-Evil:"}),
        (ApiKey, {"key": Secret("a\x00b")}),
        (Basic, {"username": "a:b", "password": Secret("p")}),
    ],
)
def test_a_credential_that_cannot_be_sent_is_refused_and_not_shown(
    backend: type[AuthBackend], options: dict[str, Any]
) -> None:
    with pytest.raises(ValueError, match=r".") as caught:
        backend(**options)
    shown = str(caught.value)
    assert not any(v.reveal() in shown for v in options.values() if isinstance(v, Secret))


@pytest.mark.parametrize("backend", STATIC)
def test_nothing_of_it_is_obtained_nor_shown(backend: AuthBackend) -> None:
    assert not backend.renewable
    assert "hunter2" not in f"{backend!r}{vars(backend)}"
    assert isinstance(backend, NoAuth) or "hunter2" in backend.secrets()


def test_the_header_of_basic_is_known_to_redaction() -> None:
    sent = signed(STATIC[3]).headers["Authorization"].removeprefix("Basic ")
    assert sent in STATIC[3].secrets()


@pytest.mark.parametrize("name", ["rotate_token", "revoke_token"])
def test_what_settings_hold_is_neither_rotated_nor_revoked(
    api: Handle, api_clients: Configure, name: str
) -> None:
    auth = {"BACKEND": "apiclient_app.auth.ApiKey", "OPTIONS": {"key": "hunter2"}}
    api_clients(api={"BASE_URL": api.base_url, "AUTH": auth})
    with pytest.raises(TokenError, match="those in settings") as caught:
        getattr(clients["api"], name)()
    assert caught.value.error == "static"
    assert clients["api"].inspect().state == "static"
    assert api.requests == []


def test_a_static_token_is_a_token_that_does_not_expire(
    api: Handle, api_clients: Configure
) -> None:
    auth = {"BACKEND": "apiclient_app.auth.StaticToken", "OPTIONS": {"token": "hunter2"}}
    api_clients(api={"BASE_URL": api.base_url, "AUTH": auth})
    token = clients["api"].token()
    assert token.headers["Authorization"].reveal() == "Bearer hunter2"
    assert token.state(1e12) == "fresh"
    assert "hunter2" not in repr(token)


def test_a_static_token_that_is_refused_is_refused_once(
    api: Handle, api_clients: Configure
) -> None:
    auth = {"BACKEND": "apiclient_app.auth.StaticToken", "OPTIONS": {"token": "hunter2"}}
    api_clients(api={"BASE_URL": api.base_url, "AUTH": auth})
    assert clients["api"].get("echo", raise_for_status=False).status_code == 401
    assert len(api.requests) == 1
