"""A server process of our own: answers after a while, and can let its token expire under way.

`python -m benchmarks.server DELAY TOKEN` writes its port to stdout and ends when its stdin does.
"""

import asyncio
import json
import re
import secrets
import sys
from collections import Counter
from collections.abc import Callable
from http import HTTPStatus
from importlib import import_module
from typing import Any, cast

HEAD_END = b"\r\n\r\n"
CONTENT_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
TOKEN_DELAY = 0.1
USER = {"id": 42, "login": "octocat", "name": "Mona"}


def reply(document: Any, status: HTTPStatus = HTTPStatus.OK) -> bytes:
    body = json.dumps(document).encode()
    head = (
        f"HTTP/1.1 {status.value} {status.phrase}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


FINE, REFUSED = reply(USER), reply({}, HTTPStatus.UNAUTHORIZED)


class Service:
    """What it knows: the one token that is good, for how many calls more, and what it has seen."""

    def __init__(self, delay: float, token: str) -> None:
        self.delay = delay
        self.use(token)
        self.expire_after(0)

    def use(self, token: str) -> None:
        self.token, self.proof = token, f"Bearer {token}\r\n".encode()

    def expire_after(self, calls: int) -> None:
        """Count from here; the token is good for so many calls, 0: for all."""
        self.calls, self.seen, self.refused = calls, Counter[str](), set[bytes]()

    def answer(self, head: bytes) -> tuple[bytes, float]:
        """Give a reply, and after how many seconds it is due."""
        path = head.split(b" ", 2)[1]
        if path == b"/token":
            self.seen["token requests"] += 1
            return reply({"access_token": self.token, "expires_in": 86400}), TOKEN_DELAY
        if path.startswith(b"/expire-after/"):
            self.expire_after(int(path.rpartition(b"/")[2]))
            return reply({}), 0
        if path == b"/seen":
            return reply(self.seen), 0
        return self.api(path, head), self.delay

    def api(self, path: bytes, head: bytes) -> bytes:
        if self.proof not in head:
            self.seen["refused"] += 1
            self.refused.add(path)
            return REFUSED
        self.seen["served"] += 1
        if path in self.refused:
            self.refused.discard(path)
            self.seen["replayed"] += 1
        if self.seen["served"] == self.calls:
            self.use(secrets.token_urlsafe(600))
        return FINE


class Connection(asyncio.Protocol):
    """One kept connection; requests in it are answered one after the other."""

    def __init__(self, service: Service) -> None:
        self.service, self.loop, self.received = service, asyncio.get_running_loop(), b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self.received += data
        while (end := self.end()) and end <= len(self.received):
            head, self.received = self.received[:end], self.received[end:]
            answer, delay = self.service.answer(head)
            if delay:
                self.loop.call_later(delay, self.write, answer)
            else:
                self.write(answer)

    def end(self) -> int | None:
        """Where the first request ends, as far as that is known."""
        if (head := self.received.find(HEAD_END)) < 0:
            return None
        length = CONTENT_LENGTH.search(self.received, 0, head)
        return head + len(HEAD_END) + (int(length[1]) if length else 0)

    def write(self, answer: bytes) -> None:
        if not self.transport.is_closing():
            self.transport.write(answer)


def fastest_loop() -> Callable[[], asyncio.AbstractEventLoop]:
    try:
        return import_module("uvloop").new_event_loop  # type: ignore[no-any-return]
    except ImportError:
        return asyncio.new_event_loop


async def main(delay: float, token: str) -> None:
    service, loop = Service(delay, token), asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(service), "127.0.0.1", 0, backlog=4096)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=fastest_loop()) as runner:
        runner.run(main(float(sys.argv[1]), sys.argv[2]))
