"""What every part of a run is given, and what it gives."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from .api import Api
from .measured import Field
from .site import Site

REQUESTS = ("Django", "requests", "urllib3")


@dataclass(frozen=True)
class Bench:
    """The servers, and how long to measure."""

    api: Api  # answers at once
    slow: Api  # answers after `DELAY`
    expiring: Api  # its token can be made to expire
    redis_url: str
    rounds: int | None
    calls: int | None
    quick: bool
    size: int  # of a large body

    @property
    def site(self) -> Site:
        return Site([self.api, self.slow, self.expiring], self.redis_url)

    def rounds_or(self, usual: int, quick: int) -> int:
        return self.rounds or (quick if self.quick else usual)

    def calls_or(self, usual: int, quick: int | None = None) -> int:
        return self.calls or (quick if self.quick and quick else usual)


@dataclass(frozen=True)
class Picture:
    """A plot of ratios to a reference: one bar for each contender, cut where it is too long."""

    file: str
    title: str
    field: Field
    reference: str
    longest: float = float("inf")


@dataclass(frozen=True)
class Part:
    """What was found, in Markdown; `packages` took part in it."""

    text: str
    packages: Sequence[str] = REQUESTS
    picture: Picture | None = None


@dataclass(frozen=True)
class Section:
    """A part of RESULTS.md that can be measured alone."""

    key: str
    title: str
    measure: Callable[[Bench], Part]
