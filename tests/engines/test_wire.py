"""What goes over the wire is what requests would send, byte for byte but for the order."""

import io
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from apiclient_app import InvalidRequest
from apiclient_app import clients as handler
from apiclient_app.auth import AuthBackend
from tests.conftest import Configure

from .listening import Listen, heard
from .ways import LIBCURL, Callers

BODY = bytes(range(256)) * 1000


def pieces() -> Iterator[Any]:
    yield from (b"one", b"", "zwö", bytearray(b"three"), BODY)


class Opened:
    """A file that is read in text mode, or knows nothing of its length."""

    def __init__(self, file: Any) -> None:
        self.read = file.read

    def __iter__(self) -> Iterator[bytes]:
        raise AssertionError("it has read()")


def offset() -> io.BytesIO:
    file = io.BytesIO(b"skipped" + BODY)
    file.seek(7)
    return file


def text_file(path: Path) -> Any:
    path.write_text("zwölf Boxkämpfer\n" * 10_000, "utf-8")
    return path.open(encoding="utf-8")


CALLS: dict[str, Callable[[Path], tuple[str, dict[str, Any]]]] = {
    "get": lambda _: ("GET", {}),
    "get with all": lambda _: (
        "GET",
        {"params": {"a": ["1", "ü&"]}, "headers": {"X-A": "1"}, "cookies": {"c": "d"}},
    ),
    "head": lambda _: ("HEAD", {}),
    "options": lambda _: ("OPTIONS", {}),
    "delete": lambda _: ("DELETE", {}),
    "delete with a body": lambda _: ("DELETE", {"json": [1]}),
    "get with a body": lambda _: ("GET", {"json": {"q": 1}}),
    "own method": lambda _: ("PURGE", {}),
    "own method with a body": lambda _: ("REPORT", {"data": b"<x/>"}),
    "post": lambda _: ("POST", {}),
    "post of nothing": lambda _: ("POST", {"data": b""}),
    "post of no text": lambda _: ("POST", {"data": ""}),
    "post of a form": lambda _: ("POST", {"data": {"a": "1", "b": ["ü", "3"]}}),
    "post of pairs": lambda _: ("POST", {"data": [("a", "1"), ("a", "2")]}),
    "post of json": lambda _: ("POST", {"json": {"a": "ü"}}),
    "post of bytes": lambda _: ("POST", {"data": BODY}),
    "post of text": lambda _: ("POST", {"data": "zwölf" * 1000}),
    "post of a bytearray": lambda _: ("POST", {"data": bytearray(BODY)}),
    "post of a view": lambda _: ("POST", {"data": memoryview(BODY)}),
    "post of a file": lambda _: ("POST", {"data": io.BytesIO(BODY)}),
    "post of an empty file": lambda _: ("POST", {"data": io.BytesIO()}),
    "post of the rest of a file": lambda _: ("POST", {"data": offset()}),
    "post of a text file": lambda path: ("POST", {"data": text_file(path)}),
    "post of what can be read": lambda _: ("POST", {"data": Opened(io.BytesIO(BODY))}),
    "post of pieces": lambda _: ("POST", {"data": pieces()}),
    "post of no pieces": lambda _: ("POST", {"data": iter(())}),
    "put of pieces": lambda _: ("PUT", {"data": pieces()}),
    "patch": lambda _: ("PATCH", {"json": None}),
    "multipart": lambda _: (
        "POST",
        {
            "data": b"--x\r\n\r\n1\r\n--x--\r\n",
            "headers": {"Content-Type": "multipart/form-data; boundary=x"},
        },
    ),
    "empty header": lambda _: ("GET", {"headers": {"X-Empty": "", "X-Bytes": b""}}),
    "no header": lambda _: ("GET", {"headers": {"Accept": None, "Connection": None}}),
    "latin-1 header": lambda _: ("GET", {"headers": {"X-A": "J\xfcrgen", "X-B": b"\xfc"}}),
    "header with odd signs": lambda _: ("GET", {"headers": {"X-A": "a;b: c, d;"}}),
    "own headers": lambda _: (
        "POST",
        {
            "data": b"x",
            "headers": {"host": "else.example", "accept": "a/b", "user-agent": "me", "te": "x"},
        },
    ),
    "an expectation": lambda _: ("POST", {"data": b"12345", "headers": {"expect": "soon"}}),
    "closing": lambda _: ("GET", {"headers": {"Connection": "close"}}),
    "own content type": lambda _: ("POST", {"data": b"x", "headers": {"content-type": "a/b"}}),
}
PATHS = [
    "a/b?c=d&e",
    "a//b/",
    "%7Ea%2fb%2F?x=%20+%2B",
    "ü/ä?ö=ß",
    "a b?c d",
    "x?a=[1]{2}|3^`\"<>'",
    "x?",
    "x;p=1?q;r",
    "x#fragment",
    "x?a=http://b/c?d@e",
    "a@b/c:d",
    "!$&'()*+,;=~",
]


class Hearing:
    """Remembers what each connection brought."""

    def __init__(self) -> None:
        self.heard: list[bytes] = []

    def __call__(self, connection: socket.socket) -> None:
        while request := heard(connection):
            self.heard.append(request)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    def parts(self) -> list[tuple[bytes, list[bytes], bytes]]:
        """Give request line, sorted headers, and body without its chunks, of each."""
        return [parts(request) for request in self.heard]


def parts(request: bytes) -> tuple[bytes, list[bytes], bytes]:
    head, _, body = request.partition(b"\r\n\r\n")
    line, *headers = head.split(b"\r\n")
    if b"Transfer-Encoding: chunked" in headers:
        body = joined(body)
    fields = (header.partition(b":") for header in headers)
    return line, sorted(name.lower() + b":" + value.strip() for name, _, value in fields), body


def joined(body: bytes) -> bytes:
    whole = b""
    while body:
        size, _, rest = body.partition(b"\r\n")
        whole, body = whole + rest[: int(size, 16)], rest[int(size, 16) + 2 :]
    return whole


@pytest.fixture
def wire(listen: Listen, api_clients: Configure) -> Hearing:
    hearing = Hearing()
    api_clients(api={"BASE_URL": f"http://127.0.0.1:{listen(hearing)}/v1/", "TIMEOUT": 5})
    return hearing


@pytest.mark.filterwarnings("ignore::requests.exceptions.FileModeWarning")
@pytest.mark.parametrize("clients", LIBCURL, indirect=True)
@pytest.mark.parametrize("name", CALLS)
def test_a_call_is_sent_as_requests_sends_it(
    wire: Hearing, clients: Callers, tmp_path: Path, name: str
) -> None:
    for which in (handler["api"], clients["api"]):
        method, arguments = CALLS[name](tmp_path / "file")
        which.request(method, "x", **arguments)
        if hasattr(arguments.get("data"), "close"):
            arguments["data"].close()
    theirs, ours = wire.parts()
    assert ours == theirs


@pytest.mark.parametrize("clients", LIBCURL, indirect=True)
def test_urls_are_sent_as_requests_sends_them(wire: Hearing, clients: Callers) -> None:
    for path in PATHS:
        for which in (handler["api"], clients["api"]):
            which.get(path)
    theirs, ours = wire.parts()[::2], wire.parts()[1::2]
    assert ours == theirs


def test_files_are_sent_as_a_form(wire: Hearing, clients: Callers) -> None:
    files = {"f": ("a.bin", io.BytesIO(BODY), "x/y")}
    clients["api"].post("x", files=files, data={"a": "1"})
    (_, headers, body) = wire.parts()[0]
    assert any(header.startswith(b"content-type:multipart/form-data") for header in headers)
    assert BODY in body
    assert b'name="a"' in body


@pytest.mark.parametrize("body", [iter, Opened], ids=["pieces", "a file"])
def test_what_a_body_raises_is_raised(
    wire: Hearing, clients: Callers, body: Callable[[Any], Any]
) -> None:
    class Broken(Exception):
        """Of the caller's own."""

    class Source(io.BytesIO):
        def read(self, *_: Any) -> bytes:
            raise Broken("own")

        def __next__(self) -> bytes:
            raise Broken("own")

    with pytest.raises(Broken, match="own"):
        clients["api"].post("x", data=body(Source()))
    assert clients["api"].get("y").status_code == 200


class Injecting(AuthBackend):
    """Signs with what no header may hold."""

    header: tuple[Any, Any] = ("X", "1")

    def sign(self, request: requests.PreparedRequest, token: Any) -> None:
        request.headers.__setitem__(*self.header)


@pytest.mark.parametrize(
    "header",
    [
        ("X", "1\r\nX-Evil: 1"),
        ("X", "1\nX-Evil: 1"),
        ("X", b"1\r\nX-Evil: 1"),
        ("X", "1\r"),
        ("X\r\nX-Evil", "1"),
        ("X Evil: 1\r\nY", "1"),
        ("X", "\u20ac"),
    ],
    ids=repr,
)
def test_a_signature_begins_no_other_header(
    listen: Listen,
    api_clients: Configure,
    clients: Callers,
    monkeypatch: pytest.MonkeyPatch,
    header: tuple[Any, Any],
) -> None:
    hearing = Hearing()
    auth = {"BACKEND": f"{__name__}.Injecting"}
    api_clients(api={"BASE_URL": f"http://127.0.0.1:{listen(hearing)}/", "AUTH": auth})
    monkeypatch.setattr(Injecting, "header", header)
    with pytest.raises((InvalidRequest, ValueError)):
        clients["api"].get("x", timeout=5)
    assert hearing.heard == []
