"""Answers: as libcurl receives them, and as errors quote them."""

from __future__ import annotations

import json
import pickle
import re
from contextlib import suppress

import requests

from apiclient_app.engines.curl.answers import whole
from apiclient_app.engines.faults import status_error
from apiclient_app.exceptions import RateLimited, StatusError
from tests.fuzz.messages import SECRET, asked, message

# What libcurl takes for the head of an answer; it refuses the rest.
STATUS_LINE = re.compile(rb"(?i:HTTP/1)\.[01][ \t][1-9]\d\d[^\r]*\r?\n|HTTP/[23] [1-9]\d\d \r\n")
PART = re.compile(rb"[^\n]*\n")
LONGEST_TEXT, LIMIT = 1500, 1 << 20


def answer(data: bytes) -> None:
    """Whatever libcurl lets through has all that a response has, or is an error of requests."""
    lines, end = PART.findall(data), 0
    while end < len(lines) and lines[end].strip(b"\r\n"):
        end += 1
    head = lines[: end + 1]
    if not head or not STATUS_LINE.fullmatch(head[0]) or not all(map(_passes, head[1:])):
        return
    body = data[sum(map(len, head)) :]
    try:
        response = whole(asked(), head, [body] if body else [], 0.25, LIMIT)
    except requests.RequestException:
        return
    assert 0 <= response.status_code <= 999
    assert all(isinstance(value, str) for value in response.headers.values())
    seen = (response.reason, response.encoding, response.links, response.ok, response.is_redirect)
    assert len(seen) == 5
    assert response.raw.status == response.status_code
    assert len(response.cookies) <= len(data)
    assert b"".join(response.iter_content(7)) == response.content
    with suppress(ValueError):  # of a charset that is none, as with requests
        assert isinstance(response.text, str)
    with suppress(ValueError, RecursionError):
        assert json.dumps(response.json())
    revived = pickle.loads(pickle.dumps(response))
    assert revived.headers == response.headers


def _passes(line: bytes) -> bool:
    bare = line.removesuffix(b"\n").removesuffix(b"\r")
    named = b":" in bare or bare[:1] in b" \t"
    return named and b"\0" not in bare and b"\r" not in bare


def refusal(data: bytes) -> None:
    """An error that people can be shown: one line, and nothing of what the request held."""
    said = message(data)
    for kind in (status_error(said.response(), "api", [SECRET], expired=e) for e in (False, True)):
        assert isinstance(kind, StatusError)
        text = f"{kind} {kind.url}"
        assert text.isprintable()
        assert len(text) < LONGEST_TEXT
        assert SECRET not in text
        if isinstance(kind, RateLimited):
            assert kind.retry_after is None or kind.retry_after >= 0
