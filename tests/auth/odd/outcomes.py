"""What can become of a token reply, and the words in which the cases are told."""

from dataclasses import dataclass
from typing import Any

from apiclient_app.auth import Reply
from tests.auth.replies import NOW, reply

DEFAULT = 3600.0
SECRET = "s3cr3t-t0k3n"  # in the replies whose errors must not show it
BASE = {"access_token": "abc", "token_type": "Bearer"}


@dataclass(frozen=True)
class Granted:
    life: float = DEFAULT
    token: str = "Bearer abc"
    refresh_token: str | None = None
    scope: str = "asked"


@dataclass(frozen=True)
class Refused:
    """Terminal."""

    error: str


@dataclass(frozen=True)
class Unavailable:
    """To be asked for again."""

    error: str
    retry_after: float | None = None


@dataclass(frozen=True)
class Unsendable:
    """A token that no header can carry."""


Outcome = Granted | Refused | Unavailable | Unsendable


@dataclass(frozen=True)
class Case:
    """A reply, and what a backend with these options makes of it."""

    reply: Reply
    outcome: Outcome
    options: dict[str, Any]


def case(answer: Reply, outcome: Outcome, **options: Any) -> Case:
    return Case(answer, outcome, options)


def said(**more: Any) -> Reply:
    """Give a token reply with these members too."""
    return reply({**BASE, **more})


def raw(body: bytes, status: int = 200, **headers: str) -> Reply:
    return reply(None, status, body, **headers)


def at(seconds: float) -> float:
    """Give an epoch time, from when the reply came."""
    return NOW + seconds
