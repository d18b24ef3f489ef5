"""The ways a call can take: each engine for itself, awaited, and as one of many."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import requests

from apiclient_app import Call
from apiclient_app import clients as handler
from apiclient_app.client import Client

LIBCURL = ("curl", "awaited", "many")
WAYS = ("requests", *LIBCURL)
SYNC = ("requests", "curl")  # where an answer may be streamed


class Callers:
    """What `clients` is, but that calls go one of the ways."""

    def __init__(self, way: str) -> None:
        self.way = way
        self._runner = asyncio.Runner() if way == "awaited" else None

    def __getitem__(self, alias: str) -> Caller:
        return Caller(handler[alias], self)

    def configured(self, aliases: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
        """Give API_CLIENTS under which calls go this way."""
        if self.way != "curl":
            return aliases
        return {alias: {"ENGINE": "curl", **settings} for alias, settings in aliases.items()}

    def end(self) -> None:
        if self._runner is not None:
            self._runner.close()

    def request(self, client: Client, method: str, path: str, kwargs: Any) -> requests.Response:
        if self.way == "awaited":
            called = client.arequest(method, path, **kwargs)
            if self._runner is None or threading.current_thread() is not threading.main_thread():
                return asyncio.run(called)
            return self._runner.run(called)
        if self.way == "many":
            kwargs.setdefault("allow_redirects", True)  # or else not for HEAD
            (response,) = client.map([Call(method, path, **kwargs)])
            return response  # type: ignore[no-any-return]
        return client.request(method, path, **kwargs)


class Caller(Client):
    """A client whose calls go one of the ways; all else is the client's own."""

    def __init__(self, client: Client, callers: Callers) -> None:
        self.__dict__.update(vars(client))
        self._client, self._callers = client, callers

    def for_subject(self, subject: str) -> Client:
        return Caller(self._client.for_subject(subject), self._callers)

    def request(self, method: str, path: str, **kwargs: Any) -> requests.Response:
        return self._callers.request(self._client, method, path, kwargs)
