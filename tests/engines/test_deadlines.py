"""A deadline bounds the whole call: whatever it waits for, and however that drips."""

from __future__ import annotations

import asyncio
import io
import shutil
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import requests
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
from tests.conftest import Configure
from tests.servers import Handle, Reply

from .certificates import Authority
from .listening import HOST, Answer, Listen, full, heard, saying, secured, silent
from .ways import SYNC, Callers

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


@pytest.mark.parametrize("engine", SYNC)
def test_the_body_of_a_stream_is_cut_off(
    listen: Listen, api_clients: Configure, engine: str
) -> None:
    port = listen(DRIPS["body"])
    api_clients(api={"BASE_URL": f"http://{HOST}:{port}/", "ENGINE": engine})
    response = handler["api"].get("x", stream=True, deadline=SHORT)
    late(lambda: response.content)


READING: dict[str, Callable[[requests.Response], Any]] = {
    "iter_content": lambda r: list(r.iter_content(5)),
    "content": lambda r: r.content,
    "raw.read": lambda r: r.raw.read(),
    "raw.read1": lambda r: [r.raw.read1(5) for _ in range(99)],
    "raw.stream": lambda r: list(r.raw.stream(5)),
    "copied": lambda r: shutil.copyfileobj(r.raw, io.BytesIO()),
}


@pytest.mark.parametrize("reading", READING.values(), ids=READING)
@pytest.mark.parametrize("engine", SYNC)
def test_a_stream_that_ends_with_its_connection_does_not_seem_whole_when_it_is_cut_off(
    listen: Listen,
    api_clients: Configure,
    engine: str,
    reading: Callable[[requests.Response], Any],
) -> None:
    port = listen(DRIPS["body without end"])
    api_clients(api={"BASE_URL": f"http://{HOST}:{port}/", "ENGINE": engine})
    response = handler["api"].get("x", stream=True, deadline=SHORT)
    assert late(lambda: reading(response)).sent is True


@pytest.mark.parametrize("reading", ["content", "raw.read", "raw.read1"])
@pytest.mark.parametrize("drip", ["body", "chunks", "body without end"])
@pytest.mark.parametrize("session", [None, Own], ids=["hook", "session"])
def test_nor_is_the_stream_of_whom_requests_itself_calls(
    listen: Listen,
    api_clients: Configure,
    session: type[Own] | None,
    drip: str,
    reading: str,
) -> None:
    port = listen(DRIPS[drip])
    api_clients(api={"BASE_URL": f"http://{HOST}:{port}/", "SESSION": session})
    hooks = {} if session else {"hooks": {"response": lambda *_, **__: None}}
    response = handler["api"].get("x", stream=True, deadline=SHORT, **hooks)
    late(lambda: READING[reading](response))


def test_nor_is_one_of_theirs_over_tls(
    listen: Listen, api_clients: Configure, tmp_path: Path
) -> None:
    authority = Authority(tmp_path)
    port = listen(secured(authority.server("localhost"), DRIPS["body without end"]))
    url, verify = f"https://localhost:{port}/", str(authority.path)
    api_clients(api={"BASE_URL": url, "VERIFY": verify, "SESSION": Own})
    response = handler["api"].get("x", stream=True, deadline=SHORT)
    late(lambda: response.content)


SENT_AT_ONCE = {
    "body": HEAD + b"Content-Length: 6\r\n\r\nabcdef",
    "chunks": HEAD + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n3\r\ndef\r\n0\r\n\r\n",
    "body without end": HEAD + b"\r\nabcdef",
}


@pytest.mark.parametrize("said", SENT_AT_ONCE.values(), ids=SENT_AT_ONCE)
@pytest.mark.parametrize("engine", SYNC)
def test_nobody_is_given_a_piece_of_a_stream_after_its_deadline(
    listen: Listen, api_clients: Configure, engine: str, said: bytes
) -> None:
    port = listen(saying(said))
    api_clients(api={"BASE_URL": f"http://{HOST}:{port}/", "ENGINE": engine})
    pieces = handler["api"].get("x", stream=True, deadline=SHORT).iter_content(3)
    assert next(pieces) == b"abc"
    time.sleep(SHORT)
    with pytest.raises(DeadlineExceeded, match="not done by its deadline"):
        next(pieces)


def test_who_has_a_whole_stream_in_time_may_be_slow_with_it(
    listen: Listen, api_clients: Configure
) -> None:
    port = listen(saying(SENT_AT_ONCE["body"]))
    api_clients(api={"BASE_URL": f"http://{HOST}:{port}/"})
    response = handler["api"].get("x", stream=True, deadline=SHORT)
    pieces = response.iter_content(6)
    assert next(pieces) == b"abcdef"
    time.sleep(SHORT)
    assert next(pieces, None) is None
    whole = handler["api"].get("x", stream=True, deadline=SHORT)
    assert whole.content == b"abcdef"
    time.sleep(SHORT)
    assert list(whole.iter_content(3)) == [b"abc", b"def"]


def test_a_stream_that_is_awaited_is_cut_off_too(listen: Listen, api_clients: Configure) -> None:
    api_clients(api={"BASE_URL": f"http://{HOST}:{listen(DRIPS['body without end'])}/"})

    async def reading() -> None:
        async with handler["api"].astream("GET", "x", deadline=SHORT) as response:
            async for _ in response.aiter_content():
                pass

    late(lambda: asyncio.run(reading()))


def test_a_download_that_is_cut_off_publishes_nothing(
    listen: Listen, api_clients: Configure, tmp_path: Any
) -> None:
    api_clients(api={"BASE_URL": f"http://{HOST}:{listen(DRIPS['body without end'])}/"})
    late(lambda: handler["api"].download("x", tmp_path / "file", deadline=SHORT))
    assert not (tmp_path / "file").exists()


@pytest.mark.parametrize("session", [None, Own])
def test_a_stream_that_was_read_leaves_its_connection_to_others(
    listen: Listen, api_clients: Configure, session: type[Own] | None
) -> None:
    def answer(connection: socket.socket) -> None:
        while heard(connection):
            connection.sendall(HEAD + b"Content-Length: 5\r\n\r\nhello")
            time.sleep(0.1)

    api_clients(api={"BASE_URL": f"http://{HOST}:{listen(answer)}/", "SESSION": session})
    client = handler["api"]
    assert client.get("x", stream=True, deadline=0.3).content == b"hello"
    until = time.monotonic() + 0.5
    while time.monotonic() < until:
        assert client.post("x", data=b"1").content == b"hello"


def test_a_download_has_it_as_a_whole(
    listen: Listen, api_clients: Configure, tmp_path: Any
) -> None:
    api_clients(api={"BASE_URL": f"http://{HOST}:{listen(DRIPS['body'])}/"})
    began = time.monotonic()
    late(lambda: handler["api"].download("x", tmp_path / "file", deadline=SHORT))
    assert time.monotonic() - began < 2 * SHORT


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
