"""A deadline bounds the body of a stream too: whoever reads it, however, and how slowly."""

from __future__ import annotations

import asyncio
import gc
import io
import shutil
import socket
import time
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import requests

from apiclient_app import DeadlineExceeded
from apiclient_app import clients as handler
from tests.conftest import Configure

from .certificates import Authority
from .listening import HOST, Listen, heard, saying, secured
from .test_deadlines import DRIPS, HEAD, SHORT, Own, late
from .ways import SYNC

READING: dict[str, Callable[[requests.Response], Any]] = {
    "iter_content": lambda r: list(r.iter_content(5)),
    "content": lambda r: r.content,
    "raw.read": lambda r: r.raw.read(),
    "raw.read1": lambda r: [r.raw.read1(5) for _ in range(99)],
    "raw.stream": lambda r: list(r.raw.stream(5)),
    "copied": lambda r: shutil.copyfileobj(r.raw, io.BytesIO()),
}


def cut_off(reading: Callable[[requests.Response], Any], **how: Any) -> DeadlineExceeded:
    """Give the error of a stream that is still being read at its deadline."""
    return late(lambda: reading(handler["api"].get("x", stream=True, deadline=SHORT, **how)))


@pytest.mark.parametrize("engine", SYNC)
def test_the_body_of_a_stream_is_cut_off(
    listen: Listen, api_clients: Configure, engine: str
) -> None:
    port = listen(DRIPS["body"])
    api_clients(api={"BASE_URL": f"http://{HOST}:{port}/", "ENGINE": engine})
    cut_off(READING["content"])


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
    assert cut_off(reading).sent is True


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
    cut_off(READING[reading], **hooks)


def test_nor_is_one_of_theirs_over_tls(
    listen: Listen, api_clients: Configure, tmp_path: Path
) -> None:
    authority = Authority(tmp_path)
    port = listen(secured(authority.server("localhost"), DRIPS["body without end"]))
    url, verify = f"https://localhost:{port}/", str(authority.path)
    api_clients(api={"BASE_URL": url, "VERIFY": verify, "SESSION": Own})
    cut_off(READING["content"])


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


@pytest.mark.parametrize("session", [None, Own])
def test_no_body_is_kept_until_the_deadline(
    listen: Listen, api_clients: Configure, session: type[Own] | None
) -> None:
    port = listen(saying(SENT_AT_ONCE["body"]))
    api_clients(api={"BASE_URL": f"http://{HOST}:{port}/", "SESSION": session})
    response = handler["api"].get("x", stream=True, deadline=60)
    assert response.content == b"abcdef"
    kept = weakref.ref(response)
    del response
    gc.collect()
    assert kept() is None


def test_a_download_has_it_as_a_whole(
    listen: Listen, api_clients: Configure, tmp_path: Any
) -> None:
    api_clients(api={"BASE_URL": f"http://{HOST}:{listen(DRIPS['body'])}/"})
    began = time.monotonic()
    late(lambda: handler["api"].download("x", tmp_path / "file", deadline=SHORT))
    assert time.monotonic() - began < 2 * SHORT
