"""A gate before a server: it passes connections on, as well or as badly as it is told."""

import asyncio
import threading
from collections.abc import Coroutine
from typing import Any, Self

from project.valkey import HOST, free_port
from tests.servers.http import tear

Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Gate:
    """Listens on a port of its own, which it keeps, and passes all that comes on to another.

    It runs in a thread. `delay` is how many seconds every piece takes, each way.
    """

    def __init__(self, port: int) -> None:
        self.port, self.delay = free_port(), 0.0
        self._target = port
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._writers: set[asyncio.StreamWriter] = set()
        self._carriers: set[asyncio.Task[Any] | None] = set()
        self._flowing = asyncio.Event()
        self._server: asyncio.Server | None = None

    @property
    def url(self) -> str:
        return f"redis://{HOST}:{self.port}/0"

    def open(self) -> None:
        """Take connections, after `close` again."""
        self._do(self._open())

    def close(self) -> None:
        """Refuse connections, and tear those there are."""
        self._do(self._close())

    def cut(self) -> None:
        """Tear all connections there are; whoever comes back is let in."""
        self._do(self._cut())

    def stall(self) -> None:
        """Take connections, and whatever comes by them, and pass nothing on."""
        self._loop.call_soon_threadsafe(self._flowing.clear)

    def flow(self) -> None:
        """Pass on what was held back, also of those who have gone, and all that comes."""
        self._loop.call_soon_threadsafe(self._flowing.set)

    def _do(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(timeout=10)

    async def _open(self) -> None:
        self._flowing.set()
        self._server = await asyncio.start_server(self._carry, HOST, self.port, backlog=512)

    async def _close(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None
        await self._cut()

    async def _cut(self) -> None:
        for writer in self._writers:
            tear(writer)

    async def _carry(self, *near: Any) -> None:
        task = asyncio.current_task()
        self._carriers.add(task)
        try:
            far = await asyncio.open_connection(HOST, self._target)
        except OSError:
            tear(near[1])
        else:
            await self._join(near, far)
        self._carriers.discard(task)

    async def _join(self, near: Connection, far: Connection) -> None:
        writers = {near[1], far[1]}
        self._writers |= writers
        try:
            await asyncio.gather(self._pump(near[0], far[1]), self._pump(far[0], near[1]))
        finally:
            self._writers -= writers
            for writer in writers:
                writer.close()

    async def _pump(self, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        try:
            while piece := await source.read(65536):
                await self._flowing.wait()
                await asyncio.sleep(self.delay)
                target.write(piece)
                await target.drain()
            await self._flowing.wait()
            target.write_eof()
        except OSError:
            tear(target)

    async def _end(self) -> None:
        self._flowing.set()
        await self._close()
        await asyncio.gather(*(task for task in self._carriers if task), return_exceptions=True)

    def __enter__(self) -> Self:
        self._thread.start()
        self.open()
        return self

    def __exit__(self, *_: object) -> None:
        self._do(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
