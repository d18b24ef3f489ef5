"""Which token one caller needs, and what the memory says to that. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from apiclient_app.memory import Memory
from apiclient_app.records import Failure
from apiclient_app.tokens import Token

WORKED_SECONDS = 5.0

Whose = tuple[str, str]  # alias and subject


class Undecided:
    """Neither a token, nor a reason to do without."""


UNDECIDED: Final = Undecided()


@dataclass(frozen=True, slots=True)
class Need:
    """Which token will do for one caller."""

    began: float
    rejected: Token | None = None
    ordered: bool = False  # by a person: neither cooldown nor suspicion counts

    def met_by(self, token: Token | None, now: float) -> bool:
        if token is None or not token.replaces(self.rejected):
            return False
        # Obtained while this caller waited: good for it once, however short its life, else
        # tokens of a second or two make a convoy in which everyone renews for himself.
        return now < token.usable_until or token.obtained_at >= self.began

    def wants_newer(self, token: Token, now: float) -> bool:
        """Whether a token that would do is stale, and this caller should try to renew it.

        Not one that came while he waited: it is as new as can be.
        """
        return self.rejected is None and token.obtained_at < self.began and now >= token.renew_at


def verdict(need: Need, memory: Memory, whose: Whose, now: float) -> Token | Undecided | None:
    """Judge by what the memory holds: a token that will do, None where the refusal is the API's
    answer, UNDECIDED, or raise the failure that stands."""
    token = memory.token
    usable = need.met_by(token, now)
    if usable and token is not None and not need.wants_newer(token, now):
        return token
    if need.ordered:
        return UNDECIDED
    failure = memory.failure
    if failure is not None and failure.holds(now, stale=_bridged(need, token, now)):
        return despite(need, memory, failure, whose, now)
    if need.rejected is not None and _suspected(need.rejected, memory, now):
        return None
    return UNDECIDED


def despite(need: Need, memory: Memory, failure: Failure, whose: Whose, now: float) -> Token:
    """Go on with a token that is stale, or within its leeway; raise if there is none."""
    token = memory.token
    if token is not None and (need.met_by(token, now) or _bridged(need, token, now)):
        return token
    raise failure.exception(*whose, now)


def _bridged(need: Need, token: Token | None, now: float) -> bool:
    """Whether a caller whose token was not refused can go on with it to its very end."""
    return need.rejected is None and token is not None and now < token.expires_at


def _suspected(rejected: Token, memory: Memory, now: float) -> bool:
    """Whether refusals are held to have nothing to do with the token, for now."""
    marker = memory.fruitless
    if marker is None or now >= marker.until:
        return False
    # It worked here and stopped working: so it was revoked after all.
    accepted_at = memory.accepted_at(rejected)
    return accepted_at is None or now - accepted_at < WORKED_SECONDS
