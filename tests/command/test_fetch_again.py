"""`fetch --output`: what has been answered is not asked for again."""

import json
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from apiclient_app.client.parts import held
from tests.conftest import Configure
from tests.servers import Handle, Reply

from .conftest import LIMIT, Run, Start
from .orders import Outcome, order


@pytest.fixture
def shop(api: Handle, api_clients: Configure) -> dict[str, Any]:
    configured = {"shop": api.config(ENGINE="curl")}
    api_clients(**configured)
    return configured


@pytest.fixture
def lines(tmp_path: Path) -> Path:
    path = tmp_path / "lines"
    path.write_text("".join(f"echo?n={n}\n" for n in range(1, 11)))
    return path


@pytest.fixture
def output(tmp_path: Path) -> Path:
    return tmp_path / "answers.jsonl"


def fetch(lines: Path, output: Path, *options: str) -> Outcome:
    return order("fetch", "shop", "--from", str(lines), "--output", str(output), *options)


def numbers(output: Path) -> list[int]:
    text = output.read_text()
    assert not text or text.endswith("\n")
    return sorted(json.loads(line)["number"] for line in text.splitlines())


def asked(api: Handle) -> list[str]:
    return sorted((r["query"]["n"] for r in api.requests if "n" in r["query"]), key=int)


def test_what_is_answered_is_skipped(
    api: Handle, shop: dict[str, Any], lines: Path, output: Path
) -> None:
    shown = fetch(lines, output)
    assert (shown.out, shown.code) == ("", 0)
    assert numbers(output) == list(range(1, 11))
    kept = output.read_bytes()
    with lines.open("a") as file:
        file.write("echo?n=11\n")
    shown = fetch(lines, output)
    assert shown.err.startswith("1 answered, 0 failed, 10 skipped")
    assert output.read_bytes().startswith(kept)
    assert asked(api) == [str(n) for n in range(1, 12)]


@pytest.mark.parametrize("length", [1, 5, 11, 40, -1])
def test_an_unfinished_last_line_is_cut_off(
    shop: dict[str, Any], lines: Path, output: Path, length: int
) -> None:
    fetch(lines, output)
    whole = output.read_bytes().splitlines(keepends=True)
    output.write_bytes(b"".join(whole[:-1]) + whole[-1][:length])
    shown = fetch(lines, output)
    assert shown.err.startswith("1 answered, 0 failed, 9 skipped")
    assert numbers(output) == list(range(1, 11))


def test_what_failed_is_repeated_and_answered_once(
    api: Handle, shop: dict[str, Any], lines: Path, output: Path
) -> None:
    api.script("/api/echo", *[Reply(503)] * 4)
    assert fetch(lines, output).code == 1
    assert len(numbers(output)) == 10
    shown = fetch(lines, output)
    assert shown.err.startswith("4 answered, 0 failed, 6 skipped")
    assert numbers(output) == list(range(1, 11))
    assert "503" not in output.read_text()
    assert {path.name for path in output.parent.iterdir()} == {"lines", "answers.jsonl"}


def test_what_failed_is_kept_if_that_is_wanted(
    api: Handle, shop: dict[str, Any], lines: Path, output: Path
) -> None:
    api.script("/api/echo", *[Reply(503)] * 4)
    fetch(lines, output)
    shown = fetch(lines, output, "--keep-failed")
    assert (shown.code, shown.err[:35]) == (0, "0 answered, 0 failed, 10 skipped; 0")
    assert output.read_text().count('"ServerError"') == 4


@pytest.mark.parametrize(
    "held_by_it",
    [b"precious", b"precious\n", b'{"number": 1}\n', b"[]\n", b'{"number": 1, "mark": 2}\n{"num'],
)
def test_a_file_that_is_something_else_is_left_alone(
    api: Handle, shop: dict[str, Any], lines: Path, output: Path, held_by_it: bytes
) -> None:
    output.write_bytes(held_by_it)
    shown = fetch(lines, output)
    assert shown.code == 2
    assert "not an answer of fetch" in shown.error
    assert output.read_bytes() == held_by_it
    assert api.requests == []


def test_other_lines_need_another_output(
    api: Handle, shop: dict[str, Any], lines: Path, output: Path
) -> None:
    fetch(lines, output)
    lines.write_text("echo?n=0\n" + lines.read_text())
    shown = fetch(lines, output)
    assert shown.code == 2
    assert "line 1 has changed since" in shown.error
    assert "0" not in asked(api)


def test_two_do_not_write_to_one_output(shop: dict[str, Any], lines: Path, output: Path) -> None:
    with held(output):
        shown = fetch(lines, output)
    assert shown.code == 2
    assert "somebody else" in shown.error


def interrupted(start: Start, output: Path, *words: str, **more: Any) -> tuple[int, str]:
    with start("fetch", "shop", *words, **more) as process:
        assert process.stderr is not None
        end = time.monotonic() + LIMIT
        while not (output.exists() and output.stat().st_size) and time.monotonic() < end:
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        code = process.wait(LIMIT)
        return code, process.stderr.read().decode()


def test_ctrl_c_leaves_what_the_same_command_goes_on_with(
    api: Handle, shop: dict[str, Any], lines: Path, output: Path, start: Start, run: Run
) -> None:
    lines.write_text("".join(f"slow?ms=20&n={n}\n" for n in range(1, 401)))
    words = ("--from", str(lines), "--output", str(output), "--concurrency", "4")
    code, said = interrupted(start, output, *words, **shop)
    assert code == 130
    assert said.startswith("apiclient: interrupted: ")
    assert said.endswith("; the same command goes on where it stopped\n")
    done = numbers(output)
    assert 0 < len(done) < 400
    # It may have been stopped between writing an answer and counting it.
    assert any(f"{n} answered" in said for n in (len(done), len(done) - 1))
    ran = run("fetch", "shop", *words, **shop)
    assert ran.returncode == 0, ran.stderr
    assert f"{400 - len(done)} answered, 0 failed, {len(done)} skipped" in ran.stderr
    assert numbers(output) == list(range(1, 401))
    assert len(asked(api)) <= 400 + 4


def test_ctrl_c_without_output_says_what_would_have_helped(
    shop: dict[str, Any], tmp_path: Path, lines: Path, start: Start
) -> None:
    lines.write_text("slow?ms=20\n" * 400)
    printed = tmp_path / "printed"
    with printed.open("wb") as out:
        code, said = interrupted(start, printed, "--from", str(lines), stdout=out, **shop)
    assert code == 130
    assert "with --output, the same command could be gone on with" in said
    assert numbers(printed)


def test_whenever_it_is_killed_the_output_can_be_gone_on_with(
    shop: dict[str, Any], lines: Path, output: Path, start: Start, run: Run
) -> None:
    lines.write_text("".join(f"echo?n={n}\n" for n in range(1, 3001)))
    words = ("--from", str(lines), "--output", str(output))
    for _ in range(3):
        with start("fetch", "shop", *words, **shop) as process:
            size = output.stat().st_size if output.exists() else 0
            while not (output.exists() and output.stat().st_size > size):
                time.sleep(0.01)
            process.kill()
    ran = run("fetch", "shop", *words, **shop)
    assert ran.returncode == 0, ran.stderr
    assert numbers(output) == list(range(1, 3001))
