"""Interrupted, cancelled, forked or among a thousand files: what is left works on."""

import asyncio
import os
import resource
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NoReturn

import pytest

from apiclient_app import RequestTimeout
from apiclient_app import clients as handler
from apiclient_app.engines.curl.wires import ThreadWire
from tests.conftest import Configure

from .certificates import Authority
from .listening import HOST, Answer, Listen, heard, silent
from .test_tls import HELLO, encrypted
from .ways import LIBCURL, Callers

SYNC = ("requests", "curl", "many")


class SoftLimit(Exception):
    """As Celery raises it in whatever is being done."""


def raising(error: type[BaseException]) -> Callable[..., NoReturn]:
    def handle(*_: Any) -> NoReturn:
        raise error

    return handle


@contextmanager
def alarm(seconds: float, error: type[BaseException]) -> Iterator[None]:
    before = signal.signal(signal.SIGALRM, raising(error))
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def fickle() -> Answer:
    """Say nothing to the first who calls; answer the others."""
    calls = iter([silent])

    def answer(connection: socket.socket) -> None:
        next(calls, answering)(connection)

    return answer


def answering(connection: socket.socket) -> None:
    while heard(connection):
        connection.sendall(HELLO)


@pytest.mark.parametrize("clients", SYNC, indirect=True)
@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit, SoftLimit])
def test_an_interrupted_call_ends_at_once_and_the_next_one_is_made(
    listen: Listen, api_clients: Configure, clients: Callers, error: type[BaseException]
) -> None:
    api_clients(api={"BASE_URL": f"http://{HOST}:{listen(fickle())}/", "TIMEOUT": 10})
    began = time.monotonic()
    with alarm(0.2, error), pytest.raises(error):
        clients["api"].get("x")
    assert time.monotonic() - began < 1
    for _ in range(3):
        assert clients["api"].get("x").text == "hello"


@pytest.mark.parametrize("clients", ["curl", "many"], indirect=True)
@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit, SoftLimit])
def test_what_is_raised_where_libcurl_calls_is_raised_and_the_next_call_is_made(
    listen: Listen,
    api_clients: Configure,
    clients: Callers,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    error: type[BaseException],
) -> None:
    api_clients(api={"BASE_URL": f"http://{HOST}:{listen(answering)}/", "TIMEOUT": 10})
    for _ in range(2):
        handler.close()
        with monkeypatch.context() as patch:
            patch.setattr(ThreadWire, "_on_socket", raising(error))
            with pytest.raises(error):
                clients["api"].get("x")
        for _ in range(3):
            assert clients["api"].get("x").text == "hello"
    assert "Fatal" not in capfd.readouterr().err


def test_a_call_cancelled_when_it_has_just_ended_breaks_off_no_other(
    listen: Listen, api_clients: Configure
) -> None:
    api_clients(api={"BASE_URL": f"http://{HOST}:{listen(answering)}/", "TIMEOUT": 5})
    outgoing = handler["api"]._prepared("GET", "x", {})
    call = outgoing.prepared, dict(outgoing.options)

    async def cancelling() -> int:
        transport, loop = handler["api"].rooms.engine.curl(), asyncio.get_running_loop()
        wire, second = transport.loop_wire(), loop.create_future()
        first = asyncio.ensure_future(transport.asend(*call))
        await asyncio.sleep(0)

        def look() -> None:
            if wire._active:
                loop.call_soon(look)
                return
            # Its answer has come, but nobody was told: another call takes its handle.
            transport.start(wire, *call, lambda response, _: second.set_result(response))
            first.cancel()

        look()
        response = await asyncio.wait_for(second, 5)
        with pytest.raises(asyncio.CancelledError):
            await first
        return int(response.status_code)

    assert asyncio.run(cancelling()) == 200


def test_a_loop_that_ends_amid_calls_leaves_nothing_to_the_next(
    listen: Listen, api_clients: Configure, capfd: pytest.CaptureFixture[str]
) -> None:
    def by_path(connection: socket.socket) -> None:
        while said := heard(connection):
            connection.sendall(HELLO if b"/silent" not in said else b"")

    api_clients(api={"BASE_URL": f"http://{HOST}:{listen(by_path)}/", "TIMEOUT": 5})

    async def given_up() -> None:
        with suppress(asyncio.TimeoutError):
            await asyncio.wait_for(handler["api"].aget("silent"), 0.1)

    async def left() -> None:
        task = asyncio.ensure_future(handler["api"].aget("silent"))
        await asyncio.sleep(0.05)
        assert not task.done()

    asyncio.run(given_up())
    for _ in range(3):
        asyncio.run(left())
        assert asyncio.run(handler["api"].aget("x")).text == "hello"
    assert capfd.readouterr().err == ""


@pytest.fixture
def _crowded() -> Iterator[None]:
    """More files open than select(2) knows of."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < 1_300:
        pytest.skip("so many files may not be opened here")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 1_300), hard))
    files = [os.open(os.devnull, os.O_RDONLY) for _ in range(1_100)]
    yield
    for file in files:
        os.close(file)
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.usefixtures("_crowded")
def test_calls_are_made_beside_a_thousand_open_files(
    listen: Listen, api_clients: Configure, clients: Callers
) -> None:
    api_clients(api={"BASE_URL": f"http://{HOST}:{listen(answering)}/", "TIMEOUT": 5})
    for _ in range(3):
        assert clients["api"].get("x").text == "hello"


@pytest.mark.usefixtures("_crowded")
@pytest.mark.parametrize("clients", LIBCURL, indirect=True)
def test_a_silent_server_is_left_in_time_beside_a_thousand_open_files(
    listen: Listen, api_clients: Configure, clients: Callers
) -> None:
    api_clients(api={"BASE_URL": f"http://{HOST}:{listen(silent)}/", "TIMEOUT": 0.2})
    with pytest.raises(RequestTimeout, match="no answer within TIMEOUT"):
        clients["api"].get("x")


FORKING = """
import os, sys
from apiclient_app import clients
api = clients["api"]
assert api.get("x").text == "hello"
pid = os.fork()
if pid == 0:
    assert api.get("x").text == "hello"
    sys.exit(0)  # not os._exit: everything is taken down in order
assert os.waitpid(pid, 0)[1] == 0
for _ in range(3):
    assert api.get("x").text == "hello"
print("fine")
"""


def test_a_child_that_ends_leaves_the_connections_of_its_parent_open(
    listen: Listen, tmp_path: Path
) -> None:
    authority = Authority(tmp_path)
    connections: list[threading.Thread] = []
    context, arrived = authority.server("localhost"), list[bytes]()

    def answer(connection: socket.socket) -> None:
        connections.append(threading.current_thread())
        encrypted(context, arrived)(connection)

    settings = {
        "BASE_URL": f"https://localhost:{listen(answer)}/",
        "VERIFY": str(authority.path),
        "ENGINE": "curl",
        "TIMEOUT": 5,
    }
    (tmp_path / "forking_settings.py").write_text(
        f"from tests.settings import *\nAPI_CLIENTS = {{'api': {settings!r}}}\n"
    )
    done = subprocess.run(
        [sys.executable, "-W", "ignore::DeprecationWarning", "-c", FORKING],
        env={
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "forking_settings",
            "PYTHONPATH": os.pathsep.join([str(tmp_path), str(Path.cwd())]),
        },
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.stdout, done.returncode) == ("fine\n", 0), done.stderr
    assert len(arrived) == 5
    assert len(connections) == 2  # the parent's, to the end, and the child's
