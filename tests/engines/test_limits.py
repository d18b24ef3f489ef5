"""An answer longer than RESPONSE_LIMIT is an error, early, and takes no more memory than that."""

from __future__ import annotations

import gzip
import pickle
import re
import socket
import sys
import threading
import tracemalloc
import zlib
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from itertools import repeat
from typing import Any

import brotli
import pytest
import requests

from apiclient_app import ResponseTooLarge, TransportError
from apiclient_app.engines.curl import transfers
from apiclient_app.expiry import ExpiryRule
from tests.conftest import Configure

from .listening import Listen, heard
from .ways import LIBCURL, SYNC, Callers

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

LIMIT = 100_000
MEGABYTE = 1 << 20


def zeros() -> Iterator[bytes]:
    """Sixty megabytes."""
    return repeat(bytes(MEGABYTE), 60)


def packed(wbits: int) -> bytes:
    press = zlib.compressobj(wbits=wbits)
    return b"".join([*map(press.compress, zeros()), press.flush()])


def brotlied() -> bytes:
    press = brotli.Compressor(quality=3)
    return b"".join([*map(press.process, zeros()), press.finish()])


def zstded() -> bytes:
    press = zstd.ZstdCompressor()
    return b"".join([*map(press.compress, zeros()), press.flush()])


BOMBS = {
    "gzip": packed(31),
    "deflate": packed(15),
    "br": brotlied(),
    "zstd": zstded(),
    "br, gzip": gzip.compress(brotlied()),
    "gzip, gzip": gzip.compress(packed(31)),
}


def whole(body: bytes, *more: bytes, status: bytes = b"200 OK") -> Iterator[bytes]:
    length = b"Content-Length: %d" % len(body)
    yield b"\r\n".join([b"HTTP/1.1 " + status, length, *more, b"", body])


def chunks(pieces: Iterator[bytes], *more: bytes, status: bytes = b"200 OK") -> Iterator[bytes]:
    yield b"\r\n".join([b"HTTP/1.1 " + status, b"Transfer-Encoding: chunked", *more, b"", b""])
    for piece in pieces:
        yield b"%x\r\n%b\r\n" % (len(piece), piece)
    yield b"0\r\n\r\n"


def until_the_end(pieces: Iterator[bytes]) -> Iterator[bytes]:
    yield b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"
    yield from pieces


def endless_gzip() -> Iterator[bytes]:
    press = zlib.compressobj(wbits=31)
    for _ in range(2):  # the first has the head; of the others, each is like the one before
        piece = press.compress(bytes(MEGABYTE)) + press.flush(zlib.Z_FULL_FLUSH)
        yield piece
    yield from repeat(piece)


def in_one(body: bytes, coding: str) -> Iterator[bytes]:
    return chunks(iter([body]), b"Content-Encoding: " + coding.encode())


Speech = Callable[[], Iterator[bytes]]
ENDLESS = repeat(b"x" * 16_384)
EXPLODING: Mapping[str, Speech] = {
    f"a {coding} bomb": partial(whole, bomb, b"Content-Encoding: " + coding.encode())
    for coding, bomb in BOMBS.items()
} | {f"a {coding} bomb in chunks": partial(in_one, bomb, coding) for coding, bomb in BOMBS.items()}
TOO_LONG: dict[str, Speech] = {
    **EXPLODING,
    "of a length": lambda: whole(b"x" * (LIMIT + 1)),
    "in chunks": lambda: chunks(iter([b"x" * LIMIT, b"x"])),
    "without end, in chunks": lambda: chunks(ENDLESS),
    "without end or length": lambda: until_the_end(ENDLESS),
    "of a length that is a lie": lambda: iter(
        [b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999\r\n\r\n"]
    ),
    "gzip without end": lambda: chunks(endless_gzip(), b"Content-Encoding: gzip"),
    "an error without end": lambda: chunks(ENDLESS, status=b"503 Busy"),
}


class Speaker:
    """Answers each request on a connection with the next of several speeches, over and over."""

    def __init__(self, *speeches: Speech) -> None:
        self.speeches, self.said, self.connections, self.count = speeches, 0, 0, 0

    def __call__(self, connection: socket.socket) -> None:
        self.connections += 1
        while heard(connection):
            speech = self.speeches[min(self.count, len(self.speeches) - 1)]
            self.count += 1
            for piece in speech():
                connection.sendall(piece)
                self.said += len(piece)


def little() -> Iterator[bytes]:
    return whole(b"hello")


@pytest.mark.parametrize("speech", TOO_LONG.values(), ids=TOO_LONG)
def test_an_answer_that_is_too_long_is_an_error_and_its_connection_is_closed(
    listen: Listen, api_clients: Configure, clients: Callers, speech: Speech
) -> None:
    speaker = Speaker(speech, little)
    base = f"http://127.0.0.1:{listen(speaker)}/"
    api_clients(shop={"BASE_URL": base, "RESPONSE_LIMIT": LIMIT})
    with pytest.raises(ResponseTooLarge) as caught:
        clients["shop"].get("x?access_token=s3cr3t", timeout=5)
    error = caught.value
    assert str(error).startswith(f"shop: GET {base}x")
    assert "longer than RESPONSE_LIMIT (100000 bytes, decoded: raise it, or stream" in str(error)
    assert "xxxx" not in str(error)
    assert "s3cr3t" not in str(error)
    assert error.sent
    assert isinstance(error, TransportError)
    assert isinstance(pickle.loads(pickle.dumps(error)), requests.ConnectionError)
    assert clients["shop"].get("x", timeout=5).text == "hello"
    if speech not in EXPLODING.values():  # of which all may have been read
        assert speaker.connections == 2


FITTING: dict[str, Speech] = {
    "of a length": lambda: whole(b"x" * LIMIT),
    "in chunks": lambda: chunks(iter([b"x" * 60_000, b"x" * 40_000])),
    "gzip": lambda: whole(gzip.compress(b"x" * LIMIT), b"Content-Encoding: gzip"),
    "gzip in chunks": partial(in_one, gzip.compress(b"x" * LIMIT), "gzip"),
}


@pytest.mark.parametrize("speech", FITTING.values(), ids=FITTING)
def test_an_answer_just_as_long_as_allowed_is_given(
    listen: Listen, api_clients: Configure, clients: Callers, speech: Speech
) -> None:
    speaker = Speaker(speech)
    api_clients(shop={"BASE_URL": f"http://127.0.0.1:{listen(speaker)}/", "RESPONSE_LIMIT": LIMIT})
    for _ in range(2):
        assert clients["shop"].get("x", timeout=5).content == b"x" * LIMIT
    assert speaker.connections == 1


def test_a_length_without_a_body_is_no_long_answer(
    listen: Listen, api_clients: Configure, clients: Callers
) -> None:
    def announced(status: bytes) -> Speech:
        return lambda: iter([b"HTTP/1.1 %b\r\nContent-Length: 999999\r\n\r\n" % status])

    port = listen(Speaker(announced(b"200 OK"), announced(b"304 Not Modified")))
    api_clients(shop={"BASE_URL": f"http://127.0.0.1:{port}/", "RESPONSE_LIMIT": LIMIT})
    assert clients["shop"].request("HEAD", "x", timeout=5).headers["Content-Length"] == "999999"
    assert clients["shop"].get("x", timeout=5).status_code == 304


def test_without_a_limit_all_of_it_is_given(
    listen: Listen, api_clients: Configure, clients: Callers
) -> None:
    port = listen(Speaker(partial(in_one, BOMBS["gzip"], "gzip")))
    api_clients(shop={"BASE_URL": f"http://127.0.0.1:{port}/", "RESPONSE_LIMIT": None})
    assert len(clients["shop"].get("x", timeout=5).content) == 60 * MEGABYTE


@pytest.mark.parametrize("status", [b"302 Found", b"308 Permanent Redirect"])
@pytest.mark.parametrize("stream", [False, True])
def test_the_body_of_a_redirect_has_the_same_limit(
    listen: Listen, api_clients: Configure, clients: Callers, status: bytes, stream: bool
) -> None:
    if stream and clients.way not in SYNC:
        pytest.skip("many answers are not streamed")
    speaker = Speaker(lambda: chunks(ENDLESS, b"Location: /y", status=status))
    api_clients(shop={"BASE_URL": f"http://127.0.0.1:{listen(speaker)}/", "RESPONSE_LIMIT": LIMIT})
    with pytest.raises(ResponseTooLarge):
        clients["shop"].get("x", timeout=5, **({"stream": True} if stream else {}))
    assert speaker.count == 1


def test_an_answer_behind_a_redirect_has_the_same_limit(
    listen: Listen, api_clients: Configure, clients: Callers
) -> None:
    port = listen(
        Speaker(lambda: whole(b"", b"Location: /y", status=b"302 Found"), TOO_LONG["in chunks"])
    )
    api_clients(shop={"BASE_URL": f"http://127.0.0.1:{port}/", "RESPONSE_LIMIT": LIMIT})
    with pytest.raises(ResponseTooLarge):
        clients["shop"].get("x", timeout=5)


def own_session() -> requests.Session:
    session = requests.Session()
    session.hooks["response"].append(lambda *_, **__: None)
    return session


def strict_session() -> requests.Session:
    session = requests.Session()
    session.hooks["response"].append(lambda response, **_: response.raise_for_status())
    return session


@pytest.mark.parametrize("session", [own_session, strict_session])
@pytest.mark.parametrize("speech", TOO_LONG.values(), ids=TOO_LONG)
@pytest.mark.parametrize("status", [b"200 OK", b"302 Found", b"503 Busy"])
def test_a_users_own_session_is_held_to_it_too(
    listen: Listen, api_clients: Configure, session: Any, speech: Speech, status: bytes
) -> None:
    from apiclient_app import clients

    def redirecting() -> Iterator[bytes]:
        said = speech()
        yield re.sub(rb" \d{3} \w+", b" " + status + b"\r\nLocation: /y", next(said), count=1)
        yield from said

    port = listen(Speaker(redirecting))
    settings = {"RESPONSE_LIMIT": LIMIT, "SESSION": session}
    api_clients(shop={"BASE_URL": f"http://127.0.0.1:{port}/", **settings})
    for stream in (False, True) if status == b"302 Found" else (False,):
        with pytest.raises(ResponseTooLarge):
            clients["shop"].get("x", timeout=5, stream=stream)


def test_a_hook_sees_a_body_that_nobody_has_read(listen: Listen, api_clients: Configure) -> None:
    from apiclient_app import clients

    seen: list[Any] = []

    def look(response: requests.Response, **_: Any) -> None:
        seen.append((response.raw.connection.sock.getpeername()[0], response._content_consumed))

    api_clients(shop={"BASE_URL": f"http://127.0.0.1:{listen(Speaker(little))}/"})
    assert clients["shop"].get("x", hooks={"response": look}).text == "hello"
    assert seen == [("127.0.0.1", False)]


def test_a_hook_that_raises_leaves_no_connection_open(
    listen: Listen, api_clients: Configure
) -> None:
    from apiclient_app import clients

    ended = threading.Event()

    def answer(connection: socket.socket) -> None:
        while heard(connection):
            connection.sendall(b"".join(little()))
        ended.set()

    def fail(*_: Any, **__: Any) -> None:
        raise ZeroDivisionError

    api_clients(shop={"BASE_URL": f"http://127.0.0.1:{listen(answer)}/"})
    with pytest.raises(ZeroDivisionError) as caught:
        clients["shop"].get("x", hooks={"response": fail})
    assert ended.wait(5)
    assert caught.type is ZeroDivisionError  # which, in a cycle with its frames, holds the answer


def test_an_answer_that_hooks_saw_can_be_pickled(listen: Listen, api_clients: Configure) -> None:
    from apiclient_app import clients

    speeches = (lambda: whole(b"", b"Location: /y", status=b"302 Found"), little)
    api_clients(
        shop={
            "BASE_URL": f"http://127.0.0.1:{listen(Speaker(*speeches))}/",
            "SESSION": requests.Session,
        }
    )
    response = clients["shop"].get("x")
    assert pickle.loads(pickle.dumps(response)).text == "hello"
    assert response.request.hooks == {"response": []}


@pytest.mark.parametrize("clients", LIBCURL, indirect=True)
@pytest.mark.parametrize("speech", TOO_LONG.values(), ids=TOO_LONG)
def test_an_older_libcurl_is_held_to_it_too(
    listen: Listen,
    api_clients: Configure,
    clients: Callers,
    speech: Speech,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(transfers, "COUNTS", False)
    port = listen(Speaker(speech, little))
    api_clients(shop={"BASE_URL": f"http://127.0.0.1:{port}/", "RESPONSE_LIMIT": LIMIT})
    with pytest.raises(ResponseTooLarge):
        clients["shop"].get("x", timeout=5)
    assert clients["shop"].get("x", timeout=5).text == "hello"


@pytest.mark.parametrize("clients", SYNC, indirect=True)
@pytest.mark.parametrize("coding", BOMBS)
def test_a_stream_has_no_limit_and_its_pieces_are_no_larger_than_asked_for(
    listen: Listen, api_clients: Configure, clients: Callers, coding: str
) -> None:
    port = listen(Speaker(partial(in_one, BOMBS[coding], coding)))
    api_clients(shop={"BASE_URL": f"http://127.0.0.1:{port}/", "RESPONSE_LIMIT": LIMIT})
    response = clients["shop"].get("x", timeout=5, stream=True)
    sizes = [len(piece) for piece in response.iter_content(10_000)]
    # What Brotli still has when all has been read comes in one piece: a block of it at most.
    assert max(sizes) <= (1 << 24 if "br" in coding else 10_000)
    assert sum(sizes) == 60 * MEGABYTE


@pytest.mark.parametrize("clients", SYNC, indirect=True)
def test_of_an_error_that_is_streamed_a_rule_reads_no_more_than_the_limit(
    listen: Listen, api_clients: Configure, clients: Callers
) -> None:
    port = listen(Speaker(partial(chunks, ENDLESS, status=b"403 No")))
    api_clients(shop={"BASE_URL": f"http://127.0.0.1:{port}/", "RESPONSE_LIMIT": LIMIT})
    client, rule = clients["shop"], ExpiryRule(frozenset({403}), {"error": ("expired",)})
    response = client.get("x", timeout=5, stream=True, raise_for_status=False)
    with pytest.raises(ResponseTooLarge, match=r"^shop: GET .* longer than RESPONSE_LIMIT"):
        rule(response)


@pytest.mark.parametrize("speech", TOO_LONG.values(), ids=TOO_LONG)
def test_what_is_too_long_takes_little_memory(
    listen: Listen, api_clients: Configure, clients: Callers, speech: Speech
) -> None:
    port = listen(Speaker(little, speech))
    api_clients(shop={"BASE_URL": f"http://127.0.0.1:{port}/", "RESPONSE_LIMIT": LIMIT})
    clients["shop"].get("x", timeout=5)
    tracemalloc.start()
    try:
        with pytest.raises(ResponseTooLarge):
            clients["shop"].get("x", timeout=5)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 4 * MEGABYTE
