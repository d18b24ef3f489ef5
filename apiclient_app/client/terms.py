"""On what terms a call is made: by when, how long it may be kept back, whether twice."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import inf
from typing import Any
from uuid import uuid4

from apiclient_app.conf import ClientConfig
from apiclient_app.deadlines import Deadline
from apiclient_app.engines import Outgoing
from apiclient_app.exceptions import InvalidRequest

from .guarding import TASK_PATIENCE, in_task, lease, longest

DEADLINE = "deadline"
FOREVER = 2e6  # seconds (23 days); a socket counts milliseconds in 31 bits, and wraps


@dataclass(frozen=True, slots=True)
class Terms:
    """What a client's settings say of it."""

    config: ClientConfig
    limited: bool = field(init=False)
    patience: float = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "limited", self.config.limited)
        object.__setattr__(self, "patience", longest(self.config.timeout))

    @classmethod
    def of(cls, config: ClientConfig) -> Terms | None:
        """Give them; None where they say nothing, which is what most calls are made with."""
        said = config.limited or config.retry is not None or config.deadline is not None
        return cls(config) if said else None

    def deadline(self, arguments: dict[str, Any], *, many: bool) -> Deadline | None:
        """Take `deadline` out of the arguments of a call; its time runs from now on.

        That of one of `many` which are kept back runs from when it may go.
        """
        seconds = arguments.pop(DEADLINE, self.config.deadline)
        if seconds is None:
            return None
        if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not seconds > 0:
            raise InvalidRequest(
                f"{self.config.alias}: a deadline is a number of seconds above zero, not "
                f"{seconds!r}.",
                alias=self.config.alias,
            )
        if seconds > FOREVER:
            return None
        deadline = Deadline(float(seconds))
        if not (many and self.limited):
            deadline.start()
        return deadline

    def granted(self, outgoing: Outgoing, deadline: Deadline | None, *, many: bool) -> Outgoing:
        """Give the call with these terms."""
        prepared, auth, options, subject = outgoing[:4]
        if deadline is not None:
            options = {**options, DEADLINE: deadline}
        kept_back = own_lease = 0.0
        if self.limited:
            kept_back = inf if many else TASK_PATIENCE if in_task() else self.patience
            own_lease = self._own_lease(options)
        repeatable = self._repeatable(outgoing)
        return Outgoing(
            prepared, auth, options, subject, deadline, kept_back, repeatable, own_lease
        )

    def _own_lease(self, options: Mapping[str, Any]) -> float:
        timeout = options["timeout"]
        if timeout is self.config.timeout:
            return 0.0
        try:
            return lease(timeout)
        except ValueError:
            return 0.0  # whoever sends it says why it is none

    def _repeatable(self, outgoing: Outgoing) -> bool:
        retry, request = self.config.retry, outgoing.prepared
        if retry is None:
            return False
        if request.method in retry.methods:
            return True
        if not retry.idempotency_key:
            return False
        # The same on every attempt, and on a replay: each is made of this one request.
        request.headers.setdefault(retry.idempotency_key, str(uuid4()))
        return True
