"""A line to the token endpoint, on which replies take their time, and some get lost."""

import socket
import threading
import time
from contextlib import suppress
from typing import Self

from project.valkey import HOST

GRANTED = b"HTTP/1.1 200 "


class Line:
    """Passes TCP connections on to a port, and cuts some when the answer is on its way back.

    Every answer takes `delay` seconds for the way.
    """

    def __init__(self, port: int, delay: float = 0.0) -> None:
        self._target, self._delay = port, delay
        self._listener = socket.create_server((HOST, 0), backlog=128)
        self._lock = threading.Lock()
        self._to_lose = 0
        self._open: list[int] = []
        self.lost = 0

    @property
    def port(self) -> int:
        return int(self._listener.getsockname()[1])

    @property
    def token_url(self) -> str:
        return f"http://{HOST}:{self.port}/o/token/"

    def lose(self, replies: int = 1) -> None:
        """Lose the next replies that grant something: the server has done its part by then."""
        with self._lock:
            self._to_lose += replies

    def asking(self, seconds: float) -> int | None:
        """Wait for somebody to be asking; give the port that he does it from."""
        deadline = time.monotonic() + seconds
        while not (ports := self._open[:]) and time.monotonic() < deadline:
            time.sleep(0.005)
        return ports[0] if ports else None

    def _serve(self) -> None:
        with suppress(OSError):  # closed
            while True:
                near, (_, port) = self._listener.accept()
                threading.Thread(target=self._carry, args=(near, port), daemon=True).start()

    def _carry(self, near: socket.socket, port: int) -> None:
        self._open.append(port)
        with near, suppress(OSError), socket.create_connection((HOST, self._target)) as far:
            there = threading.Thread(target=pump, args=(near, far), daemon=True)
            there.start()
            while piece := far.recv(65536):
                time.sleep(self._delay)
                if piece.startswith(GRANTED) and self._loses():
                    break
                near.sendall(piece)
            near.shutdown(socket.SHUT_RDWR)  # wakes the other thread
            there.join()
        self._open.remove(port)

    def _loses(self) -> bool:
        with self._lock:
            if not self._to_lose:
                return False
            self._to_lose -= 1
            self.lost += 1
            return True

    def __enter__(self) -> Self:
        threading.Thread(target=self._serve, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()


def pump(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while piece := source.recv(65536):
            target.sendall(piece)
        target.shutdown(socket.SHUT_WR)
