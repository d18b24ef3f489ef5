"""Streamed answers: whoever reads the body of one meets our errors, and no others."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from functools import cache
from typing import Any, TypeVar

import requests
import urllib3

from apiclient_app.deadlines import Deadline

from .bounded import read

T = TypeVar("T")

READS_AT_ONCE = hasattr(urllib3.HTTPResponse, "read1")  # since urllib3 2.2

Present = Callable[[BaseException], BaseException]


class Streamed(requests.Response):
    """Reads as every Response does; raises TransportError where the body breaks off."""

    _present: Present
    _limit: int | None = None

    def iter_content(self, *args: Any, **kwargs: Any) -> Any:
        return _presented(self, super().iter_content(*args, **kwargs))

    @property
    def content(self) -> Any:
        """The body as a whole; that of an error, which EXPIRED may ask for, within the limit."""
        if self.status_code >= 400 and self._limit is not None:
            _done(self, read, self, self._limit)
        return super().content

    def __reduce__(self) -> Any:
        kind = next(k for k in type(self).__mro__ if not issubclass(k, Streamed))
        return kind.__new__, (kind,), self.__getstate__()


class StreamedRaw(urllib3.HTTPResponse):
    """The same for whoever reads `response.raw`, or gives it to what reads files.

    Nothing of it is given after the deadline: what is cut off then may seem to be whole.
    """

    _present: Present
    _deadline: Deadline | None = None

    def read(self, *args: Any, **kwargs: Any) -> bytes:
        return _done(self, self._in_time, super().read, *args, **kwargs)

    def read1(self, *args: Any, **kwargs: Any) -> bytes:
        return _done(self, self._in_time, super().read1, *args, **kwargs)

    def stream(self, *args: Any, **kwargs: Any) -> Any:
        return _presented(self, super().stream(*args, **kwargs))

    def read_chunked(self, *args: Any, **kwargs: Any) -> Any:
        return _presented(self, self._each_in_time(super().read_chunked(*args, **kwargs)))

    def _in_time(self, read: Callable[..., bytes], *args: Any, **kwargs: Any) -> bytes:
        self._hurry()
        given = read(*args, **kwargs)
        self._hurry()
        return given

    def _each_in_time(self, pieces: Iterable[T]) -> Iterator[T]:
        self._hurry()
        for piece in pieces:
            yield piece
            self._hurry()

    def _hurry(self) -> None:
        if self._deadline is not None and self._deadline.remaining() <= 0:
            raise requests.ReadTimeout("its time was over before it was read")


def streamed(
    response: requests.Response,
    present: Present,
    limit: int | None = None,
    deadline: Deadline | None = None,
) -> requests.Response:
    """Have what reading `response` raises go through `present`."""
    _give(response, requests.Response, Streamed, present)
    if isinstance(response, Streamed):
        response._limit = limit
    _give(response.raw, urllib3.HTTPResponse, StreamedRaw, present)
    if isinstance(response.raw, StreamedRaw):
        response.raw._deadline = deadline
    return response


def _give(thing: Any, kind: type[Any], ours: Any, present: Present) -> None:
    if isinstance(thing, kind):
        # An object of another layout (a mock, a class in C) keeps the errors it has.
        with suppress(TypeError):
            found: Any = type(thing)
            thing.__class__ = _joined(ours, found)
            thing._present = present


@cache
def _joined(ours: Any, kind: Any) -> Any:
    """Give a class that is `ours`, and `kind`, which may be a user's own."""
    if issubclass(ours, kind):
        return ours
    return type(kind.__name__, (ours, kind), {"__module__": kind.__module__})


def _done(thing: Any, read: Callable[..., T], *args: Any, **kwargs: Any) -> T:
    try:
        return read(*args, **kwargs)
    except BaseException as error:  # noqa: BLE001  # a task's time limit shows frames too
        failed = _failure(thing, error)
    raise failed


def _presented(thing: Any, pieces: Iterable[T]) -> Iterator[T]:
    try:
        yield from pieces
    except BaseException as error:  # noqa: BLE001
        failed = _failure(thing, error)
    else:
        return
    raise failed


def _failure(thing: Any, error: BaseException) -> BaseException:
    if isinstance(error, Exception):
        thing.close()  # urllib3 keeps the connection of what it could not decode
    return thing._present(error)  # type: ignore[no-any-return]


def arriving(response: requests.Response, size: int) -> Iterator[bytes]:
    """Give the body as it arrives, in pieces of at most `size`, decoded.

    `iter_content` waits until a piece is full.
    """
    read1 = getattr(response.raw, "read1", None)
    if response._content_consumed or read1 is None or not READS_AT_ONCE:
        yield from response.iter_content(size)
        return
    while piece := read1(size, decode_content=True):
        yield piece
    response._content_consumed = True


def cut(response: requests.Response) -> None:
    """End a read that another thread is waiting in; that one sees the body break off."""
    with suppress(OSError, ValueError, RuntimeError, AttributeError):
        response.raw.shutdown()
