"""Our Session makes of the environment what requests makes of it, at any moment."""

import os
from typing import Any

import pytest
import requests

from apiclient_app.engines.environment import Session
from tests.conftest import Configure
from tests.engines.ways import Callers
from tests.servers import Handle, Reply

PROXY = "http://proxy.example:3128"
URL = "http://api.example:8080/users?x=1"

ENVIRONMENTS: dict[str, dict[str, str]] = {
    "none": {},
    "http": {"http_proxy": PROXY},
    "upper": {"HTTP_PROXY": PROXY, "HTTPS_PROXY": PROXY},
    "mixed": {"Http_Proxy": PROXY},
    "all": {"ALL_PROXY": PROXY},
    "another scheme": {"ftp_proxy": PROXY},
    "bypassed": {"http_proxy": PROXY, "NO_PROXY": "api.example"},
    "bypassed by port": {"http_proxy": PROXY, "no_proxy": "api.example:8080"},
    "not bypassed": {"http_proxy": PROXY, "no_proxy": "other.example"},
    "nothing to bypass": {"no_proxy": "api.example"},
    "empty": {"http_proxy": ""},
    "cgi": {"HTTP_PROXY": PROXY, "REQUEST_METHOD": "GET"},
    "bundle": {"REQUESTS_CA_BUNDLE": "/requests.pem", "CURL_CA_BUNDLE": "/curl.pem"},
    "curl's bundle": {"REQUESTS_CA_BUNDLE": "", "CURL_CA_BUNDLE": "/curl.pem"},
    "bundle and proxy": {"REQUESTS_CA_BUNDLE": "/requests.pem", "https_proxy": PROXY},
}
ARGUMENTS: dict[str, dict[str, Any]] = {
    "none": {},
    "proxies": {"proxies": {"https": "http://own.example:1"}},
    "no_proxy": {"proxies": {"no_proxy": "api.example"}},
    "streamed": {"stream": True},
    "unverified": {"verify": False},
    "verified": {"verify": True},
    "own bundle": {"verify": "/own.pem", "cert": ("/own.crt", "/own.key")},
}
SESSIONS: dict[str, dict[str, Any]] = {
    "plain": {},
    "distrusting": {"trust_env": False},
    "own proxies": {"proxies": {"http": "http://session.example:1"}},
    "unverified": {"verify": False},
    "own cert": {"verify": "/session.pem", "cert": "/session.crt", "stream": True},
}


@pytest.fixture(autouse=True)
def _bare(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.lower().endswith(("_proxy", "_ca_bundle")):
            monkeypatch.delenv(name)


def merged(session: requests.Session, arguments: dict[str, Any]) -> dict[str, Any]:
    blank: dict[str, Any] = {"proxies": {}, "stream": None, "verify": None, "cert": None}
    given = {**blank, **arguments}
    given["proxies"] = dict(given["proxies"])
    return {**session.merge_environment_settings(URL, **given)}


def put(monkeypatch: pytest.MonkeyPatch, variables: dict[str, str]) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)


@pytest.mark.parametrize("attributes", SESSIONS.values(), ids=SESSIONS)
@pytest.mark.parametrize("arguments", ARGUMENTS.values(), ids=ARGUMENTS)
def test_settings_are_those_of_requests_as_the_environment_changes(
    monkeypatch: pytest.MonkeyPatch, arguments: dict[str, Any], attributes: dict[str, Any]
) -> None:
    ours, plain = Session(), requests.Session()
    for name, value in attributes.items():
        setattr(ours, name, value)
        setattr(plain, name, value)
    for variables in ENVIRONMENTS.values():
        for environment in (variables, {}):
            with monkeypatch.context() as patch:
                put(patch, environment)
                assert merged(ours, arguments) == merged(plain, arguments)
                assert ours.trust_env == plain.trust_env


def test_a_proxy_named_between_two_calls_is_used_and_left_again(
    monkeypatch: pytest.MonkeyPatch,
    api_clients: Configure,
    api: Handle,
    other_api: Handle,
    clients: Callers,
) -> None:
    api_clients(api={"BASE_URL": api.base_url})
    api.always("/api/x", Reply.of("directly"))
    other_api.always("/api/x", Reply.of("by proxy"))
    client = clients["api"]
    assert client.get("x").json() == "directly"
    monkeypatch.setenv("http_proxy", other_api.origin)
    assert client.get("x").json() == "by proxy"
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    assert client.get("x").json() == "directly"
    monkeypatch.delenv("NO_PROXY")
    monkeypatch.delenv("http_proxy")
    assert client.get("x").json() == "directly"


def test_a_replaced_merge_of_requests_has_its_say(monkeypatch: pytest.MonkeyPatch) -> None:
    """A known way to switch verification off everywhere; what it is worth is not our business."""
    original = requests.Session.merge_environment_settings

    def unverified(self: requests.Session, *args: Any) -> dict[str, Any]:
        return {**original(self, *args), "verify": False}

    session = Session()
    assert merged(session, {})["verify"] is True
    monkeypatch.setattr(requests.Session, "merge_environment_settings", unverified)
    assert merged(session, {})["verify"] is False


def test_where_no_variable_names_a_proxy_none_is_searched(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    searched: list[str] = []

    def search(url: str, no_proxy: str | None = None) -> dict[str, str]:
        searched.append(url)
        return {}

    monkeypatch.setattr("requests.sessions.get_environ_proxies", search)
    session = Session()
    merged(session, {})
    assert searched == []
    monkeypatch.setenv("https_proxy", PROXY)
    merged(session, {})
    assert searched == [URL]
