"""Credentials go over https, or stay on this machine."""

from __future__ import annotations

from typing import Any

import pytest

from apiclient_app import InvalidConfiguration, clients
from apiclient_app.auth import AuthBackend
from tests.conftest import Configure

KEY = {"BACKEND": "apiclient_app.auth.ApiKey", "OPTIONS": {"key": "a-key-of-16-chars"}}
OAUTH = {"client_id": "app", "client_secret": "s3cr3t-s3cr3t"}
SAFE = "https://api.example/v1/"


class Bare(AuthBackend):
    """Signs with what it finds elsewhere."""

    def sign(self, request: Any, token: Any) -> None:
        request.headers["X-Bare"] = "s3cr3t"


class Door(AuthBackend):
    def __init__(self, *, url: str) -> None:
        self.url = url


def oauth(**options: Any) -> dict[str, Any]:
    return {
        "BACKEND": "apiclient_app.auth.ClientCredentials",
        "OPTIONS": {**OAUTH, "token_url": "token", **options},
    }


def login(**options: Any) -> dict[str, Any]:
    given = {"login_url": "login", "credentials": {"user": "joe"}, **options}
    return {"BACKEND": "apiclient_app.auth.Login", "OPTIONS": given}


HERE = [
    "localhost",
    "LOCALHOST",
    "api.localhost",
    "a.b.localhost:8000",
    "127.0.0.1",
    "127.0.0.1:8000",
    "127.8.9.10",
    "127.255.255.254",
    "[::1]",
    "[::1]:8000",
    "[0:0:0:0:0:0:0:1]",
]
AWAY = [
    "127.0.0.1.evil.example",
    "127.0.0.1.nip.io",
    "localhost.evil.example",
    "localhost.",
    "evillocalhost",
    "api.localhost.",
    "localhost%00.evil.example",
    "127.1",
    "2130706433",
    "0x7f.0.0.1",
    "0177.0.0.1",
    "128.0.0.1",
    "0.0.0.0",
    "[::]",
    "[::2]",
    "[fe80::1%25eth0]",
    "10.0.0.1",
    "api.example",
    "api.example:443",
    "\uff11\uff12\uff17.0.0.1",
    "127\u30020.0.1",
]


@pytest.mark.parametrize("host", HERE)
def test_this_machine_may_be_called_over_plain_http(api_clients: Configure, host: str) -> None:
    api_clients(
        shop={"BASE_URL": f"http://{host}/", "AUTH": KEY},
        oauth={"BASE_URL": f"http://{host}/", "AUTH": oauth(revocation_url="/revoke")},
    )
    assert clients["shop"].alias == "shop"
    assert clients["oauth"].alias == "oauth"


@pytest.mark.parametrize("host", AWAY)
def test_another_machine_may_not(api_clients: Configure, host: str) -> None:
    api_clients(shop={"BASE_URL": f"http://{host}/", "AUTH": KEY})
    with pytest.raises(InvalidConfiguration, match=r"BASE_URL'\] would send .* over plain http"):
        clients["shop"]
    api_clients(shop={"BASE_URL": f"http://{host}/", "AUTH": KEY, "ALLOW_HTTP": True})
    assert clients["shop"].alias == "shop"


IN_CLEAR: dict[str, tuple[dict[str, Any], str]] = {
    "token_url": (oauth(token_url="http://id.example/token"), "token_url"),
    "in capitals": (oauth(token_url="HTTP://ID.EXAMPLE/token"), "token_url"),
    "revocation_url": (oauth(revocation_url="http://id.example/revoke"), "revocation_url"),
    "login_url": (login(login_url="http://id.example/login"), "login_url"),
    "refresh_url": (login(refresh_url="http://id.example/login"), "refresh_url"),
    "a backend's own": ({"BACKEND": Door, "OPTIONS": {"url": "http://id.example/"}}, "url"),
}


@pytest.mark.parametrize(("auth", "option"), IN_CLEAR.values(), ids=IN_CLEAR)
def test_an_endpoint_over_plain_http_is_named(
    api_clients: Configure, auth: dict[str, Any], option: str
) -> None:
    api_clients(shop={"BASE_URL": SAFE, "AUTH": auth})
    with pytest.raises(InvalidConfiguration, match=rf"'{option}'\] would .* to id\.example\."):
        clients["shop"]


@pytest.mark.parametrize("url", ["/token", "token", "//id.localhost/token", "../token"])
def test_an_endpoint_is_as_safe_as_the_url_it_is_relative_to(
    api_clients: Configure, url: str
) -> None:
    auth = oauth(token_url=url, revocation_url=url)
    api_clients(shop={"BASE_URL": SAFE, "AUTH": auth})
    assert clients["shop"].alias == "shop"
    api_clients(shop={"BASE_URL": "http://api.example/v1/", "AUTH": auth})
    with pytest.raises(InvalidConfiguration, match="over plain http"):
        clients["shop"]


CARRYING: dict[str, dict[str, Any]] = {
    "a backend without options": {"AUTH": {"BACKEND": Bare}},
    "a header of the settings": {"HEADERS": {"Authorization": "Bearer s3cr3t"}},
    "another": {"HEADERS": {"X-Api-Key": "s3cr3t"}},
}


@pytest.mark.parametrize("carrying", CARRYING.values(), ids=CARRYING)
def test_whatever_carries_credentials_counts(
    api_clients: Configure, carrying: dict[str, Any]
) -> None:
    api_clients(shop={"BASE_URL": "http://api.example/", **carrying})
    with pytest.raises(InvalidConfiguration, match="over plain http") as caught:
        clients["shop"]
    assert "s3cr3t" not in str(caught.value)


def test_without_credentials_plain_http_is_nobodys_business(api_clients: Configure) -> None:
    api_clients(shop={"BASE_URL": "http://api.example/", "HEADERS": {"User-Agent": "shop"}})
    assert clients["shop"].alias == "shop"


def test_a_proxy_may_be_plain(api_clients: Configure) -> None:
    proxies = {"https": "http://proxy.example:3128"}
    api_clients(shop={"BASE_URL": SAFE, "AUTH": KEY, "PROXIES": proxies})
    assert clients["shop"].alias == "shop"


@pytest.mark.parametrize("option", ["token_url", "revocation_url"])
@pytest.mark.parametrize(
    "url",
    [
        "ftp://id.example/token",
        "file:///etc/passwd",
        "https://id.example:0/token",
        "https://id.example:port/token",
        "https://[::1/token",
        "https://joe:hunter2@id.example/token",
        "https://id.example\\@evil.example/token",
        "https://id.example/to ken",
        "https://id.example/token\r\nHost: evil.example",
        "https://id.example\x7f/token",
        "\\\\evil.example/token",
    ],
)
def test_an_endpoint_that_could_be_another_is_refused(
    api_clients: Configure, option: str, url: str
) -> None:
    api_clients(shop={"BASE_URL": SAFE, "AUTH": oauth(**{option: url})})
    with pytest.raises(InvalidConfiguration, match=rf"'{option}'\] is not an http or https URL"):
        clients["shop"]
    with pytest.raises(InvalidConfiguration) as caught:
        clients["shop"]
    assert "hunter2" not in str(caught.value)
