"""One configured API: its calls, and what can be done with its token."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import closing
from typing import Any, NoReturn

import requests

from apiclient_app import signals
from apiclient_app.auth import AuthBackend
from apiclient_app.conf import ClientConfig
from apiclient_app.engines import Outgoing, Rooms
from apiclient_app.store.seal import Seal
from apiclient_app.subjects import Subjects

from .async_calls import AsyncCalls
from .crews import crew
from .fan_out import Made, Tally, drawn, fan_out
from .guarding import Common
from .window import Window


class Client(AsyncCalls):
    """What `clients[alias]` gives. Safe to keep and to share between threads, and over a fork.

    Each method that calls takes the keyword arguments of `requests.request`, and
    `raise_for_status=False` to get a 4xx or 5xx as a response. All raise `APIClientError`s.
    """

    def __init__(
        self,
        config: ClientConfig,
        auth: AuthBackend,
        rooms: Rooms,
        seal: Seal,
        subjects: Subjects[Client],
        common: Common,
        subject: str = "",
    ) -> None:
        super().__init__(config, auth, rooms, seal, subject, common)
        self._subjects = subjects

    def for_subject(self, subject: str) -> Client:
        """Give this client for one user or tenant: the same, with a token and a row of its own.

        `subject` is an id of the application's making, of at most 255 characters. Cheap: ask for
        the client whenever you call, and keep none. Raises InvalidRequest.
        """
        return self._subjects[subject]

    def __repr__(self) -> str:
        whose = f" for {self.subject!r}" if self.subject else ""
        return f"<Client {self.alias!r}{whose} {self.config.base_url}>"

    def __reduce__(self) -> NoReturn:
        raise TypeError(f"a client is never pickled; pass its alias, {self.alias!r}")

    def after_fork(self) -> None:
        """Drop what must not be shared with the parent, for all subjects."""
        self._subjects.after_fork()
        for client in (self, *self._subjects.values()):
            client.memory.reset()
        self.rooms.engine.reset()
        self.rooms.gate.reset()
        self._common.queue.reset()

    # Calls

    def request(
        self, method: str, path: str, *, raise_for_status: bool | None = None, **kwargs: Any
    ) -> requests.Response:
        """Call `path`, which joins under BASE_URL."""
        response = self._send(self._prepared(method, path, kwargs))
        return self._concluded(response, raise_for_status)

    def get(self, path: str, **kwargs: Any) -> requests.Response:
        return self.request("GET", path, **kwargs)

    def options(self, path: str, **kwargs: Any) -> requests.Response:
        return self.request("OPTIONS", path, **kwargs)

    def head(self, path: str, **kwargs: Any) -> requests.Response:
        return self.request("HEAD", path, **{"allow_redirects": False, **kwargs})

    def post(self, path: str, **kwargs: Any) -> requests.Response:
        return self.request("POST", path, **kwargs)

    def put(self, path: str, **kwargs: Any) -> requests.Response:
        return self.request("PUT", path, **kwargs)

    def patch(self, path: str, **kwargs: Any) -> requests.Response:
        return self.request("PATCH", path, **kwargs)

    def delete(self, path: str, **kwargs: Any) -> requests.Response:
        return self.request("DELETE", path, **kwargs)

    def call(self, endpoint: str, **params: Any) -> requests.Response:
        """Call an endpoint of ENDPOINTS by its name.

        Values for the placeholders of its path are percent-encoded; all others go to `request`.
        """
        method, path, kwargs = self._filled(endpoint, params)
        return self.request(method, path, **kwargs)

    def check(self) -> requests.Response | None:
        """Test the connection: call CHECK, or obtain a token where there is none to call."""
        if self.config.check is not None:
            method, path = self.config.check
            return self.request(method, path, raise_for_status=True)
        self.token()
        return None

    def map(
        self,
        calls: Iterable[Any],
        *,
        concurrency: int | None = None,
        ordered: bool = True,
        return_exceptions: bool = False,
        progress: bool = False,
    ) -> Iterator[Any]:
        """Make many calls, at most `concurrency` (CONCURRENCY) at a time; give their responses.

        `calls` are paths, `(method, path)` or `Call`s; taken as they are needed, so there may be
        no end of them. `ordered=False` gives responses as they come. An error is raised at its
        place, and ends it all; or given there, with `return_exceptions`. Each has the Call it is
        of as `.call`. Whoever stops early breaks off what is under way.
        """
        most = self._bound(concurrency)
        window: Window[Made] = Window(most, ordered=ordered)
        with drawn(progress, calls) as moved:
            workers = crew(self.rooms, most, self._flow, self._run_call, *self._where)
            made = fan_out(calls, Tally(window, workers, self._prepared_call, self._finished))
            with closing(made):  # type: ignore[type-var]
                for call, response, error in made:
                    moved()
                    yield self._outcome(call, response, error, raising=not return_exceptions)

    # Inside

    def _send(self, outgoing: Outgoing) -> requests.Response:
        if not signals.call_finished.receivers:
            return self._run_call(outgoing)
        with self._observed(outgoing) as given:
            given.append(self._run_call(outgoing))
        return given[0]
