"""Where a download goes: a path, or an open file."""

import io
import os
from pathlib import Path
from typing import Any

import pytest

from apiclient_app import InvalidRequest, TransportError
from apiclient_app.client import Client
from apiclient_app.client.parts import Handed, Part
from tests.servers.files import Files

from .conftest import BODY, only


def test_a_target_that_can_be_none_is_refused(
    client: Client, files: Files, target: Path, tmp_path: Path
) -> None:
    target.mkdir()
    os.mkfifo(tmp_path / "pipe")
    for one in (target, tmp_path / "pipe", Path("/dev/null"), io.StringIO(), 7):
        with pytest.raises(InvalidRequest):
            client.download("file", one)
    with pytest.raises(FileNotFoundError):
        client.download("file", tmp_path / "missing" / "file")
    (tmp_path / "other.part").symlink_to(tmp_path / "precious")
    with pytest.raises(OSError, match=r"symbolic|levels"):
        client.download("file", tmp_path / "other")
    assert files.asked == []


def test_two_do_not_write_to_one_file(client: Client, files: Files, target: Path) -> None:
    with Part(target, "somebody else's"), pytest.raises(InvalidRequest, match="somebody else"):
        client.download("file", target)
    client.download("file", target)
    assert only(target)


@pytest.mark.parametrize("mode", ["wb", "ab", "w+b"])
@pytest.mark.parametrize("buffering", [0, -1])
def test_an_open_file_is_written_from_where_it_stands(
    client: Client, files: Files, target: Path, mode: str, buffering: int
) -> None:
    target.write_bytes(b"")
    files.breaks = [1_000_000]
    with target.open(mode, buffering) as file:
        file.write(b"before")
        client.download("file", file)
        file.write(b"behind")
    assert target.read_bytes() == b"before" + BODY + b"behind"
    assert files.ranges_asked == [None, "bytes=1000000-"]


def test_an_open_file_is_wound_back_to_start_over(client: Client, files: Files) -> None:
    files.etag, files.breaks = None, [1_000_000]
    file = io.BytesIO(b"before")
    file.seek(0, io.SEEK_END)
    client.download("file", file)
    assert file.getvalue() == b"before" + BODY


class Pipe:
    """What can only be written to."""

    def __init__(self) -> None:
        self.taken: list[bytes] = []

    def write(self, piece: Any) -> None:
        self.taken.append(bytes(piece))


def test_a_pipe_is_written_once(client: Client, files: Files) -> None:
    files.breaks = [1_000_000]
    pipe = Pipe()
    client.download("file", pipe)
    assert b"".join(pipe.taken) == BODY
    files.ranges, files.breaks = False, [1_000_000]
    with pytest.raises(TransportError, match="cannot be wound back"):
        client.download("file", Pipe())


def test_a_part_of_a_write_is_made_whole() -> None:
    class Slow(Pipe):
        def write(self, piece: Any) -> int:  # type: ignore[override]
            super().write(piece[:3])
            return min(3, len(piece))

    slow = Slow()
    with Handed(slow) as landing:
        landing.write(b"0123456789")
    assert b"".join(slow.taken) == b"0123456789"
