"""A client whose many calls go out one way or the other."""

from pathlib import Path
from typing import Any

import pytest

from apiclient_app import Client, clients
from tests.conftest import Configure
from tests.servers import Handle

WAYS = ("libcurl", "threads")
THREADS: dict[str, Any] = {
    "SESSION": "requests.Session"
}  # a Session of the user's is not gone round


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def shop(api: Handle, api_clients: Configure, way: str) -> Client:
    """A client of `api`."""
    return shop_of(api, api_clients, way)


def shop_of(api: Handle, api_clients: Configure, way: str, **settings: Any) -> Client:
    api_clients(api=api.config(**(THREADS if way == "threads" else {}), **settings))
    client = clients["api"]
    assert client.rooms.engine.fast() == (way == "libcurl")
    return client


def files() -> int:
    """Give how many are open."""
    folder = Path("/proc/self/fd")
    return len(list(folder.iterdir())) if folder.exists() else 0
