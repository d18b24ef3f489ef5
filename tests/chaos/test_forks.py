"""Processes are forked while a renewal is under way: none waits for a lock of its parent's."""

import http.client
import json
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from celery import Celery

from project.demo.child import Child
from project.valkey import HOST

from .crew import Call, Calls
from .lengths import also_short, only_full
from .load import TARGETS
from .storm import Storm

TOKEN_DELAY = 1.0
WAYS = ("get", "get", "map", "aget")


@also_short
def test_a_process_forked_in_mid_renewal_fails_no_call(storm: Storm) -> None:
    storm.api.set(token_delay=TOKEN_DELAY)
    storm.begin(
        "os.fork while a renewal is under way",
        "0 failed, one token request a token and expiry, no stall above the request and 1 s",
        processes=2,
    )
    expiries = 0
    while time.time() < storm.began + storm.seconds - TOKEN_DELAY - 1:
        before = len(storm.asked)
        storm.api.expire_all()
        expiries += 1
        if len(storm.crew.forked) < storm.scale.processes - 2:
            with suppress(StopIteration):  # one that was forked is asking
                storm.crew.fork(storm.asker(among=before + 1))
        time.sleep(max(0.08 * storm.seconds, 2 * TOKEN_DELAY))
    storm.wait_until(storm.seconds)
    outcome = storm.end(share=0.3)

    assert len(outcome.after) > 2
    assert outcome.complaints == []
    assert outcome.failed == []
    assert len(outcome.asked) <= expiries * len(TARGETS)
    assert outcome.calls.stall < TOKEN_DELAY + 1
    children = outcome.calls.of(*(set(outcome.after) - set(outcome.before)))
    assert len(children) > 10 * (len(outcome.after) - 2)


@contextmanager
def started(child: Child, ready: Callable[[], bool]) -> Iterator[None]:
    try:
        child.wait_until(ready)
        yield
    finally:
        child.stop()


def visit(port: int, how: str, alias: str, subject: str) -> list[Call]:
    at = time.time()
    connection = http.client.HTTPConnection(HOST, port, timeout=30)
    try:
        connection.request("GET", f"/{alias}/{subject}?how={how}")
        process, ends = json.loads(connection.getresponse().read())
    finally:
        connection.close()
    return [Call(process, how, alias, subject, at, time.time() - at, end) for end in ends]


def listens(port: int) -> bool:
    try:
        return bool(visit(port, "get", *TARGETS[0]))
    except OSError:
        return False


def visitors(port: int, until: float, number: int = 16, every: float = 0.15) -> Calls:
    """Have a site visited from many threads; give the calls that it made for them."""
    calls = Calls()

    def come() -> None:
        turn = 0
        while time.time() < until:
            due = time.time() + every
            calls.extend(visit(port, WAYS[turn % len(WAYS)], *TARGETS[turn % len(TARGETS)]))
            turn += 1
            time.sleep(max(0.0, due - time.time()))

    threads = [threading.Thread(target=come) for _ in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return calls


@only_full
def test_gunicorn_with_preload_forks_in_mid_renewal_and_fails_no_call(storm: Storm) -> None:
    life = max(4.0, storm.seconds / 6)
    storm.api.set(token_delay=TOKEN_DELAY, expires_in=life)
    storm.begin(
        "gunicorn --preload: workers forked while the first process renews",
        "0 failed, one token request for all in each life of a token",
        processes=1,
    )
    log = storm.crew.folder / "gunicorn.log"
    with socket.create_server((HOST, 0), backlog=512) as listener:
        port, fd = listener.getsockname()[1], listener.fileno()
        options = ["--workers=6", "--threads=8", "--max-requests=150", "--max-requests-jitter=80"]
        fixed = ["--preload", "--worker-class=gthread", "--no-control-socket", f"--bind=fd://{fd}"]
        words = [sys.executable, "-m", "gunicorn", *fixed, *options, "tests.chaos.site"]
        environment = storm.crew.environment(log)
        site = Child(words, log.with_suffix(".err"), environment, [fd])
    with started(site, lambda: listens(port)):
        visits = visitors(port, storm.began + storm.seconds)
    outcome = storm.end(share=1 / storm.scale.processes, more=visits)

    assert outcome.complaints == []
    assert outcome.failed == []
    assert len({call.process for call in visits}) > 6
    assert max(outcome.asked_for.values()) <= storm.lives(life)
    assert visits.stall < TOKEN_DELAY + 2


def worker(storm: Storm, log: Path) -> Child:
    options = ["--pool=prefork", "--concurrency=6", "--max-tasks-per-child=100"]
    quiet = ["--loglevel=INFO", "--without-gossip", "--without-mingle"]
    words = ["celery", "--app=tests.chaos.tasks", "worker", *quiet, *options]
    environment = {**storm.crew.environment(log), "BROKER": storm.valkey.url}
    return Child([sys.executable, "-m", *words], log.with_suffix(".err"), environment)


@only_full
def test_celery_forks_in_mid_renewal_and_fails_no_task(storm: Storm) -> None:
    life = max(4.0, storm.seconds / 6)
    storm.api.set(token_delay=TOKEN_DELAY, expires_in=life)
    storm.begin(
        "Celery prefork: children forked while the first process renews",
        "0 failed, one token request for all in each life of a token",
        processes=1,
    )
    log, sent = storm.crew.folder / "celery.log", 0
    child = worker(storm, log)
    with (
        Celery("chaos", broker=storm.valkey.url, set_as_current=False) as app,
        started(child, lambda: log.exists() and b" ready." in log.read_bytes()),
    ):
        while time.time() < storm.began + storm.seconds:
            way, target = WAYS[sent % len(WAYS)], TARGETS[sent % len(TARGETS)]
            app.send_task("call", [way, *target])
            sent += 1
            time.sleep(0.01)
        time.sleep(2 * TOKEN_DELAY)
    outcome = storm.end(share=1 / storm.scale.processes)

    assert outcome.complaints == []
    assert outcome.failed == []
    assert len(outcome.calls) >= sent
    assert len({call.process for call in outcome.calls}) > 6
    assert max(outcome.asked_for.values()) <= storm.lives(life)
    assert outcome.calls.stall < TOKEN_DELAY + 2
