"""`adownload`: the same, for an event loop."""

import asyncio
import threading
import time
from pathlib import Path

import pytest

from apiclient_app.client import Client
from tests.loops import looped, until
from tests.servers.files import Files

from .conftest import absent, only
from .test_targets import Pipe


@looped
async def test_adownload_does_the_same(client: Client, files: Files, target: Path) -> None:
    files.breaks = [1_000_000]
    response = await client.adownload("file", target)
    assert response.status_code == 206
    assert only(target)


@looped
async def test_a_cancelled_download_goes_at_once_and_can_be_taken_up(
    client: Client, files: Files, target: Path
) -> None:
    files.pause = threading.Event()
    task = asyncio.create_task(client.adownload("file", target))
    assert await until(lambda: bool(files.asked))
    await asyncio.sleep(0.1)
    began = time.monotonic()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert time.monotonic() - began < 1.0
    files.pause.set()
    assert await until(lambda: not files.open)
    assert absent(target)
    await client.adownload("file", target)
    assert only(target)
    assert files.ranges_asked == [None, "bytes=1-"]


@looped
async def test_nothing_is_written_to_an_open_file_once_it_is_cancelled(
    client: Client, files: Files
) -> None:
    files.pause = threading.Event()
    pipe = Pipe()
    task = asyncio.create_task(client.adownload("file", pipe))
    assert await until(lambda: bool(pipe.taken))
    task.cancel()
    files.pause.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    taken = len(pipe.taken)
    await asyncio.sleep(0.3)
    assert len(pipe.taken) == taken
