"""What came of a scenario: figures for the table, and all that must never be."""

from collections import Counter
from dataclasses import dataclass
from typing import Any

import apiclient_app
from apiclient_app import APIClientError

from .crew import Calls
from .health import Health

SPIN = 0.35  # of a processor: who spins takes all there is
# What all callers of a process, two clients, the cache and the database can need at once.
THREADS, SOCKETS = 40, 90
QUIET = 0.5  # of the planned calls: with fewer, somebody was held up whom nobody counted

NEWBORN = Health(cpu=0.0, memory=0, threads=0, files=0, sockets=0)

TYPED = {
    name
    for name, kind in vars(apiclient_app).items()
    if isinstance(kind, type) and issubclass(kind, APIClientError)
}


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """Of one scenario. `asked` are the token requests of its time, `revived` the calls after it,
    for which all tokens were ended first, and `revivals` the token requests for these."""

    title: str
    promised: str
    full: bool
    seconds: float
    processes: int
    calls: Calls
    planned: float
    asked: list[dict[str, Any]]
    stuck: int
    revived: Calls
    revivals: int
    revivals_allowed: int
    lost: list[str]
    leaks: list[str]
    before: dict[int, Health]
    after: dict[int, Health]

    @property
    def failed(self) -> Calls:
        return self.calls.failed

    @property
    def asked_for(self) -> Counter[str]:
        """How many token requests there were by client and subject."""
        return Counter(
            f"{entry['fields'].get('grant_type')} {entry['subject']}".strip()
            for entry in self.asked
        )

    @property
    def cells(self) -> tuple[str, ...]:
        """Give its row of the table."""
        kinds = ", ".join(f"{kind} {n:,}" for kind, n in self.calls.kinds.most_common())
        return (
            self.title,
            self.promised,
            f"{len(self.calls):,}",
            f"{len(self.failed):,}" + (f" ({kinds})" if kinds else ""),
            f"{len(self.asked):,}",
            f"{self.calls.stall:.2f} s",
        )

    def __str__(self) -> str:
        title, promised, calls, failed, asked, stall = self.cells
        return (
            f"{title}, {self.processes} processes for {self.seconds:.0f} s: {calls} calls, "
            f"{failed} failed, {asked} token requests, longest stall {stall}; alive again with "
            f"{self.revivals} token requests. Promised: {promised}"
        )

    @property
    def complaints(self) -> list[str]:
        """Say what must not be, whatever the scenario."""
        return [*self._of_the_calls(), *self._of_the_tokens(), *self._of_the_processes()]

    def _of_the_calls(self) -> list[str]:
        kinds = Counter(self.calls.kinds) + Counter(self.revived.kinds)
        odd = [kind for kind in kinds if kind not in TYPED]
        return [
            *(f"{kinds[kind]} calls ended in {kind}" for kind in odd),
            *([f"{self.stuck} callers never came back"] if self.stuck else ()),
            *(
                [f"{len(self.calls)} calls, planned were {self.planned:.0f}"]
                if len(self.calls) < QUIET * self.planned
                else ()
            ),
        ]

    def _of_the_tokens(self) -> list[str]:
        revived = self.revived.failed
        return [
            *(f"{subject} has lost the refresh token" for subject in self.lost),
            *(f"a secret was written down: {leak}" for leak in self.leaks),
            *([f"not alive: {Counter(call.end for call in revived)}"] if revived else ()),
            *([] if self.revived else ["nobody called afterwards"]),
            *(
                [f"alive again with {self.revivals} token requests"]
                if self.revivals > self.revivals_allowed
                else ()
            ),
        ]

    def _of_the_processes(self) -> list[str]:
        complaints = []
        for pid, after in self.after.items():
            before = self.before.get(pid, NEWBORN)
            # Who was forked holds his parent's sockets too, until he ends.
            sockets = SOCKETS if pid in self.before else 2 * SOCKETS
            if after.cpu - before.cpu > SPIN * self.seconds:
                complaints.append(f"{pid} used {after.cpu - before.cpu:.1f} s of processor time")
            if after.threads > THREADS:
                complaints.append(f"{pid} went from {before.threads} to {after.threads} threads")
            if after.sockets > sockets:
                complaints.append(f"{pid} went from {before.sockets} to {after.sockets} sockets")
        return complaints
