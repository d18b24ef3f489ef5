"""What a flow may ask its driver to do, and what it asks of the rooms it is given."""

from __future__ import annotations

import math
from collections.abc import Generator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from .changes import Changes
from .secret import Secret
from .tokens import Token


class Send(NamedTuple):
    """Send a copy of `request`, signed with `token`; gives the response."""

    request: Any
    token: Token | None


@dataclass(frozen=True, slots=True)
class Ask:
    """Send a request to the token endpoint; gives the reply or raises TransportError.

    Not after `until` (epoch seconds): whoever was stopped on the way may have been given up.
    A `shielded` one is not interrupted: its reply may be the only one there will ever be.
    """

    request: Any
    until: float = math.inf
    shielded: bool = False


@dataclass(frozen=True, slots=True)
class StoreCall:
    """Call a method of the store; it may raise StoreUnavailable."""

    method: str
    args: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True)
class RowCall:
    """Call a method of the durable rows; it may raise RowsUnavailable."""

    method: str
    args: tuple[Any, ...] = ()


class GateCall(NamedTuple):
    """Call a method of the gate; what it says of the circuit may raise StoreUnavailable."""

    method: str
    args: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True)
class Sleep:
    seconds: float


@dataclass(frozen=True, slots=True)
class Wait:
    """Wait until something has changed since `version`, at most `seconds`: what is `on`, or else
    the memory."""

    version: int
    seconds: float
    on: Changes | None = None


@dataclass(frozen=True, slots=True)
class Announce:
    """Send the signal of that name."""

    signal: str
    fields: Mapping[str, Any]


Step = Send | Ask | StoreCall | RowCall | GateCall | Sleep | Wait | Announce
Flow = Generator[Step, Any, Any]


class Replayable(Protocol):
    """A request that may be sent a second time."""

    def rewind(self) -> bool:
        """Make the body ready to be sent again; False if it cannot be."""
        ...


class Guarded(Replayable, Protocol):
    """A request that may be kept back, and sent again."""

    @property
    def repeatable(self) -> bool:
        """Whether it may be sent twice, even if it was received the first time."""
        ...

    @property
    def patience(self) -> float:
        """For how many seconds it may be kept back; without end for one of many."""
        ...

    @property
    def lease(self) -> float:
        """For how many seconds its slot is its own, where it has a timeout of its own; or 0."""
        ...

    @property
    def begun(self) -> int:
        """How many of its requests were let go, where it has a deadline."""
        ...

    def start(self) -> None:
        """Let a request go: have its time begin to run, if it has not."""
        ...

    def remaining(self) -> float:
        """Give the seconds that are left of its deadline."""
        ...


class Auth(Protocol):
    """What a flow asks of an auth backend: everything but signing, which engines do."""

    @property
    def grace(self) -> float: ...

    @property
    def renewable(self) -> bool: ...

    @property
    def obtains(self) -> bool: ...

    @property
    def refreshes(self) -> bool: ...

    @property
    def timed(self) -> bool: ...

    @property
    def successor(self) -> Auth | None: ...

    def at(self, now: float) -> Auth: ...

    def token_request(self) -> Any: ...

    def refresh_request(self, refresh_token: Secret[str]) -> Any: ...

    def read(self, reply: Any) -> Any: ...

    def refresh_token_in(self, reply: Any) -> Secret[str] | None: ...

    def ends_grant(self, error: str) -> bool: ...

    def revocation_request(self, token: Token) -> Any: ...

    def refresh_revocation_request(self, refresh_token: Secret[str]) -> Any: ...
