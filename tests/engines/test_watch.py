"""What ends calls at their deadline outlives whatever it is given to end."""

from __future__ import annotations

import socket
import threading
import time
from pathlib import Path

import pytest

from apiclient_app import DeadlineExceeded, clients
from apiclient_app.engines.watch import Watch
from tests.conftest import Configure

from .certificates import Authority
from .listening import Listen, heard, secured
from .test_proxies import Proxy

SHORT, PROMPT = 0.4, 2.0


@pytest.fixture
def watch() -> Watch:
    return Watch()


def _nothing() -> None:
    """Do it."""


def called(watch: Watch) -> bool:
    """Whether it still calls what it is given."""
    done = threading.Event()
    watch.at(time.monotonic(), done.set)
    return done.wait(5)


def test_no_time_is_too_far_off(watch: Watch) -> None:
    entry = watch.at(1e300, _nothing)
    time.sleep(0.05)  # so that it waits
    assert called(watch)
    watch.forget(entry)


def test_what_raises_does_not_end_it(watch: Watch) -> None:
    def fail() -> None:
        raise TypeError("no socket")

    watch.at(time.monotonic(), fail)
    time.sleep(0.05)
    assert called(watch)


def test_where_there_is_no_thread_to_be_had_the_next_call_tries_again(
    watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", refused)
        with pytest.raises(RuntimeError):
            watch.at(time.monotonic(), _nothing)
    assert called(watch)


def dripping(connection: socket.socket) -> None:
    heard(connection)
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
    for _ in range(50):
        time.sleep(0.1)
        connection.sendall(b".")


def test_a_call_in_a_tunnel_of_a_proxy_that_speaks_tls_ends_at_its_deadline_and_so_does_the_next(
    listen: Listen, api_clients: Configure, tmp_path: Path
) -> None:
    authority = Authority(tmp_path)
    proxy = Proxy(listen(secured(authority.server("api.example"), dripping)))
    port = listen(secured(authority.server("localhost"), proxy))
    api_clients(
        api={
            "BASE_URL": "https://api.example/",
            "PROXIES": {"https": f"https://localhost:{port}"},
            "VERIFY": str(authority.path),
        }
    )
    for _ in range(2):
        began = time.monotonic()
        with pytest.raises(DeadlineExceeded):
            clients["api"].get("x", deadline=SHORT)
        assert time.monotonic() - began < PROMPT
