"""What a shell, cron and a terminal see of it."""

import fcntl
import os
import pty
import signal
import struct
import termios
import time
from contextlib import suppress
from pathlib import Path
from subprocess import PIPE
from typing import Any

import pytest
from django.core.management import call_command

from apiclient_app.management.subcommands import SUBCOMMANDS
from tests.servers import Handle, Reply

from .conftest import LIMIT, Run, Start
from .grants import refreshing

ESCAPE = "\x1b["
UNUSABLE = {"BASE_URL": "nowhere"}


def test_errors_are_one_line_without_a_traceback(api: Handle, run: Run) -> None:
    wrong = api.config(OPTIONS={"client_secret": "wrong"})
    ran = run("rotate", "crm", crm=wrong)
    assert (ran.returncode, ran.stdout) == (1, "")
    assert ran.stderr.startswith("apiclient: crm: the token endpoint refused: invalid_client")
    assert ran.stderr.count("\n") == 1
    ran = run("rotate", "shop", crm=wrong)
    assert ran.returncode == 2
    assert ran.stderr == "apiclient: There is no API_CLIENTS['shop'] in settings; known: 'crm'.\n"


@pytest.mark.parametrize(
    "words", [("inspect", "shop", "--traceback"), ("--traceback", "inspect", "shop")]
)
def test_traceback_shows_where_an_error_came_from(run: Run, words: tuple[str, ...]) -> None:
    ran = run(*words, shop=UNUSABLE)
    assert ran.returncode == 1
    assert "apiclient_app.exceptions.InvalidConfiguration: API_CLIENTS['shop']" in ran.stderr


def test_other_processes_use_the_token_it_obtained(api: Handle, run: Run) -> None:
    for words in (("rotate", "shop"), ("check", "shop"), ("call", "shop", "GET", "echo")):
        assert run(*words, shop=api.config()).returncode == 0
    assert len(api.token_requests) == 1
    assert '"state": "fresh"' in run("list", "--format", "json", shop=api.config()).stdout


def test_usage_errors_have_the_code_of_usage_errors(run: Run) -> None:
    for words in ((), ("call", "shop", "BREW", "tea")):
        ran = run(*words)
        assert (ran.returncode, ran.stdout) == (2, "")
        assert "error: " in ran.stderr


def test_help_tells_words_and_exit_codes(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        call_command("apiclient", "--help")
    shown = capsys.readouterr().out
    assert "\n  2    nothing was sent: " in shown
    for word, subcommand in SUBCOMMANDS.items():
        assert f"\n    {word}" in shown
        with pytest.raises(SystemExit) as ended:
            call_command("apiclient", word, "--help")
        assert ended.value.code == 0
        told = capsys.readouterr().out
        assert subcommand.epilog in told
        assert max(map(len, ["", *subcommand.epilog.splitlines()])) <= 80
        assert "--settings" not in told  # taken, but not told again


def test_options_of_every_command_are_taken_behind_the_word_too(run: Run) -> None:
    options = ("--settings", "tests.settings", "--no-color", "-v", "2")
    ran = run("list", *options, shop=UNUSABLE)  # but tests.settings have no clients
    assert (ran.returncode, ran.stdout) == (0, "")


@pytest.mark.parametrize("words", [("list",), ("call", "shop", "GET", "big?mb=20")])
def test_a_reader_that_has_enough_ends_it_quietly(
    api: Handle, start: Start, words: tuple[str, ...]
) -> None:
    many = {f"client{n}": UNUSABLE for n in range(2_000)}
    with start(*words, shop=api.config(), **many) as process:
        assert process.stdout is not None
        process.stdout.read(10)
        process.stdout.close()
        _out, err = process.communicate(timeout=LIMIT)
    assert process.returncode == 141
    assert err in (b"", b"200 OK\n")


@pytest.mark.parametrize("words", [("list",), ("call", "shop", "GET", "echo")])
def test_a_full_disk_is_one_line(api: Handle, run: Run, words: tuple[str, ...]) -> None:
    with Path("/dev/full").open("wb") as full:
        ran = run(*words, stdout=full, shop=api.config())
    assert ran.returncode == 1
    assert ran.stderr.removeprefix("200 OK\n") == "apiclient: No space left on device\n"


def test_ctrl_c_ends_it_quietly(api: Handle, start: Start) -> None:
    api.always("/api/echo", Reply(style="hang"))
    with start("call", "shop", "GET", "echo", shop=api.config()) as process:
        while not any(asked["path"] == "/api/echo" for asked in api.requests):
            assert process.poll() is None
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=LIMIT)
    assert (process.returncode, out, err) == (130, b"", b"")


def test_a_narrow_encoding_does_not_stop_it(run: Run) -> None:
    ran = run("list", env={"PYTHONIOENCODING": "ascii"}, café={"BASE_URL": "https://a.example/"})
    assert ran.returncode == 0
    assert ran.stdout.splitlines()[1].startswith("caf\\xe9")


class Terminal:
    """Runs the command on a terminal of so many columns; gives what it shows."""

    def __init__(self, start: Start) -> None:
        self.start = start

    def show(self, *words: str, columns: int = 100, **more: Any) -> str:
        ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        env = {"TERM": "xterm", "COLUMNS": "", "NO_COLOR": "", **more.pop("env", {})}
        with self.start(*words, stdout=theirs, env=env, **more) as process:
            os.close(theirs)
            shown = b""
            with suppress(OSError):  # the way a terminal ends
                while piece := os.read(ours, 65_536):
                    shown += piece
            process.communicate(timeout=LIMIT)
        os.close(ours)
        return shown.decode().replace("\r\n", "\n")


@pytest.fixture
def terminal(start: Start) -> Terminal:
    return Terminal(start)


def test_a_terminal_has_colours_unless_told_otherwise(api: Handle, terminal: Terminal) -> None:
    assert f"{ESCAPE}31;1mmisconfigured{ESCAPE}0m" in terminal.show("list", shop=UNUSABLE)
    assert ESCAPE not in terminal.show("list", "--no-color", shop=UNUSABLE)


def test_a_pipe_has_no_colours_unless_told_otherwise(run: Run) -> None:
    assert ESCAPE not in run("list", shop=UNUSABLE).stdout
    assert ESCAPE in run("list", "--force-color", shop=UNUSABLE).stdout


@pytest.mark.parametrize("columns", [30, 50, 80, 120])
def test_lines_fit_the_terminal(api: Handle, terminal: Terminal, columns: int) -> None:
    more = {"the-client-of-the-sales-people": api.config(), "shop": UNUSABLE}
    shown = terminal.show("list", "--no-color", columns=columns, **more)
    assert "absent" in shown
    longest = max((line for line in shown.splitlines() if "['" not in line), key=len)
    assert len(longest) <= columns


@pytest.mark.parametrize("columns", [40, 80])
def test_rows_fit_the_terminal(
    api: Handle, run: Run, terminal: Terminal, database: dict[str, Any], columns: int
) -> None:
    more = {"setting": database, "shop": refreshing(api)}
    words = ("store-refresh-token", "shop", "--subject", "the-tenant-" * 20)
    assert run(*words, given=b"r1", **more).returncode == 0
    shown = terminal.show("subjects", "--no-color", columns=columns, stderr=PIPE, **more)
    assert "held" in shown
    assert max(map(len, shown.splitlines())) <= columns


def test_json_is_indented_on_a_terminal(api: Handle, terminal: Terminal) -> None:
    shown = terminal.show("call", "shop", "GET", "status/200", shop=api.config())
    assert shown == '{\n  "status": 200,\n  "path": "/api/status/200"\n}\n'


def test_a_terminal_is_spared_what_is_no_text(api: Handle, terminal: Terminal) -> None:
    shown = terminal.show("call", "shop", "GET", "big?mb=1", shop=api.config())
    assert shown == ""
