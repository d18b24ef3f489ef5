from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from project.postgres import Postgres

from .crew import Crew, mustered
from .line import Line
from .provider.handle import Provider, running

Providers = Callable[[int], Provider]


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    with Postgres() as server:
        yield server


@pytest.fixture(scope="session")
def _providers(
    postgres: Postgres, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Providers]:
    folder = tmp_path_factory.mktemp("providers")
    started: dict[int, Provider] = {}
    with ExitStack() as stack:

        def provider(grace: int) -> Provider:
            if grace not in started:
                started[grace] = stack.enter_context(running(postgres, folder, grace))
            return started[grace]

        yield provider


@pytest.fixture
def strict(_providers: Providers) -> Provider:
    """The provider, as new, that takes a refresh token once and never again."""
    return renewed(_providers(0))


@pytest.fixture
def lenient(_providers: Providers) -> Provider:
    """The provider, as new, that takes a used refresh token again for 30 seconds."""
    return renewed(_providers(30))


def renewed(provider: Provider) -> Provider:
    provider.reset()
    return provider


@pytest.fixture
def line() -> Iterator[Callable[..., Line]]:
    """Lay a line to a provider: `line(provider, delay=0.2)`."""
    with ExitStack() as stack:

        def lay(provider: Provider, delay: float = 0.0) -> Line:
            return stack.enter_context(Line(provider.port, delay))

        yield lay


@pytest.fixture
def crew(postgres: Postgres, redis_url: str, tmp_path: Path) -> Iterator[Callable[..., Crew]]:
    """Start workers on a database of their own: `crew(4, api={...})`."""
    numbers = count()
    with ExitStack() as stack:

        def start(processes: int, url: str = redis_url, **api_clients: Any) -> Crew:
            name = f"site_{next(numbers)}"
            postgres.create(name)
            stack.callback(postgres.drop, name)
            settings = {
                "API_CLIENTS": api_clients,
                "DATABASES": {"default": {**postgres.settings(name), "ATOMIC_REQUESTS": True}},
                "ROOT_URLCONF": "tests.grants.callers",
            }
            return stack.enter_context(mustered(tmp_path, url, processes, settings))

        yield start
