"""Inputs for the targets that are nearly right, which bytes at random never are."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Callable, Sequence
from typing import Any

from hypothesis import strategies as st

from .messages import SECRET
from .words import DATES, HEADERS, MEMBERS, NUMBERS, RECORDS, TEXTS, WORDS

Bytes = st.SearchStrategy[bytes]

TEXT = st.sampled_from([*NUMBERS, *DATES, *TEXTS]) | st.text(max_size=12)
SCALAR = st.none() | st.booleans() | st.floats() | st.integers() | TEXT
HUGE = st.integers(1, 4300).map(lambda digits: 10**digits - 1)
DEEP = st.integers(1, 3000).map(lambda depth: "[" * depth + "]" * depth)


def objects(names: Sequence[str]) -> st.SearchStrategy[Any]:
    return st.recursive(
        SCALAR | HUGE,
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.sampled_from(names), inner, max_size=7)
        ),
        max_leaves=15,
    )


def documents(names: Sequence[str]) -> Bytes:
    """JSON with these names, deep ones too, or something else."""
    found = objects(names).map(json.dumps) | DEEP | TEXT
    return found.map(lambda text: text.encode("utf-8", "replace")) | st.binary(max_size=30)


def altered(*records: Any) -> Bytes:
    """One of these records with one of its values replaced."""

    @st.composite
    def one(draw: st.DrawFn) -> str:
        record = json.loads(json.dumps(draw(st.sampled_from(records))))
        names = list(record) if isinstance(record, dict) else range(len(record))
        record[draw(st.sampled_from(names))] = draw(objects(RECORDS))
        return json.dumps(record)

    return one().map(str.encode)


VALUES = st.lists(st.sampled_from(WORDS) | st.sampled_from(' ,;="\\:/%'), max_size=8).map("".join)
VALUES |= st.sampled_from([*NUMBERS, *DATES]) | st.text(
    st.characters(max_codepoint=255), max_size=20
)


NOISE = st.binary(max_size=30)


def messages(bodies: Bytes = NOISE, names: Sequence[str] = HEADERS) -> Bytes:
    """A status, headers of these names, and a body: see `message`."""
    status = st.sampled_from([200, 200, 204, 206, 302, 400, 401, 403, 404, 416, 429, 500, 503])
    fields = st.dictionaries(st.sampled_from(names), VALUES, max_size=6)

    def written(status: int, headers: dict[str, str], body: bytes) -> bytes:
        lines = [str(status), *(f"{name}: {value}" for name, value in headers.items())]
        return "\n".join(lines).encode("latin-1", "replace") + b"\n\n" + body

    return st.builds(written, status, fields, bodies)


HOSTS = st.sampled_from(
    ["api.example", "evil.example", "[::1]", "xn--a", "127.1", "a" * 64, "\xfc"]
)
SIGNS = st.sampled_from(
    ["//", "/", "\\", "@", ":", ":443", ":99999", "?", "#", "..", "%2f", "%", "\t"]
)
SCHEMES = st.sampled_from(["https:", "http:", "ftp:", "HTTPS:", "javascript:", "", "https:/"])
LOCATIONS = st.builds(
    lambda scheme, rest: (scheme + "".join(rest)).encode("latin-1", "replace"),
    SCHEMES,
    st.lists(SIGNS | HOSTS | st.sampled_from(["v1", "user", " "]), max_size=8),
)

PACKED: dict[str, Callable[[bytes], bytes]] = {
    "gzip": lambda body: gzip.compress(body, mtime=0),
    "deflate": zlib.compress,
    "gzip, gzip": lambda body: gzip.compress(gzip.compress(body, mtime=0), mtime=0),
    "br": bytes,
    "identity": bytes,
}
LINES = st.sampled_from(
    [b"HTTP/1.1 200 OK", b"HTTP/1.0 404", b"http/1.1\t302\tFound", b"HTTP/2 200 "]
)
BEFORE = st.sampled_from(
    [b"", b"", b"HTTP/1.1 103 Early\r\nLink: </a>\r\n\r\n", b"HTTP/1.1 100\r\n\r\n"]
)


@st.composite
def answers(draw: st.DrawFn) -> bytes:
    """What libcurl may receive, with a body that is cut or changed here and there."""
    fields = draw(st.lists(st.tuples(st.sampled_from(HEADERS), VALUES), max_size=5))
    head = b"".join(f"{n}: {v}\r\n".encode("latin-1", "replace") for n, v in fields)
    coding = draw(st.sampled_from(sorted(PACKED)))
    body = PACKED[coding](draw(documents(MEMBERS)))
    if draw(st.booleans()):
        body = broken(draw, body)
    if draw(st.booleans()):
        head += f"Content-Encoding: {coding}\r\n".encode()
    return draw(BEFORE) + draw(LINES) + b"\r\n" + head + b"\r\n" + body


def broken(draw: st.DrawFn, whole: bytes) -> bytes:
    """Cut something out, and put something in."""
    start = draw(st.integers(0, len(whole)))
    end = draw(st.integers(start, len(whole)))
    return whole[:start] + draw(st.binary(max_size=4)) + whole[end:]


@st.composite
def damaged(draw: st.DrawFn, whole: bytes) -> bytes:
    return broken(draw, whole)


ECHOES = documents(MEMBERS) | st.builds(
    lambda before, after, coding: (before + SECRET + after).encode(coding, "replace"),
    st.text(max_size=20),
    st.text(max_size=20),
    st.sampled_from(["utf-8", "utf-16", "utf-7", "latin-1"]),
)
