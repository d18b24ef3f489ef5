"""What a flow may ask its driver to do, and what it asks of the rooms it is given."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from .tokens import Token


@dataclass(frozen=True, slots=True)
class Send:
    """Send a copy of `request`, signed with `token`; gives the response."""

    request: Any
    token: Token | None


@dataclass(frozen=True, slots=True)
class Ask:
    """Send a request to the token endpoint; gives the reply or raises TransportError."""

    request: Any


@dataclass(frozen=True, slots=True)
class StoreCall:
    """Call a method of the store; it may raise StoreUnavailable."""

    method: str
    args: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True)
class Sleep:
    seconds: float


@dataclass(frozen=True, slots=True)
class Wait:
    """Wait until the memory has changed since `version`, at most `seconds`."""

    version: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Announce:
    """Send the signal of that name."""

    signal: str
    fields: Mapping[str, Any]


Step = Send | Ask | StoreCall | Sleep | Wait | Announce
Flow = Generator[Step, Any, Any]


class Replayable(Protocol):
    """A request that may be sent a second time."""

    def rewind(self) -> bool:
        """Make the body ready to be sent again; False if it cannot be."""
        ...


class Auth(Protocol):
    """What a flow asks of an auth backend: everything but signing, which engines do."""

    @property
    def renewable(self) -> bool: ...

    def token_request(self) -> Any: ...

    def read(self, reply: Any) -> Any: ...

    def revocation_request(self, token: Token) -> Any: ...
