"""A provider whose refresh tokens work once, and a table that holds them, for the model."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from apiclient_app.auth import AuthBackend, Grant, Reply, Secret, TokenRequest
from apiclient_app.exceptions import RowsUnavailable, TokenRefused, TransportError
from apiclient_app.steps import Ask
from apiclient_app.store.rows import Rows

from .world import SEAL, Caller, Clock, Provider, World

FIRST = "refresh-0"


@dataclass(frozen=True)
class RefreshAuth(AuthBackend):
    grace: float = 0.0

    def refresh_request(self, refresh_token: Secret[str]) -> TokenRequest:
        return TokenRequest("POST", "token", form={"refresh_token": refresh_token.reveal()})

    @property
    def first_refresh_token(self) -> Secret[str]:
        return Secret(FIRST)

    def read(self, reply: Reply) -> Grant:
        said = json.loads(reply.body)
        if "error" in said:
            raise TokenRefused(said["error"])
        return Grant({"X": said["access"]}, said["life"], refresh_token=said["refresh"])


class ModelTable:
    """One table for all processes: each method is one statement."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._rows: dict[str, dict[str, Any]] = {}
        self.down = False

    def get(self, identity: str) -> tuple[float, Mapping[str, Any] | None]:
        self._answer()
        row = self._rows.get(identity)
        return self._clock.now, None if row is None else dict(row)

    def insert(self, identity: str, values: Mapping[str, Any]) -> bool:
        self._answer()
        if identity in self._rows:
            return False
        blank = dict.fromkeys(("asking_since", "leased_until", "retry_at", "obtained_at"))
        self._rows[identity] = {**blank, "owner": 0, "attention": "", "tries": 0, **values}
        return True

    def update(self, identity: str, fence: Mapping[str, Any], values: Mapping[str, Any]) -> bool:
        self._answer()
        row = self._rows.get(identity)
        if row is None or any(row[name] != value for name, value in fence.items()):
            return False
        row.update(values)
        return True

    def _answer(self) -> None:
        if self.down:
            raise RowsUnavailable("the database is down")


@dataclass
class Use:
    """One request with a refresh token."""

    token: str
    at: float
    answered: bool = False
    rotated: bool = False
    reuse: bool = False


class RotatingProvider(Provider):
    """Each refresh token works once; within the grace, its successor's pair is given again.

    A reuse outside of it ends the grant (RFC 9700 section 4.14.2).
    """

    def __init__(self, clock: Clock, grace: float, **knobs: Any) -> None:
        super().__init__(clock, **knobs)
        self._now, self.grace = clock, grace
        self.current, self.previous, self.rotated_at = FIRST, "", 0.0
        self.alive = True
        self.reuses = 0

    def refresh(self, use: Use) -> dict[str, Any]:
        if self.alive and use.token == self.current:
            self.previous, self.rotated_at = self.current, self._now.now
            access = self.issue()
            self.current = f"refresh-{self.issued}"
            use.rotated = True
        elif self._in_grace(use.token):
            access = self.issue()
        else:
            use.reuse, self.alive = True, False
            self.reuses += 1
            self.living.clear()
            return {"error": "invalid_grant"}
        return {"access": access, "life": self.said, "refresh": self.current}

    def _in_grace(self, token: str) -> bool:
        fresh = self._now.now < self.rotated_at + self.grace
        return self.alive and token == self.previous and fresh


@dataclass
class GrantWorld(World):
    """The world, with one grant in it. `lose` says which token replies never arrive (by count)."""

    grace: float = 0.0
    lose: frozenset[int] = frozenset()
    uses: list[Use] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.auth = RefreshAuth(self.grace)
        self.table = ModelTable(self.clock)
        self.rows = Rows(self.table, "grant", "api", "", SEAL, Secret(FIRST))
        knobs = {"life": self.life, "said": self.said, "exclusive": self.exclusive}
        self.rotating = RotatingProvider(self.clock, self.grace, **knobs)
        self.provider = self.rotating

    def _asked(self, caller: Caller, step: Ask) -> Any:
        if self.clock.now > step.until:
            late = TransportError("too late")
            late.sent = False
            return late
        use = Use(step.request.form["refresh_token"], self.clock.now)
        self.uses.append(use)
        said = self.rotating.refresh(use)
        if len(self.uses) in self.lose:
            return TransportError("the reply is lost")
        # Whoever is killed meanwhile does not hear it: see `_reply`.
        return json.dumps({**said, "use": len(self.uses) - 1}).encode()

    def _reply(self, body: bytes) -> Reply:
        said = json.loads(body)
        self.uses[said["use"]].answered = True
        return super()._reply(body)

    @property
    def held(self) -> str:
        """The refresh token in the row; empty if it is none."""
        row = self.rows.read()
        return row.refresh_token.reveal() if row.refresh_token else ""
