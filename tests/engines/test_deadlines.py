"""A deadline bounds the whole call: whatever it waits for, and however that drips."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
import requests
import urllib3
from django.core.cache import caches

from apiclient_app import (
    Call,
    DeadlineExceeded,
    InvalidRequest,
    RateLimited,
    RequestTimeout,
    ServerError,
)
from apiclient_app import clients as handler
from apiclient_app.deadlines import Deadline
from apiclient_app.engines.connections import Errands, noting
from tests.conftest import Configure
from tests.servers import Handle, Reply

from .listening import HOST, Answer, Listen, full, heard, saying, silent
from .ways import Callers

SHORT, PROMPT = 0.4, 2.0  # seconds: what a call has, and what a slow machine may make of it
HEAD = b"HTTP/1.1 200 OK\r\n"


class Own(requests.Session):
    """A Session of the user's."""


def dripping(head: bytes, drop: bytes) -> Answer:
    """Say something, and then one more thing every tenth of a second, for ten seconds."""

    def answer(connection: socket.socket) -> None:
        heard(connection)
        connection.sendall(head)
        for _ in range(100):
            time.sleep(0.1)
            connection.sendall(drop)

    return answer


DRIPS = {
    "nothing": silent,
    "head": dripping(HEAD, b"X-A: b\r\n"),
    "line": dripping(b"HTTP/1.1 200 O", b"K"),
    "body": dripping(HEAD + b"Content-Length: 1000\r\n\r\n", b"."),
    "chunks": dripping(HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\n.\r\n"),
    "body without end": dripping(HEAD + b"\r\n", b"."),
    "redirects": dripping(HEAD.replace(b"200 OK", b"302 Found"), b"X-A: b\r\n"),
}


def late(call: Callable[[], Any]) -> DeadlineExceeded:
    """Give the error of a call that must end at its deadline."""
    began = time.monotonic()
    with pytest.raises(DeadlineExceeded) as caught:
        call()
    assert SHORT * 0.8 < time.monotonic() - began < PROMPT
    return caught.value


@pytest.mark.parametrize("drip", DRIPS)
def test_no_server_holds_a_call_beyond_its_deadline(
    listen: Listen, api_clients: Configure, clients: Callers, drip: str
) -> None:
    api_clients(api={"BASE_URL": f"http://{HOST}:{listen(DRIPS[drip])}/"})
    error = late(lambda: clients["api"].get("x", deadline=SHORT))
    assert isinstance(error, RequestTimeout)
    assert error.sent is True
    assert "not done by its deadline (0.4 s)" in str(error)
    assert (error.alias, error.method) == ("api", "GET")


@pytest.mark.parametrize("drip", ["nothing", "body", "body without end"])
def test_nor_one_that_a_session_of_the_users_calls(
    listen: Listen, api_clients: Configure, drip: str
) -> None:
    port = listen(DRIPS[drip])
    api_clients(api={"BASE_URL": f"http://{HOST}:{port}/", "SESSION": Own})
    late(lambda: handler["api"].get("x", deadline=SHORT))
    late(lambda: asyncio.run(handler["api"].aget("x", deadline=SHORT)))
    late(lambda: list(handler["api"].map([Call("GET", "x", deadline=SHORT)])))


def test_the_setting_is_for_every_call_and_an_argument_for_one(
    listen: Listen, api_clients: Configure, clients: Callers
) -> None:
    api_clients(api={"BASE_URL": f"http://{HOST}:{listen(silent)}/", "DEADLINE": SHORT})
    late(lambda: clients["api"].get("x"))
    with pytest.raises(RequestTimeout) as caught:
        clients["api"].get("x", deadline=None, timeout=0.1)
    assert not isinstance(caught.value, DeadlineExceeded)


def test_a_shorter_timeout_still_counts(
    listen: Listen, api_clients: Configure, clients: Callers
) -> None:
    api_clients(api={"BASE_URL": f"http://{HOST}:{listen(silent)}/", "DEADLINE": 30})
    with pytest.raises(RequestTimeout) as caught:
        clients["api"].get("x", timeout=0.1)
    assert not isinstance(caught.value, DeadlineExceeded)


def test_who_is_in_time_notices_nothing(
    listen: Listen, api_clients: Configure, clients: Callers
) -> None:
    hello = HEAD + b"Content-Length: 5\r\n\r\nhello"
    api_clients(api={"BASE_URL": f"http://{HOST}:{listen(saying(hello))}/"})
    for deadline in (30, 0.001, 30, None, 30):
        try:
            assert clients["api"].get("x", deadline=deadline).text == "hello"
        except DeadlineExceeded:
            assert deadline == 0.001


def test_a_deadline_counts_over_redirects(
    listen: Listen, api_clients: Configure, clients: Callers
) -> None:
    def answer(connection: socket.socket) -> None:
        heard(connection)
        time.sleep(0.15)
        connection.sendall(
            b"HTTP/1.1 302 Found\r\nLocation: x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        )

    api_clients(api={"BASE_URL": f"http://{HOST}:{listen(answer)}/"})
    late(lambda: clients["api"].get("x", deadline=SHORT))


def test_a_token_that_comes_too_late_is_kept_for_the_next(
    api: Handle, api_clients: Configure, clients: Callers
) -> None:
    api.set(token_delay=1.0)
    api_clients(api=api.config())
    error = late(lambda: clients["api"].get("echo", deadline=SHORT))
    assert error.sent is False
    assert clients["api"].get("echo", deadline=10).status_code == 200
    assert len(api.token_requests) == 1


def test_who_waits_for_anothers_token_waits_no_longer(
    api: Handle, api_clients: Configure, clients: Callers
) -> None:
    api.set(token_delay=1.0)
    api_clients(api=api.config())
    first = threading.Thread(target=handler["api"].get, args=("echo",))
    first.start()
    while not handler["api"].memory.asking:
        time.sleep(0.01)
    late(lambda: clients["api"].get("echo", deadline=SHORT))
    first.join()
    assert len(api.token_requests) == 1


def test_a_replay_has_what_is_left(api: Handle, api_clients: Configure, clients: Callers) -> None:
    api_clients(api=api.config())
    clients["api"].get("echo")
    api.expire_all()
    api.script("/api/echo", Reply(status=401), Reply(style="hang"))
    late(lambda: clients["api"].get("echo", deadline=SHORT))


@pytest.mark.parametrize("before", [True, False])
def test_a_replay_that_has_no_time_left_takes_nothing_back(
    api_clients: Configure, before: bool
) -> None:
    api_clients(api={"BASE_URL": f"http://{HOST}/"})
    engine, deadline = handler["api"].rooms.engine, Deadline(0.001)
    outgoing = engine.prepare("POST", f"http://{HOST}/", {})._replace(deadline=deadline)
    if before:
        deadline.sending()
    deadline.until = 0.0
    with pytest.raises(DeadlineExceeded) as caught:
        engine.send(outgoing, None)
    assert caught.value.sent is before


def test_what_was_connected_too_late_is_not_sent(
    listen: Listen, api_clients: Configure, monkeypatch: pytest.MonkeyPatch
) -> None:
    arrived: list[bytes] = []

    def answer(connection: socket.socket) -> None:
        arrived.append(heard(connection))

    port, found = listen(answer), socket.getaddrinfo
    api_clients(api={"BASE_URL": f"http://api.example:{port}/"})
    with full() as hole:

        def two_addresses(host: str, *how: Any, **options: Any) -> Any:
            ports = (hole, port) if host == "api.example" else ()
            return [found(HOST, each, *how[1:], **options)[0] for each in ports]

        def slowly(host: str, *how: Any, **options: Any) -> Any:
            time.sleep(1.5 * SHORT)
            return found(HOST, *how, **options)

        for resolve in (two_addresses, slowly):
            monkeypatch.setattr(socket, "getaddrinfo", resolve)
            error = late(lambda: handler["api"].post("x", deadline=SHORT))
            assert error.sent is False
    assert b"".join(arrived) == b""


def test_what_is_cut_off_before_it_has_its_connection_is_not_sent_over_a_kept_one(
    listen: Listen,
) -> None:
    arrived: list[bytes] = []
    port, errands = listen(lambda connection: arrived.append(heard(connection))), Errands()
    connection = noting(urllib3.connection.HTTPConnection, errands)(HOST, port)
    connection.connect()
    errands.begin().cut()
    with pytest.raises(urllib3.exceptions.ConnectTimeoutError):
        connection.request("POST", "/")
    connection.close()
    assert b"".join(arrived) == b""


def test_a_proxy_that_takes_its_time_to_make_a_tunnel_is_cut_off(
    listen: Listen, api_clients: Configure, clients: Callers
) -> None:
    proxy = f"http://{HOST}:{listen(DRIPS['head'])}"
    api_clients(api={"BASE_URL": "https://api.example/", "PROXIES": {"https": proxy}})
    late(lambda: clients["api"].post("x", deadline=SHORT))


def test_retries_end_with_it(api: Handle, api_clients: Configure, clients: Callers) -> None:
    api_clients(api=api.config(RETRY={"attempts": 50, "backoff": 0.05, "longest": 0.05}))
    api.script("/api/echo", *[Reply(status=503, delay=0.05)] * 50)
    began = time.monotonic()
    with pytest.raises((ServerError, DeadlineExceeded)):  # before or in the middle of another
        clients["api"].get("echo", deadline=SHORT)
    assert time.monotonic() - began < PROMPT
    assert api.count(503) < 20


def test_one_of_many_that_is_late_takes_no_other_along(
    api: Handle, api_clients: Configure
) -> None:
    api_clients(api=api.config())
    api.script("/api/echo", Reply(style="hang"))
    calls = [Call("GET", "echo", deadline=SHORT), *["items/1"] * 20]
    first, *others = handler["api"].map(calls, return_exceptions=True)
    assert isinstance(first, DeadlineExceeded)
    assert {each.status_code for each in others} == {200}
    assert len(others) == 20


def test_many_that_wait_for_their_turn_have_their_time_from_then_on(
    api: Handle, api_clients: Configure
) -> None:
    api_clients(api=api.config(RATE_LIMIT="20/second", DEADLINE=0.5))
    began = time.monotonic()
    given = list(handler["api"].map(["echo"] * 30))
    assert {each.status_code for each in given} == {200}
    assert time.monotonic() - began > 1.0


def test_a_single_call_is_not_kept_back_beyond_it(
    api: Handle, api_clients: Configure, clients: Callers
) -> None:
    if clients.way == "many":
        pytest.skip("one of many waits for its turn")
    api_clients(api=api.config(RATE_LIMIT="1/minute"))
    assert clients["api"].get("echo").status_code == 200
    began = time.monotonic()
    with pytest.raises(RateLimited) as caught:
        clients["api"].get("echo", deadline=SHORT)
    assert time.monotonic() - began < SHORT
    assert caught.value.sent is False
    assert 50 < (caught.value.retry_after or 0) <= 60


def test_a_cancelled_call_is_not_late(listen: Listen, api_clients: Configure) -> None:
    api_clients(api={"BASE_URL": f"http://{HOST}:{listen(silent)}/"})

    async def cancelled() -> None:
        task = asyncio.ensure_future(handler["api"].aget("x", deadline=30))
        await asyncio.sleep(0.1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(cancelled())


@pytest.mark.parametrize("deadline", [0, -1, "5", True, float("nan")], ids=repr)
def test_what_is_no_deadline_is_refused(
    api: Handle, api_clients: Configure, clients: Callers, deadline: Any
) -> None:
    api_clients(api=api.config())
    with pytest.raises(InvalidRequest, match="a deadline is a number of seconds above zero"):
        clients["api"].get("echo", deadline=deadline)


def test_a_renewal_lock_is_given_back(
    api: Handle, api_clients: Configure, clients: Callers
) -> None:
    api.script("/token", Reply(style="hang"))
    api_clients(api=api.config(TOKEN_TIMEOUT=1))
    late(lambda: clients["api"].get("echo", deadline=SHORT))
    time.sleep(1.2)
    keys = caches["default"].keys("*lock*")  # type: ignore[attr-defined]
    assert keys == []


def test_the_deadline_of_one_call_does_not_end_another(
    listen: Listen, api_clients: Configure
) -> None:
    hello = HEAD + b"Content-Length: 5\r\n\r\nhello"

    def answer(connection: socket.socket) -> None:
        if b"slow" in heard(connection):
            time.sleep(0.6)
        connection.sendall(hello)

    api_clients(api={"BASE_URL": f"http://{HOST}:{listen(answer)}/"})
    client = handler["api"]
    begun = client.get("quick", stream=True, deadline=0.3)
    hooked = client.get("slow", hooks={"response": lambda *_, **__: None})
    assert hooked.content == b"hello"
    begun.close()
