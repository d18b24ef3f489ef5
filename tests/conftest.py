"""What every test can ask for. A test of pure logic asks for none of it and starts nothing."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from typing import Any

import pytest
import redis
from django.core.cache import caches
from pytest_django import Settings

from project.valkey import Valkey
from tests import settings as test_settings
from tests.engines.ways import WAYS, Callers
from tests.fleet.crew import Fleet, sailing
from tests.servers import Handle, running

# Whoever asks for one of these may reach a cache.
USES_CACHES = {"api", "api_clients", "client", "db", "redis_url", "settings"}


Configure = Callable[..., None]  # api_clients(github={"BASE_URL": ...})

# Whoever asks for one of these starts processes, and measures what they do.
FILLS_THE_MACHINE = {"fleet", "crew", "storm"}

FIGURES = pytest.StashKey[list[str]]()


def pytest_configure(config: pytest.Config) -> None:
    config.stash[FIGURES] = []


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if not FILLS_THE_MACHINE.isdisjoint(getattr(item, "fixturenames", ())):
            item.add_marker("alone")


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    if figures := config.stash[FIGURES]:
        terminalreporter.section("measured")
        for figure in figures:
            terminalreporter.line(figure)


@pytest.fixture
def tell(request: pytest.FixtureRequest) -> Callable[[str], None]:
    """Have a line of figures printed at the end of the run."""
    return request.config.stash[FIGURES].append


@pytest.fixture(scope="session")
def redis_url() -> Iterator[str]:
    """The Redis behind the redis caches: `REDIS_URL`, or an embedded Valkey, started on demand."""
    if test_settings.embedded:
        test_settings.embedded.start()
    yield test_settings.REDIS_URL
    if test_settings.embedded:
        test_settings.embedded.stop()


@pytest.fixture(autouse=True)
def _fresh_caches(request: pytest.FixtureRequest) -> Iterator[None]:
    """Empty the caches after each test that may have written to one."""
    if USES_CACHES.isdisjoint(request.fixturenames):
        yield
        return
    url = request.getfixturevalue("redis_url")
    yield
    forget(url)
    caches["locmem"].clear()
    shutil.rmtree(test_settings.CACHES["file"]["LOCATION"], ignore_errors=True)


def forget(url: str) -> None:
    """Delete what this run wrote to Redis, and nothing else."""
    with redis.Redis.from_url(url) as connection, suppress(redis.ConnectionError):
        if keys := list(connection.scan_iter(f"*{test_settings.RUN}*")):
            connection.delete(*keys)


@pytest.fixture
def api_clients(request: pytest.FixtureRequest, settings: Settings) -> Configure:
    """Set `API_CLIENTS`: `api_clients(github={"BASE_URL": ...})`. Undone after the test."""
    callers = request.getfixturevalue("clients") if "clients" in request.fixturenames else None

    def configure(**aliases: dict[str, Any]) -> None:
        settings.API_CLIENTS = callers.configured(aliases) if callers else aliases

    return configure


@pytest.fixture(params=WAYS)
def clients(request: pytest.FixtureRequest) -> Iterator[Callers]:
    """Run a test once for each way that its calls can take."""
    callers = Callers(request.param)
    yield callers
    callers.end()


@pytest.fixture(scope="session")
def _api() -> Iterator[Handle]:
    with running() as handle:
        yield handle


@pytest.fixture(scope="session")
def _other_api() -> Iterator[Handle]:
    with running() as handle:
        yield handle


@pytest.fixture
def api(_api: Handle) -> Handle:
    """The provider, as new: OAuth endpoints and the API behind them."""
    _api.reset()
    return _api


@pytest.fixture
def other_api(_other_api: Handle) -> Handle:
    """Another provider: another origin."""
    _other_api.reset()
    return _other_api


@pytest.fixture
def valkey() -> Iterator[Valkey]:
    """A Valkey of the test's own, to stop and start."""
    with Valkey() as server:
        yield server


@pytest.fixture
def fleet(redis_url: str) -> Iterator[Callable[..., Fleet]]:
    """Start processes that call: `fleet(4, api={...})`, the clients as in API_CLIENTS."""
    with ExitStack() as stack:

        def start(processes: int = 4, url: str = redis_url, **api_clients: Any) -> Fleet:
            return stack.enter_context(sailing(url, processes, api_clients))

        yield start
