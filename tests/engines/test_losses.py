"""An error of a call says whether the request may have gone out; if so, it is not repeated."""

import gc
import io
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest

from apiclient_app import InvalidRequest, TransportError
from tests.conftest import Configure

from .listening import (
    HOST,
    Listen,
    free_port,
    hanging_up,
    heard,
    resetting,
    saying,
)
from .ways import LIBCURL, Callers

HELLO = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
HALF = b"HTTP/1.1 200 OK\r\nContent-Length: 90\r\n\r\n{"


def resetting_within(connection: socket.socket) -> None:
    connection.sendall(HALF)
    resetting(connection)


LOST: dict[str, Any] = {
    "reset": resetting,
    "hung up": hanging_up,
    "half a body": saying(HALF),
    "too many headers": saying(b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 10_000 + b"\r\n"),
    "a header without end": saying(b"HTTP/1.1 200 OK\r\nA: " + b"b" * 700_000 + b"\r\n\r\n"),
    "two lengths": saying(b"HTTP/1.1 200 OK\r\nContent-Length: 2, 3\r\n\r\n{}"),
    "reset within": resetting_within,
}


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("answer", LOST.values(), ids=LOST)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_where_the_answer_is_lost_the_request_was_sent(
    listen: Listen, api_clients: Configure, clients: Callers, method: str, answer: Any
) -> None:
    api_clients(api={"BASE_URL": f"http://{HOST}:{listen(answer)}/", "TIMEOUT": 5})
    with pytest.raises(TransportError) as caught:
        clients["api"].request(method, "x", data=b"1")
    assert caught.value.sent is True
    del caught
    gc.collect()  # urllib3 leaves a file open


def test_what_found_no_host_was_not_sent(api_clients: Configure, clients: Callers) -> None:
    api_clients(api={"BASE_URL": "http://nowhere.invalid/", "TIMEOUT": 5})
    with pytest.raises(TransportError) as caught:
        clients["api"].post("x", data=b"1")
    assert caught.value.sent is False


def test_what_was_refused_was_not_sent(api_clients: Configure, clients: Callers) -> None:
    api_clients(api={"BASE_URL": f"http://{HOST}:{free_port()}/", "TIMEOUT": 5})
    with pytest.raises(TransportError) as caught:
        clients["api"].post("x", data=b"1")
    assert caught.value.sent is False


def test_what_could_not_be_built_was_not_sent(api_clients: Configure, clients: Callers) -> None:
    api_clients(api={"BASE_URL": f"http://{HOST}:{free_port()}/"})
    with pytest.raises(InvalidRequest) as caught:
        clients["api"].post("x", headers={"X": "a\nb"})
    assert caught.value.sent is False


class Fickle:
    """Answers the first request of a connection; at the next, hangs up when it has heard it."""

    def __init__(self) -> None:
        self.heard: list[bytes] = []

    def __call__(self, connection: socket.socket) -> None:
        for answer in (HELLO, b""):
            self.heard.append(heard(connection))
            connection.sendall(answer)

    def methods(self) -> list[bytes]:
        return [request.partition(b" ")[0] for request in self.heard if request]


def pieces() -> Any:
    yield b"1"


BODIES: dict[str, Callable[[], Any]] = {
    "bytes": lambda: b"1",
    "text": lambda: "1",
    "none": lambda: None,
    "a file": lambda: io.BytesIO(b"1"),
    "an empty file": io.BytesIO,
    "pieces": pieces,
    "no pieces": lambda: iter(()),
    "much": lambda: bytes(3 << 20),
}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
@pytest.mark.parametrize("method", ["POST", "PATCH", "PURGE"])
def test_what_may_not_be_repeated_is_not_sent_twice_where_a_kept_connection_ends(
    listen: Listen,
    api_clients: Configure,
    clients: Callers,
    body: Callable[[], Any],
    method: str,
) -> None:
    server = Fickle()
    api_clients(api={"BASE_URL": f"http://{HOST}:{listen(server)}/", "TIMEOUT": 5})
    assert clients["api"].get("x").text == "hello"
    with suppress(TransportError):  # or it went over a connection of its own
        clients["api"].request(method, "x", data=body())
    assert server.methods() == [b"GET", method.encode()]


@pytest.mark.parametrize("clients", LIBCURL, indirect=True)
@pytest.mark.parametrize("body", [None, b"1", bytes(3 << 20)], ids=["none", "bytes", "much"])
@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_what_may_be_repeated_is_sent_again_where_a_kept_connection_ends(
    listen: Listen, api_clients: Configure, clients: Callers, method: str, body: bytes | None
) -> None:
    server = Fickle()
    api_clients(api={"BASE_URL": f"http://{HOST}:{listen(server)}/", "TIMEOUT": 5})
    assert clients["api"].get("x").text == "hello"
    assert clients["api"].request(method, "x", data=body).text == "hello"
    assert server.methods() == [b"GET", method.encode(), method.encode()]
    assert server.heard[1] == server.heard[2]


@pytest.mark.parametrize("clients", LIBCURL, indirect=True)
def test_what_was_sent_once_and_found_nobody_the_second_time_was_sent(
    api_clients: Configure, clients: Callers
) -> None:
    with socket.create_server((HOST, 0)) as listener:

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                heard(connection)
                connection.sendall(HELLO)
                heard(connection)
                listener.shutdown(socket.SHUT_RDWR)
                listener.close()

        thread = threading.Thread(target=serve)
        thread.start()
        api_clients(api={"BASE_URL": f"http://{HOST}:{listener.getsockname()[1]}/", "TIMEOUT": 5})
        assert clients["api"].get("x").text == "hello"
        with pytest.raises(TransportError) as caught:
            clients["api"].delete("x")
        thread.join()
    assert caught.value.sent is True
