"""Processes that the demo starts, and that end with it."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from project.valkey import guard

BASE_DIR = Path(__file__).resolve().parents[2]
START_SECONDS = 60.0
STOP_SECONDS = 8.0
LAST_LINES = 20


class Ended(Exception):
    """A process of the demo is not there as it should be; says what it wrote last."""


class Child:
    """A process with a log of its own. It ends with ours, however ours ends."""

    def __init__(
        self,
        words: Sequence[str],
        log: Path,
        environment: dict[str, str],
        fds: Sequence[int] = (),
    ) -> None:
        self.log = log
        with log.open("wb") as output:
            self._process = subprocess.Popen(
                words,
                cwd=BASE_DIR,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                pass_fds=fds,
                # Ctrl-C in the terminal is for the demo, which stops its processes in order.
                start_new_session=True,
            )
        # A negative id is a process group: the workers that it forks end with it.
        self._guard = guard(-self._process.pid)

    def wait_until(self, ready: Callable[[], bool]) -> None:
        """Return when it is ready; raise `Ended` if it never will be."""
        deadline = time.monotonic() + START_SECONDS
        while not ready():
            self.check()
            if time.monotonic() > deadline:
                raise self._ended(f"did not start within {START_SECONDS:.0f} s")
            time.sleep(0.05)

    def check(self) -> None:
        """Raise `Ended` if it has ended."""
        if (status := self._process.poll()) is not None:
            raise self._ended(f"ended with exit status {status}")

    def ask_to_stop(self) -> None:
        self._process.terminate()

    def stop(self) -> None:
        """Return when it and all that it started are gone."""
        self.ask_to_stop()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(STOP_SECONDS)
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._guard.kill()
        self._guard.communicate()

    def _ended(self, what: str) -> Ended:
        lines = self.log.read_text(errors="replace").strip().splitlines()[-LAST_LINES:]
        end = "\n".join(f"    {line}" for line in lines or ["(nothing)"])
        return Ended(f"The {self.log.stem} {what}. The end of its log:\n{end}")
