"""An answer is the same whichever engine received it, in all that a caller can see of it."""

import bz2
import copy
import gzip
import pickle
import zlib
from datetime import timedelta
from typing import Any

import pytest
import requests

from apiclient_app import TransportError
from tests.conftest import Configure

from .listening import Listen, saying
from .ways import LIBCURL, Callers

HELLO = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
JSON = '{"a": "ü"}'.encode()
PACKED = gzip.compress(b"hello " * 100)


def plain(body: bytes, *headers: bytes) -> bytes:
    length = b"Content-Length: %d" % len(body)
    return b"\r\n".join([b"HTTP/1.1 200 OK", length, *headers, b"", body])


REPLIES = {
    "plain": HELLO,
    "json": plain(JSON, b"Content-Type: application/json"),
    "json in utf-8": plain(JSON, b"Content-Type: application/json; charset=utf-8"),
    "json, said to be latin-1": plain(JSON, b"Content-Type: application/json; charset=latin-1"),
    "json, said to be text": plain(JSON, b"Content-Type: text/plain"),
    "json in name only": plain(b"<html>", b"Content-Type: application/json"),
    "json in another header": plain(
        JSON, b"Content-Type: text/html", b"Accept-Patch: application/json"
    ),
    "json of a subtype": plain(JSON, b"Content-Type: application/problem+json"),
    "json with a mark": plain(b"\xef\xbb\xbf{}", b"Content-Type: application/json"),
    "json in utf-16": plain('{"a":1}'.encode("utf-16"), b"Content-Type: application/json"),
    "json not in utf-8": plain(b'{"a":"\xff"}', b"Content-Type: application/json"),
    "json of nothing": plain(b"", b"Content-Type: application/json"),
    "text": plain("grün".encode("latin-1"), b"Content-Type: text/plain"),
    "a charset nobody knows": plain(b"abc", b"Content-Type: text/plain; charset=wrong"),
    "lines": plain(b"a\nb\r\nc\rd"),
    "two cookies": plain(b"", b"Set-Cookie: a=1; Path=/", b"Set-Cookie: b=2; HttpOnly; Path=/"),
    "a header twice": plain(b"", b"X-A: 1", b"x-a: 2", b"X-B:", b"X-C:   spaced  out"),
    "links": plain(b"", b'Link: <http://a/>; rel="next", <http://b/>; rel="last"'),
    "latin-1 in a header": plain(b"", b"X-Name: J\xfcrgen"),
    "utf-8 in a header": plain(b"", "X-Name: Jürgen".encode()),
    "created": b"HTTP/1.1 201 Created\r\nLocation: /x/1\r\nContent-Length: 0\r\n\r\n",
    "no content": b"HTTP/1.1 204 No Content\r\nX: 1\r\n\r\n",
    "not modified": b'HTTP/1.1 304 Not Modified\r\nETag: "x"\r\nContent-Length: 99\r\n\r\n',
    "to nowhere": b"HTTP/1.1 302 Found\r\nContent-Length: 2\r\n\r\nno",
    "an odd status": b"HTTP/1.1 799 Very \xfcnusual\r\nContent-Length: 0\r\n\r\n",
    "no reason": b"HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n",
    "an empty reason": b"HTTP/1.1 200 \r\nContent-Length: 0\r\n\r\n",
    "a spaced reason": b"HTTP/1.1 200  Very  well \r\nContent-Length: 0\r\n\r\n",
    "tabs for blanks": b"HTTP/1.1\t200\tOK\r\nContent-Length: 5\r\n\r\nhello",
    "1.0, until it ends": b"HTTP/1.0 200 OK\r\nServer: old\r\n\r\nhello",
    "1.1, until it ends": b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nhello",
    "1.0 with a length": b"HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello",
    "line feeds alone": b"HTTP/1.1 200 OK\nContent-Length: 5\nX-A: 1\n\nhello",
    "more than its length": b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello, and more",
    "a hundred": b"HTTP/1.1 100 Continue\r\n\r\n" + HELLO,
    "chunks": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"2\r\nhe\r\n3;x=y\r\nllo\r\n0\r\n\r\n",
    "trailers": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-T\r\n\r\n"
    b"5\r\nhello\r\n0\r\nX-T: 1\r\n\r\n",
    "gzip": plain(PACKED, b"Content-Encoding: gzip"),
    "x-gzip": plain(PACKED, b"Content-Encoding: x-gzip"),
    "gzip in capitals": plain(PACKED, b"CONTENT-ENCODING: GZIP"),
    "gzip twice": plain(gzip.compress(PACKED), b"Content-Encoding: gzip, gzip"),
    "gzip in two members": plain(PACKED + PACKED, b"Content-Encoding: gzip"),
    "gzip cut short": plain(PACKED[:-4], b"Content-Encoding: gzip"),
    "gzip of nothing": plain(b"", b"Content-Encoding: gzip"),
    "gzip in chunks": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n"
    b"Content-Encoding: gzip\r\n\r\n%x\r\n%b\r\n0\r\n\r\n" % (len(PACKED), PACKED),
    "deflate": plain(zlib.compress(b"hello"), b"Content-Encoding: deflate"),
    "raw deflate": plain(
        zlib.compress(b"hello", wbits=-15), b"Content-Encoding: deflate"
    ),
    "identity": plain(b"hello", b"Content-Encoding: identity"),
    "an encoding nobody knows": plain(bz2.compress(b"hello"), b"Content-Encoding: bzip2"),
}  # fmt: skip
BROKEN = {
    "no gzip": plain(b"hello", b"Content-Encoding: gzip"),
    "gzip that breaks": plain(
        PACKED[:20] + b"\x00\xff" * 9 + PACKED[38:], b"Content-Encoding: gzip"
    ),
    "cut": b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello",
    "cut in a chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nhello",
    "no last chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
    "no chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\xff\xfe\r\n",
    "no HTTP": b"\xff\xfe\r\n\r\n",
    "no status": b"HTTP/1.1 OK\r\n\r\n",
    "nothing": b"",
    "half a line": b"HTTP/1.1 20",
    "SSH": b"SSH-2.0-OpenSSH_9.9\r\n",
}


def shown(response: requests.Response) -> dict[str, Any]:
    """Give all that a caller can see of it, but for what differs from one call to the next."""
    try:
        document = response.json()
    except requests.exceptions.JSONDecodeError as error:
        document = str(error)
    return {
        "status": (response.status_code, response.reason, response.ok, bool(response)),
        "headers": list(response.headers.items()),
        "a header": response.headers.get("X-NAME"),
        "encoding": (response.encoding, response.apparent_encoding),
        "content": (response.content, response.text, document),
        "pieces": (list(response.iter_content(3)), list(response.iter_lines())),
        "again": list(response),
        "links": response.links,
        "redirect": (response.is_redirect, response.is_permanent_redirect, response.next),
        "history": response.history,
        "cookies": sorted((c.name, c.value, c.domain, c.path) for c in response.cookies),
        "raw": (response.raw.status, response.raw.reason, response.raw.version),
        "raw headers": sorted(response.raw.headers.items()),
        "raw cookies": response.raw.headers.getlist("set-cookie"),
        "raw body": response.raw.read(),
        "shown": repr(response),
        "url": (response.url, response.request.url),
        "elapsed": response.elapsed > timedelta(0),
    }


@pytest.mark.parametrize("reply", REPLIES.values(), ids=REPLIES)
def test_an_answer_looks_as_with_requests(
    listen: Listen, api_clients: Configure, clients: Callers, reply: bytes
) -> None:
    base = f"http://127.0.0.1:{listen(saying(reply))}/"
    api_clients(api={"BASE_URL": base, "RAISE_FOR_STATUS": False})
    theirs = requests.get(f"{base}x", timeout=5)
    ours = clients["api"].get("x", timeout=5)
    assert shown(ours) == shown(theirs)
    with ours as same:
        assert same.content == theirs.content


@pytest.mark.parametrize("reply", BROKEN.values(), ids=BROKEN)
def test_a_broken_answer_is_an_error_that_says_it_was_sent(
    listen: Listen, api_clients: Configure, clients: Callers, reply: bytes
) -> None:
    base = f"http://127.0.0.1:{listen(saying(reply))}/"
    api_clients(api={"BASE_URL": base})
    with pytest.raises(requests.RequestException):
        requests.get(f"{base}x", timeout=5)
    with pytest.raises(TransportError) as caught:
        clients["api"].post("x", data=b"1", timeout=5)
    assert caught.value.sent is True


@pytest.mark.parametrize("clients", LIBCURL, indirect=True)  # http.client knows 100 alone
@pytest.mark.parametrize(
    "before",
    [
        b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n",
        b"HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 100 Continue\r\nX: 1\r\n\r\n",
    ],
)
def test_what_comes_before_the_answer_is_no_part_of_it(
    listen: Listen, api_clients: Configure, clients: Callers, before: bytes
) -> None:
    reply = before + plain(b"hello", b"Via: HTTP/1.1 there")
    api_clients(api={"BASE_URL": f"http://127.0.0.1:{listen(saying(reply))}/"})
    response = clients["api"].get("x", timeout=5)
    assert (response.status_code, response.text) == (200, "hello")
    assert dict(response.headers) == {"Content-Length": "5", "Via": "HTTP/1.1 there"}


@pytest.mark.parametrize("clients", LIBCURL, indirect=True)  # http.client refuses them
@pytest.mark.parametrize("line", [b"HTTP/1.1 200OK", b"HTTP/1.1 2000 OK", b"http/1.1 200"])
def test_a_status_is_what_libcurl_takes_for_it(
    listen: Listen, api_clients: Configure, clients: Callers, line: bytes
) -> None:
    reply = line + b"\r\nContent-Length: 5\r\n\r\nhello"
    api_clients(api={"BASE_URL": f"http://127.0.0.1:{listen(saying(reply))}/"})
    assert clients["api"].get("x", timeout=5).status_code == 200


def test_a_trailer_that_looks_like_an_answer_is_none(
    listen: Listen, api_clients: Configure, clients: Callers
) -> None:
    reply = (
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n"
        b"HTTP/1.1 404 Gone: x\r\nSet-Cookie: a=b\r\n\r\n"
    )
    api_clients(api={"BASE_URL": f"http://127.0.0.1:{listen(saying(reply))}/"})
    response = clients["api"].get("x", timeout=5)
    assert (response.status_code, response.text) == (200, "hello")
    assert not response.cookies


def test_a_folded_header_is_one(listen: Listen, api_clients: Configure, clients: Callers) -> None:
    reply = plain(b"hello", b"X-A: one\r\n  two\r\n\tthree", b"X-B: 1")
    api_clients(api={"BASE_URL": f"http://127.0.0.1:{listen(saying(reply))}/"})
    headers = clients["api"].get("x", timeout=5).headers
    assert headers["X-A"].split() == ["one", "two", "three"]
    assert headers["X-B"] == "1"


@pytest.mark.parametrize("way", [pickle.dumps, copy.copy, copy.deepcopy], ids=lambda w: w.__name__)
def test_an_answer_is_copied_as_those_of_requests_are(
    listen: Listen, api_clients: Configure, clients: Callers, way: Any
) -> None:
    port = listen(saying(plain(JSON, b"Content-Type: application/json", b"Set-Cookie: a=1")))
    api_clients(api={"BASE_URL": f"http://127.0.0.1:{port}/"})
    ours = clients["api"].get("x", timeout=5)
    revived = pickle.loads(way(ours)) if way is pickle.dumps else way(ours)
    assert type(revived) is requests.Response
    assert revived.json() == ours.json() == {"a": "ü"}
    assert (revived.status_code, revived.reason, revived.url) == (200, "OK", ours.url)
    assert revived.headers == ours.headers
    assert revived.cookies.get_dict() == {"a": "1"}
    assert revived.elapsed == ours.elapsed
    assert revived.request.url == ours.request.url


def test_what_a_caller_sets_on_an_answer_stays(
    listen: Listen, api_clients: Configure, clients: Callers
) -> None:
    reply = plain('{"a":"ü"}'.encode("latin-1"), b"Content-Type: application/json")
    api_clients(api={"BASE_URL": f"http://127.0.0.1:{listen(saying(reply))}/"})
    response = clients["api"].get("x", timeout=5)
    response.encoding = "latin-1"
    assert response.text == '{"a":"ü"}'
    assert response.json() == {"a": "ü"}
    response.status_code, response.reason, response.url = 500, "no", "http://else/"
    assert not response.ok
    with pytest.raises(requests.HTTPError, match="500 Server Error: no for url: http://else/"):
        response.raise_for_status()
