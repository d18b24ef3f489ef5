"""Whatever a path or a Location says: credentials go to the client's own origin alone."""

from __future__ import annotations

import socket
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from apiclient_app import CallError, ForeignOrigin, InvalidRequest
from apiclient_app import clients as handler
from tests.conftest import Configure

from .certificates import Authority
from .listening import Listen, heard
from .test_tls import encrypted
from .ways import SYNC, Callers

KEY = "a-key-of-16-chars"
KEYS = {"a header": {"key": KEY}, "a field of the query": {"key": KEY, "query": "k"}}


class Server:
    """Keeps what it is asked; with a `location`, redirects there."""

    def __init__(self, listen: Listen) -> None:
        self.heard: list[bytes] = []
        self.location = b""
        self.status = b"302 Found"
        self.port = listen(self)

    def __call__(self, connection: socket.socket) -> None:
        if connection.recv(1, socket.MSG_PEEK) == b"\x16":  # TLS
            return
        while request := heard(connection):
            self.heard.append(request)
            location, self.location = self.location, b""
            if location:
                head = b"HTTP/1.1 %b\r\nLocation: %b\r\nContent-Length: 0\r\n\r\n"
                connection.sendall(head % (self.status, location))
            else:
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

    def forget(self) -> list[bytes]:
        """Give what it was asked, and begin anew."""
        asked, self.heard = self.heard, []
        return asked

    @property
    def everything(self) -> bytes:
        return b"".join(self.heard)


# {home} and {evil} stand for host and port, {there} for the other's port.
TRICKS = {
    "another origin": "http://{evil}/x",
    "another scheme": "https://{home}/x",
    "no scheme": "//{evil}/x",
    "three slashes": "///{evil}/x",
    "four slashes": "////{evil}/x",
    "an empty host": "http:///{evil}/x",
    "one slash": "http:/{evil}/x",
    "no slash": "http:{evil}/x",
    "a scheme in capitals": "HTTP://{evil}/x",
    "backslashes": "\\\\{evil}\\x",
    "a slash and a backslash": "/\\{evil}/x",
    "a backslash and a slash": "\\/{evil}/x",
    "backslashes for slashes": "http:\\\\{evil}\\x",
    "user information": "http://{home}@{evil}/x",
    "user and password": "http://joe:{home}@{evil}/x",
    "a backslash before it": "http://{home}\\@{evil}/x",
    "an encoded slash before it": "http://{home}%2f@{evil}/x",
    "an encoded NUL before it": "http://{home}%00@{evil}/x",
    "a fragment before it": "http://{home}#@{evil}/x",
    "a query before it": "http://{home}?@{evil}/x",
    "a semicolon before it": "http://{home};@{evil}/x",
    "two of them": "http://a@{evil}@{home}/x",
    "the other way round": "http://{evil}#@{home}/x",
    "user information alone": "@{evil}/x",
    "a port alone": ":{there}/x",
    "a port after the port": "http://{home}:{there}/x",
    "a longer port": "http://{home}0/x",
    "a port with a sign": "http://127.0.0.1:+{there}/x",
    "a port in full-width digits": "http://127.0.0.1:\uff18\uff10/x",
    "a tab before": "\t//{evil}/x",
    "a tab within": "/\t/{evil}/x",
    "a tab in the scheme": "ht\ttp://{evil}/x",
    "a line feed within": "/\n/{evil}/x",
    "a blank before": " //{evil}/x",
    "a blank before a URL": " http://{evil}/x",
    "a blank that does not break": "\u00a0//{evil}/x",
    "a vertical tab before": "\x0b//{evil}/x",
    "a NUL before": "\x00//{evil}/x",
    "a byte order mark": "\ufeffhttp://{evil}/x",
    "full-width slashes": "\uff0f\uff0f{evil}/x",
    "full-width slashes of a URL": "http:\uff0f\uff0f{evil}/x",
    "a full-width colon": "http\uff1a//{evil}/x",
    "a full-width at": "http://{home}\uff20{evil}/x",
    "a fraction slash": "http://{home}\u2044@{evil}/x",
    "ideographic full stops": "http://127\u30020\u30020\u30021:{there}/x",
    "full-width digits": "http://\uff11\uff12\uff17.0.0.1:{there}/x",
    "a soft hyphen": "http://127.0.0\u00ad.1:{there}/x",
    "another spelling of the address": "http://127.1:{there}/x",
    "the address as a number": "http://2130706433:{there}/x",
    "IPv6": "http://[::ffff:127.0.0.1]:{there}/x",
    "a zone": "http://[::1%25lo]:{there}/x",
    "a zone with an at": "http://[::1%25@{evil}]:{there}/x",
    "half a bracket": "http://[::1:{there}/x",
    "brackets for nothing": "http://[{evil}]/x",
    "dots": "../../../{evil}/x",
    "encoded dots": "%2e%2e/%2e%2e/{evil}/x",
    "dots and an encoded slash": "..%2f..%2f{evil}/x",
    "dots of a URL": "http://{home}/v1/../../x",
    "encoded slashes": "%2f%2f{evil}/x",
    "encoded backslashes": "%5c%5c{evil}/x",
    "encoded twice": "%252f%252f{evil}/x",
    "another scheme yet": "ftp://{evil}/x",
    "a file": "file:///etc/passwd",
    "gopher": "gopher://{evil}/_x",
    "data": "data:text/plain,x",
    "javascript": "javascript:alert(1)",
    "a very long path": "/" + "a" * 60_000,
    "a very long host": "http://" + "a" * 60_000 + "/",
    "a lone surrogate": "\udc80//{evil}/x",
}


@pytest.fixture
def home(listen: Listen) -> Server:
    return Server(listen)


@pytest.fixture
def evil(listen: Listen) -> Server:
    return Server(listen)


def told(trick: str, home: Server, evil: Server) -> str:
    return (
        trick.replace("{home}", f"127.0.0.1:{home.port}")
        .replace("{evil}", f"127.0.0.1:{evil.port}")
        .replace("{there}", str(evil.port))
    )


def settings(home: Server, path: str = "/v1/", **options: str) -> dict[str, Any]:
    return {
        "BASE_URL": f"http://127.0.0.1:{home.port}{path}",
        "AUTH": {"BACKEND": "apiclient_app.auth.ApiKey", "OPTIONS": options or {"key": KEY}},
        "HEADERS": {"X-Auth-Tenant": KEY},
        "TIMEOUT": 5,
    }


def inside(heard: list[bytes], base: str, path: str) -> bool:
    """Whether all requests are under BASE_URL's path, unless the path was a URL of its origin."""
    under = f"GET {base.rstrip('/')}/".encode()
    return path.startswith("http://{home}") or all(each.startswith(under) for each in heard)


@pytest.mark.parametrize("base", ["", "/v1/", "/v1"])
def test_no_path_leads_to_another_origin(
    home: Server, evil: Server, api_clients: Configure, clients: Callers, base: str
) -> None:
    api_clients(shop=settings(home, base))
    client, led = clients["shop"], []
    for name, trick in TRICKS.items():
        with suppress(InvalidRequest):
            client.get(told(trick, home, evil))
        if evil.forget() or not inside(home.forget(), base, trick):
            led.append(name)
    assert led == []


def test_neither_a_download_nor_an_endpoint_nor_a_stream_leads_there(
    home: Server, evil: Server, api_clients: Configure, tmp_path: Path
) -> None:
    api_clients(shop={**settings(home), "ENDPOINTS": {"one": "GET {name}"}})
    client, led = handler["shop"], []
    ways: dict[str, Callable[[str], Any]] = {
        "download": lambda path: client.download(path, tmp_path / "file"),
        "call": lambda path: client.call("one", name=path),
        "stream": lambda path: client.get(path, stream=True).close(),
    }
    for way, call in ways.items():
        for name, trick in TRICKS.items():
            with suppress(CallError):
                call(told(trick, home, evil))
            if evil.forget() or not inside(home.forget(), "/v1", trick):
                led.append((way, name))
    assert led == []


@pytest.mark.parametrize("options", KEYS.values(), ids=KEYS)
def test_no_location_leads_credentials_to_another_origin(
    home: Server, evil: Server, api_clients: Configure, clients: Callers, options: dict[str, str]
) -> None:
    api_clients(shop=settings(home, **options))
    client, led, arrived = clients["shop"], [], 0
    for name, trick in TRICKS.items():
        location = told(trick, home, evil).replace("\n", "").encode(errors="surrogatepass")
        home.location = location.replace(b"\0", b"")
        with suppress(CallError):
            client.get("x")
        assert KEY.encode() in b"".join(home.forget())
        there = b"".join(evil.forget())
        arrived += bool(there)
        if KEY.encode() in there:
            led.append(name)
    assert led == []
    assert arrived > 10  # or else these tests would show nothing


@pytest.mark.parametrize("status", [b"301 a", b"303 a", b"307 a", b"308 a"])
@pytest.mark.parametrize("options", KEYS.values(), ids=KEYS)
def test_a_location_that_repeats_the_key_does_not_carry_it_there(
    home: Server,
    evil: Server,
    api_clients: Configure,
    clients: Callers,
    options: dict[str, str],
    status: bytes,
) -> None:
    api_clients(shop=settings(home, **options))
    query = f"k={KEY}&a=1&K=%61-key-of-16-chars".encode()
    home.location = b"http://127.0.0.1:%d/y?%b" % (evil.port, query)
    home.status = status
    clients["shop"].get("x")
    assert evil.everything.startswith(b"GET /y?")
    if "query" in options:
        assert KEY.encode() not in evil.everything
        assert b"%61-key" not in evil.everything
    assert b"x-api-key" not in evil.everything.lower()
    assert b"x-auth-tenant" not in evil.everything.lower()


@pytest.mark.parametrize("options", KEYS.values(), ids=KEYS)
def test_a_redirect_from_https_to_http_of_the_same_host_carries_nothing(
    listen: Listen,
    evil: Server,
    api_clients: Configure,
    clients: Callers,
    tmp_path: Path,
    options: dict[str, str],
) -> None:
    authority, arrived = Authority(tmp_path), list[bytes]()
    to = b"HTTP/1.1 302 Found\r\nLocation: http://localhost:%d/y\r\nContent-Length: 0\r\n\r\n"
    port = listen(encrypted(authority.server("localhost"), arrived, to % evil.port))
    config = {"BASE_URL": f"https://localhost:{port}/", "VERIFY": str(authority.path)}
    api_clients(shop={**settings(evil, **options), **config})
    clients["shop"].get("x")
    assert KEY.encode() in arrived[0]
    assert evil.everything.startswith(b"GET /y HTTP/1.1")
    assert KEY.encode() not in evil.everything


@pytest.mark.parametrize("clients", SYNC, indirect=True)
def test_a_refusal_names_the_client_and_says_that_nothing_was_sent(
    home: Server, evil: Server, api_clients: Configure, clients: Callers
) -> None:
    api_clients(shop=settings(home))
    with pytest.raises(ForeignOrigin, match=r"^shop: .* nothing was sent"):
        clients["shop"].get(f"http://127.0.0.1:{evil.port}/x")
