"""TIMEOUT bounds how long it takes to connect, and how long nothing comes; not the whole."""

import socket
import time
from collections.abc import Callable
from typing import Any

import pytest
from urllib3.util import Timeout

from apiclient_app import RequestTimeout, TransportError
from tests.conftest import Configure

from .listening import HOST, Answer, Listen, full, heard, saying, silent
from .ways import LIBCURL, Callers

PROMPT = 3.0  # seconds: a slow machine may take that, and the default TIMEOUT is far above
HELLO = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello"


def dripping(seconds: float, pieces: list[bytes]) -> Answer:
    def answer(connection: socket.socket) -> None:
        heard(connection)
        for piece in pieces:
            time.sleep(seconds)
            connection.sendall(piece)

    return answer


def taken(call: Callable[[], Any]) -> float:
    began = time.monotonic()
    with pytest.raises(RequestTimeout):
        call()
    return time.monotonic() - began


@pytest.fixture
def at(api_clients: Configure) -> Callable[[int], None]:
    def configure(port: int) -> None:
        api_clients(api={"BASE_URL": f"http://{HOST}:{port}/"})

    return configure


@pytest.mark.parametrize("timeout", [0.3, (5, 0.3), (None, 0.3), Timeout(5, 5, 0.3)], ids=str)
def test_a_server_that_says_nothing_is_left_in_time(
    listen: Listen, at: Callable[[int], None], clients: Callers, timeout: Any
) -> None:
    at(listen(silent))
    assert 0.25 < taken(lambda: clients["api"].get("x", timeout=timeout)) < PROMPT


def test_a_short_timeout_counts_after_a_long_one(
    listen: Listen, at: Callable[[int], None], clients: Callers
) -> None:
    answers = iter([saying(HELLO), saying(HELLO), silent, saying(HELLO), silent])

    def answer(connection: socket.socket) -> None:
        next(answers)(connection)

    at(listen(answer))
    for timeout in (60, 30):
        assert clients["api"].get("x", timeout=timeout).text == "hello"
    assert taken(lambda: clients["api"].get("x", timeout=0.1)) < PROMPT
    assert clients["api"].get("x", timeout=60).text == "hello"
    time.sleep(0.3)  # nobody waits meanwhile
    assert taken(lambda: clients["api"].get("x", timeout=0.2)) < PROMPT


def test_an_answer_that_keeps_coming_may_take_longer_than_the_timeout(
    listen: Listen, at: Callable[[int], None], clients: Callers
) -> None:
    at(listen(dripping(0.2, [HELLO[i : i + 8] for i in range(0, len(HELLO), 8)])))
    assert clients["api"].get("x", timeout=1).text == "hello"


def test_an_answer_that_stops_is_left(
    listen: Listen, at: Callable[[int], None], clients: Callers
) -> None:
    def answer(connection: socket.socket) -> None:
        connection.sendall(HELLO[:-2])
        silent(connection)

    at(listen(answer))
    began = time.monotonic()
    with pytest.raises(TransportError) as caught:
        clients["api"].get("x", timeout=0.3)
    assert time.monotonic() - began < PROMPT
    assert caught.value.sent is True


@pytest.mark.parametrize("timeout", [(0.3, 10), (0.3, None)])
def test_who_does_not_answer_the_phone_is_left_in_time_and_was_sent_nothing(
    at: Callable[[int], None], clients: Callers, timeout: Any
) -> None:
    with full() as port:
        at(port)
        began = time.monotonic()
        with pytest.raises(RequestTimeout, match="no connection within TIMEOUT") as caught:
            clients["api"].post("x", data=b"1", timeout=timeout)
        assert time.monotonic() - began < PROMPT
    assert caught.value.sent is False


@pytest.mark.parametrize("clients", LIBCURL, indirect=True)
def test_the_time_to_connect_is_not_taken_from_the_time_to_answer(
    at: Callable[[int], None], clients: Callers
) -> None:
    with full() as port:
        at(port)
        with pytest.raises(RequestTimeout, match="no connection within TIMEOUT"):
            clients["api"].get("x", timeout=(0.6, 0.1))


def test_a_time_to_connect_of_next_to_nothing_is_that(
    at: Callable[[int], None], clients: Callers
) -> None:
    with full() as port:
        at(port)
        assert taken(lambda: clients["api"].get("x", timeout=(0.0005, 5))) < PROMPT


def test_without_a_timeout_whoever_calls_waits(
    listen: Listen, at: Callable[[int], None], clients: Callers
) -> None:
    at(listen(dripping(0.6, [HELLO])))
    assert clients["api"].get("x", timeout=None).text == "hello"
    assert clients["api"].get("x", timeout=(None, None)).text == "hello"
    assert clients["api"].get("x", timeout=10**9).text == "hello"


@pytest.mark.parametrize(
    "timeout",
    [(1, 2, 3), (1,), (), -1, (1, -1), 0, (0, 1), "soon", ("1", 2), [1, 2], True, (1, True)],
    ids=repr,
)
def test_what_is_no_timeout_is_refused_and_nothing_sent(
    listen: Listen, at: Callable[[int], None], clients: Callers, timeout: Any
) -> None:
    arrived: list[bytes] = []
    at(listen(lambda connection: arrived.append(heard(connection))))
    with pytest.raises(ValueError, match="imeout"):
        clients["api"].get("x", timeout=timeout)
    assert arrived == []


@pytest.mark.parametrize("clients", LIBCURL, indirect=True)  # requests bounds a whole write
def test_an_upload_that_moves_may_take_longer_than_the_timeout(
    listen: Listen, at: Callable[[int], None], clients: Callers
) -> None:
    def slowly(connection: socket.socket) -> None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65_536)
        received = 0
        while received < 12 << 20:
            received += len(connection.recv(1 << 20))
            time.sleep(0.012)
        connection.sendall(HELLO)

    at(listen(slowly))
    assert clients["api"].post("x", data=bytes(12 << 20), timeout=(5, 1)).text == "hello"
