"""From what libcurl received to a `requests.Response`."""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Iterator
from datetime import timedelta
from functools import cached_property
from io import BytesIO
from json import loads
from typing import Any, cast

import requests
import urllib3
from requests.cookies import RequestsCookieJar, extract_cookies_to_jar
from requests.structures import CaseInsensitiveDict
from requests.utils import get_encoding_from_headers
from urllib3._collections import HTTPHeaderDict

from apiclient_app.engines.faults import oversized

PIECE = 262_144
JSON = b"\ncontent-type: application/json\r\n"
JSON_UTF8 = b"\ncontent-type: application/json; charset=utf-8\r\n"
ANOTHER = re.compile(rb"\n\r?\n(?=HTTP/)", re.IGNORECASE)
VERSIONS = {b"HTTP/1.0": 10, b"HTTP/1.1": 11, b"HTTP/2": 20}


class Answer(requests.Response):
    """A response that is taken apart as far as it is asked for: most of it never is."""

    _status: bytes
    _fields: bytes
    _lower: bytes
    _seconds: float

    def __init__(self, request: requests.PreparedRequest, head: bytes, seconds: float) -> None:
        code = _code(head)
        if code < 200 or code == 417:
            head = _last(head)
            code = _code(head)
        status, _, fields = head.partition(b"\n")
        self.__dict__ = {
            "_content": False,
            "_content_consumed": False,
            "_next": None,
            "_status": status,
            "_fields": fields,
            "_lower": head.lower(),
            "_seconds": seconds,
            "status_code": code,
            "url": request.url,
            "history": [],
            "request": request,
            "connection": None,
        }

    @cached_property
    def reason(self) -> str:  # type: ignore[override]
        return self._status[_code_at(self._status) + 3 :].decode("latin-1").strip()

    @cached_property
    def elapsed(self) -> timedelta:  # type: ignore[override]
        return timedelta(seconds=self._seconds)

    @cached_property
    def fields(self) -> list[tuple[str, str]]:
        """The header fields, one by one."""
        return list(fields_of(self._fields))

    @cached_property
    def headers(self) -> Any:  # type: ignore[override]
        store: dict[str, tuple[str, str]] = {}
        for name, value in self.fields:
            lower = name.lower()
            if lower in store:
                store[lower] = (store[lower][0], f"{store[lower][1]}, {value}")
            else:
                store[lower] = (name, value)
        headers: Any = CaseInsensitiveDict.__new__(CaseInsensitiveDict)
        headers._store = OrderedDict(store)
        return headers

    def says(self, name: bytes) -> bool:
        """Whether a field of that name may be there, without taking them apart."""
        return name in self._lower

    def json(self, **kwargs: Any) -> Any:
        plain = JSON in self._lower or JSON_UTF8 in self._lower
        if plain and not kwargs and "encoding" not in self.__dict__:
            try:
                return loads(cast(bytes, self._content).decode())
            except ValueError:  # other than UTF-8, or no JSON: requests has words for both
                pass
        return super().json(**kwargs)

    @cached_property
    def encoding(self) -> str | None:  # type: ignore[override]
        return get_encoding_from_headers(self.headers)

    @cached_property
    def cookies(self) -> RequestsCookieJar:  # type: ignore[override]
        jar = RequestsCookieJar()
        extract_cookies_to_jar(jar, self.request, self.raw)
        return jar

    @cached_property
    def raw(self) -> Any:
        return self.raw_over(BytesIO(b""))

    def raw_over(self, body: Any) -> urllib3.HTTPResponse:
        """Give what urllib3 makes of these headers and that body."""
        fields = HTTPHeaderDict()
        for name, value in self.fields:
            fields.add(name, value)
        return urllib3.HTTPResponse(
            body=body,
            headers=fields,
            status=self.status_code,
            version=VERSIONS.get(self._status.partition(b" ")[0], 11),
            reason=self.reason,
            preload_content=False,
            decode_content=False,
            original_response=Original(fields),  # type: ignore[arg-type]
            request_method=self.request.method,
            request_url=self.request.url,
        )

    def __reduce__(self) -> Any:
        return requests.Response, (), self.__getstate__()


class Original:
    """What the cookie jar of requests asks of http.client's response."""

    def __init__(self, fields: HTTPHeaderDict) -> None:
        self.msg = fields

    def isclosed(self) -> bool:
        return True


def whole(
    request: requests.PreparedRequest,
    lines: list[bytes],
    chunks: list[bytes],
    seconds: float,
    limit: int | None,
) -> Answer:
    """Give the response with its body; ContentDecodingError where that is not what it says, and
    Oversized where it is more than `limit` when decoded."""
    answer = Answer(request, b"".join(lines), seconds)
    body = chunks[0] if len(chunks) == 1 else b"".join(chunks)
    if body and b"content-encoding" in answer._lower:
        body = decoded(answer, body, limit)
    answer._content = body
    answer._content_consumed = True
    return answer


def decoded(answer: Answer, body: bytes, limit: int | None) -> bytes:
    raw, pieces, size = answer.raw_over(BytesIO(body)), [], 0
    raw.length_remaining = None
    try:
        for piece in raw.stream(PIECE, decode_content=True):
            pieces.append(piece)
            size += len(piece)
            if limit is not None and size > limit:
                raise oversized(limit)
    except urllib3.exceptions.DecodeError as error:
        raise requests.exceptions.ContentDecodingError(error) from error
    return b"".join(pieces)


def _code_at(head: bytes) -> int:
    """Give where libcurl finds the status: behind `HTTP/1.1` or `HTTP/2`, and a blank or tab."""
    return 9 if head[6:7] == b"." else 7


def _code(head: bytes) -> int:
    start = _code_at(head)
    return int(head[start : start + 3])


def _last(head: bytes) -> bytes:
    """Give the answer itself: others may come before it (103, or 417 to an Expect)."""
    while (code := _code(head)) < 200 or code == 417:
        another = ANOTHER.search(head)
        if another is None:
            break
        head = head[another.end() :]
    return head


def fields_of(head: bytes) -> Iterator[tuple[str, str]]:
    """Give the header fields up to the blank line; trailers come after that."""
    name = value = ""
    for line in head.decode("latin-1").split("\n"):
        text = line.rstrip("\r")
        if not text:
            break
        if text[0] in " \t":  # folded: RFC 9112 section 5.2
            value = f"{value} {text.strip()}"
            continue
        if name:
            yield name, value
        name, _, value = text.partition(":")
        value = value.lstrip(" \t")
    if name:
        yield name, value
