"""What is nearly right breaks nothing either, however it is wrong."""

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from .strategies import (
    ECHOES,
    LOCATIONS,
    VALUES,
    Bytes,
    altered,
    answers,
    damaged,
    documents,
    messages,
)
from .targets import feed
from .targets.files import BETWEEN, MARK
from .targets.records import PLACE, SEAL
from .words import MEMBERS, RECORDS

TOKEN = {
    "id": "a1", "generation": 1_800_000_000_000, "headers": {"Authorization": "Bearer x"},
    "obtained_at": 1.8e9, "renew_at": 1.8e9 + 50, "usable_until": 1.8e9 + 55,
    "expires_at": 1.8e9 + 60, "fingerprint": "f", "scope": "s",
}  # fmt: skip
FAILURE = {
    "error": "http_503", "description": "down", "terminal": False, "at": 1.8e9,
    "until": 1.8e9 + 30, "count": 2, "for_stale": False,
}  # fmt: skip
FRUITLESS = {"generation": 5, "count": 2, "until": 1.8e9 + 4}
DUE: list[Any] = [[json.dumps(TOKEN), 1.8e9]]
RECORD = altered(TOKEN, FAILURE, FRUITLESS, DUE, DUE[0], [5, 6, "r2"], [1.8e9, None, 1])
SIDECAR = {"mark": MARK, "etag": '"v1"', "modified": "", "length": 10}
LINE = {"number": 3, "mark": "0badcafe", "error": None}
VERSION = ("ETag", "Content-Length", "Content-Range", "Date", "Last-Modified", "Content-Encoding")

made_up = settings(deadline=None)


@made_up
@given(messages(documents(MEMBERS)))
def test_token_replies(data: bytes) -> None:
    feed("token_reply", data)


@made_up
@given(
    messages(documents(("error", "data", "code")), ("WWW-Authenticate", "X-Why", "Content-Type"))
)
def test_refusals_that_may_mean_expiry(data: bytes) -> None:
    feed("expired", data)


@given(VALUES.map(lambda text: text.encode("latin-1", "replace")))
def test_challenges(data: bytes) -> None:
    feed("challenge", data)
    feed("challenge", b"Bearer error=" + data)


@given(VALUES.map(lambda text: text.encode("latin-1", "replace")))
def test_what_says_when_to_come_again(data: bytes) -> None:
    feed("retry_after", data)


@made_up
@given(messages())
def test_rate_limits(data: bytes) -> None:
    feed("rate_limit", data)


@made_up
@given(LOCATIONS)
def test_redirects(data: bytes) -> None:
    feed("location", data)


@made_up
@given(RECORD | documents(RECORDS))
def test_records(data: bytes) -> None:
    feed("record", data)


@given(damaged(SEAL.seal("hello", PLACE).encode()))
def test_sealed_texts(data: bytes) -> None:
    feed("sealed", data)


def sealed(records: Bytes) -> Bytes:
    return records.map(lambda record: b"=" + record.replace(b"\n", b" ")) | st.binary(max_size=9)


@made_up
@given(st.lists(sealed(RECORD | documents(RECORDS)), max_size=8).map(b"\n".join))
def test_caches(data: bytes) -> None:
    feed("cache", data)


@made_up
@given(answers())
def test_answers(data: bytes) -> None:
    feed("answer", data)


@made_up
@given(messages(ECHOES))
def test_refusals_that_are_quoted(data: bytes) -> None:
    feed("refusal", data)


@made_up
@given(st.lists(messages(names=VERSION), max_size=4).map(BETWEEN.join))
def test_downloads(data: bytes) -> None:
    feed("download", data)


@made_up
@given(altered(SIDECAR) | documents(RECORDS))
def test_sidecars(data: bytes) -> None:
    feed("sidecar", data)


@made_up
@given(st.lists(altered(LINE) | documents(RECORDS), max_size=4).map(b"\n".join))
def test_files_of_answers(data: bytes) -> None:
    feed("journal", data + b"\n")
    feed("journal", data)
