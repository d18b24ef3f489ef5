"""Headers: none that is sent is two, and one that a server finds too long is reported so."""

from __future__ import annotations

import pickle
import re
import socket
from typing import Any

import pytest

from apiclient_app import StatusError, TransportError
from tests.conftest import Configure

from .listening import Answer, Listen, hanging_up, heard, resetting, saying
from .ways import Callers

TOKEN = "t0k3n" * 1_900
SIZE = len(f"Authorization: Bearer {TOKEN}\r\n")
KEYED = {"BACKEND": "apiclient_app.auth.StaticToken", "OPTIONS": {"token": TOKEN}}


def refusing(status: int) -> Answer:
    return saying(b"HTTP/1.1 %d No\r\nContent-Length: 4\r\n\r\nlong" % status)


@pytest.mark.parametrize("status", [400, 413, 431, 494])
def test_a_refusal_of_a_long_header_names_it_and_its_size(
    listen: Listen, api_clients: Configure, clients: Callers, status: int
) -> None:
    base = f"http://127.0.0.1:{listen(refusing(status))}/"
    api_clients(shop={"BASE_URL": base, "AUTH": KEYED})
    with pytest.raises(StatusError) as caught:
        clients["shop"].get("x", timeout=5)
    said = f"the Authorization header has {SIZE:,} bytes; many servers accept 8,192"
    assert str(caught.value) == f"shop: GET {base}x: {status} No ({said}): long"
    assert said in str(pickle.loads(pickle.dumps(caught.value)))


@pytest.mark.parametrize("cut", [hanging_up, resetting])
def test_a_connection_cut_after_a_long_header_names_it_and_its_size(
    listen: Listen, api_clients: Configure, clients: Callers, cut: Answer
) -> None:
    api_clients(shop={"BASE_URL": f"http://127.0.0.1:{listen(cut)}/", "AUTH": KEYED})
    with pytest.raises(TransportError) as caught:
        clients["shop"].get("x", timeout=5)
    said = f"the Authorization header has {SIZE:,} bytes; many servers accept 8,192"
    assert str(caught.value).endswith(said)
    assert "t0k3n" not in f"{caught.value}{caught.value.__cause__!r}"
    assert caught.value.sent


def test_headers_that_are_long_together_are_reported_together(
    listen: Listen, api_clients: Configure, clients: Callers
) -> None:
    sent: list[bytes] = []

    def answer(connection: socket.socket) -> None:
        sent.append(heard(connection))
        connection.sendall(b"HTTP/1.1 431 No\r\nContent-Length: 0\r\n\r\n")

    headers = {f"X-{number}": "x" * 1_000 for number in range(9)}
    base = f"http://127.0.0.1:{listen(answer)}/"
    api_clients(shop={"BASE_URL": base, "HEADERS": headers})
    with pytest.raises(StatusError) as caught:
        clients["shop"].get("x", timeout=5)
    found = re.search(r"the headers together have ([\d,]+) bytes", str(caught.value))
    assert found
    # http.client adds Host, which is not ours to measure.
    assert 0 <= len(sent[0]) - int(found[1].replace(",", "")) < 60


@pytest.mark.parametrize(
    ("answer", "token"),
    [
        (refusing(400), "short"),
        (refusing(403), TOKEN),
        (refusing(500), TOKEN),
        (hanging_up, "short"),
        (saying(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\ncut"), TOKEN),
    ],
)
def test_other_failures_say_nothing_of_headers(
    listen: Listen, api_clients: Configure, clients: Callers, answer: Answer, token: str
) -> None:
    auth: dict[str, Any] = {**KEYED, "OPTIONS": {"token": token}}
    api_clients(shop={"BASE_URL": f"http://127.0.0.1:{listen(answer)}/", "AUTH": auth})
    with pytest.raises((StatusError, TransportError)) as caught:
        clients["shop"].get("x", timeout=5)
    assert "servers accept" not in str(caught.value)


def test_what_was_not_sent_cannot_have_been_too_long(
    api_clients: Configure, clients: Callers
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    api_clients(shop={"BASE_URL": f"http://127.0.0.1:{port}/", "AUTH": KEYED})
    with pytest.raises(TransportError) as caught:
        clients["shop"].get("x", timeout=5)
    assert not caught.value.sent
    assert "servers accept" not in str(caught.value)
