"""One call of many, on its way."""

from __future__ import annotations

from concurrent.futures import Future
from typing import Any

import requests

from apiclient_app.changes import Changes
from apiclient_app.steps import Flow

from .outgoing import Outgoing
from .redirects import Hops


class Passage:
    """Where the flow of a call stands; what it waits for; whose batch it is of."""

    hops: Hops | None = None
    request: Any = None
    send: Any = None
    transfer: Any = None
    future: Future[Any] | None = None
    on: Changes | None = None
    until, version = 0.0, 0
    timed = False

    def __init__(self, batch: Any, number: int, flow: Flow, outgoing: Outgoing) -> None:
        self.batch, self.number, self.flow, self.outgoing = batch, number, flow, outgoing

    @property
    def changed(self) -> bool:
        """Whether what it waits for has come; whoever sleeps waits for nothing."""
        return self.on is not None and self.on.version != self.version

    def received(self, response: requests.Response | None, error: BaseException | None) -> None:
        self.batch.received(self, response, error)
