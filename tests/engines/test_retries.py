"""RETRY: again only what does no harm, only when it helps, and not at everybody's cost."""

from __future__ import annotations

import io
import socket
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from apiclient_app import RateLimited, ServerError, TokenUnavailable, TransportError
from apiclient_app import clients as handler
from tests.conftest import Configure
from tests.servers import Handle, Reply

from .listening import HOST, Listen, heard, silent
from .ways import Callers

QUICK = {"backoff": 0.01}
BUSY = Reply(status=503)


@pytest.fixture
def retrying(api: Handle, api_clients: Configure) -> Callable[..., None]:
    def configure(**more: Any) -> None:
        api_clients(api=api.config(RETRY={**QUICK, **more}))

    return configure


@pytest.mark.parametrize("status", [408, 429, 502, 503, 504])
def test_what_passes_is_tried_again(
    api: Handle, retrying: Callable[..., None], clients: Callers, status: int
) -> None:
    retrying()
    api.script("/api/echo", Reply(status=status), Reply(status=status))
    assert clients["api"].get("echo").status_code == 200


@pytest.mark.parametrize("status", [400, 403, 404, 409, 500, 501])
def test_what_does_not_pass_is_the_answer(
    api: Handle, retrying: Callable[..., None], clients: Callers, status: int
) -> None:
    retrying()
    api.script("/api/echo", Reply(status=status), Reply())
    assert clients["api"].get("echo", raise_for_status=False).status_code == status


def test_the_last_answer_is_given(
    api: Handle, retrying: Callable[..., None], clients: Callers
) -> None:
    retrying(attempts=2)
    api.script("/api/echo", BUSY, Reply(status=502), Reply())
    with pytest.raises(ServerError) as caught:
        clients["api"].get("echo")
    assert caught.value.status_code == 502
    assert clients["api"].get("echo").status_code == 200


def test_without_the_setting_nothing_is_tried_again(
    api: Handle, api_clients: Configure, clients: Callers
) -> None:
    api_clients(api=api.config())
    api.script("/api/echo", BUSY, Reply())
    with pytest.raises(ServerError):
        clients["api"].get("echo")


@pytest.mark.parametrize("method", ["POST", "PATCH"])
def test_what_may_have_been_done_is_not_done_twice(
    api: Handle, retrying: Callable[..., None], clients: Callers, method: str
) -> None:
    retrying()
    api.script("/api/echo", BUSY, Reply())
    with pytest.raises(ServerError):
        clients["api"].request(method, "echo", json={"a": 1})


def test_a_post_that_never_left_is_sent_again(api_clients: Configure, clients: Callers) -> None:
    with socket.create_server((HOST, 0)) as nobody:
        port = nobody.getsockname()[1]
    retry = {"attempts": 10, "backoff": 0.1}
    api_clients(api={"BASE_URL": f"http://{HOST}:{port}/", "RETRY": retry})
    opened: list[socket.socket] = []

    def open_at_last() -> None:
        time.sleep(0.2)
        opened.append(socket.create_server((HOST, port)))
        connection, _ = opened[0].accept()
        with connection:
            heard(connection)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    client = clients["api"]
    with pytest.raises(TransportError) as caught:
        client.post("x", data=b"1", deadline=0.2)
    assert caught.value.sent is False
    thread = threading.Thread(target=open_at_last)
    thread.start()
    try:
        assert client.post("x", data=b"1").status_code == 200
    finally:
        thread.join()
        opened[0].close()


def test_a_post_that_was_cut_off_is_not(
    listen: Listen, api_clients: Configure, clients: Callers
) -> None:
    came: list[bytes] = []

    def answer(connection: socket.socket) -> None:
        came.append(heard(connection))
        resetting_now(connection)

    port = listen(answer)
    api_clients(api={"BASE_URL": f"http://{HOST}:{port}/", "RETRY": QUICK})
    with pytest.raises(TransportError):
        clients["api"].post("x", data=b"1")
    assert len([each for each in came if each]) == 1


def test_a_key_makes_a_post_repeatable_and_is_the_same_each_time(
    api: Handle, retrying: Callable[..., None], clients: Callers
) -> None:
    retrying(idempotency_key=True)
    api.script("/api/echo", BUSY, BUSY)
    first = clients["api"].post("echo", json={}).json()["headers"]["idempotency-key"]
    assert len(first) == 36
    second = clients["api"].post("echo", json={}).json()["headers"]["idempotency-key"]
    assert first != second
    sent = [each["headers"].get("idempotency-key") for each in api.requests]
    sent = [key for key in sent if key]
    assert sent == [first, first, first, second]


def test_a_callers_own_key_is_kept(
    api: Handle, retrying: Callable[..., None], clients: Callers
) -> None:
    retrying(idempotency_key="X-Request-Key")
    api.script("/api/echo", BUSY)
    own = {"X-Request-Key": "order-7"}
    given = clients["api"].post("echo", headers=own, json={}).json()
    assert given["headers"]["x-request-key"] == "order-7"
    assert "x-request-key" not in clients["api"].get("echo").json()["headers"]


def test_a_body_is_sent_again_whole(
    api: Handle, retrying: Callable[..., None], clients: Callers
) -> None:
    retrying()
    api.script("/api/echo", BUSY)
    assert clients["api"].put("echo", data=io.BytesIO(b"all of it")).json()["size"] == 9


def test_one_that_can_be_read_once_is_not(
    api: Handle, retrying: Callable[..., None], clients: Callers
) -> None:
    retrying()
    api.script("/api/echo", BUSY, Reply())
    with pytest.raises(ServerError):
        clients["api"].put("echo", data=iter([b"a", b"b"]))


@pytest.mark.parametrize("form", ["seconds", "float", "date"])
def test_retry_after_is_heeded(
    api: Handle, retrying: Callable[..., None], clients: Callers, form: str
) -> None:
    retrying()
    moment = format_datetime(datetime.now(UTC) + timedelta(seconds=2), usegmt=True)
    value = {"seconds": "1", "float": "0.7", "date": moment}[form]
    api.script("/api/echo", Reply(status=429, headers={"Retry-After": value}))
    began = time.monotonic()
    assert clients["api"].get("echo").status_code == 200
    assert 0.65 < time.monotonic() - began < 4


@pytest.mark.parametrize(
    "value", ["soon", "-5", "0", "nan", "1e400", "Tue, 01 Jan 1980 00:00:00 GMT", "", "\U0001d7da"]
)
def test_nonsense_is_as_if_nothing_had_been_said(
    api: Handle, retrying: Callable[..., None], clients: Callers, value: str
) -> None:
    retrying()
    value = value.encode().decode("latin-1")
    api.script("/api/echo", Reply(status=503, headers={"Retry-After": value}))
    began = time.monotonic()
    assert clients["api"].get("echo").status_code == 200
    assert time.monotonic() - began < 2


@pytest.mark.parametrize("value", ["31", "99999999", "Fri, 01 Jan 5026 00:00:00 GMT"])
def test_who_asks_for_more_than_we_wait_is_not_asked_again(
    api: Handle, retrying: Callable[..., None], clients: Callers, value: str
) -> None:
    retrying()
    api.script("/api/echo", Reply(status=429, headers={"Retry-After": value}), Reply())
    began = time.monotonic()
    with pytest.raises(RateLimited) as caught:
        clients["api"].get("echo")
    assert time.monotonic() - began < 2
    assert (caught.value.retry_after or 0) > 30


def test_an_outage_is_not_multiplied(
    api: Handle, retrying: Callable[..., None], clients: Callers
) -> None:
    retrying(attempts=3, backoff=0.0, budget=0.1)
    api.script("/api/echo", *[BUSY] * 300)
    for _ in range(100):
        with pytest.raises(ServerError):
            clients["api"].get("echo")
    assert 100 + 10 <= api.count(503) <= 100 + 10 + 0.1 * 100 + 1


def test_a_refused_token_is_no_matter_of_retries(
    api: Handle, retrying: Callable[..., None], clients: Callers
) -> None:
    retrying(statuses=[401, 503], attempts=3)
    clients["api"].get("echo")
    api.expire_all()
    assert clients["api"].get("echo").status_code == 200
    assert len(api.token_requests) == 2


def test_a_token_endpoint_that_fails_is_not_asked_more_often(
    api: Handle, retrying: Callable[..., None], clients: Callers
) -> None:
    retrying(attempts=5)
    api.script("/token", *[BUSY] * 5)
    with pytest.raises(TokenUnavailable):
        clients["api"].get("echo")
    assert len(api.token_requests) == 1


def test_a_reset_in_mid_body_is_tried_again(
    api: Handle, retrying: Callable[..., None], clients: Callers
) -> None:
    retrying()
    body = '{"a": "' + "b" * 10_000 + '"}'
    api.script("/api/echo", Reply(body=body, style="reset"), Reply(body=body, style="cut"))
    assert clients["api"].get("echo").status_code == 200


def test_a_server_that_says_nothing_is_tried_again(
    listen: Listen, api_clients: Configure, clients: Callers
) -> None:
    def hello(connection: socket.socket) -> None:
        heard(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")

    answers = iter([silent, silent, hello])
    port = listen(lambda connection: next(answers)(connection))  # noqa: PLW0108
    api_clients(api={"BASE_URL": f"http://{HOST}:{port}/", "RETRY": QUICK, "TIMEOUT": 0.3})
    assert clients["api"].get("x").status_code == 200


@pytest.mark.parametrize("way", ["requests", "curl"])
@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_a_kept_connection_that_was_closed_is_replaced_at_once(
    listen: Listen, api_clients: Configure, way: str, method: str
) -> None:
    """Without RETRY: the server closed what was idle at the moment when we used it."""
    asked: list[bytes] = []

    def answer(connection: socket.socket) -> None:
        asked.append(heard(connection))
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        if len(asked) < 4:
            asked.append(heard(connection))  # and not a word, but a reset
            resetting_now(connection)

    api_clients(api={"BASE_URL": f"http://{HOST}:{listen(answer)}/", "ENGINE": way})
    client = handler["api"]
    body: dict[str, Any] = {"data": b"body"} if method == "PUT" else {}
    assert client.request(method, "x", **body).status_code == 200
    assert client.request(method, "x", **body).status_code == 200
    assert len(asked) >= 3
    assert {each.split(b" ")[0] for each in asked} == {method.encode()}


@pytest.mark.parametrize("way", ["requests", "curl"])
def test_but_no_post_is(listen: Listen, api_clients: Configure, way: str) -> None:
    asked: list[bytes] = []

    def answer(connection: socket.socket) -> None:
        asked.append(heard(connection))
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        asked.append(heard(connection))
        resetting_now(connection)

    api_clients(api={"BASE_URL": f"http://{HOST}:{listen(answer)}/", "ENGINE": way})
    handler["api"].post("x", data=b"1")
    with pytest.raises(TransportError):
        handler["api"].post("x", data=b"2")
    assert len(asked) == 2


def test_a_connection_that_was_never_used_is_not_stale(
    listen: Listen, api_clients: Configure
) -> None:
    asked: list[bytes] = []

    def answer(connection: socket.socket) -> None:
        asked.append(heard(connection))
        resetting_now(connection)

    api_clients(api={"BASE_URL": f"http://{HOST}:{listen(answer)}/"})
    with pytest.raises(TransportError):
        handler["api"].get("x")
    assert len(asked) == 1


def resetting_now(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
