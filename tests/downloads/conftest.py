"""A client of a server of one file, and what a download of it should come to."""

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from apiclient_app import TransportError, clients
from apiclient_app.client import Client
from tests.conftest import Configure
from tests.servers import Handle
from tests.servers.files import Files, serving

BODY = random.Random(7).randbytes(3_000_000)
OTHER = random.Random(8).randbytes(3_000_000)


@pytest.fixture
def files() -> Iterator[Files]:
    with serving() as served:
        served.body = BODY
        yield served


@pytest.fixture
def client(api: Handle, files: Files, api_clients: Configure) -> Client:
    api_clients(api=api.config(BASE_URL=files.origin, TIMEOUT=(3, 2)))
    return clients["api"]


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "report.bin"


def only(target: Path) -> bool:
    """Whether it is whole, and nothing lies beside it."""
    return target.read_bytes() == BODY and list(target.parent.iterdir()) == [target]


def left_over(client: Client, files: Files, target: Path) -> int:
    """Leave a part of a download that could not be ended; give its size."""
    files.breaks = [1_000_000, 0]
    with pytest.raises(TransportError):
        client.download("file", target)
    files.asked.clear()
    part = target.with_name("report.bin.part")
    assert not target.exists()
    assert BODY.startswith(part.read_bytes())
    return part.stat().st_size


def absent(target: Path) -> bool:
    return not target.exists()
