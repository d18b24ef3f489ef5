"""What settings and callers say about the transport reaches it, for calls and token requests."""

import io
from collections.abc import Callable
from typing import Any

import pytest
import requests

from tests.conftest import Configure
from tests.engines.ways import SYNC, Callers

BASE = "https://api.example/v1/"
Used = Callable[..., list[dict[str, Any]]]
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


@pytest.fixture
def used(api_clients: Configure, clients: Callers) -> Used:
    """Give the transport's options for the token request and for a call."""

    def use(call: dict[str, Any], **settings: Any) -> list[dict[str, Any]]:
        api_clients(
            shop={"BASE_URL": BASE, "AUTH": OAUTH, "SESSION": recording_session, **settings}
        )
        clients["shop"].get("x", **call)
        assert [r.path_url for r, _ in Recorder.used] == ["/token", "/v1/x"]
        return [{**options, "proxies": dict(options["proxies"])} for _, options in Recorder.used]

    return use


def test_what_the_settings_say_counts_for_both(used: Used) -> None:
    proxies = {"https": "http://proxy.example:3128"}
    asked, called = used(
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


@pytest.mark.parametrize("clients", SYNC, indirect=True)
def test_what_the_caller_says_counts_for_the_call_alone(used: Used) -> None:
    asked, called = used(
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


def test_by_default_certificates_are_verified(used: Used) -> None:
    asked, called = used({})
    assert (asked["verify"], called["verify"]) == (True, True)
    assert (asked["proxies"], called["proxies"]) == ({}, {})


def test_verification_can_be_switched_off_and_on(used: Used, clients: Callers) -> None:
    assert [options["verify"] for options in used({}, VERIFY=False)] == [False] * 2
    clients["shop"].get("x", verify=True)
    assert Recorder.used[-1][1]["verify"] is True


def test_the_environment_counts_where_nothing_is_said(
    used: Used, monkeypatch: pytest.MonkeyPatch, clients: Callers
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/environment.pem")
    monkeypatch.setenv("https_proxy", "http://environment.example")
    for options in used({}):
        assert options["verify"] == "/environment.pem"
        assert options["proxies"]["https"] == "http://environment.example"
    clients["shop"].get("x", verify="/mine.pem")
    assert Recorder.used[-1][1]["verify"] == "/mine.pem"


def test_a_token_request_is_told_from_a_call_by_nothing_of_the_calls(
    api_clients: Configure, clients: Callers
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
