"""What is asked of an OAuth token endpoint, and how the client says who it is."""

from base64 import b64decode
from typing import Any
from urllib.parse import parse_qs

import pytest
import requests
from pytest_django import Settings

from apiclient_app import clients
from apiclient_app.auth import ClientCredentials, Secret, TokenRequest
from apiclient_app.tokens import Token, new_token
from tests.conftest import Configure
from tests.servers import Handle

ODD = "s:ec/r%e+t &ü="


def backend(**options: Any) -> ClientCredentials:
    given = {"token_url": "oauth/token", "client_id": "app:1", "client_secret": Secret(ODD)}
    return ClientCredentials(**{**given, **options})


def fields(request: TokenRequest | None) -> dict[str, list[str]]:
    assert request is not None
    return parse_qs(request.content[0].decode(), keep_blank_values=True)


def token(text: str = "abc") -> Token:
    headers = {"Authorization": Secret(f"Bearer {text}")}
    return new_token(headers, sent_at=0, obtained_at=0, life=60)


def test_the_request_is_a_form_with_what_was_configured() -> None:
    request = backend(scope="a b", audience="api", extra={"resource": "x&y"}).token_request()
    assert (request.method, request.url) == ("POST", "oauth/token")
    assert request.content[1] == "application/x-www-form-urlencoded"
    assert fields(request) == {
        "grant_type": ["client_credentials"],
        "scope": ["a b"],
        "audience": ["api"],
        "resource": ["x&y"],
    }


def test_what_was_not_configured_is_not_sent() -> None:
    assert fields(backend().token_request()) == {"grant_type": ["client_credentials"]}


def test_basic_is_form_encoded_first() -> None:
    header = backend().token_request().headers["Authorization"]
    pair = b64decode(header.removeprefix("Basic ")).decode()
    assert pair == "app%3A1:s%3Aec%2Fr%25e%2Bt+%26%C3%BC%3D"


def test_post_puts_id_and_secret_into_the_form() -> None:
    request = backend(client_auth="client_secret_post").token_request()
    assert fields(request)["client_id"] == ["app:1"]
    assert fields(request)["client_secret"] == [ODD]
    assert "Authorization" not in request.headers


@pytest.mark.parametrize("how", ["client_secret_basic", "client_secret_post"])
def test_the_provider_understands_an_odd_secret(
    api: Handle, api_clients: Configure, how: str
) -> None:
    api.set(credentials={"app": ODD})
    api_clients(api=api.config(OPTIONS={"client_secret": ODD, "client_auth": how}))
    assert clients["api"].get("echo").status_code == 200
    assert [asked["client_auth"] for asked in api.token_requests] == [how]


def test_a_revocation_names_the_token_and_its_kind() -> None:
    request = backend(revocation_url="oauth/revoke").revocation_request(token())
    assert request is not None
    assert request.url == "oauth/revoke"
    assert fields(request) == {"token": ["abc"], "token_type_hint": ["access_token"]}
    assert request.headers["Authorization"].startswith("Basic ")


def test_without_a_revocation_url_there_is_no_revocation() -> None:
    assert backend().revocation_request(token()) is None


def test_the_token_is_put_on_the_request() -> None:
    request = requests.Request("GET", "https://api.example/").prepare()
    backend().sign(request, token())
    assert request.headers["Authorization"] == "Bearer abc"


@pytest.mark.parametrize(
    "option",
    [
        {"token_url": "other"},
        {"client_id": "other"},
        {"client_secret": Secret("other")},
        {"scope": "other"},
        {"audience": "other"},
        {"extra": {"resource": "other"}},
        {"token_path": "other"},
    ],
    ids=str,
)
def test_what_determines_the_token_is_in_its_identity(option: dict[str, Any]) -> None:
    assert backend(**option).identity() != backend().identity()


@pytest.mark.parametrize(
    "option",
    [{"default_life": 60.0}, {"expires_path": "ttl"}, {"client_auth": "client_secret_post"}],
    ids=str,
)
def test_how_it_is_asked_for_is_not(option: dict[str, Any]) -> None:
    assert backend(**option).identity() == backend().identity()


def test_another_secret_meets_no_old_token(api: Handle, settings: Settings) -> None:
    settings.API_CLIENTS = {"api": api.config()}
    first = clients["api"].token()
    settings.API_CLIENTS = {"api": api.config(OPTIONS={"client_secret": "wrong"})}
    assert clients["api"].inspect().fingerprint == ""
    settings.API_CLIENTS = {"api": api.config(TIMEOUT=5)}
    assert clients["api"].token().id == first.id


def test_no_representation_shows_a_secret() -> None:
    shown = f"{backend()!r} {backend().token_request()!r} {vars(backend())}"
    assert ODD not in shown
    assert "Basic" not in shown


def test_what_is_sent_as_a_secret_is_known_to_redaction() -> None:
    known = backend(extra={"password": "hunter2", "resource": "x"}).secrets()
    assert ODD in known
    assert "hunter2" in known
    assert "x" not in known
    sent = backend().token_request().headers["Authorization"].removeprefix("Basic ")
    assert sent in known
