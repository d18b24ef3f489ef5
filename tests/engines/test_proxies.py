"""Proxies: those of the settings, of a call, and of the environment."""

import base64
import socket
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from apiclient_app import ClientError, TransportError
from tests.conftest import Configure

from .certificates import Authority
from .listening import HOST, Answer, Listen, free_port, heard, saying
from .test_tls import HELLO, encrypted
from .ways import LIBCURL, Callers

SECRET = "hunter2-hunter2"
CREDENTIALS = b"Basic " + base64.b64encode(f"jo e:{SECRET}".encode())


@pytest.fixture(autouse=True)
def _bare(monkeypatch: pytest.MonkeyPatch, api_clients: Configure) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


class Proxy:
    """Answers plain requests itself, and makes tunnels to one port."""

    def __init__(self, port: int = 0, refusal: bytes = b"") -> None:
        self.port, self.refusal = port, refusal
        self.heard: list[bytes] = []

    def __call__(self, connection: socket.socket) -> None:
        while request := heard(connection):
            self.heard.append(request)
            if self.refusal:
                connection.sendall(self.refusal)
                return
            if request.startswith(b"CONNECT "):
                connection.sendall(b"HTTP/1.1 200 Connected\r\nX-Proxy: 1\r\n\r\n")
                self.tunnel(connection)
                return
            connection.sendall(HELLO)

    def tunnel(self, connection: socket.socket) -> None:
        with socket.create_connection((HOST, self.port)) as server:
            back = threading.Thread(target=pump, args=(server, connection), daemon=True)
            back.start()
            pump(connection, server)
            back.join(5)


def pump(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while piece := source.recv(65_536):
            target.sendall(piece)
        target.shutdown(socket.SHUT_WR)


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


def test_a_plain_request_goes_to_the_proxy_whole(
    listen: Listen, api_clients: Configure, clients: Callers
) -> None:
    proxy = Proxy()
    proxies = {"http": f"http://jo%20e:{SECRET}@{HOST}:{listen(proxy)}"}
    api_clients(api={"BASE_URL": "http://api.example/v1/", "PROXIES": proxies, "TIMEOUT": 5})
    assert clients["api"].post("x?a=1", data=b"12").text == "hello"
    (request,) = proxy.heard
    assert request.startswith(b"POST http://api.example/v1/x?a=1 HTTP/1.1\r\n")
    assert b"\r\nHost: api.example\r\n" in request
    assert request.count(b"Proxy-Authorization: " + CREDENTIALS) == 1
    assert request.endswith(b"\r\n\r\n12")


def test_a_tunnel_carries_the_request_and_the_proxy_its_credentials_alone(
    listen: Listen, api_clients: Configure, clients: Callers, authority: Authority
) -> None:
    arrived: list[bytes] = []
    proxy = Proxy(listen(encrypted(authority.server("api.example"), arrived)))
    proxies = {"https": f"http://jo%20e:{SECRET}@{HOST}:{listen(proxy)}"}
    headers = {"X-Key": "the-key", "User-Agent": "shop/1"}
    api_clients(
        api={
            "BASE_URL": "https://api.example/v1/",
            "PROXIES": proxies,
            "VERIFY": str(authority.path),
            "HEADERS": headers,
            "TIMEOUT": 5,
        }
    )
    response = clients["api"].get("x")
    assert (response.text, response.status_code, response.reason) == ("hello", 200, "OK")
    assert "X-Proxy" not in response.headers
    assert proxy.heard[0].startswith(b"CONNECT api.example:443 HTTP/1.")
    assert proxy.heard[0].count(CREDENTIALS) == 1
    assert b"the-key" not in proxy.heard[0]
    assert b"Proxy-" not in arrived[0]
    assert b"\r\nX-Key: the-key\r\n" in arrived[0]


def test_who_answers_through_a_tunnel_must_be_trusted(
    listen: Listen, api_clients: Configure, clients: Callers, authority: Authority
) -> None:
    arrived: list[bytes] = []
    proxy = Proxy(listen(encrypted(authority.server("api.example"), arrived)))
    proxies = {"https": f"http://{HOST}:{listen(proxy)}"}
    api_clients(api={"BASE_URL": "https://api.example/", "PROXIES": proxies, "TIMEOUT": 5})
    with pytest.raises(TransportError, match="TLS failed") as caught:
        clients["api"].post("x", data=b"1")
    assert caught.value.sent is False
    assert arrived == []


@pytest.mark.parametrize("clients", LIBCURL, indirect=True)  # requests trusts anyone there
def test_a_proxy_that_speaks_tls_must_be_trusted_too(
    listen: Listen, api_clients: Configure, clients: Callers, authority: Authority
) -> None:
    arrived: list[bytes] = []
    port = listen(encrypted(authority.server("localhost"), arrived))
    settings = {
        "BASE_URL": "http://api.example/",
        "PROXIES": {"http": f"https://localhost:{port}"},
        "TIMEOUT": 5,
    }
    api_clients(api={**settings, "VERIFY": str(authority.path)}, stranger=settings)
    assert clients["api"].get("x").text == "hello"
    assert arrived[0].startswith(b"GET http://api.example/x ")
    with pytest.raises(TransportError) as caught:
        clients["stranger"].get("x")
    assert caught.value.sent is False


REFUSALS: dict[str, Answer] = {
    "407": Proxy(refusal=b"HTTP/1.1 407 Who are you?\r\nContent-Length: 0\r\n\r\n"),
    "403": Proxy(refusal=b"HTTP/1.1 403 No\r\nContent-Length: 5\r\n\r\nsorry"),
    "502": Proxy(refusal=b"HTTP/1.1 502 Bad Gateway\r\n\r\n"),
    "no HTTP": Proxy(refusal=b"\xff\xfe\r\n\r\n"),
    "nothing": Proxy(refusal=b" "),
    "a tunnel that ends": Proxy(refusal=b"HTTP/1.1 200 Connected\r\n\r\n"),
}


@pytest.mark.parametrize("answer", REFUSALS.values(), ids=REFUSALS)
def test_a_proxy_that_makes_no_tunnel_passed_nothing_on(
    listen: Listen, api_clients: Configure, clients: Callers, answer: Answer
) -> None:
    proxies = {"https": f"http://joe:{SECRET}@{HOST}:{listen(answer)}"}
    api_clients(api={"BASE_URL": "https://api.example/", "PROXIES": proxies, "TIMEOUT": 5})
    with pytest.raises(TransportError) as caught:
        clients["api"].post("x", data=b"1")
    if clients.way != "requests" or answer in (REFUSALS["407"], REFUSALS["403"], REFUSALS["502"]):
        assert caught.value.sent is False
    assert SECRET not in f"{caught.value} {caught.value.__cause__!r}"


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_proxy_that_is_down_passed_nothing_on(
    api_clients: Configure, clients: Callers, scheme: str
) -> None:
    proxies = {scheme: f"http://joe:{SECRET}@{HOST}:{free_port()}"}
    api_clients(api={"BASE_URL": f"{scheme}://api.example/", "PROXIES": proxies, "TIMEOUT": 5})
    with pytest.raises(TransportError, match="the proxy failed") as caught:
        clients["api"].post("x", data=b"1")
    assert caught.value.sent is False
    assert SECRET not in f"{caught.value} {caught.value.__cause__!r}"


def test_a_proxy_that_nobody_knows_passed_nothing_on(
    api_clients: Configure, clients: Callers
) -> None:
    proxies = {"http": f"http://joe:{SECRET}@nowhere.invalid:1"}
    api_clients(api={"BASE_URL": "http://api.example/", "PROXIES": proxies, "TIMEOUT": 5})
    with pytest.raises(TransportError, match="the proxy failed") as caught:
        clients["api"].post("x", data=b"1")
    assert caught.value.sent is False


def test_what_a_proxy_refuses_by_itself_is_the_answer(
    listen: Listen, api_clients: Configure, clients: Callers
) -> None:
    refusal = saying(b"HTTP/1.1 407 Who are you?\r\nContent-Length: 0\r\n\r\n")
    proxies = {"http": f"{HOST}:{listen(refusal)}"}
    api_clients(api={"BASE_URL": "http://api.example/", "PROXIES": proxies, "TIMEOUT": 5})
    with pytest.raises(ClientError, match="407 Who are you"):
        clients["api"].get("x")


def test_the_environment_names_proxies_and_exceptions(
    listen: Listen, api_clients: Configure, clients: Callers, monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy, direct = Proxy(), Proxy()
    base = f"http://{HOST}:{listen(direct)}/"
    api_clients(api={"BASE_URL": base, "TIMEOUT": 5})
    monkeypatch.setenv("http_proxy", f"http://{HOST}:{listen(proxy)}")
    clients["api"].get("by-proxy")
    monkeypatch.setenv("no_proxy", HOST)
    clients["api"].get("direct")
    monkeypatch.setenv("no_proxy", "else.example")
    clients["api"].get("by-proxy")
    clients["api"].get("by-another", proxies={"http": f"http://{HOST}:{listen(direct)}"})
    monkeypatch.delenv("http_proxy")
    clients["api"].get("direct")
    seen = [[r.split(b" ")[1].rsplit(b"/")[-1] for r in p.heard] for p in (proxy, direct)]
    assert seen == [[b"by-proxy"] * 2, [b"direct", b"by-another", b"direct"]]


def test_no_proxy_of_libcurls_own_is_used(
    listen: Listen, api_clients: Configure, clients: Callers, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It reads variables of its own accord, and would take what the settings rule out."""
    direct: Any = Proxy()
    monkeypatch.setenv("http_proxy", f"http://{HOST}:{free_port()}")
    base = f"http://{HOST}:{listen(direct)}/"
    api_clients(api={"BASE_URL": base, "PROXIES": {"no_proxy": HOST}, "TIMEOUT": 5})
    assert clients["api"].get("x").text == "hello"
