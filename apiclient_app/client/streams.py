"""Streamed answers for an event loop: read in threads, piece by piece."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable, Iterator
from concurrent.futures import Future
from contextlib import asynccontextmanager
from typing import Any

import requests

from apiclient_app.engines.desk import Desk
from apiclient_app.engines.streamed import arriving, cut
from apiclient_app.exceptions import TransportError

from .circuits import Circuits

PIECE = 65_536


class Stream:
    """An answer whose head has come, and whose body is still to be read, once.

    A read that is cancelled breaks the answer off. What breaks off raises TransportError.
    """

    def __init__(self, response: requests.Response, threads: Desk) -> None:
        self._response, self._threads = response, threads
        self._reading: Future[Any] | None = None
        self._over = False
        self.status_code, self.reason = response.status_code, response.reason
        self.headers, self.encoding = response.headers, response.encoding
        self.url, self.history = response.url, response.history
        self.request, self.elapsed = response.request, response.elapsed

    def __repr__(self) -> str:
        return f"<Stream [{self.status_code}]>"

    @property
    def ok(self) -> bool:
        return self.status_code < 400

    async def aiter_content(self, size: int = PIECE) -> AsyncGenerator[bytes, None]:
        """Give the body as it comes, decoded, in pieces of at most `size` bytes."""
        pieces = arriving(self._response, size)
        while (piece := await self._read(next, pieces, None)) is not None:
            yield piece

    async def aiter_lines(self) -> AsyncGenerator[bytes, None]:
        """Give the lines of the body as they come, without their ends (LF, CRLF or CR)."""
        several = lines(arriving(self._response, PIECE))
        while (found := await self._read(next, several, None)) is not None:
            for line in found:
                yield line

    async def aread(self) -> bytes:
        """Give the body, or what is left of it."""
        return await self._read(lambda: self._response.content)  # type: ignore[no-any-return]

    async def _read(self, work: Callable[..., Any], *arguments: Any) -> Any:
        if self._over:
            raise TransportError("This answer is closed, or was broken off; nothing can be read.")
        self._reading = self._threads.submit(work, *arguments)
        try:
            return await asyncio.wrap_future(self._reading)
        except (asyncio.CancelledError, GeneratorExit):
            self.close()
            raise

    def close(self) -> None:
        """Let the connection go; one that is not read to its end is closed."""
        self._over = True
        if self._reading is None or self._reading.done():
            self._response.close()
            return
        cut(self._response)
        self._reading.add_done_callback(lambda _: self._response.close())


class Streams(Circuits):
    """A client that gives streamed answers."""

    @asynccontextmanager
    async def astream(self, method: str, path: str, **kwargs: Any) -> AsyncIterator[Stream]:
        """Call `path`, and give the answer as soon as its head has come.

        `async with client.astream("GET", "export") as response:` takes what `request` takes. Read
        in threads with requests, of which there are CONCURRENCY.
        """
        threads = self.rooms.engine.callers
        opening = threads.submit(self._open, method, path, kwargs)
        try:
            response = await asyncio.wrap_future(opening)
        except (asyncio.CancelledError, GeneratorExit):
            opening.add_done_callback(_unwanted)
            raise
        stream = Stream(response, threads)
        try:
            yield stream
        finally:
            stream.close()

    def _open(self, method: str, path: str, kwargs: dict[str, Any]) -> requests.Response:
        """Call, and leave the body to be read."""
        kwargs = {**kwargs, "stream": True}
        wanted = kwargs.pop("raise_for_status", None)
        if method.upper() == "HEAD":
            kwargs.setdefault("allow_redirects", False)
        outgoing = self._prepared(method, path, kwargs)
        with self._observed(outgoing) as given:
            given.append(self._run_call(outgoing))
        return self._concluded(given[0], wanted)


def lines(pieces: Iterable[bytes]) -> Iterator[list[bytes]]:
    """Give the lines that each piece ends."""
    kept: list[bytes] = []
    for piece in pieces:
        # What ends with CR may go on with LF in the next piece.
        if (
            b"\n" not in piece
            and b"\r" not in piece[:-1]
            and not (kept and kept[-1][-1:] == b"\r")
        ):
            kept.append(piece)
            continue
        found = b"".join([*kept, piece]).splitlines(keepends=True)
        kept = [] if found[-1].endswith(b"\n") else [found.pop()]
        yield [line.rstrip(b"\r\n") for line in found]
    if rest := b"".join(kept):
        yield [rest.rstrip(b"\r\n")]


def _unwanted(opening: Future[requests.Response]) -> None:
    if not opening.cancelled() and opening.exception() is None:
        opening.result().close()
