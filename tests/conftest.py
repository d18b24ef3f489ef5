"""What every test can ask for. A test of pure logic asks for none of it and starts nothing."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest
import redis
from django.core.cache import caches
from pytest_django import Settings

from tests import settings as test_settings
from tests.servers import Handle, running

# Whoever asks for one of these may reach a cache.
USES_CACHES = {"api", "api_clients", "client", "db", "redis_url", "settings"}


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
def api_clients(settings: Settings) -> Callable[..., None]:
    """Set `API_CLIENTS`: `api_clients(github={"BASE_URL": ...})`. Undone after the test."""

    def configure(**aliases: dict[str, Any]) -> None:
        settings.API_CLIENTS = aliases

    return configure


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
