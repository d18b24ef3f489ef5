"""TLS: whom a client trusts, whom it refuses, and what it shows of itself."""

import shutil
import socket
import ssl
import subprocess
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from apiclient_app import InvalidRequest, TokenError, TransportError
from tests.conftest import Configure

from .certificates import Authority
from .listening import Answer, Listen, heard
from .ways import Callers

LOGIN = {"credentials": {"user": "joe"}}
HELLO = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"


@pytest.fixture(autouse=True)
def _bare(monkeypatch: pytest.MonkeyPatch, api_clients: Configure) -> None:
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "https_proxy", "HTTPS_PROXY"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


def encrypted(context: ssl.SSLContext, requests: list[bytes], reply: bytes = HELLO) -> Answer:
    """Answer all requests of a TLS connection; `requests` gets them."""

    def answer(connection: socket.socket) -> None:
        with context.wrap_socket(connection, server_side=True) as secured:
            while request := heard(secured):
                requests.append(request)
                secured.sendall(reply)

    return answer


def url(port: int, host: str = "localhost") -> str:
    return f"https://{host}:{port}/"


@pytest.mark.parametrize("name", ["localhost", "127.0.0.1"])
def test_an_authority_of_ones_own_is_trusted(
    listen: Listen, api_clients: Configure, clients: Callers, authority: Authority, name: str
) -> None:
    port = listen(encrypted(authority.server(name), []))
    api_clients(api={"BASE_URL": url(port, name), "VERIFY": str(authority.path)})
    assert clients["api"].get("x", timeout=5).text == "hello"
    assert clients["api"].post("x", timeout=5, json=1).text == "hello"


def test_an_authority_may_be_found_in_a_folder_or_in_the_environment(
    listen: Listen,
    api_clients: Configure,
    clients: Callers,
    authority: Authority,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    port = listen(encrypted(authority.server("localhost"), []))
    folder = authority.folder / "trusted"
    folder.mkdir()
    shutil.copy(authority.path, folder)
    subprocess.run(["openssl", "rehash", str(folder)], check=True)
    api_clients(folder={"BASE_URL": url(port), "VERIFY": str(folder)}, api={"BASE_URL": url(port)})
    assert clients["folder"].get("x", timeout=5).text == "hello"
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(authority.path))
    assert clients["api"].get("x", timeout=5).text == "hello"
    monkeypatch.delenv("REQUESTS_CA_BUNDLE")
    with pytest.raises(TransportError, match="TLS failed"):
        clients["api"].get("x", timeout=5)


@pytest.mark.filterwarnings("ignore::urllib3.exceptions.InsecureRequestWarning")
@pytest.mark.parametrize(
    ("name", "days", "trusted"),
    [("localhost", 1, False), ("elsewhere.example", 1, True), ("localhost", -1, True)],
    ids=["a stranger", "another host", "expired"],
)
def test_who_is_not_to_be_trusted_is_sent_nothing(
    listen: Listen,
    api_clients: Configure,
    clients: Callers,
    authority: Authority,
    name: str,
    days: int,
    trusted: bool,
) -> None:
    arrived: list[bytes] = []
    port = listen(encrypted(authority.server(name, timedelta(days=days)), arrived))
    settings: dict[str, Any] = {"VERIFY": str(authority.path)} if trusted else {}
    api_clients(api={"BASE_URL": url(port), **settings})
    with pytest.raises(TransportError, match="TLS failed") as caught:
        clients["api"].post("x", data=b"secret", timeout=5)
    assert caught.value.sent is False
    assert arrived == []
    assert clients["api"].get("x", verify=False, timeout=5).text == "hello"
    with pytest.raises(TransportError, match="TLS failed"):  # not over the connection just made
        clients["api"].post("x", data=b"secret", timeout=5)
    assert len(arrived) == 1


def test_a_folder_is_trusted_instead_of_the_usual_authorities(
    listen: Listen, api_clients: Configure, clients: Callers, authority: Authority
) -> None:
    port = listen(encrypted(authority.server("localhost"), []))
    empty = authority.folder / "empty"
    empty.mkdir()
    api_clients(api={"BASE_URL": url(port), "VERIFY": str(empty)})
    with pytest.raises(TransportError, match="TLS failed"):
        clients["api"].get("x", timeout=5)


@pytest.mark.parametrize("verify", ["", 0, b""], ids=repr)
def test_an_empty_verify_is_no_way_to_verify_nothing(
    listen: Listen, api_clients: Configure, clients: Callers, authority: Authority, verify: Any
) -> None:
    arrived: list[bytes] = []
    api_clients(api={"BASE_URL": url(listen(encrypted(authority.server("localhost"), arrived)))})
    with pytest.raises(InvalidRequest, match=r"^api: verify is empty"):
        clients["api"].get("x", verify=verify, timeout=5)
    assert arrived == []


@pytest.mark.parametrize("variable", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
def test_an_empty_variable_leaves_certificates_verified(
    listen: Listen,
    api_clients: Configure,
    clients: Callers,
    authority: Authority,
    monkeypatch: pytest.MonkeyPatch,
    variable: str,
) -> None:
    monkeypatch.setenv(variable, "")
    arrived: list[bytes] = []
    base = url(listen(encrypted(authority.server("localhost"), arrived)))
    auth = {"BACKEND": "apiclient_app.auth.Login", "OPTIONS": {"login_url": "in", **LOGIN}}
    api_clients(api={"BASE_URL": base}, login={"BASE_URL": base, "AUTH": auth})
    with pytest.raises(TransportError, match="TLS failed"):
        clients["api"].get("x", timeout=5)
    with pytest.raises(TokenError):
        clients["login"].get("x", timeout=5)
    assert arrived == []


@pytest.mark.parametrize("verify", ["/no/such/bundle.pem", "junk"])
def test_a_bundle_that_cannot_be_used_is_an_error_and_nothing_is_sent(
    listen: Listen, api_clients: Configure, clients: Callers, authority: Authority, verify: str
) -> None:
    arrived: list[bytes] = []
    port = listen(encrypted(authority.server("localhost"), arrived))
    junk = authority.folder / "junk.pem"
    junk.write_text("junk")
    bundle = str(junk) if verify == "junk" else verify
    api_clients(api={"BASE_URL": url(port), "VERIFY": bundle})
    with pytest.raises(TransportError):
        clients["api"].get("x", timeout=5)
    assert arrived == []


@pytest.mark.parametrize("parts", [1, 2])
def test_a_client_shows_its_certificate_to_who_asks(
    listen: Listen, api_clients: Configure, clients: Callers, authority: Authority, parts: int
) -> None:
    port = listen(encrypted(authority.server("localhost", clients=True), []))
    own = str(authority.issue("client"))
    trust = {"BASE_URL": url(port), "VERIFY": str(authority.path), "TIMEOUT": 5}
    cert = own if parts == 1 else (own, own)
    api_clients(known={**trust, "CERT": cert}, unknown=trust)
    assert clients["known"].get("x").text == "hello"
    with pytest.raises(TransportError):
        clients["unknown"].get("x")
    assert clients["unknown"].get("x", cert=cert).text == "hello"
    with pytest.raises(TransportError):  # the certificate was for that call alone
        clients["unknown"].get("x")


@pytest.mark.parametrize("cert", ["/no/such.pem", ("{own}", "/no/such.key")])
def test_a_certificate_that_is_not_there_is_an_error_and_nothing_is_sent(
    listen: Listen, api_clients: Configure, clients: Callers, authority: Authority, cert: Any
) -> None:
    arrived: list[bytes] = []
    port = listen(encrypted(authority.server("localhost"), arrived))
    if isinstance(cert, tuple):
        cert = (str(authority.issue("client")), cert[1])
    api_clients(api={"BASE_URL": url(port), "VERIFY": str(authority.path), "CERT": cert})
    with pytest.raises(TransportError):
        clients["api"].get("x", timeout=5)
    assert arrived == []
