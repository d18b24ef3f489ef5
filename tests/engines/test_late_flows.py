"""A flow whose caller's time is over is ended, and takes that for no answer to what it asked."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from apiclient_app import DeadlineExceeded
from apiclient_app import clients as handler
from apiclient_app.steps import Flow, Send, Sleep, Step, Wait
from tests.conftest import Configure
from tests.servers import Handle, Reply

from .listening import HOST, Listen, silent
from .test_deadlines import SHORT, late
from .ways import Callers

OTHER = {"client_id": "other", "client_secret": "wrong"}
REFUSED = '{"error": "invalid_client"}'


def test_a_token_request_that_is_not_made_for_want_of_time_has_not_failed(
    api: Handle, api_clients: Configure, clients: Callers
) -> None:
    api.script("/token", Reply(401, REFUSED, delay=2 * SHORT))
    api_clients(api=api.config(OPTIONS={"next": OTHER}))
    assert late(lambda: clients["api"].get("echo", deadline=SHORT)).sent is False
    until = time.monotonic() + 5
    while handler["api"].memory.asking and time.monotonic() < until:
        time.sleep(0.01)
    assert handler["api"].memory.failure is None
    assert clients["api"].get("echo", deadline=10).status_code == 200


LONG: dict[str, Callable[[], Step]] = {
    "sleep": lambda: Sleep(5.0),
    "wait": lambda: Wait(handler["api"].memory.version, 5.0),
}


@pytest.mark.parametrize("step", LONG.values(), ids=LONG)
def test_who_waits_until_the_deadline_hears_of_no_error(
    api_clients: Configure,
    clients: Callers,
    monkeypatch: pytest.MonkeyPatch,
    step: Callable[[], Step],
) -> None:
    api_clients(api={"BASE_URL": f"http://{HOST}/"})
    heard: list[str] = []

    def flow(_: Any) -> Flow:
        try:
            yield step()
        except Exception:
            heard.append("error")
            raise
        finally:
            heard.append("end")

    monkeypatch.setattr(handler["api"], "_flow", flow)
    assert late(lambda: clients["api"].get("x", deadline=SHORT)).sent is False
    assert heard == ["end"]


def test_who_sends_hears_that_the_api_took_too_long(
    listen: Listen, api_clients: Configure, clients: Callers, monkeypatch: pytest.MonkeyPatch
) -> None:
    api_clients(api={"BASE_URL": f"http://{HOST}:{listen(silent)}/"})
    heard: list[bool] = []

    def flow(request: Any) -> Flow:
        try:
            yield Send(request, None)
        except DeadlineExceeded as error:
            heard.append(error.sent)
            raise

    monkeypatch.setattr(handler["api"], "_flow", flow)
    late(lambda: clients["api"].get("x", deadline=SHORT))
    assert heard == [True]
