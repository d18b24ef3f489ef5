"""What sync and async calls have in common: before the first step, and after the last."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import requests

from apiclient_app import signals
from apiclient_app.auth import AuthBackend
from apiclient_app.call import Call
from apiclient_app.conf import ClientConfig
from apiclient_app.deadlines import Deadline
from apiclient_app.engines import Outgoing, Rooms, run, run_until
from apiclient_app.engines.faults import status_error
from apiclient_app.exceptions import APIClientError, InvalidConfiguration, InvalidRequest
from apiclient_app.flow import CallFlow
from apiclient_app.paths import fill, join
from apiclient_app.store.seal import Seal

from .guarding import Common, guard_for
from .judge import EXPIRED
from .operations import TokenOperations, jitter
from .terms import DEADLINE, Terms

RAISING = "raise_for_status"


class Calling(TokenOperations):
    """A client that can prepare calls and judge their responses."""

    def __init__(
        self,
        config: ClientConfig,
        auth: AuthBackend,
        rooms: Rooms,
        seal: Seal,
        subject: str,
        common: Common,
    ) -> None:
        super().__init__(config, auth, rooms, seal, subject)
        judge = self._judge
        calls = CallFlow(renewal=self._renewal, expired=judge.expired, refusal=judge.refusal)
        whose = seal.mark(subject, 32) if subject else ""
        self._common = common
        guard = guard_for(config, calls, common, jitter, whose)
        self._flow = calls.call if guard is None else guard.call
        self._terms = Terms.of(config)

    def _bound(self, concurrency: int | None) -> int:
        if concurrency is None:
            return self.config.concurrency
        if type(concurrency) is not int or concurrency < 1:
            raise InvalidRequest(
                f"{self.alias}: concurrency is a whole number from 1 on, not {concurrency!r}.",
                alias=self.alias,
            )
        return concurrency

    def _deadline(self, kwargs: dict[str, Any]) -> Deadline | None:
        """Take `deadline` out of the arguments of a call; its time runs from now on."""
        terms = self._terms or Terms(self.config)
        return terms.deadline(kwargs, many=False)

    def _prepared(
        self, method: str, path: str, kwargs: dict[str, Any], *, many: bool = False
    ) -> Outgoing:
        terms = self._terms
        if terms is None and DEADLINE not in kwargs:
            url = join(self.config.base_url, path, self.alias)
            return self.rooms.engine.prepare(method, url, kwargs, self.auth, self.subject)  # type: ignore[no-any-return]
        terms = terms or Terms(self.config)
        deadline = terms.deadline(kwargs, many=many)
        url = join(self.config.base_url, path, self.alias)
        outgoing = self.rooms.engine.prepare(method, url, kwargs, self.auth, self.subject)
        return terms.granted(outgoing, deadline, many=many)

    def _prepared_call(self, call: Call) -> Outgoing:
        if not call.kwargs and call.method == "GET":  # what most are
            return self._prepared("GET", call.path, {}, many=True)
        kwargs = {name: value for name, value in call.kwargs.items() if name != RAISING}
        if kwargs.get("stream"):
            raise InvalidRequest(
                f"{self.alias}: many answers are not streamed; use get(…, stream=True), astream "
                "or download, one by one.",
                alias=self.alias,
            )
        if call.method.upper() == "HEAD":
            kwargs.setdefault("allow_redirects", False)
        return self._prepared(call.method, call.path, kwargs, many=True)

    def _outcome(
        self,
        call: Call | None,
        response: requests.Response | None,
        error: BaseException | None,
        raising: bool,
    ) -> Any:
        """Give what `map` gives for one call: the response, or the error."""
        if response is not None:
            try:
                wanted = call.kwargs.get(RAISING) if call else None
                given: Any = self._concluded(response, wanted)
            except APIClientError as refused:
                given = refused
        else:
            given = error
        if isinstance(given, BaseException) and not isinstance(given, Exception):
            raise given
        given.call = call
        if raising and isinstance(given, Exception):
            raise given
        return given

    def _filled(self, endpoint: str, params: dict[str, Any]) -> tuple[str, str, dict[str, Any]]:
        try:
            method, template = self.config.endpoints[endpoint]
        except KeyError:
            known = ", ".join(self.config.endpoints) or "none"
            raise InvalidConfiguration(
                f"There is no {endpoint!r} in API_CLIENTS[{self.alias!r}]['ENDPOINTS']; "
                f"known: {known}."
            ) from None
        path, kwargs = fill(template, params, self.alias)
        if method == "HEAD":
            kwargs.setdefault("allow_redirects", False)
        return method, path, kwargs

    def _concluded(
        self, response: requests.Response, raise_for_status: bool | None
    ) -> requests.Response:
        """Give the response, or raise the error that its status is."""
        wanted = self.config.raise_for_status if raise_for_status is None else raise_for_status
        if wanted and response.status_code >= 400:
            raise status_error(response, self.alias, self._judge.secrets())
        if wanted and getattr(response, EXPIRED, False):  # a refusal with the status of a success
            raise self._judge.refusal(response)
        return response

    def _run_call(self, outgoing: Outgoing, rooms: Rooms | None = None) -> requests.Response:
        flow, rooms = self._flow(outgoing), rooms or self.rooms
        if outgoing.deadline is None:
            return run(flow, rooms, type(self))  # type: ignore[no-any-return]
        return run_until(flow, rooms, type(self), outgoing)  # type: ignore[no-any-return]

    @property
    def _where(self) -> tuple[object, str]:
        return type(self), self.subject

    @contextmanager
    def _observed(self, outgoing: Outgoing) -> Iterator[list[requests.Response]]:
        """Send `call_finished` for what is done inside, which puts the response on the list."""
        given: list[requests.Response] = []
        began = time.perf_counter()
        try:
            yield given
        finally:
            response = given[0] if given else None
            seconds = time.perf_counter() - began
            self._finished(str(outgoing.prepared.method), response, seconds)

    def _finished(self, method: str, response: requests.Response | None, seconds: float) -> None:
        signals.call_finished.send_robust(
            type(self),
            alias=self.alias,
            subject=self.subject,
            method=method,
            status=None if response is None else response.status_code,
            seconds=seconds,
        )
