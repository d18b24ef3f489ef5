"""The circuit breaker as people see and use it."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from typing import Any

import pytest
from django.core.cache import caches

from apiclient_app import (
    CircuitOpen,
    DeadlineExceeded,
    InvalidConfiguration,
    ServerError,
    TransportError,
    clients,
)
from tests.command.orders import order
from tests.conftest import Configure
from tests.engines.ways import Callers
from tests.servers import Handle, Reply


def failing(client: Any, times: int) -> None:
    for _ in range(times):
        with pytest.raises(ServerError):
            client.get("echo")


def test_an_api_that_fails_is_left_alone_and_tried_again(
    api: Handle, api_clients: Configure, clients: Callers
) -> None:
    api_clients(shop=api.config(BREAKER={"failures": 3, "pause": 30}))
    client = clients["shop"]
    api.script("/api/echo", *[Reply(status=503)] * 3)
    failing(client, 3)
    with pytest.raises(CircuitOpen, match="the circuit is open after too many failures") as caught:
        client.get("echo")
    assert api.count(503) == 3
    assert api.count(200) == 0
    assert caught.value.sent is False
    assert 20 < (caught.value.retry_after or 0) < 40


def test_one_call_closes_it_for_all(api: Handle, api_clients: Configure, clients: Callers) -> None:
    api_clients(shop=api.config(BREAKER={"failures": 3, "pause": 0.01}))
    client = clients["shop"]
    api.script("/api/echo", *[Reply(status=503)] * 3)
    failing(client, 3)
    time.sleep(0.05)
    assert client.get("echo").status_code == 200
    assert client.inspect().circuit == "closed"


def test_who_watches_it_keeps_nobody_from_trying_it(api: Handle, api_clients: Configure) -> None:
    api_clients(shop=api.config(BREAKER={"failures": 3, "pause": 0.2}))
    client = clients["shop"]
    api.script("/api/echo", *[Reply(status=503)] * 3)
    failing(client, 3)
    deadline = time.monotonic() + 5
    answered = False
    while not answered and time.monotonic() < deadline:
        client.inspect()
        with suppress(CircuitOpen):
            answered = client.get("echo").status_code == 200
        time.sleep(0.02)
    assert answered


def test_an_api_that_hangs_is_left_alone(
    api: Handle, api_clients: Configure, clients: Callers
) -> None:
    """Also where whoever waits is an event loop, which calls off what takes too long."""
    api_clients(shop=api.config(BREAKER={"failures": 3, "pause": 30}))
    api.always("/api/echo", Reply(delay=1.0))
    for _ in range(3):
        with pytest.raises(DeadlineExceeded) as late:
            clients["shop"].get("echo", deadline=0.2)
        assert late.value.sent
    with pytest.raises(CircuitOpen):
        clients["shop"].get("echo", deadline=0.2)


def test_it_is_opened_and_closed_by_hand(
    api: Handle, api_clients: Configure, clients: Callers
) -> None:
    api_clients(shop=api.config(BREAKER=True))
    client = clients["shop"]
    assert client.get("echo").status_code == 200
    client.open_circuit()
    with pytest.raises(CircuitOpen, match="open by hand") as caught:
        client.get("echo")
    assert caught.value.retry_after is None
    assert "manage.py apiclient breaker shop close" in str(caught.value)
    with pytest.raises(CircuitOpen):
        client.for_subject("kim").get("echo")
    client.close_circuit()
    assert client.get("echo").status_code == 200


def test_it_is_ordered_from_async_code(api: Handle, api_clients: Configure) -> None:
    api_clients(shop=api.config(BREAKER=True))
    client = clients["shop"]

    async def orders() -> None:
        await client.aopen_circuit()
        with pytest.raises(CircuitOpen):
            await client.aget("echo")
        await client.aclose_circuit()
        assert (await client.aget("echo")).status_code == 200

    asyncio.run(orders())


def test_what_is_known_of_it_is_told(api: Handle, api_clients: Configure) -> None:
    api_clients(shop=api.config(BREAKER=True), plain=api.config())
    client = clients["shop"]
    assert client.inspect().circuit == "closed"
    assert clients["plain"].inspect().circuit == ""
    client.open_circuit()
    known = client.inspect()
    assert (known.circuit, known.circuit_until) == ("open by hand", None)
    assert known.circuit_opened_at is not None


def test_without_breaker_there_is_nothing_to_open(api: Handle, api_clients: Configure) -> None:
    api_clients(shop=api.config())
    for ordered in (clients["shop"].open_circuit, clients["shop"].close_circuit):
        with pytest.raises(InvalidConfiguration, match="BREAKER"):
            ordered()


def test_an_order_that_nobody_hears_is_an_error(api: Handle, api_clients: Configure) -> None:
    api_clients(shop=api.config(BREAKER=True, CACHE="dummy"))
    with pytest.raises(TransportError, match="no other process has heard"):
        clients["shop"].open_circuit()


@pytest.mark.parametrize("cache", ["locmem", "dummy"])
def test_it_works_within_a_process_without_redis(
    api: Handle, api_clients: Configure, cache: str
) -> None:
    api_clients(shop=api.config(CACHE=cache, BREAKER={"failures": 3, "pause": 30}))
    api.script("/api/echo", *[Reply(status=503)] * 3)
    failing(clients["shop"], 3)
    with pytest.raises(CircuitOpen):
        clients["shop"].get("echo")


def test_somebody_elses_value_is_no_circuit(api: Handle, api_clients: Configure) -> None:
    api_clients(shop=api.config(BREAKER=True, CACHE="locmem"))
    client = clients["shop"]
    client.open_circuit()
    for key in list(caches["locmem"]._cache):  # type: ignore[attr-defined]
        caches["locmem"].set(key.split(":", 2)[2], "garbage")
    assert client.inspect().circuit == "closed"


def test_the_command_shows_opens_and_closes_it(api: Handle, api_clients: Configure) -> None:
    api_clients(shop=api.config(BREAKER=True), plain=api.config())
    assert order("breaker", "shop").out == "shop: closed\n"
    assert order("breaker", "plain").out == "plain: BREAKER is off\n"
    opened = order("breaker", "shop", order="open")
    assert opened.code == 0
    assert "nothing is sent until it is closed by hand" in opened.out
    assert order("breaker", "shop").code == 3
    assert "circuit opened by hand" in order("list").out + order("list").error
    assert "opened by hand" in order("inspect", "shop").out
    assert order("breaker", "shop", order="open", format="json").document["circuit"] == (
        "open by hand"
    )
    assert order("breaker", "shop", order="close").out == "shop: closed\n"
    refused = order("breaker", "plain", order="open")
    assert (refused.code, "BREAKER" in refused.error) == (2, True)


def test_the_command_tells_why_it_opened(api: Handle, api_clients: Configure) -> None:
    api_clients(shop=api.config(BREAKER={"failures": 3, "pause": 30}))
    api.script("/api/echo", *[Reply(status=503)] * 3)
    failing(clients["shop"], 3)
    assert "since the API failed too often; tried again in" in order("breaker", "shop").out
