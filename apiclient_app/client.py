"""One configured API: its calls, and what can be done with its token."""

from __future__ import annotations

import time
from typing import Any, NoReturn

import requests

from . import signals
from .auth import AuthBackend
from .conf import ClientConfig
from .engines import Outgoing, Rooms
from .engines.faults import status_error
from .exceptions import InvalidConfiguration
from .flow import CallFlow
from .judge import EXPIRED
from .operations import TokenOperations
from .paths import fill, join
from .store.seal import Seal
from .subjects import Subjects


class Client(TokenOperations):
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
        subject: str = "",
    ) -> None:
        super().__init__(config, auth, rooms, seal, subject)
        self._subjects, judge = subjects, self._judge
        self._calls = CallFlow(renewal=self._renewal, expired=judge.expired, refusal=judge.refusal)

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

    # Calls

    def request(
        self, method: str, path: str, *, raise_for_status: bool | None = None, **kwargs: Any
    ) -> requests.Response:
        """Call `path`, which joins under BASE_URL."""
        url = join(self.config.base_url, path, self.alias)
        outgoing = self.rooms.engine.prepare(method, url, kwargs, self.auth, self.subject)
        response = self._send(outgoing)
        wanted = self.config.raise_for_status if raise_for_status is None else raise_for_status
        if wanted and response.status_code >= 400:
            raise status_error(response, self.alias, self._judge.secrets())
        if wanted and getattr(response, EXPIRED, False):  # a refusal with the status of a success
            raise self._judge.refusal(response)
        return response

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
        return self.request(method, path, **kwargs)

    def check(self) -> requests.Response | None:
        """Test the connection: call CHECK, or obtain a token where there is none to call."""
        if self.config.check is not None:
            method, path = self.config.check
            return self.request(method, path, raise_for_status=True)
        self.token()
        return None

    # Inside

    def _send(self, outgoing: Outgoing) -> requests.Response:
        if not signals.call_finished.receivers:
            return self._run(self._calls.call(outgoing))  # type: ignore[no-any-return]
        began, status = time.perf_counter(), None
        try:
            response: requests.Response = self._run(self._calls.call(outgoing))
            status = response.status_code
            return response
        finally:
            signals.call_finished.send_robust(
                Client,
                alias=self.alias,
                subject=self.subject,
                method=outgoing.prepared.method,
                status=status,
                seconds=time.perf_counter() - began,
            )
