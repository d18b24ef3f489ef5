import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import count
from pathlib import Path

import pytest

from project.postgres import Postgres
from project.valkey import Valkey
from tests.secrecy.canaries import Canaries
from tests.servers import Handle

from .crew import mustered
from .gate import Gate
from .lengths import Scale
from .outcome import Outcome
from .report import lines, write
from .storm import GRACE, Storm, clients, secrets_of

OUTCOMES = pytest.StashKey[list[Outcome]]()
NUMBERS = count()


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    if outcomes := config.stash.get(OUTCOMES, []):
        terminalreporter.section("chaos")
        for line in lines(outcomes):
            terminalreporter.line(line)
    if os.environ.get("WRITE") and (full := [each for each in outcomes if each.full]):
        write(full)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    with Postgres() as server:
        yield server


@pytest.fixture
def report(request: pytest.FixtureRequest) -> Callable[[Outcome], None]:
    """Print what came of a scenario, and have it stand in the table at the end of the run."""
    outcomes = request.config.stash.setdefault(OUTCOMES, [])
    terminal = request.config.pluginmanager.get_plugin("terminalreporter")

    def tell(outcome: Outcome) -> None:
        outcomes.append(outcome)
        if terminal is not None:
            terminal.ensure_newline()
            terminal.line(str(outcome))

    return tell


@pytest.fixture
def storm(
    api: Handle,
    postgres: Postgres,
    tmp_path: Path,
    scale: Scale,
    report: Callable[[Outcome], None],
) -> Iterator[Storm]:
    """A provider, a cache behind a gate, a database, and a crew that is to be mustered yet."""
    canaries, database = Canaries(), f"chaos_{next(NUMBERS)}"
    secrets = secrets_of(canaries)
    api.set(credentials={"app": secrets["client_secret"]}, grace=GRACE)
    with ExitStack() as stack:
        valkey = stack.enter_context(Valkey())
        gate = stack.enter_context(Gate(valkey.port))
        postgres.create(database)
        stack.callback(postgres.drop, database)
        settings = {
            "API_CLIENTS": clients(api, secrets["client_secret"]),
            "DATABASES": {"default": postgres.settings(database)},
            "SECRET_KEY": secrets["SECRET_KEY"],
        }
        crew = stack.enter_context(mustered(tmp_path, gate.url, settings))
        yield Storm(api, valkey, gate, crew, canaries, scale, report)
