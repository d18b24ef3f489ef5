"""Many calls of one client, bounded, in the order given or as they end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import closing, contextmanager
from typing import Any

import requests

from apiclient_app.call import Call
from apiclient_app.exceptions import InvalidConfiguration
from apiclient_app.signals import call_finished

from .crews import now
from .window import Window

SLOW_SECONDS = 0.02
Made = tuple[Call | None, requests.Response | None, BaseException | None]
Prepare = Callable[[Call], Any]
Announce = Callable[[str, requests.Response | None, float], None]


class Tally:
    """Which calls were begun, and what became of them."""

    def __init__(
        self, window: Window[Made], crew: Any, prepare: Prepare, announce: Announce
    ) -> None:
        self.window, self.crew, self._prepare, self._announce = window, crew, prepare, announce
        self._calls: dict[int, tuple[Call | None, float]] = {}

    def begin(self, given: object) -> None:
        """Begin a call; what cannot be prepared has ended already."""
        number, call = self.window.begin(), None
        try:
            call = Call.of(given)
            outgoing = self._prepare(call)
        except Exception as error:  # noqa: BLE001
            self.window.end(number, (call, None, error))
            return
        self._calls[number] = call, now() if call_finished.receivers else 0.0
        self.crew.start(number, outgoing)

    def gather(self) -> None:
        ended = self.crew.ended
        while ended:
            number, response, error = ended.popleft()
            call, began = self._calls.pop(number)
            if call is not None and call_finished.receivers:
                self._announce(call.method, response, now() - began)
            self.window.end(number, (call, response, error))


def fan_out(calls: Any, tally: Tally) -> Iterator[Made]:
    """Give what becomes of each call; take another from `calls` only when one may begin."""
    window, crew, source = tally.window, tally.crew, Source(iter(calls))
    try:
        while True:
            if not source.over:
                source.pass_on(window.free, tally.begin)
            if crew.ended:
                tally.gather()
            if window.ready:
                yield window.take()
            elif window.busy:
                crew.wait()
            elif source.over:
                break
    finally:
        crew.stop()
    if source.failure is not None:
        raise source.failure


async def afan_out(calls: Any, tally: Tally) -> AsyncIterator[Made]:
    """Do as `fan_out`, also for an async iterable."""
    if not hasattr(calls, "__aiter__"):
        source = Source(iter(calls))
    else:
        source = AsyncSource(aiter(calls), tally.crew.ring)
    window, crew = tally.window, tally.crew
    try:
        while True:
            while window.free > 0 and source.more():
                tally.begin(source.take())
            tally.gather()
            if window.ready:
                yield window.take()
            elif window.busy or source.coming():
                await crew.wait()
            elif source.over:
                break
    finally:
        source.stop()
        crew.stop()
    if source.failure is not None:
        raise source.failure


class Source:
    """Calls from an iterable."""

    def __init__(self, calls: Iterator[Any]) -> None:
        self._calls = calls
        self._next: list[Any] = []
        self.over = False
        self.failure: BaseException | None = None

    def more(self) -> bool:
        """Whether there is one to `take` now."""
        if not self._next and not self.over:
            try:
                self._next.append(next(self._calls))
            except StopIteration:
                self.over = True
            except Exception as error:  # noqa: BLE001
                self.over, self.failure = True, error
        return bool(self._next)

    def pass_on(self, most: int, begin: Callable[[object], None]) -> None:
        """Have as many begun, at most; fewer where the source is slow, and answers may have come.

        What fails here is kept for the end.
        """
        until = now() + SLOW_SECONDS
        try:
            for _ in range(most):
                begin(next(self._calls))
                if now() > until:
                    break
        except StopIteration:
            self.over = True
        except Exception as error:  # noqa: BLE001  # what has begun is given first
            self.over, self.failure = True, error

    def take(self) -> Any:
        return self._next.pop()

    def coming(self) -> bool:
        """Whether one is being waited for."""
        return False

    def stop(self) -> None:
        pass


class AsyncSource(Source):
    """Calls from an async iterable, of which one is awaited beside the calls under way."""

    def __init__(self, calls: AsyncIterator[Any], ring: Callable[[], None]) -> None:
        super().__init__(iter(()))
        self._source, self._ring = calls, ring
        self._task: asyncio.Task[Any] | None = None

    def more(self) -> bool:
        task = self._task
        if task is not None and task.done():
            self._task = None
            try:
                self._next.append(task.result())
            except StopAsyncIteration:
                self.over = True
            except Exception as error:  # noqa: BLE001
                self.over, self.failure = True, error
        elif task is None and not self._next and not self.over:
            self._task = asyncio.ensure_future(self._pull())
            self._task.add_done_callback(lambda _: self._ring())
        return bool(self._next)

    async def _pull(self) -> Any:
        return await anext(self._source)

    def coming(self) -> bool:
        return self._task is not None

    def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()


@contextmanager
def drawn(progress: bool, calls: Any) -> Iterator[Callable[[], object]]:
    """Draw a progress bar, if wanted; give what moves it on by one."""
    if not progress:
        yield _still
        return
    try:
        from tqdm import tqdm
    except ImportError:
        raise InvalidConfiguration(
            "progress=True needs tqdm: pip install django-apiclient-app[progress]"
        ) from None
    with closing(tqdm(total=len(calls) if hasattr(calls, "__len__") else None)) as bar:
        yield bar.update


def _still() -> None:
    """Nothing is drawn."""
