"""Logging in where the API has an endpoint of its own making for it."""

from typing import Any

import pytest

from apiclient_app import TokenUnavailable, clients
from apiclient_app.auth import Login, Reply, Secret
from tests.conftest import Configure
from tests.servers import Handle

CREDENTIALS = {"user": "app", "pin": 1234, "nested": {"key": "hunter2"}}


def backend(**options: Any) -> Login:
    return Login(**{"login_url": "login", "credentials": Secret(CREDENTIALS), **options})


def configured(api: Handle, **options: Any) -> dict[str, Any]:
    given = {"login_url": "../login", "credentials": {"user": "u", "password": "p"}, **options}
    auth = {"BACKEND": "apiclient_app.auth.Login", "OPTIONS": given}
    return {"BASE_URL": api.base_url, "AUTH": auth}


def test_credentials_are_posted_as_json() -> None:
    request = backend(headers={"X-Tenant": "one"}).token_request()
    assert (request.method, request.url) == ("POST", "login")
    assert request.json == CREDENTIALS
    assert request.content[1] == "application/json"
    assert request.headers == {"Accept": "application/json", "X-Tenant": "one"}


def test_credentials_are_posted_as_a_form() -> None:
    request = backend(credentials=Secret({"user": "a b", "pin": 1}), body="form").token_request()
    assert request.content == (b"user=a+b&pin=1", "application/x-www-form-urlencoded")


def test_a_login_url_is_relative_to_the_base_url(api: Handle, api_clients: Configure) -> None:
    api_clients(api=configured(api))
    assert clients["api"].get("echo").status_code == 200
    assert api.token_requests[0]["fields"] == {"user": "u", "password": "p"}


def test_a_token_is_found_where_the_reply_has_it(api: Handle, api_clients: Configure) -> None:
    api.set(login_reply={"auth": [{"jwt": "{token}"}], "ttl": {"ms": 60_000}})
    api_clients(
        api=configured(
            api, token_path="auth.0.jwt", expires_path="ttl.ms", expires_unit="milliseconds"
        )
    )
    token = clients["api"].token()
    assert token.expires_at - token.obtained_at == pytest.approx(60, abs=2)
    assert clients["api"].get("echo").status_code == 200


def test_a_token_goes_into_the_header_that_the_api_wants(
    api: Handle, api_clients: Configure
) -> None:
    api_clients(api=configured(api, header="X-API-Key", prefix=""))
    headers = clients["api"].get("echo").json()["headers"]
    assert "authorization" not in headers
    assert " " not in headers["x-api-key"]


@pytest.mark.parametrize("found", [{}, {"access_token": None}, {"access_token": 7}])
def test_a_reply_without_the_token_says_where_it_was_due(found: dict[str, Any]) -> None:
    reply = Reply(200, {}, b"{}" if not found else str(found).replace("'", '"').encode())
    with pytest.raises(TokenUnavailable, match=r"'access_token' where the token was due|JSON"):
        backend().read(reply)


def test_every_credential_is_known_to_redaction_and_none_is_shown() -> None:
    own = backend(headers={"X-Api-Key": "k3y-of-the-app", "X-Tenant": "one"})
    assert {"app", "hunter2", "k3y-of-the-app"} <= set(own.secrets())
    assert "one" not in own.secrets()
    assert "hunter2" not in f"{own!r}{vars(own)}"


def test_other_credentials_are_another_identity() -> None:
    other = backend(credentials=Secret({**CREDENTIALS, "pin": 4321}))
    assert other.identity() != backend().identity()
