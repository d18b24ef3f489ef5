"""A fleet under steady load, the things that befall it, and what came of it."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from project.valkey import Valkey
from tests.fleet.crew import Worker
from tests.secrecy.canaries import HEADER_TAIL, Canaries
from tests.servers import Handle

from .crew import EVERY, THREADS, Calls, Crew
from .gate import Gate
from .health import Health
from .lengths import Scale
from .load import GATHERED, SPELL, TARGETS, TASKS
from .outcome import Outcome

TOKEN_TIMEOUT, MEMORY_SECONDS, GRACE = 2, 1, 60
LEASE = TOKEN_TIMEOUT + 2  # of the renewal lock
WARNING = "'levelname': 'WARNING'"
WARMING = 1.5  # seconds in which every caller has called: what a process needs, it has by then
RATE = (THREADS + TASKS + 2 * GATHERED / SPELL) / EVERY  # calls of a process in a second
BY_REFRESH_TOKEN = [subject for alias, subject in TARGETS if alias == "crm"]


@dataclass
class Storm:
    """What a scenario has at hand."""

    api: Handle
    valkey: Valkey
    gate: Gate
    crew: Crew
    canaries: Canaries
    scale: Scale
    report: Callable[[Outcome], None]
    title: str = ""
    promised: str = ""
    began: float = 0.0
    _asked_before: int = 0
    _before: dict[int, Health] = field(default_factory=dict)

    @property
    def seconds(self) -> float:
        return self.scale.seconds

    def configure(self, **settings: Any) -> None:
        """Give both clients settings that they do not have by themselves."""
        clients = self.crew.settings["API_CLIENTS"].items()
        self.crew.settings["API_CLIENTS"] = {name: {**old, **settings} for name, old in clients}

    def begin(
        self, title: str, promised: str, *, cold: bool = False, processes: int | None = None
    ) -> None:
        """Muster the fleet, have it obtain its tokens unless it is to be cold, and call."""
        self.title, self.promised = title, promised
        self.crew.muster((processes or self.scale.processes) - len(self.crew.workers))
        self.crew.ask(self.crew.workers[:1], do="migrate")
        for subject in BY_REFRESH_TOKEN:
            self.crew.ask(
                self.crew.workers[:1],
                do="store",
                alias="crm",
                subject=subject,
                refresh_token=self.api.consent(subject),
            )
        if not cold:
            assert self.crew.burst().failed == []
        self._asked_before = len(self.api.token_requests)
        self.began = time.time()
        self.crew.start()
        time.sleep(WARMING)
        self._before = self.health()

    def health(self) -> dict[int, Health]:
        return {pid: Health.of(pid) for pid in self.crew.processes}

    def wait(self, share: float) -> None:
        """Let a share of the scenario's time go by."""
        time.sleep(share * self.seconds)

    def wait_until(self, moment: float) -> None:
        """Let its time go by until so many seconds after the beginning."""
        time.sleep(max(0.0, self.began + moment - time.time()))

    @property
    def asked(self) -> list[dict[str, Any]]:
        """The token requests since the beginning."""
        return self.api.token_requests[self._asked_before :]

    def asker(self, *, among: int = 1) -> Worker:
        """Wait for so many token requests; give the worker that made the latest."""
        while len(asked := self.asked) < among:
            time.sleep(0.01)
        return self.crew.calling(self.api.port, source=asked[-1]["peer"])

    def lives(self, seconds: float) -> int:
        """How many tokens of this life follow each other in the scenario's time, at most."""
        return int(self.seconds / (0.8 * seconds)) + 2

    def end(
        self,
        *,
        rest: float = 0.0,
        mended: float = 0.0,
        share: float = 1.0,
        more: Calls | None = None,
    ) -> Outcome:
        """End the calling; see whether the fleet is alive, and give what came of it all.

        `rest`: seconds between that and the end of every token; `mended`: those after which the
        fleet is to be alive again; `share`: how much of the usual load there was; `more`: calls
        that are not in the ledger.
        """
        after, ended = self.health(), time.time()
        asked = self.asked
        stuck = self.crew.stop()
        calls = Calls([*self.crew.calls().since(self.began), *(more or ())])
        before_revival = len(self.asked)
        time.sleep(rest)
        self.api.expire_all()
        time.sleep(mended)
        revived = self.crew.burst()
        outcome = Outcome(
            title=self.title,
            promised=self.promised,
            full=self.scale.full,
            seconds=ended - self.began,
            processes=len({call.process for call in calls}),
            calls=calls,
            planned=share * RATE * self.scale.processes * (ended - self.began),
            asked=asked,
            stuck=stuck,
            revived=revived,
            revivals=len(self.asked) - before_revival,
            revivals_allowed=len(TARGETS),
            lost=self.api.lost,
            leaks=self.leaks(),
            before=self._before,
            after=after,
        )
        self.report(outcome)
        return outcome

    def complaints(self) -> list[int]:
        """How many warnings there are of the cache in each process's log."""
        logs = [path.read_text().splitlines() for path in self.crew.folder.glob("*.log")]
        mark = "'name': 'apiclient_app.store', "
        return [sum(mark in line and WARNING in line for line in lines) for lines in logs]

    def leaks(self) -> list[str]:
        """Say which secrets stand in what file of all that the processes wrote."""
        for token in self.api.issued:
            self.canaries.know("token", token)
        return heard(self.crew.folder, self.canaries)


def heard(folder: Path, canaries: Canaries) -> list[str]:
    """Say which secrets stand in what file; and which log is empty, for then nobody listened."""
    files = sorted(folder.iterdir())
    leaks = [f"{name} in {file.name}" for file in files for name in canaries.heard_in(read(file))]
    return leaks + [f"nothing in {f.name}" for f in files if f.suffix == ".log" and not read(f)]


def read(file: Path) -> str:
    return file.read_bytes().decode("latin-1")


def clients(api: Handle, secret: str, **options: Any) -> dict[str, dict[str, Any]]:
    """Give API_CLIENTS: one with tokens of its own and its subjects', one with refresh tokens."""
    times = {
        "TIMEOUT": (1, 5),
        "TOKEN_TIMEOUT": TOKEN_TIMEOUT,
        "MEMORY_SECONDS": MEMORY_SECONDS,
    }
    own = {"client_secret": secret, **options}
    return {
        "api": api.config("tests.chaos.naming.PerSubject", OPTIONS=own, **times),
        "crm": api.config("RefreshToken", OPTIONS={**own, "grace": GRACE}, **times),
    }


def secrets_of(canaries: Canaries) -> dict[str, str]:
    """Make the secrets that the settings hold, by name."""
    return {
        "SECRET_KEY": canaries.hatch("SECRET_KEY"),
        "client_secret": canaries.hatch("client secret", tail=HEADER_TAIL),
    }
