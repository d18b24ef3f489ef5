"""What the tests beside this one lean on: a provider, a database and a line that are as said."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
import requests

from .crew import Crew
from .line import Line
from .provider import CLIENT_ID, CLIENT_SECRET
from .provider.handle import Provider


def ask(url: str, refresh_token: str) -> requests.Response:
    fields = {"grant_type": "refresh_token", "refresh_token": refresh_token}
    return requests.post(url, data=fields, auth=(CLIENT_ID, CLIENT_SECRET), timeout=10)


def call(provider: Provider, token: str) -> requests.Response:
    headers = {"Authorization": f"Bearer {token}"}
    return requests.get(f"{provider.origin}/api/thing", headers=headers, timeout=10)


def test_a_refresh_token_works_once(strict: Provider) -> None:
    first = strict.mint()
    pair = ask(strict.token_url, first).json()

    assert call(strict, pair["access_token"]).json() == {"user": "ann"}
    assert strict.expire() == 1
    assert call(strict, pair["access_token"]).status_code == 401
    assert strict.seen().alive == ["ann"]
    assert ask(strict.token_url, first).json() == {"error": "invalid_grant"}

    seen = strict.seen()
    assert (seen.issued, seen.reused, seen.alive) == (1, 1, [])
    assert ask(strict.token_url, pair["refresh_token"]).json() == {"error": "invalid_grant"}


def test_in_the_grace_window_a_used_one_gives_the_same_pair(lenient: Provider) -> None:
    first = lenient.mint()
    pair, again = (ask(lenient.token_url, first).json() for _ in range(2))

    assert pair == again
    seen = lenient.seen()
    assert (len(seen.repeated), seen.reused, seen.alive) == (1, 0, ["ann"])


def test_a_lost_reply_is_lost_after_the_server_has_rotated(
    strict: Provider, line: Callable[..., Line]
) -> None:
    first, bad = strict.mint(), line(strict)
    bad.lose()
    with pytest.raises(requests.ConnectionError):
        ask(bad.token_url, first)
    assert (bad.lost, strict.seen().issued) == (1, 1)
    assert ask(bad.token_url, first).json() == {"error": "invalid_grant"}
    assert strict.seen().reused == 1


def test_many_naive_callers_lose_the_grant(strict: Provider, crew: Callable[..., Crew]) -> None:
    """Or else these tests prove nothing."""
    workers = crew(4, api=strict.client(strict.mint()))
    workers.start(caller="naively", every=0.05)
    deadline = time.monotonic() + 20
    # Not until nothing is alive: of two requests at once each may get a token here, and one
    # that is issued while its family is revoked stays, though no caller holds it.
    while not strict.seen().reused and time.monotonic() < deadline:
        time.sleep(0.3)
        strict.expire()
    calls = workers.stop()

    assert strict.seen().reused > 0
    assert calls.failed


def test_a_postgres_ends_with_its_process_and_leaves_nothing_behind() -> None:
    order = (
        "from project.postgres import Postgres; p = Postgres(); p.start(); print(p.port); input()"
    )
    with TemporaryDirectory() as folder:
        Path(folder).chmod(0o777)  # for the user who runs the server
        with subprocess.Popen(
            [sys.executable, "-c", order],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "TMPDIR": folder},
        ) as process:
            assert process.stdout is not None
            port = int(process.stdout.readline())
            assert any(Path(folder).iterdir())
            process.kill()
        deadline = time.monotonic() + 10
        while any(Path(folder).iterdir()) and time.monotonic() < deadline:
            time.sleep(0.05)
        assert not any(Path(folder).iterdir())
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port))
