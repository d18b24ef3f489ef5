"""An error of the token endpoint says whether the request may have left this machine.

A refresh token of one use is as it was only where it is certain that it was not sent.
"""

from __future__ import annotations

import gc
import socket
import ssl
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from apiclient_app import InvalidRequest, RequestTimeout, TransportError, clients
from apiclient_app.auth import TokenRequest
from apiclient_app.exceptions import CallError
from tests.conftest import Configure

from .listening import (
    HOST,
    Answer,
    Listen,
    free_port,
    full,
    hanging_up,
    resetting,
    saying,
    silent,
)


def error_of(port: int, scheme: str = "http", host: str = HOST) -> CallError:
    """Ask at this port; give the error that comes of it."""
    request = TokenRequest(
        "POST", f"{scheme}://{host}:{port}/token", form={"refresh_token": "once"}
    )
    with pytest.raises(CallError) as caught:
        clients["api"].rooms.engine.ask(request)
    return caught.value


@pytest.fixture
def configured(api_clients: Configure) -> Configure:
    def configure(**settings: object) -> None:
        api_clients(api={"BASE_URL": f"http://{HOST}/", "TOKEN_TIMEOUT": 5, **settings})

    configure()
    return configure


def test_a_refused_connection_sent_nothing(configured: Configure) -> None:
    assert error_of(free_port()).sent is False


def test_a_host_that_nobody_knows_was_sent_nothing(configured: Configure) -> None:
    assert error_of(443, "https", "nowhere.invalid").sent is False


@pytest.mark.parametrize("timeout", [30, (30, 30), (0.3, 30), (None, 30)])
def test_no_connection_in_time_sent_nothing(configured: Configure, timeout: object) -> None:
    configured(TIMEOUT=timeout, TOKEN_TIMEOUT=0.6)
    with full() as port:
        error = error_of(port)
    assert isinstance(error, RequestTimeout)
    assert error.sent is False


def test_a_certificate_that_is_not_trusted_was_sent_nothing(
    configured: Configure, listen: Listen, tmp_path: Path
) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(self_signed(tmp_path))

    def shake_hands(connection: socket.socket) -> None:
        context.wrap_socket(connection, server_side=True)

    error = error_of(listen(shake_hands), "https", "localhost")
    assert "certificate" in str(error).lower()
    assert error.sent is False


def self_signed(folder: Path) -> Path:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    plain = serialization.NoEncryption()
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain)
    path = folder / "server.pem"
    path.write_bytes(private + certificate.public_bytes(pem))
    return path


@pytest.mark.parametrize("status", [403, 407, 502])
def test_a_proxy_that_makes_no_tunnel_passed_nothing_on(
    configured: Configure, listen: Listen, status: int
) -> None:
    def refuse(connection: socket.socket) -> None:
        assert connection.recv(65536).startswith(b"CONNECT ")
        connection.sendall(b"HTTP/1.1 %d No\r\nContent-Length: 0\r\n\r\n" % status)

    configured(PROXIES={"https": f"http://{HOST}:{listen(refuse)}"})
    assert error_of(443, "https", "provider.example").sent is False


def test_a_proxy_that_is_down_passed_nothing_on(configured: Configure) -> None:
    configured(PROXIES={"https": f"http://{HOST}:{free_port()}"})
    assert error_of(443, "https", "provider.example").sent is False


def test_what_comes_too_late_to_be_sent_is_not_sent(configured: Configure, listen: Listen) -> None:
    request = TokenRequest("POST", f"http://{HOST}:{listen(hanging_up)}/token")
    with pytest.raises(TransportError, match="too late") as caught:
        clients["api"].rooms.engine.ask(request, time.time() - 1)
    assert caught.value.sent is False


def test_a_request_that_cannot_be_built_is_not_sent(configured: Configure) -> None:
    request = TokenRequest("POST", f"http://{HOST}:{free_port()}/", headers={"X": "a\nb"})
    with pytest.raises(InvalidRequest) as caught:
        clients["api"].rooms.engine.ask(request)
    assert caught.value.sent is False


HALF = b"HTTP/1.1 200 OK\r\nContent-Length: 90\r\n\r\n{"
LOST: dict[str, Answer] = {
    "reset": resetting,
    "hung up": hanging_up,
    "half a body": saying(HALF),
    "half a chunk": saying(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nff\r\n{"),
    "no chunk": saying(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\xff\xfe\r\n"),
    "no HTTP": saying(b"\xff\xfe\r\n\r\n"),
    "words that could be a proxy's": saying(b"Tunnel connection failed: 403\r\n\r\n"),
    "not gzip": saying(
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}"
    ),
    "too many headers": saying(b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 200 + b"\r\n"),
    "a header without end": saying(b"HTTP/1.1 200 OK\r\nA: " + b"b" * 70_000 + b"\r\n\r\n"),
    "too long": saying(b"HTTP/1.1 200 OK\r\n\r\n" + b" " * (1 << 21)),
}


@pytest.mark.parametrize("answer", LOST.values(), ids=LOST)
def test_where_the_reply_is_lost_the_request_was_sent(
    configured: Configure, listen: Listen, answer: Answer
) -> None:
    error = error_of(listen(answer))
    assert isinstance(error, TransportError)
    assert error.sent is True


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_reply_that_says_two_lengths_is_lost_too(configured: Configure, listen: Listen) -> None:
    error = error_of(listen(saying(b"HTTP/1.1 200 OK\r\nContent-Length: 2, 3\r\n\r\n{}")))
    assert isinstance(error, TransportError)
    assert error.sent is True
    del error
    gc.collect()  # urllib3 leaves a file open, of which Python complains sooner or later


def test_no_reply_in_time_was_sent(configured: Configure, listen: Listen) -> None:
    configured(TOKEN_TIMEOUT=0.3)
    error = error_of(listen(silent))
    assert isinstance(error, RequestTimeout)
    assert error.sent is True


EARLIER = {
    "refused": ConnectionRefusedError(111, "refused"),
    "no connection": requests.ConnectTimeout("no connection"),
    "no text": UnicodeDecodeError("ascii", b"\xff", 0, 1, "no text"),
}


@pytest.mark.parametrize("earlier", EARLIER.values(), ids=EARLIER)
def test_what_a_caller_is_just_handling_says_nothing_of_what_was_sent(
    configured: Configure, listen: Listen, earlier: Exception
) -> None:
    port = listen(resetting)
    try:
        raise earlier
    except type(earlier):  # as callers do who try one API, and then another
        error = error_of(port)
    assert error.sent is True
