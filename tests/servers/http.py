"""HTTP/1.1 on asyncio streams, small enough to misbehave on purpose."""

import asyncio
import gzip
import json
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from http.client import responses
from typing import Any, Literal, Self
from urllib.parse import parse_qsl, unquote, urlsplit

MEGABYTE = 1 << 20

Style = Literal["whole", "hang", "drip", "cut", "reset", "big", "bomb"]

ENDING = ("cut", "reset")


@dataclass(frozen=True, slots=True)
class Request:
    """One request as it came. Header names in lower case; of a repeated header the last counts."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes
    peer: int  # the caller's port

    @property
    def path(self) -> str:
        return unquote(urlsplit(self.target).path)

    @property
    def query(self) -> dict[str, str]:
        return dict(parse_qsl(urlsplit(self.target).query, keep_blank_values=True))

    def fields(self) -> dict[str, Any]:
        """The body's form fields or JSON members."""
        if "json" in self.headers.get("content-type", ""):
            return dict(json.loads(self.body))
        return dict(parse_qsl(self.body.decode(), keep_blank_values=True))


@dataclass(frozen=True, slots=True)
class Reply:
    """A reply to send, and the way to send it.

    hang: never; drip: a byte a second; cut: half of it, then the connection ends; reset: half of
    it, then the connection is torn; big: `megabytes` of zeros; bomb: the same, gzipped. The body
    may hold lone surrogates (`bytes.decode(errors="surrogateescape")`) for bytes that are no text.
    """

    status: int = 200
    body: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    style: Style = "whole"
    delay: float = 0.0
    megabytes: int = 50

    @classmethod
    def of(cls, document: Any, status: int = 200, **headers: str) -> Self:
        return cls(status, json.dumps(document), {"Content-Type": "application/json", **headers})

    def head(self, length: int, **more: str) -> bytes:
        reason = responses.get(self.status, "Odd")
        headers = {"Content-Length": str(length), **more, **self.headers}
        lines = [f"HTTP/1.1 {self.status} {reason}", *(f"{n}: {v}" for n, v in headers.items())]
        return "\r\n".join([*lines, "", ""]).encode("utf-8", "surrogateescape")

    async def pieces(self) -> AsyncIterator[bytes]:
        """Give what to write, in turn; after a pause where the style has one."""
        body = self.body.encode("utf-8", "surrogateescape")
        match self.style:
            case "whole":
                yield self.head(len(body)) + body
            case "cut" | "reset":
                yield self.head(len(body)) + body[: len(body) // 2]
            case "drip":
                yield self.head(len(body))
                for byte in body:
                    await asyncio.sleep(1)
                    yield bytes([byte])
            case "big":
                yield self.head(self.megabytes * MEGABYTE)
                for _ in range(self.megabytes):
                    yield bytes(MEGABYTE)
            case "bomb":
                bomb = gzip.compress(bytes(self.megabytes * MEGABYTE), compresslevel=1)
                yield self.head(len(bomb), **{"Content-Encoding": "gzip"}) + bomb


Answer = Callable[[Request], Awaitable[Reply]]
Done = Callable[[Request, Reply], None]


async def serve(answer: Answer, done: Done) -> asyncio.Server:
    """Listen on a free loopback port. `done` is called when a request is over, however."""

    async def connection(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            while await exchange(reader, writer, answer, done):
                pass
        writer.close()

    return await asyncio.start_server(connection, "127.0.0.1", 0, limit=MEGABYTE, backlog=512)


async def exchange(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, answer: Answer, done: Done
) -> bool:
    """Serve one request; whether the connection is good for another."""
    request = await read(reader, writer.get_extra_info("peername")[1])
    reply = await answer(request)
    try:
        await asyncio.sleep(reply.delay)
        if reply.style == "hang":
            await reader.read(1)
            return False
        bodiless = request.method == "HEAD" or reply.status in (204, 304)
        async for piece in reply.pieces():
            writer.write(piece.partition(b"\r\n\r\n")[0] + b"\r\n\r\n" if bodiless else piece)
            await writer.drain()
        if reply.style == "reset":
            tear(writer)
        return reply.style not in ENDING and request.headers.get("connection") != "close"
    finally:
        done(request, reply)


def tear(writer: asyncio.StreamWriter) -> None:
    """End a connection as a machine does that has forgotten it."""
    linger = struct.pack("ii", 1, 0)  # for no time at all: whoever reads on is told at once
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    writer.transport.abort()


async def read(reader: asyncio.StreamReader, peer: int) -> Request:
    """IncompleteReadError when the caller hangs up."""
    first, *lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")[:-2]
    method, target, _ = first.split(" ")
    headers = {n.lower(): v.strip() for n, _, v in (line.partition(":") for line in lines)}
    if headers.get("transfer-encoding") == "chunked":
        body = b"".join([chunk async for chunk in chunks(reader)])
    else:
        body = await reader.readexactly(int(headers.get("content-length", 0)))
    return Request(method, target, headers, body, peer)


async def chunks(reader: asyncio.StreamReader) -> AsyncIterator[bytes]:
    while size := int((await reader.readuntil(b"\r\n")).partition(b";")[0], 16):
        yield await reader.readexactly(size)
        await reader.readexactly(2)
    await reader.readuntil(b"\r\n")
