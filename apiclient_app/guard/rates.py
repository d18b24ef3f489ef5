"""How many calls an API allows in what time: ours to keep, and what its headers tell. No I/O."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from apiclient_app.dates import instant, number

SPANS = {"s": 1, "sec": 1, "second": 1, "m": 60, "min": 60, "minute": 60}
SPANS |= {"h": 3600, "hour": 3600, "d": 86_400, "day": 86_400}
RATE = re.compile(r"\s*([1-9][0-9]{0,6})\s*/\s*([1-9][0-9]{0,4})?\s*([a-z]+?)s?\s*", re.IGNORECASE)
GO, LATE, FULL = range(3)  # what a request hears that asks for its moment and its slot
LEARNED = "learn"  # as a RATE_LIMIT: what the API's headers say, and no limit of ours
TENTH, AT_ONCE = 10, 5
LONGEST_TOLD = 3600.0  # what an answer may hold all calls back for, until it is heard again
ABSURD = 32 * 86_400.0  # quotas are of a month at most
EPOCH, MILLISECONDS = 1e8, 1e11  # a reset above is no number of seconds from now
NAMED = re.compile(r'"(?:[^"\\]|\\.)*+"?')  # what a policy is called may be anything
REMAINING = ("RateLimit-Remaining", "X-RateLimit-Remaining", "X-Rate-Limit-Remaining")
RESET = (
    *("RateLimit-Reset", "X-RateLimit-Reset-After", "X-RateLimit-Reset", "X-Rate-Limit-Reset"),
)


TELLING = frozenset(name.lower() for name in ("RateLimit", *REMAINING))


@dataclass(frozen=True, slots=True)
class Allowance:
    """At most `calls` in any `seconds`."""

    calls: int
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class RateLimit:
    """The RATE_LIMIT setting: all of these allowances hold, for the client or for each subject."""

    allowances: tuple[Allowance, ...] = ()
    per_subject: bool = False

    @property
    def spans(self) -> tuple[Allowance, ...]:
        """The allowances, and for each a shorter one that spreads its calls.

        A tenth of an allowance, or five calls, may go at once.
        """
        spans: list[Allowance] = []
        for each in self.allowances:
            spans.append(each)
            burst = max(each.calls // TENTH, min(each.calls, AT_ONCE))
            if burst < each.calls:
                spans.append(Allowance(burst, each.seconds * burst / each.calls))
        return tuple(spans)


def allowance(text: str) -> Allowance:
    """Read "100/minute", "5/s" or "900/15 minutes"; ValueError for anything else."""
    match = RATE.fullmatch(text)
    if match is None or match[3].lower() not in SPANS:
        raise ValueError(text)
    return Allowance(int(match[1]), float(int(match[2] or 1) * SPANS[match[3].lower()]))


class Log:
    """When the last calls of one process were, or will be: those that wait have their moment.

    The exact sliding window: nothing is rounded, and there is no edge at which two windows meet.
    Moments never go back, so the n-th last one says when the next may be.
    """

    def __init__(self, spans: tuple[Allowance, ...]) -> None:
        self._spans = spans
        self._moments: deque[float] = deque(maxlen=max((s.calls for s in spans), default=1))
        self.held_until = 0.0
        self.pace = 0.0  # seconds a call, while some have to wait

    def reserve(self, now: float, longest: float) -> tuple[bool, float]:
        """Give whether a call has its moment now, and the seconds to it, at most `longest`."""
        moments = self._moments
        last = moments[-1] if moments else 0.0
        moment = max(now, self.held_until, last)
        self.pace = 0.0
        for span in self._spans:
            if len(moments) >= span.calls:
                free = moments[-span.calls] + span.seconds
                if free > now:
                    # Whoever has to wait goes at the pace of the allowance: those before came all
                    # at once, maybe, and would go on in waves.
                    self.pace = max(self.pace, span.seconds / span.calls)
                    moment = max(moment, free, last + span.seconds / span.calls)
        fits = moment - now <= longest
        if fits:
            moments.append(moment)
        return fits, moment - now


@dataclass(frozen=True, slots=True)
class Told:
    """What an API says of itself: so many calls are `left` for the next `seconds`."""

    left: int
    seconds: float


def told(headers: Mapping[str, Any], now: float) -> Told | None:
    """Read the rate limit headers of a response; None where they say nothing, or nonsense."""
    if combined := _combined(str(headers.get("RateLimit") or "")):
        return combined
    date = instant(headers.get("Date"))
    moment = now if date is None else date
    left = next((n for name in REMAINING if (n := number(headers.get(name))) is not None), None)
    seconds = next(
        (s for name in RESET if (s := _seconds(headers.get(name), moment)) is not None), None
    )
    return _told(left, seconds)


def _combined(text: str) -> Told | None:
    """Read `"a";r=50;t=30, "b";r=5;t=1` (draft 8 and later), of which the scarcest counts, or
    `limit=100, remaining=50, reset=5` (draft 3)."""
    bare = NAMED.sub("", text)
    found = [one for policy in bare.split(",") if (one := _fields(policy))]
    return min(found, key=lambda each: each.left) if found else _fields(bare)


def _fields(text: str) -> Told | None:
    pairs = (piece.partition("=") for piece in re.split("[;,]", text))
    fields = {name.strip().lower(): value.strip() for name, _, value in pairs}
    left = number(fields.get("r", fields.get("remaining")))
    return _told(left, number(fields.get("t", fields.get("reset"))))


def _told(left: float | None, seconds: float | None) -> Told | None:
    if left is None or seconds is None or not 0 < seconds <= ABSURD:
        return None
    return Told(max(0, int(min(left, 1e9))), min(seconds, LONGEST_TOLD))


def _seconds(value: Any, moment: float) -> float | None:
    """Give the seconds until a reset that is given as seconds, epoch, milliseconds or date."""
    found = number(value)
    if found is None:
        at = instant(value)
        return None if at is None else at - moment
    if found > MILLISECONDS:
        found /= 1000
    return found - moment if found > EPOCH else found
