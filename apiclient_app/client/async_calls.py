"""The async twins: the same calls and token operations, for an event loop."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Iterable
from contextlib import aclosing
from typing import Any

import requests

from apiclient_app import signals
from apiclient_app.engines import Outgoing, arun, too_late
from apiclient_app.exceptions import InvalidRequest
from apiclient_app.secret import Secret
from apiclient_app.tokens import Inspection, Token

from .crews import acrew
from .downloads import Downloads
from .fan_out import Made, Tally, afan_out, drawn
from .window import Window


class AsyncCalls(Downloads):
    """The half of a client that is awaited. Each method does what its sync twin does.

    Cancelled, a call breaks off at once; a token request goes on, and what it gives is kept.
    """

    async def arequest(
        self, method: str, path: str, *, raise_for_status: bool | None = None, **kwargs: Any
    ) -> requests.Response:
        if kwargs.get("stream"):
            raise InvalidRequest(
                f"{self.alias}: use `async with client.astream(...)` for a streamed answer.",
                alias=self.alias,
            )
        response = await self._asend(self._prepared(method, path, kwargs))
        return self._concluded(response, raise_for_status)

    async def aget(self, path: str, **kwargs: Any) -> requests.Response:
        return await self.arequest("GET", path, **kwargs)

    async def aoptions(self, path: str, **kwargs: Any) -> requests.Response:
        return await self.arequest("OPTIONS", path, **kwargs)

    async def ahead(self, path: str, **kwargs: Any) -> requests.Response:
        return await self.arequest("HEAD", path, **{"allow_redirects": False, **kwargs})

    async def apost(self, path: str, **kwargs: Any) -> requests.Response:
        return await self.arequest("POST", path, **kwargs)

    async def aput(self, path: str, **kwargs: Any) -> requests.Response:
        return await self.arequest("PUT", path, **kwargs)

    async def apatch(self, path: str, **kwargs: Any) -> requests.Response:
        return await self.arequest("PATCH", path, **kwargs)

    async def adelete(self, path: str, **kwargs: Any) -> requests.Response:
        return await self.arequest("DELETE", path, **kwargs)

    async def acall(self, endpoint: str, **params: Any) -> requests.Response:
        method, path, kwargs = self._filled(endpoint, params)
        return await self.arequest(method, path, **kwargs)

    async def acheck(self) -> requests.Response | None:
        if self.config.check is not None:
            method, path = self.config.check
            return await self.arequest(method, path, raise_for_status=True)
        await self.atoken()
        return None

    async def amap(
        self,
        calls: Iterable[Any] | AsyncIterable[Any],
        *,
        concurrency: int | None = None,
        ordered: bool = True,
        return_exceptions: bool = False,
        progress: bool = False,
    ) -> AsyncIterator[Any]:
        """Do as `map`; `calls` may be an async iterable."""
        most = self._bound(concurrency)
        window: Window[Made] = Window(most, ordered=ordered)
        with drawn(progress, calls) as moved:
            crew = acrew(self.rooms, most, self._flow, self._run_call, *self._where)
            made = afan_out(calls, Tally(window, crew, self._prepared_call, self._finished))
            async with aclosing(made):  # type: ignore[type-var]
                async for call, response, error in made:
                    moved()
                    yield self._outcome(call, response, error, raising=not return_exceptions)

    async def atoken(self) -> Token:
        return await self._later(self.token)  # type: ignore[no-any-return]

    async def ainspect(self) -> Inspection:
        return await self._later(self.inspect)  # type: ignore[no-any-return]

    async def arotate_token(self, *, wait: bool = False) -> Token:
        return await self._later(lambda: self.rotate_token(wait=wait))  # type: ignore[no-any-return]

    async def asettle(self) -> None:
        await self._later(self.settle)

    async def arevoke_token(self) -> None:
        await self._later(self.revoke_token)

    async def astore_refresh_token(self, value: str | Secret[str]) -> None:
        held = value if isinstance(value, Secret) else Secret(value)
        del value  # error reports show the locals of this frame
        await self._later(lambda: self.store_refresh_token(held))

    async def aswitch_credentials(self) -> Token:
        return await self._later(self.switch_credentials)  # type: ignore[no-any-return]

    async def aopen_circuit(self) -> None:
        await self._later(self.open_circuit)

    async def aclose_circuit(self) -> None:
        await self._later(self.close_circuit)

    async def _later(self, work: Any) -> Any:
        """Do what is not done for every call in a thread."""
        return await self.rooms.engine.desk.later(work)

    async def _asend(self, outgoing: Outgoing) -> requests.Response:
        if not signals.call_finished.receivers:
            return await self._arun_call(outgoing)
        with self._observed(outgoing) as given:
            given.append(await self._arun_call(outgoing))
        return given[0]

    async def _arun_call(self, outgoing: Outgoing) -> requests.Response:
        """At most CONCURRENCY of them at once in a loop: whoever gathers thousands would open
        thousands of connections, and sign them all with a token that may be refused meanwhile."""
        deadline = outgoing.deadline
        if deadline is None:
            return await self._seated(outgoing)

        def late() -> BaseException | None:
            return too_late(self.rooms, outgoing) if patience.expired() else None

        try:
            async with asyncio.timeout(max(0.0, deadline.remaining())) as patience:
                return await self._seated(outgoing, late)
        except TimeoutError:
            if not patience.expired():
                raise
        raise too_late(self.rooms, outgoing)

    async def _seated(self, outgoing: Outgoing, *late: Any) -> requests.Response:
        async with self.rooms.engine.seats():
            return await arun(self._flow(outgoing), self.rooms, type(self), *late)  # type: ignore[no-any-return]
