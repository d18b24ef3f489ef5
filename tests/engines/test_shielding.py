"""A refresh is not interrupted: its reply may be the only one there is. The interruption waits."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any

import pytest

from apiclient_app import clients
from tests.conftest import Configure
from tests.servers import Handle, Reply

pytestmark = pytest.mark.django_db(transaction=True)

DELAY = 0.6
SOON = 0.2


class TimeLimit(Exception):
    """What a task queue raises in the middle of a task."""


@pytest.fixture
def interrupt() -> Iterator[Callable[..., object]]:
    """Raise TimeLimit after some seconds, and again after some more: `interrupt(0.2, 0.1)`."""

    def raised(number: int, frame: FrameType | None) -> None:
        raise TimeLimit

    before = signal.signal(signal.SIGALRM, raised)
    yield lambda first, again=0.0: signal.setitimer(signal.ITIMER_REAL, first, again)
    signal.setitimer(signal.ITIMER_REAL, 0.0)
    signal.signal(signal.SIGALRM, before)


@pytest.fixture
def refreshing(api: Handle, api_clients: Configure) -> Any:
    """A client whose refreshes take their time."""
    api_clients(api=api.config("RefreshToken", OPTIONS={"refresh_token": "refresh-1"}))
    api.set(token_delay=DELAY, token_fields={"refresh_token": "refresh-2"})
    return clients["api"]


def held() -> str:
    token = clients["api"].rooms.rows.read().refresh_token
    return token.reveal() if token else ""


def test_an_interruption_waits_for_the_successor(
    api: Handle, refreshing: Any, interrupt: Callable[..., object]
) -> None:
    interrupt(SOON)
    with pytest.raises(TimeLimit):
        refreshing.get("echo")
    assert held() == "refresh-2"
    assert refreshing.inspect().grant == "held"
    assert api.count(200) == 0  # nothing was called any more
    assert refreshing.get("echo").status_code == 200
    assert len(api.token_requests) == 1


ANSWERS = {
    "refused": Reply.of({"error": "invalid_grant"}, 400),
    "unavailable": Reply(503),
    "cut": Reply(body='{"access_token": "abcdefgh"}', style="cut"),
    "unreadable": Reply(body="<html>"),
}


@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS)
def test_whatever_the_answer_is_the_interruption_is_not_forgotten(
    api: Handle, refreshing: Any, interrupt: Callable[..., object], answer: Reply
) -> None:
    api.always("/token", answer)
    interrupt(SOON)
    with pytest.raises(TimeLimit):
        refreshing.get("echo")


def test_where_no_answer_comes_the_interruption_is_not_forgotten(
    api: Handle, api_clients: Configure, interrupt: Callable[..., object]
) -> None:
    options = {"refresh_token": "refresh-1"}
    api_clients(api=api.config("RefreshToken", OPTIONS=options, TOKEN_TIMEOUT=0.5))
    api.always("/token", Reply(style="hang"))
    interrupt(SOON)
    with pytest.raises(TimeLimit):
        clients["api"].get("echo")
    assert clients["api"].inspect().grant == "in doubt"


def test_a_second_interruption_counts_at_once(
    api: Handle, refreshing: Any, interrupt: Callable[..., object]
) -> None:
    api.set(token_delay=3.0)
    began = time.monotonic()
    interrupt(SOON, SOON)
    with pytest.raises(TimeLimit):
        refreshing.get("echo")
    signal.setitimer(signal.ITIMER_REAL, 0.0)
    assert time.monotonic() - began < 1.5
    assert refreshing.inspect().grant == "in doubt"


def test_what_can_be_obtained_again_is_interrupted_at_once(
    api: Handle, api_clients: Configure, interrupt: Callable[..., object]
) -> None:
    api_clients(api=api.config())
    api.set(token_delay=3.0)
    began = time.monotonic()
    interrupt(SOON)
    with pytest.raises(TimeLimit):
        clients["api"].get("echo")
    assert time.monotonic() - began < 1.5
