"""What settings and callers say about the transport reaches it, for calls and token requests."""

import io
from typing import Any

import pytest
import requests

from apiclient_app import clients
from tests.conftest import Configure

BASE = "https://api.example/v1/"
OAUTH = {
    "BACKEND": "apiclient_app.auth.ClientCredentials",
    "OPTIONS": {"token_url": "/token", "client_id": "app", "client_secret": "s3cr3t"},
}


class Recorder(requests.adapters.BaseAdapter):
    """A transport that remembers how it was used, and answers anything with a token."""

    used: list[tuple[requests.PreparedRequest, dict[str, Any]]] = []

    def send(self, request: requests.PreparedRequest, **options: Any) -> requests.Response:  # type: ignore[override]
        self.used.append((request, options))
        response = requests.Response()
        response.status_code, response.request, response.url = 200, request, str(request.url)
        response.raw = io.BytesIO(b'{"access_token": "one", "expires_in": 60}')
        return response

    def close(self) -> None:
        return None


def recording_session() -> requests.Session:
    session = requests.Session()
    session.mount("https://", Recorder())
    return session


@pytest.fixture(autouse=True)
def _bare(monkeypatch: pytest.MonkeyPatch, redis_url: str) -> None:
    Recorder.used.clear()
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "https_proxy", "HTTPS_PROXY"):
        monkeypatch.delenv(name, raising=False)


def used(api_clients: Configure, call: dict[str, Any], **settings: Any) -> list[dict[str, Any]]:
    """Give the transport's options for the token request and for a call."""
    api_clients(shop={"BASE_URL": BASE, "AUTH": OAUTH, "SESSION": recording_session, **settings})
    clients["shop"].get("x", **call)
    assert [r.path_url for r, _ in Recorder.used] == ["/token", "/v1/x"]
    return [{**options, "proxies": dict(options["proxies"])} for _, options in Recorder.used]


def test_what_the_settings_say_counts_for_both(api_clients: Configure) -> None:
    proxies = {"https": "http://proxy.example:3128"}
    asked, called = used(
        api_clients,
        {},
        VERIFY="/ca.pem",
        CERT=["cert.pem", "key.pem"],
        PROXIES=proxies,
        TIMEOUT=(1, 2),
    )
    for options in (asked, called):
        assert options["verify"] == "/ca.pem"
        assert options["cert"] == ("cert.pem", "key.pem")
        assert options["proxies"] == proxies
    assert called["timeout"] == (1, 2)
    assert asked["timeout"] == (1, 4)


def test_what_the_caller_says_counts_for_the_call_alone(api_clients: Configure) -> None:
    asked, called = used(
        api_clients,
        {
            "verify": "/mine.pem",
            "cert": "mine.crt",
            "proxies": {"https": "http://mine.example"},
            "timeout": 9,
            "stream": True,
        },
        VERIFY="/ca.pem",
        TOKEN_TIMEOUT=4,
    )
    assert (asked["verify"], asked["cert"], asked["proxies"]) == ("/ca.pem", None, {})
    assert asked["timeout"] == (3.05, 5)
    assert (called["verify"], called["cert"]) == ("/mine.pem", "mine.crt")
    assert called["proxies"] == {"https": "http://mine.example"}
    assert (called["timeout"], called["stream"]) == (9, True)


def test_by_default_certificates_are_verified(api_clients: Configure) -> None:
    asked, called = used(api_clients, {})
    assert (asked["verify"], called["verify"]) == (True, True)
    assert (asked["proxies"], called["proxies"]) == ({}, {})


def test_verification_can_be_switched_off_and_on(api_clients: Configure) -> None:
    assert [options["verify"] for options in used(api_clients, {}, VERIFY=False)] == [False] * 2
    clients["shop"].get("x", verify=True)
    assert Recorder.used[-1][1]["verify"] is True


def test_the_environment_counts_where_nothing_is_said(
    api_clients: Configure, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/environment.pem")
    monkeypatch.setenv("https_proxy", "http://environment.example")
    for options in used(api_clients, {}):
        assert options["verify"] == "/environment.pem"
        assert options["proxies"]["https"] == "http://environment.example"
    clients["shop"].get("x", verify="/mine.pem")
    assert Recorder.used[-1][1]["verify"] == "/mine.pem"


def test_a_token_request_is_told_from_a_call_by_nothing_of_the_calls(
    api_clients: Configure,
) -> None:
    api_clients(
        shop={
            "BASE_URL": BASE,
            "AUTH": OAUTH,
            "SESSION": recording_session,
            "HEADERS": {"X-Call": "1", "User-Agent": "shop/1.0", "Cookie": "a=b"},
        }
    )
    clients["shop"].get("x")
    asked, called = (request for request, _ in Recorder.used)
    assert asked.headers["User-Agent"] == called.headers["User-Agent"] == "shop/1.0"
    assert asked.headers["Accept"] == "application/json"
    assert not {"X-Call", "Cookie"} & set(asked.headers)
    assert called.headers["Authorization"] == "Bearer one"
