"""`store-refresh-token` as a process: at a terminal, and behind a pipe."""

import fcntl
import os
import pty
import select
import termios
from contextlib import suppress
from typing import Any

import pytest

from tests.servers import Handle

from .conftest import LIMIT, Run, Start
from .grants import refreshing

CANARY = "canary-3f9ce1d27a40"
PROMPT = "Refresh token for shop: "


def with_a_terminal() -> None:
    os.setsid()
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


class Typist:
    """Sits at a terminal, waits for the prompt, and types; `shown` is what the screen shows."""

    def __init__(self, start: Start, typed: bytes, **more: Any) -> None:
        self.ours, theirs = pty.openpty()
        self.shown = ""
        streams = {"stdin": theirs, "stdout": theirs, "stderr": theirs}
        with start("store-refresh-token", "shop", **streams, **more) as process:
            os.close(theirs)
            while PROMPT not in self.shown:
                self.see()
            self.echoed = self.echoes()
            os.write(self.ours, typed)
            with suppress(OSError):  # the way a terminal ends
                while True:
                    self.see()
            self.code = process.wait(LIMIT)
        os.close(self.ours)

    def see(self) -> None:
        assert select.select([self.ours], [], [], LIMIT)[0], self.shown
        self.shown += os.read(self.ours, 65_536).decode().replace("\r\n", "\n")

    def echoes(self) -> bool:
        return bool(termios.tcgetattr(self.ours)[3] & termios.ECHO)


@pytest.mark.parametrize("first", [with_a_terminal, os.setsid], ids=["terminal", "stdin alone"])
def test_what_is_typed_is_kept_and_not_echoed(
    api: Handle, start: Start, run: Run, database: dict[str, Any], first: Any
) -> None:
    more = {"setting": database, "shop": refreshing(api)}
    typist = Typist(start, f"{CANARY}\n".encode(), preexec_fn=first, **more)
    assert typist.code == 0
    assert not typist.echoed
    assert typist.shown == f"{PROMPT}\nshop: stored; the next call obtains a token with it\n"
    assert run("check", "shop", **more).returncode == 0
    assert api.token_requests[0]["fields"]["refresh_token"] == CANARY


@pytest.mark.parametrize(
    ("typed", "code", "said"),
    [
        (b"\x04", 2, "nothing was typed that could be read"),
        (b"\n", 2, "that is no refresh token: it is empty"),
        (b"a" * 4_095 + b"\n", 2, "a terminal may have cut it off; pipe it in"),
        (CANARY.encode() + b"\x03", 130, ""),
    ],
    ids=["end", "empty", "cut", "ctrl-c"],
)
def test_what_cannot_be_kept_is_not(
    api: Handle, start: Start, typed: bytes, code: int, said: str
) -> None:
    typist = Typist(start, typed, preexec_fn=with_a_terminal, shop=refreshing(api))
    assert typist.code == code
    assert said in typist.shown
    assert CANARY not in typist.shown


def test_a_pipe_is_read(api: Handle, run: Run, database: dict[str, Any]) -> None:
    more = {"setting": database, "shop": refreshing(api)}
    ran = run(
        "store-refresh-token", "shop", "--subject", "ann", given=f"{CANARY}\n".encode(), **more
    )
    assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout == "shop (ann): stored; the next call obtains a token with it\n"
    assert run("call", "shop", "GET", "echo", "--subject", "ann", **more).returncode == 0
    assert api.token_requests[0]["fields"]["refresh_token"] == CANARY
    assert "ann      held" in run("subjects", **more).stdout


@pytest.mark.parametrize(
    "words",
    [
        ("shop", CANARY),
        ("shop", "--subject", "ann", CANARY, "--traceback"),
        ("shop", f"--value={CANARY}"),
        (CANARY,),
    ],
)
def test_a_command_line_takes_none(api: Handle, run: Run, words: tuple[str, ...]) -> None:
    ran = run("store-refresh-token", *words, shop=refreshing(api))
    assert (ran.returncode, ran.stdout) == (2, "")
    assert ran.stderr
    assert CANARY not in ran.stderr
