"""A download that breaks off goes on where it did, if that is the same file still."""

import threading
import time
from pathlib import Path
from typing import Any

import pytest

from apiclient_app import TransportError
from apiclient_app.client import Client
from tests.servers import Handle
from tests.servers.files import Files, dated

from .conftest import BODY, OTHER, left_over, only


@pytest.mark.parametrize("length", ["length", "chunked"])
def test_a_connection_that_breaks_off_is_taken_up_where_it_did(
    client: Client, files: Files, target: Path, length: str
) -> None:
    files.length = length
    files.breaks = [1_000_000, 1, 500_000, 100]
    response = client.download("file", target)
    assert only(target)
    assert response.status_code == 206
    assert files.ranges_asked == [
        None,
        *(f"bytes={n}-" for n in (1_000_000, 1_000_001, 1_500_001, 1_500_101)),
    ]
    assert {asked.get("if-range") for asked in files.asked[1:]} == {'"one"'}


def test_it_goes_on_as_long_as_much_comes_of_it_and_not_for_ever(
    client: Client, files: Files, target: Path
) -> None:
    files.breaks = [10] * 9
    with pytest.raises(TransportError, match="the answer broke off"):
        client.download("file", target)
    assert len(files.asked) == 5
    files.body = BODY * 4
    files.breaks = [1_100_000] * 9
    files.etag = '"two"'
    client.download("file", target)
    assert target.read_bytes() == BODY * 4


def test_a_try_that_brings_nothing_is_the_last(client: Client, files: Files, target: Path) -> None:
    files.breaks = [1_000_000, 0]
    with pytest.raises(TransportError):
        client.download("file", target)
    assert len(files.asked) == 2


def test_the_next_download_goes_on_from_what_is_left(
    client: Client, files: Files, target: Path
) -> None:
    size = left_over(client, files, target)
    client.download("file", target)
    assert only(target)
    assert files.ranges_asked == [f"bytes={size}-"]


def test_what_was_complete_but_for_its_name_is_proven_by_a_byte(
    client: Client, files: Files, target: Path
) -> None:
    left_over(client, files, target)
    target.with_name("report.bin.part").write_bytes(BODY)
    client.download("file", target)
    assert only(target)
    assert files.ranges_asked == [f"bytes={len(BODY) - 1}-"]


@pytest.mark.parametrize("heeds_if_range", [True, False])
def test_a_file_that_has_changed_is_fetched_anew(
    client: Client, files: Files, target: Path, heeds_if_range: bool
) -> None:
    left_over(client, files, target)
    files.body, files.etag, files.heeds_if_range = OTHER, '"two"', heeds_if_range
    client.download("file", target)
    assert target.read_bytes() == OTHER
    assert len(files.asked) == (1 if heeds_if_range else 2)


def test_a_file_that_changes_while_it_is_fetched_is_of_one_version(
    client: Client, files: Files, target: Path
) -> None:
    files.breaks = [1_000_000, 2_000_000]
    files.pause = threading.Event()

    def change() -> None:
        files.body, files.etag = OTHER, '"two"'
        files.pause.set()  # type: ignore[union-attr]

    threading.Timer(0.3, change).start()
    client.download("file", target)
    assert target.read_bytes() == OTHER


def test_a_file_that_has_become_shorter_is_fetched_anew(
    client: Client, files: Files, target: Path
) -> None:
    left_over(client, files, target)
    files.body, files.heeds_if_range = BODY[:1000], False
    client.download("file", target)
    assert target.read_bytes() == BODY[:1000]
    assert files.ranges_asked == ["bytes=1000000-", None]


@pytest.mark.parametrize(
    "odd",
    [
        {"content_range": "bytes 5-9/10"},
        {"content_range": f"bytes 1000000-2999999/{len(BODY) + 1}"},
        {"content_range": "items 1-2"},
        {"headers": {"Content-Encoding": "gzip"}},
        {"etag": None, "heeds_if_range": False},
        {"ranges": False},
    ],
    ids=str,
)
def test_a_part_that_does_not_fit_is_not_used(
    client: Client, files: Files, target: Path, odd: dict[str, Any]
) -> None:
    left_over(client, files, target)
    for name, value in odd.items():
        setattr(files, name, value)
    if "headers" in odd:
        with pytest.raises(TransportError, match="cannot be decoded"):
            client.download("file", target)
        assert not target.exists()
    else:
        client.download("file", target)
        assert only(target)


@pytest.mark.parametrize(
    ("told", "ended"),
    [("bytes 1000000-2999999/*", True), (f"bytes 1000000-1999999/{len(BODY)}", False)],
)
def test_a_part_ends_where_its_range_says(
    client: Client, files: Files, target: Path, told: str, ended: bool
) -> None:
    left_over(client, files, target)
    files.content_range = told
    if not ended:
        files.length, files.breaks = "none", [1_000_000]
    client.download("file", target)
    assert only(target)
    starts = [None if asked is None else asked[6:-1] for asked in files.ranges_asked]
    assert starts == (["1000000"] if ended else ["1000000", "2000000", None])


@pytest.mark.parametrize(
    ("etag", "age", "resumed"),
    [
        ('W/"weak"', None, False),
        (None, None, False),
        (None, 3600, True),
        ('W/"weak"', 3600, True),
        (None, -3600, False),  # may change within this second
        (None, "yesterday", False),
    ],
)
def test_only_what_is_known_to_be_the_same_is_added_to(
    client: Client, files: Files, target: Path, etag: str, age: int | str | None, resumed: bool
) -> None:
    modified = dated(time.time() - age) if isinstance(age, int) else age
    files.etag, files.modified = etag, modified
    files.breaks = [1_000_000]
    client.download("file", target)
    assert only(target)
    assert files.ranges_asked == [None, "bytes=1000000-" if resumed else None]
    if resumed:
        assert files.asked[1]["if-range"] == modified


@pytest.mark.parametrize("other", ["path", "params", "subject", "torn sidecar", "no sidecar"])
def test_a_part_of_something_else_is_not_added_to(
    client: Client, files: Files, target: Path, other: str
) -> None:
    left_over(client, files, target)
    sidecar = target.with_name("report.bin.part.json")
    if other == "torn sidecar":
        sidecar.write_text(sidecar.read_text()[:-5])
    elif other == "no sidecar":
        sidecar.unlink()
    asking = client.for_subject("7") if other == "subject" else client
    params = {"a": "1"} if other == "params" else None
    asking.download("other" if other == "path" else "file", target, params=params)
    assert only(target)
    assert files.ranges_asked == [None]


def test_a_token_that_expires_meanwhile_is_replaced(
    client: Client, files: Files, api: Handle, target: Path
) -> None:
    files.breaks = [1_000_000]
    files.pause = threading.Event()

    def expire() -> None:
        files.refusals = [401]
        files.pause.set()  # type: ignore[union-attr]

    threading.Timer(0.2, expire).start()
    client.download("file", target)
    assert only(target)
    assert len(api.token_requests) == 2
    assert [asked.get("range") for asked in files.asked] == [None, *["bytes=1000000-"] * 2]
