"""Answers that go to files, and are taken up again where they broke off."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from contextlib import closing
from threading import Event, Lock
from typing import Any

import requests

from apiclient_app.engines.streamed import arriving, cut
from apiclient_app.exceptions import DeadlineExceeded, InvalidRequest, StatusError, TransportError

from .parts import PIECE, Handed, Landing, Part
from .ranges import Version, asking, span_of, version_of
from .streams import Streams

RESUMPTIONS = 5  # in a row, unless a try brings much
MUCH = 1 << 20
PAUSE_SECONDS = 0.2
WHOLE = (200, 203)
OURS = frozenset({"stream", "raise_for_status"})
OUR_HEADERS = frozenset({"range", "if-range"})
Target = Any  # a path, or a file that is open for bytes


class Download:
    """One download, which may take several calls. `call` takes headers, and gives an answer."""

    def __init__(
        self, call: Callable[[dict[str, str]], requests.Response], landing: Landing, alias: str
    ) -> None:
        self._call, self._landing, self._alias = call, landing, alias
        self._gate, self._stopped = Lock(), Event()
        self._response: requests.Response | None = None

    def run(self) -> requests.Response:
        """Give the answer that brought the end of it."""
        with self._landing as landing:
            left, furthest = RESUMPTIONS, landing.size
            while True:
                try:
                    response = self._attempt()
                except DeadlineExceeded:
                    raise
                except TransportError:
                    brought, furthest = landing.size - furthest, max(landing.size, furthest)
                    left = RESUMPTIONS if brought >= MUCH else left - 1
                    if brought <= 0 or not left or self._stopped.wait(PAUSE_SECONDS):
                        raise
                else:
                    if response is not None:
                        self._publish()
                        return response

    def stop(self) -> None:
        """Have it end; nothing is written any more, and what came stays to be taken up again."""
        with self._gate:
            self._stopped.set()
        if self._response is not None:
            cut(self._response)

    def _attempt(self) -> requests.Response | None:
        """Fetch what is missing; None where nothing that is there can be added to."""
        landing = self._landing
        offset = resumable(landing)
        try:
            response = self._call(asking(landing.version, offset))
        except StatusError as error:
            if error.status_code != 416 or not offset:
                raise
            landing.begin(Version())
            return None
        with closing(response):
            self._response = response
            self._go_on()
            end = self._placed(response, offset)
            if end is None:
                return None
            self._pour(response, end)
        return response

    def _placed(self, response: requests.Response, offset: int) -> int | None:
        """Prepare for a body, and give where it should end (-1: nobody knows); None for one that
        does not fit."""
        landing, headers, known = self._landing, response.headers, self._landing.version
        if response.status_code in WHOLE:
            version = version_of(headers)
            landing.begin(version)
            return -1 if version.length is None else version.length
        if response.status_code != 206 or known is None or not offset:
            raise self._failed(f"{response.status_code} is no file")
        span = span_of(headers)
        if span is None or not span.fits(known, offset) or not known.same(headers):
            landing.begin(Version())
            return None
        landing.cut(offset)
        return span.length or known.length or span.end

    def _pour(self, response: requests.Response, end: int) -> None:
        landing = self._landing
        for piece in arriving(response, PIECE):
            with self._gate:
                self._go_on()
                landing.write(piece)
        self._go_on()
        if end >= 0 and landing.size != end:
            if landing.size > end:
                landing.begin(Version())
            raise self._failed(f"{landing.size} of {end} bytes came")

    def _publish(self) -> None:
        self._landing.settle()
        with self._gate:
            self._go_on()
            self._landing.publish()

    def _go_on(self) -> None:
        if self._stopped.is_set():
            raise self._failed("it was cancelled")

    def _failed(self, why: str) -> TransportError:
        text = f"{self._alias}: the download failed: {why}"
        return TransportError(text, alias=self._alias, method="GET")


def resumable(landing: Landing) -> int:
    """Give from where on to ask: 0 for all of it.

    One byte of what is complete already is fetched again, for that proves it to be unchanged.
    """
    version = landing.version
    if version is None or not version.validator:
        return 0
    most = landing.size if version.length is None else version.length - 1
    return max(0, min(landing.size, most))


class Downloads(Streams):
    """A client that writes answers to files."""

    def download(self, path: str, target: Target, **kwargs: Any) -> requests.Response:
        """GET `path` into a file: a path, or one that is open for bytes. Takes what `get` takes.

        A path comes into being when all of it is there. What came of a download that failed stays
        beside it as `<name>.part`, and the next one goes on from there, if the server can do that
        and the file is the same. A connection that breaks off meanwhile is taken up again. Gives
        the last answer, closed. What the file system refuses is an OSError.
        """
        return self._download(path, target, kwargs).run()

    async def adownload(self, path: str, target: Target, **kwargs: Any) -> requests.Response:
        """Do as `download`, in a thread; cancelled, it writes nothing any more."""
        download = self._download(path, target, kwargs)
        running = self.rooms.engine.callers.submit(download.run)
        try:
            return await asyncio.wrap_future(running)
        except (asyncio.CancelledError, GeneratorExit):
            download.stop()
            raise

    def _download(self, path: str, target: Target, kwargs: dict[str, Any]) -> Download:
        headers = dict(kwargs.get("headers") or {})
        named = OURS & kwargs.keys() | {n for n in headers if str(n).lower() in OUR_HEADERS}
        if named:
            raise InvalidRequest(
                f"{self.alias}: download sees to {', '.join(sorted(named))} itself.",
                alias=self.alias,
            )

        deadline = self._deadline(kwargs)

        def call(more: dict[str, str]) -> requests.Response:
            sent = {**kwargs, "headers": {**headers, **more}, "raise_for_status": True}
            if deadline is not None:  # one for all the calls that it takes
                sent["deadline"] = max(0.001, deadline.remaining())
            return self._open("GET", path, sent)

        if isinstance(target, str | os.PathLike):
            what = [
                self.alias,
                self.subject,
                self.config.base_url,
                path,
                repr(kwargs.get("params")),
            ]
            landing: Landing = Part(target, self._judge.seal.mark(what, 32))
        else:
            landing = Handed(target)
        return Download(call, landing, self.alias)
