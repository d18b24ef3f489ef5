"""One process with a grant: the flow, the memory, store and rows are real, the endpoint is not."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from apiclient_app.auth import Password, RefreshToken, Reply, Secret
from apiclient_app.exceptions import TransportError
from apiclient_app.flow.need import Need
from apiclient_app.rows import Row
from apiclient_app.steps import Announce, Ask, Flow, RowCall, Send, Sleep, StoreCall, Wait
from apiclient_app.store import CacheStore
from apiclient_app.store.outage import Outage
from apiclient_app.store.reach import Reach
from apiclient_app.store.rows import Rows
from apiclient_app.tokens import Token

from .grants import ModelTable
from .steps import Bench
from .world import IDENTITY, SEAL, ModelCache

CLIENT: dict[str, Any] = {
    "token_url": "https://provider.example/token",
    "client_id": "app",
    "client_secret": Secret("s3cret"),
}


def refresh_token(**options: Any) -> RefreshToken:
    return RefreshToken(**{**CLIENT, **options})


def password(**options: Any) -> Password:
    return Password(username="ann", password=Secret("s3cret"), **{**CLIENT, **options})


def granting(access: str, refresh: str | None = None, life: float = 1000.0) -> dict[str, Any]:
    """Give what an endpoint says to grant a pair, or an access token alone."""
    said = {"access_token": access, "token_type": "Bearer", "expires_in": life}
    return {**said, "refresh_token": refresh} if refresh else said


def lost(text: str = "reset") -> TransportError:
    return TransportError(text)


def unsent(text: str = "refused") -> TransportError:
    error = TransportError(text)
    error.sent = False
    return error


@dataclass
class Holding(Bench):
    """A bench whose store and row calls are carried out. `done` names them, with "ask"."""

    auth: Any = field(default_factory=refresh_token)
    first: str = "refresh-0"
    cache: Any = None
    table: Any = None
    done: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.cache = self.cache or ModelCache(self.clock)
        self.table = self.table or ModelTable(self.clock)
        first = Secret(self.first) if self.first else None
        self.rows = Rows(self.table, "grant", "api", "", SEAL, first)
        reach = Reach(lambda: self.cache, Outage("model", self.clock))
        self.store = CacheStore(reach, IDENTITY, SEAL, self.clock, 5.0, lambda: self.memory.offset)

    def beside(self, **changes: Any) -> Holding:
        """Give another process with the same cache and the same table."""
        same = {"clock": self.clock, "cache": self.cache, "table": self.table}
        return Holding(**{**same, "auth": self.auth, "first": self.first, **changes})

    def seeking(self) -> Flow:
        return self.renewal.seek(Need(self.clock.now))

    def seek(self, rejected: Token | None = None, *, ordered: bool = False) -> Any:
        """Begin to look for a token; go on to the request for one, or to the end."""
        need = Need(self.clock.now, rejected=rejected, ordered=ordered)
        return self.go(self.renewal.seek(need))

    def stale(self) -> Any:
        """Go on to where the token is stale, and begin to renew it."""
        self.clock.now += 850
        return self.seek()

    def dead(self) -> Any:
        """Go on to where the token has expired, and begin to renew it."""
        self.clock.now += 1001
        return self.seek()

    def go(self, flow: Flow, to: str = "ask") -> Any:
        """Carry a flow out up to the step that is named; give that, or ("done", result)."""
        return self.on(self.begin(flow), to)

    def on(self, step: Any, to: str = "ask") -> Any:
        while not isinstance(step, tuple) and named(step) != to:
            step = self.carry_out(step)
        return step

    def carry_out(self, step: Any) -> Any:
        """Do one step; give the next one."""
        self.done.append(named(step))
        if isinstance(step, Sleep):
            self.clock.now += step.seconds
            return self.give(None)
        place = {StoreCall: self.store, RowCall: self.rows}[type(step)]
        try:
            value = getattr(place, step.method)(*step.args)
        except Exception as error:  # noqa: BLE001  # as a driver does
            return self.throw(error)
        return self.give(value)

    def reply(self, said: Any, status: int = 200, to: str = "ask", **headers: str) -> Any:
        """Answer the request that is due; go on to the next one, or to the end."""
        body = said if isinstance(said, bytes) else json.dumps(said).encode()
        self.done.append("ask")
        now = self.clock.now
        return self.on(self.give(Reply(status, headers, body, now, now)), to)

    def lose(self, error: BaseException, to: str = "ask") -> Any:
        """Lose the reply that is due."""
        self.done.append("ask")
        return self.on(self.throw(error), to)

    def holds(self, access: str, refresh: str = "refresh-1", life: float = 1000.0) -> Token:
        """Begin with a token and the refresh token behind it."""
        self.seek()
        self.reply(granting(access, refresh, life))
        self.done.clear()
        self.announced.clear()
        assert self.memory.token is not None
        return self.memory.token

    @property
    def row(self) -> Row:
        return self.rows.read()

    @property
    def held(self) -> str:
        """The refresh token in the row; empty if there is none."""
        token = self.row.refresh_token
        return token.reveal() if token else ""


def held(grace: float = 0.0, **changes: Any) -> Holding:
    """Give a process with a token of 1000 seconds, and "refresh-1" behind it."""
    bench = Holding(auth=refresh_token(grace=grace), **changes)
    bench.holds("access-1")
    return bench


def named(step: Any) -> str:
    if isinstance(step, StoreCall | RowCall):
        return step.method
    return {Ask: "ask", Send: "send", Sleep: "sleep", Wait: "wait", Announce: "announce"}[
        type(step)
    ]


def text_of(token: Token) -> str:
    return token.headers["Authorization"].reveal().removeprefix("Bearer ")


def sent(step: Ask) -> dict[str, str]:
    """The form fields of the request that is due."""
    assert isinstance(step, Ask)
    return dict(step.request.form)
