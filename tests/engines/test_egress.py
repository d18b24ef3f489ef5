"""Credentials go to the configured origin, and nowhere else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import requests
from pytest_django import Settings
from requests.adapters import HTTPAdapter

from apiclient_app import TokenError
from apiclient_app.auth import AuthBackend, TokenRequest
from tests.conftest import Configure
from tests.engines.ways import Callers
from tests.servers import Handle
from tests.servers.http import Reply

KEY = "a-key-of-16-chars"


def key_client(api: Handle, **options: Any) -> dict[str, Any]:
    return {
        "BASE_URL": api.base_url,
        "AUTH": {"BACKEND": "apiclient_app.auth.ApiKey", "OPTIONS": {"key": KEY, **options}},
    }


def texts(handle: Handle) -> str:
    """Everything the server was sent, but for the bodies."""
    return repr([(r["method"], r["path"], r["query"], r["headers"]) for r in handle.requests])


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_redirect_to_another_host_takes_no_bearer_token_along(
    api: Handle,
    other_api: Handle,
    api_clients: Configure,
    status: int,
    method: str,
    clients: Callers,
) -> None:
    api_clients(api=api.config())
    other_api.set(open=True)
    response = clients["api"].request(
        method,
        "redirect",
        params={"to": f"{other_api.base_url}echo", "status": status},
        data=b"body" if method == "POST" else None,
        headers={"X-Auth-Tenant": "one", "Accept": "application/json"},
    )
    arrived = response.json()["headers"]
    assert "authorization" not in arrived
    assert "x-auth-tenant" not in arrived
    assert arrived["accept"] == "application/json"
    assert "Bearer" not in texts(other_api)
    assert len(response.history) == 1


@pytest.mark.parametrize("status", [302, 307])
@pytest.mark.parametrize("options", [{}, {"query": "k"}])
def test_a_redirect_to_another_host_takes_no_api_key_along(
    api: Handle,
    other_api: Handle,
    api_clients: Configure,
    status: int,
    options: dict[str, str],
    clients: Callers,
) -> None:
    api_clients(api=key_client(api, **options))
    api.set(open=True)
    other_api.set(open=True)
    to = f"{other_api.base_url}echo"
    response = clients["api"].get("redirect", params={"to": to, "status": status})
    assert response.url == to
    assert KEY not in texts(other_api)
    assert KEY in texts(api)


@pytest.mark.parametrize("options", [{}, {"query": "k"}])
def test_a_redirect_that_stays_at_home_is_signed_anew(
    api: Handle, api_clients: Configure, options: dict[str, str], clients: Callers
) -> None:
    api_clients(api=key_client(api, **options))
    api.set(open=True)
    arrived = clients["api"].get("redirect", params={"to": "/api/echo"}).json()
    sent = arrived["query"].get("k") if options else arrived["headers"].get("x-api-key")
    assert sent == KEY


def test_a_way_home_again_from_another_host_is_signed_again(
    api: Handle, other_api: Handle, api_clients: Configure, clients: Callers
) -> None:
    api_clients(api=key_client(api))
    api.set(open=True)
    other_api.set(open=True)
    back = f"{other_api.base_url}redirect?to={api.base_url}echo"
    arrived = clients["api"].get("redirect", params={"to": back}).json()
    assert arrived["headers"]["x-api-key"] == KEY
    assert KEY not in texts(other_api)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_token_endpoint_that_redirects_sends_no_secret_on(
    api: Handle, other_api: Handle, api_clients: Configure, status: int, clients: Callers
) -> None:
    api_clients(api=api.config(OPTIONS={"client_auth": "client_secret_post"}))
    api.always("/token", Reply(status, headers={"Location": other_api.token_url}))
    with pytest.raises(TokenError, match="final URL"):
        clients["api"].get("echo")
    assert other_api.requests == []


@pytest.fixture
def _netrc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / ".netrc"
    file.write_text("default login netrc-user password netrc-password\n")
    file.chmod(0o600)
    monkeypatch.setenv("NETRC", str(file))
    monkeypatch.setenv("HOME", str(tmp_path))


@pytest.mark.usefixtures("_netrc")
def test_the_netrc_of_these_tests_would_override_a_header() -> None:
    session = requests.Session()
    request = requests.Request("GET", "http://x.example/", headers={"Authorization": "Bearer x"})
    prepared = session.prepare_request(request)
    assert str(prepared.headers["Authorization"]).startswith("Basic")


@pytest.mark.usefixtures("_netrc")
@pytest.mark.parametrize("path", ["echo", "redirect?to=/api/echo"])
def test_a_netrc_does_not_override_the_token(
    api: Handle, api_clients: Configure, path: str, clients: Callers
) -> None:
    api_clients(api=api.config(OPTIONS={"client_auth": "client_secret_post"}))
    assert clients["api"].get(path).json()["headers"]["authorization"].startswith("Bearer ")
    asked = [r for r in api.requests if r["path"] == "/token"]
    assert ["authorization" in r["headers"] for r in asked] == [False]


@pytest.mark.usefixtures("_netrc")
@pytest.mark.parametrize("path", ["echo", "redirect?to=/api/echo"])
def test_a_netrc_adds_nothing_beside_an_api_key(
    api: Handle, api_clients: Configure, path: str, clients: Callers
) -> None:
    api_clients(api=key_client(api))
    api.set(open=True)
    assert "authorization" not in clients["api"].get(path).json()["headers"]


class CountingAdapter(HTTPAdapter):
    sent = 0

    def send(self, *args: Any, **kwargs: Any) -> requests.Response:
        type(self).sent += 1
        return super().send(*args, **kwargs)


def own_session() -> requests.Session:
    session = requests.Session()
    session.mount("http://", CountingAdapter())
    session.headers["X-Own"] = "yes"
    session.cookies.set("flavour", "oat")
    session.hooks["response"].append(mark)
    return session


def mark(response: requests.Response, *_: Any, **__: Any) -> None:
    response.headers["X-Marked"] = "by a hook"


def test_a_users_own_session_is_used_with_adapter_headers_cookies_and_hooks(
    api: Handle, api_clients: Configure, clients: Callers
) -> None:
    api_clients(api=api.config(SESSION=f"{__name__}.own_session"))
    CountingAdapter.sent = 0
    response = clients["api"].get("echo")
    arrived = response.json()["headers"]
    assert arrived["x-own"] == "yes"
    assert arrived["cookie"] == "flavour=oat"
    assert response.headers["X-Marked"] == "by a hook"
    assert CountingAdapter.sent == 2  # the token request, through the same adapter, and the call
    asked = next(r for r in api.requests if r["path"] == "/token")
    assert "cookie" not in asked["headers"]


def test_a_users_own_session_loses_credentials_on_the_way_out_too(
    api: Handle, other_api: Handle, api_clients: Configure, clients: Callers
) -> None:
    api_clients(api={**key_client(api), "SESSION": f"{__name__}.own_session"})
    api.set(open=True)
    other_api.set(open=True)
    clients["api"].get("redirect", params={"to": f"{other_api.base_url}echo", "status": 307})
    assert KEY not in texts(other_api)
    assert KEY in texts(api)


def test_plain_http_off_this_machine_is_refused_before_anything_is_sent(
    settings: Settings, clients: Callers
) -> None:
    from apiclient_app import InvalidConfiguration

    settings.API_CLIENTS = {
        "api": {
            "BASE_URL": "http://api.example/",
            "AUTH": {"BACKEND": "apiclient_app.auth.ApiKey", "OPTIONS": {"key": KEY}},
        }
    }
    with pytest.raises(InvalidConfiguration, match="ALLOW_HTTP"):
        clients["api"].get("x")


class Wandering(AuthBackend):
    """Asks where no option says."""

    def token_request(self) -> TokenRequest:
        return TokenRequest("POST", "http://id.example/token", form={"secret": KEY})


def test_a_token_request_over_plain_http_is_not_sent(
    api: Handle, api_clients: Configure, clients: Callers
) -> None:
    proxies = {"http": api.base_url}  # which would hear it, too
    api_clients(api={**key_client(api), "AUTH": {"BACKEND": Wandering}, "PROXIES": proxies})
    with pytest.raises(TokenError, match=r"plain http to id\.example"):
        clients["api"].get("x")
    assert api.requests == []
