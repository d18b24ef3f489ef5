"""The durable row of a grant: what it holds, and whether its refresh token may be sent. Pure.

A refresh token of one use is lost with the reply that brings its successor. So the row says
`asking_since` before it is sent, and until an answer came: a row that says so while nobody holds
its claim is *in doubt*.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import Enum, StrEnum

from .secret import Secret

DOUBT_PAUSE, DOUBT_LIMIT = 5.0, 900.0
REFUSED, UNANSWERED = "refused", "unanswered"


class RowState(StrEnum):
    """What may be done with the refresh token of a row."""

    HELD = "held"
    ASKING = "asking"
    IN_DOUBT = "in doubt"
    ATTENTION = "needs attention"
    EMPTY = "no refresh token"
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One row as it was read. Times are epoch seconds by the database's clock, and so is `now`.

    `generation` counts the refresh tokens it has held; 0 stands for no row yet. `owner` has the
    claim until `leased_until`. `attention` says why a person is needed: "refused", with the
    provider's error behind it, or "unanswered". One `unsaved` holds a refresh token that is not
    in the row yet; `seed` marks it if it comes from the settings.
    """

    now: float
    generation: int = 0
    refresh_token: Secret[str] | None = field(default=None, repr=False)
    asking_since: float | None = None
    owner: int = 0
    leased_until: float = 0.0
    attention: str = ""
    tries: int = 0
    retry_at: float = 0.0
    obtained_at: float | None = None
    unreadable: bool = False
    seed: str = ""
    unsaved: bool = False

    @property
    def claimed(self) -> bool:
        return self.now < self.leased_until

    @property
    def state(self) -> RowState:
        if self.unreadable:
            return RowState.UNREADABLE
        if self.claimed:
            return RowState.ASKING
        if self.attention:
            return RowState.ATTENTION
        if self.refresh_token is None:
            return RowState.EMPTY
        return RowState.HELD if self.asking_since is None else RowState.IN_DOUBT

    @property
    def refused(self) -> bool:
        return self.attention.startswith(REFUSED)

    def in_grace(self, grace: float) -> bool:
        """Whether the provider takes the refresh token once more, if it was used at all."""
        return self.asking_since is None or self.now < self.asking_since + grace


class Plan(Enum):
    """What to do for a token, given the row."""

    REFRESH = "send its refresh token"
    OBTAIN = "do without: the client has credentials of its own"
    BUSY = "another is asking with it"
    LATER = "keep the old refresh token until the access token is dead"
    UNREADABLE = "no key we have opens it"
    STOPPED = "a person is needed"


def plan(row: Row, *, obtains: bool, grace: float, dead: bool, ordered: bool) -> Plan:
    """Decide what may be done.

    `obtains`: the client can do without a refresh token; `dead`: no access token is left that
    would be lost with a reuse; `ordered`: by a person, who may try what we would not.
    """
    if row.claimed:
        return Plan.BUSY
    if row.unreadable:
        return Plan.OBTAIN if obtains else Plan.UNREADABLE
    if row.refresh_token is None:
        return Plan.OBTAIN if obtains else Plan.STOPPED
    if row.refused and (obtains or not ordered):
        return Plan.OBTAIN if obtains else Plan.STOPPED
    if row.in_grace(grace) or ordered:
        return Plan.REFRESH
    if obtains:
        return Plan.OBTAIN
    if not dead:
        return Plan.LATER
    return Plan.REFRESH if row.now >= row.retry_at else Plan.STOPPED


def next_try(row: Row, grace: float) -> tuple[str, int, float]:
    """Give attention, tries and retry_at after one more request without an answer.

    The first loss is only a doubt. What was tried once more behind the grace needs a person; as
    the provider has not said no, it is tried again by itself too, ever more rarely: an endpoint
    that hangs for a night must not cost every user a new consent.
    """
    if row.in_grace(grace):
        return row.attention, row.tries, row.retry_at
    pause = min(DOUBT_LIMIT, DOUBT_PAUSE * 2 ** min(row.tries, 10))
    return UNANSWERED, row.tries + 1, row.now + pause


@dataclass(frozen=True, slots=True)
class Claim:
    """A row that is ours to ask with: as it was before, as it is now, and until when we may."""

    before: Row
    row: Row
    owner: int
    began: float
    until: float

    @property
    def unasked(self) -> Row:
        """How to leave the row if nothing has happened to its refresh token."""
        return replace(self.before, generation=self.row.generation)

    def doubtful(self, grace: float) -> Row:
        """How to leave it if nobody knows what has."""
        attention, tries, retry_at = next_try(self.before, grace)
        return replace(self.row, attention=attention, tries=tries, retry_at=retry_at)

    def refused(self, error: str) -> Row:
        return replace(self.row, asking_since=None, attention=f"{REFUSED}: {error}")

    def may_repeat(self, grace: float, now: float) -> bool:
        """Whether the provider takes the refresh token again, and there is time for it."""
        since = self.row.asking_since or self.row.now
        return now < self.until and self.row.now + now - self.began < since + grace
