"""What users are given for their own tests."""

import responses
from pytest_django import Settings

from apiclient_app import clients
from apiclient_app.testing import fixed_token

BASE = "https://api.example/v1/"


@responses.activate
def test_a_fixed_token_needs_no_token_endpoint(settings: Settings) -> None:
    settings.API_CLIENTS = {
        "github": {
            "BASE_URL": BASE,
            "AUTH": {
                "BACKEND": "apiclient_app.auth.ClientCredentials",
                "OPTIONS": {
                    "token_url": "https://auth.example/token",
                    "client_id": "id",
                    "client_secret": "secret",
                },
            },
        }
    }
    user = responses.get(f"{BASE}users/octocat", json={"login": "octocat"})
    with fixed_token():
        assert clients["github"].get("users/octocat").json() == {"login": "octocat"}
    assert user.calls[0].request.headers["Authorization"] == "Bearer test-token"
    assert len(responses.calls) == 1
    assert clients["github"].config.auth_path.endswith("ClientCredentials")


@responses.activate
def test_a_fixed_token_keeps_the_header_and_leaves_static_credentials_alone(
    settings: Settings,
) -> None:
    login = {
        "BACKEND": "apiclient_app.auth.Login",
        "OPTIONS": {
            "login_url": "login",
            "credentials": {"user": "u", "password": "p"},
            "header": "X-Session",
            "prefix": "",
        },
    }
    key = {"BACKEND": "apiclient_app.auth.ApiKey", "OPTIONS": {"key": "k" * 8}}
    settings.API_CLIENTS = {
        "session": {"BASE_URL": "https://session.example/", "AUTH": login},
        "key": {"BASE_URL": "https://key.example/", "AUTH": key},
    }
    session = responses.get("https://session.example/x")
    static = responses.get("https://key.example/x")
    with fixed_token(token="fixed"):
        clients["session"].get("x")
        clients["key"].get("x")
    assert session.calls[0].request.headers["X-Session"] == "fixed"
    assert static.calls[0].request.headers["X-API-Key"] == "k" * 8
