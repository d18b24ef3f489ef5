"""When a call is sent again, and after how long. Without I/O."""

from __future__ import annotations

from dataclasses import dataclass

IDEMPOTENT = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "DELETE", "TRACE"})  # RFC 9110 9.2.2
STATUSES = frozenset({408, 429, 502, 503, 504})
RESERVE = 10.0  # retries that a process may make before its calls have earned any


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry:
    """The RETRY setting. `backoff` and `longest` in seconds; `budget` is a share of the calls.

    `idempotency_key` names the header that a POST or PATCH gets, the same on every attempt.
    """

    attempts: int = 3
    statuses: frozenset[int] = STATUSES
    methods: frozenset[str] = IDEMPOTENT
    backoff: float = 0.5
    longest: float = 30.0
    budget: float = 0.2
    idempotency_key: str = ""

    def pause(self, attempt: int, jitter: float, asked: float | None = None) -> float | None:
        """Give seconds to wait after a failed `attempt`, counted from 1; None for no more.

        Exponential, with full jitter (0 to 1). `asked` is the server's Retry-After, which is
        obeyed, with the jitter on top, up to `longest`: whoever asks for more is not asked again.
        """
        if attempt >= self.attempts:
            return None
        drawn = min(self.longest, self.backoff * 2.0 ** min(attempt - 1, 60)) * jitter
        if asked is None:
            return drawn
        return asked + drawn if asked <= self.longest else None


class Budget:
    """What a process may spend on retries: every call earns a share of one.

    In an outage each call would otherwise become `attempts` calls, when that helps least.
    """

    def __init__(self, share: float) -> None:
        self._share, self._left = share, RESERVE

    def earn(self) -> None:
        # Without a lock: what a race loses is a share of a retry.
        self._left = min(RESERVE, self._left + self._share)

    def spend(self) -> bool:
        """Take one retry; False if there is none left."""
        if self._left < 1:
            return False
        self._left -= 1
        return True
