"""Downloads in parts, and files that are read back."""

from __future__ import annotations

import io
import json
from contextlib import suppress
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import requests
from django.core.management.base import CommandError
from requests.utils import check_header_validity

from apiclient_app.client import downloads
from apiclient_app.client.downloads import Download, resumable
from apiclient_app.client.parts import Handed, Part
from apiclient_app.client.ranges import asking, version_of
from apiclient_app.engines.faults import status_error
from apiclient_app.exceptions import CallError
from apiclient_app.management.journal import Journal
from apiclient_app.management.lines import Line
from tests.fuzz.messages import message

MARK, TEN = "ours", b"0123456789"
BETWEEN = b"\n---\n"
LINE = Line(3, "0badcafe", b"users/3")


def download(data: bytes) -> None:
    """The answers to its calls, one after the other: all of a file comes of them, or an error."""
    answers = iter(data.split(BETWEEN))
    downloads.PAUSE_SECONDS = 0.0
    file, last = io.BytesIO(), b""

    def call(headers: dict[str, str]) -> requests.Response:
        nonlocal last
        _sendable(headers)
        last = next(answers, b"500")
        response = message(last).response()
        if response.status_code >= 400:
            raise status_error(response, "api")
        return response

    with suppress(CallError):
        Download(call, Handed(file), "api").run()
        said = message(last)
        length = version_of(said.headers).length
        assert said.status != 200 or length is None or length == len(file.getvalue())
        assert file.getvalue().endswith(said.body)


def sidecar(data: bytes) -> None:
    """What stands beside a file that is begun: a version to go on with, or nothing."""
    target = _folder() / "target"
    for path, content in ((".part", TEN), (".part.json", data)):
        target.with_name(f"target{path}").write_bytes(content)
    with Part(target, MARK) as part:
        _sendable(asking(part.version, resumable(part)))
        assert 0 <= part.size <= len(TEN)
        assert part.version is None or part.version.length is None or part.version.length >= 10


def journal(data: bytes) -> None:
    """A file of answers: gone on with, or refused as it is."""
    path = _folder() / "answers.jsonl"
    for keep_failed in (True, False):
        path.write_bytes(data)
        try:
            began = Journal(path, keep_failed=keep_failed)
        except CommandError:
            assert path.read_bytes() == data
            return
        assert _has(began) in (True, False, None)
        began.add({"number": LINE.number, "mark": LINE.mark, "error": None})
        began.close()
        assert json.loads(path.read_bytes().splitlines()[-1])["number"] == LINE.number
        again = Journal(path, keep_failed=keep_failed)
        assert _has(again) is True
        again.close()


def _has(kept: Journal) -> bool | None:
    try:
        return kept.has(LINE)
    except CommandError:  # that number was another line's
        return None


def _sendable(headers: dict[str, str]) -> None:
    for header in headers.items():
        check_header_validity(header)
        header[1].encode("latin-1")


@cache
def _folder() -> Any:
    folder = TemporaryDirectory(prefix="fuzz-")
    _kept.append(folder)
    return Path(folder.name)


_kept: list[TemporaryDirectory[str]] = []  # removed when the process ends
