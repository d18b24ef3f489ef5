"""`fetch` as a process: of what it reads, writes to, and how it is ended."""

import json
import os
import pty
import signal
import subprocess
import termios
import time
from pathlib import Path
from typing import Any

import pytest

from tests.servers import Handle

from .conftest import LIMIT, Run, Start
from .test_fetch import documents


@pytest.fixture(params=["requests", "curl"])
def shop(api: Handle, request: pytest.FixtureRequest) -> dict[str, Any]:
    return {"shop": api.config(ENGINE=request.param)}


@pytest.fixture
def lines(tmp_path: Path) -> Path:
    return tmp_path / "lines"


def test_lines_come_from_stdin_too(shop: dict[str, Any], run: Run) -> None:
    given = b"\xef\xbb\xbfecho\r\nstatus/201"
    ran = run("fetch", "shop", "--from", "-", given=given, **shop)
    assert ran.returncode == 0, ran.stderr
    assert [one["status"] for one in documents(ran.stdout)] == [200, 201]


def test_answers_do_not_wait_for_the_lines_of_a_slow_source(
    shop: dict[str, Any], start: Start
) -> None:
    with start("fetch", "shop", "--from", "-", stdin=subprocess.PIPE, **shop) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for given, number in ((b"echo\n", 1), (b"\nec", 0), (b"ho\necho\n", 3), (b"echo", 0)):
            process.stdin.write(given)
            process.stdin.flush()
            if number:
                assert json.loads(process.stdout.readline())["number"] == number
            time.sleep(0.2)
        process.stdin.close()
        rest = [json.loads(line)["number"] for line in process.stdout]
        assert (rest, process.wait(LIMIT)) == ([4, 5], 0)


def test_ctrl_c_ends_the_waiting_for_a_line(shop: dict[str, Any], start: Start) -> None:
    with start("fetch", "shop", "--from", "-", stdin=subprocess.PIPE, **shop) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdin.write(b"echo\n")
        process.stdin.flush()
        assert process.stdout.readline()
        time.sleep(0.2)
        process.send_signal(signal.SIGINT)
        assert process.wait(LIMIT) == 130
        said = process.stderr.read().decode()
        assert said.startswith("apiclient: interrupted: 1 answered, 0 failed, 0 skipped")
        assert len(said.splitlines()) == 1


def test_a_reader_who_leaves_ends_it_without_a_word(
    shop: dict[str, Any], lines: Path, start: Start
) -> None:
    lines.write_text("echo\n" * 5_000)
    with start("fetch", "shop", "--from", str(lines), **shop) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert json.loads(process.stdout.readline())["status"] == 200
        process.stdout.close()
        assert process.wait(LIMIT) == 141
        assert process.stderr.read() == b""


def test_endless_input_takes_no_memory(shop: dict[str, Any], start: Start) -> None:
    peaks = []
    for calls in (300, 6_000):
        words = ("fetch", "shop", "--from", "-", "--concurrency", "8")
        streams = {"stdin": subprocess.PIPE, "stdout": subprocess.DEVNULL}
        with start(*words, **streams, **shop) as process:
            assert process.stdin is not None
            process.stdin.write(b"echo\n" * calls)
            process.stdin.close()
            _pid, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
        assert process.returncode == 0
        peaks.append(usage.ru_maxrss)  # in KiB
    assert peaks[1] - peaks[0] < 5_000


def test_a_bar_is_drawn_on_a_terminal_alone(
    shop: dict[str, Any], lines: Path, tmp_path: Path, start: Start
) -> None:
    lines.write_text("echo\n" * 20)
    words = ("fetch", "shop", "--from", str(lines), "--output", str(tmp_path / "out"))
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (24, 80))
    with start(*words, stderr=theirs, **shop) as process:
        os.close(theirs)
        shown = b"".join(iter(lambda: read(ours), b"")).decode()
        assert process.wait(LIMIT) == 0
    os.close(ours)
    assert "20/20" in shown
    assert "20 answered, 0 failed, 0 skipped" in shown


def read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65_536)
    except OSError:  # the other side is closed
        return b""
