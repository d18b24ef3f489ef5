"""A server of raw bytes: what it hears is kept, what it says is a test's own."""

from __future__ import annotations

import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress

HOST = "127.0.0.1"
Answer = Callable[[socket.socket], object]
Listen = Callable[[Answer], int]


@contextmanager
def listening() -> Iterator[Listen]:
    """Answer each connection to a port as a test wants it: `listen(answer)` gives the port."""
    with ExitStack() as stack:

        def start(answer: Answer) -> int:
            listener = stack.enter_context(socket.create_server((HOST, 0)))
            thread = threading.Thread(target=_serve, args=(listener, answer), daemon=True)
            thread.start()
            stack.callback(thread.join, 5)
            stack.callback(listener.shutdown, socket.SHUT_RDWR)
            return int(listener.getsockname()[1])

        yield start


def _serve(listener: socket.socket, answer: Answer) -> None:
    with suppress(OSError):  # closed
        while True:
            connection, _ = listener.accept()
            threading.Thread(target=_converse, args=(connection, answer), daemon=True).start()


def _converse(connection: socket.socket, answer: Answer) -> None:
    with connection, suppress(OSError):
        answer(connection)


def heard(connection: socket.socket) -> bytes:
    """Read one request whole; nothing when the other side has gone."""
    said = b""
    while b"\r\n\r\n" not in said:
        if not (piece := connection.recv(65_536)):
            return said
        said += piece
    head, _, body = said.partition(b"\r\n\r\n")
    lower = head.lower()
    while b"transfer-encoding: chunked" in lower and not body.endswith(b"0\r\n\r\n"):
        body += connection.recv(65_536)
    length = lower.partition(b"content-length: ")[2].partition(b"\r\n")[0]
    while len(body) < int(length or 0):
        if not (piece := connection.recv(65_536)):
            break
        body += piece
    return head + b"\r\n\r\n" + body


def saying(*pieces: bytes) -> Answer:
    """Answer one request with these bytes, and hang up."""

    def answer(connection: socket.socket) -> None:
        heard(connection)
        connection.sendall(b"".join(pieces))

    return answer


def secured(context: ssl.SSLContext, answer: Answer) -> Answer:
    """Answer as `answer` does, over TLS."""

    def talk(connection: socket.socket) -> None:
        with context.wrap_socket(connection, server_side=True) as inner:
            answer(inner)

    return talk


def resetting(connection: socket.socket) -> None:
    heard(connection)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def hanging_up(connection: socket.socket) -> None:
    heard(connection)


def silent(connection: socket.socket) -> None:
    heard(connection)
    connection.recv(1)  # until the other side gives up


def free_port() -> int:
    with socket.create_server((HOST, 0)) as listener:
        return int(listener.getsockname()[1])


@contextmanager
def full() -> Iterator[int]:
    """Give a port whose queue of connections is full: the next one is not answered."""
    with ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind((HOST, 0))
        listener.listen(0)
        for _ in range(3):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(listener.getsockname())
        yield int(listener.getsockname()[1])
