"""What happens is told once, to whoever listens, without a secret, and breaks nothing."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from typing import Any

import pytest
from django.dispatch import Signal

from apiclient_app import (
    NotFound,
    TokenRefused,
    TokenUnavailable,
    TransportError,
    clients,
    signals,
)
from apiclient_app.client import Client
from tests.conftest import Configure
from tests.servers import Handle, Reply

NAMES = [name for name, value in vars(signals).items() if isinstance(value, Signal)]

Heard = list[tuple[str, dict[str, Any]]]


@pytest.fixture
def heard() -> Iterator[Heard]:
    """Everything that was sent, in order."""
    told: Heard = []
    with ExitStack() as stack:
        for name in NAMES:
            listen(stack, name, told)
        yield told


def listen(stack: ExitStack, name: str, told: Heard) -> None:
    signal: Signal = getattr(signals, name)

    def receiver(*, sender: Any, signal: Signal, **fields: Any) -> None:
        assert sender is Client
        told.append((name, fields))

    signal.connect(receiver)
    stack.callback(signal.disconnect, receiver)


@pytest.fixture
def client(api: Handle, api_clients: Configure) -> Client:
    api_clients(api=api.config())
    return clients["api"]


def names(heard: Heard) -> list[str]:
    return [name for name, _ in heard]


def test_a_first_call_tells_of_its_token_and_of_itself(client: Client, heard: Heard) -> None:
    client.get("echo")
    client.get("echo")
    assert names(heard) == ["token_obtained", "call_finished", "call_finished"]
    token = client.token()
    assert heard[0][1] == {"alias": "api", "subject": "", "token_id": token.id}
    finished = heard[1][1]
    assert 0 < finished.pop("seconds") < 10
    assert finished == {"alias": "api", "subject": "", "method": "GET", "status": 200}


def test_a_renewal_after_a_rejection_is_told_in_order(
    api: Handle, client: Client, heard: Heard
) -> None:
    old = client.token()
    api.expire_all()
    client.post("echo")
    assert names(heard) == ["token_obtained", "token_rejected", "token_obtained", "call_finished"]
    assert heard[1][1]["token_id"] == old.id
    assert heard[2][1]["token_id"] == client.token().id
    assert heard[3][1]["status"] == 200


def test_a_token_is_published_before_it_is_told(client: Client) -> None:
    seen: list[bool] = []

    def receiver(*, token_id: str, **_: Any) -> None:
        look = client.rooms.store.look().token
        seen.append(look is not None and look.id == token_id)

    signals.token_obtained.connect(receiver)
    try:
        client.token()
    finally:
        signals.token_obtained.disconnect(receiver)
    assert seen == [True]


@pytest.mark.parametrize(
    ("reply", "error", "kind"),
    [
        (Reply(503, headers={"Retry-After": "9"}), "http_503", TokenUnavailable),
        (Reply.of({"error": "invalid_client"}, 401), "invalid_client", TokenRefused),
        (Reply(body="<html>"), "unreadable", TokenUnavailable),
        (Reply(body="x" * 9, style="cut"), "unreachable", TokenUnavailable),
    ],
    ids=["503", "invalid_client", "html", "cut"],
)
def test_a_failed_token_request_is_told_once_with_its_code(
    api: Handle, client: Client, heard: Heard, reply: Reply, error: str, kind: type[Exception]
) -> None:
    api.always("/token", reply)
    for _ in range(3):
        with pytest.raises(kind):
            client.get("echo")
    assert names(heard) == ["token_request_failed", *["call_finished"] * 3]
    assert heard[0][1]["error"] == error
    assert heard[0][1]["retry_after"] > 0
    assert [fields["status"] for name, fields in heard if name == "call_finished"] == [None] * 3


def test_rotating_and_revoking_are_told(client: Client, heard: Heard) -> None:
    client.token()
    client.rotate_token()
    client.revoke_token()
    assert names(heard) == ["token_obtained", "token_obtained", "token_revoked"]
    assert heard[2][1] == {"alias": "api", "subject": ""}


@pytest.mark.parametrize(
    ("call", "status"),
    [
        (lambda client: client.get("status/404"), 404),
        (lambda client: client.get("status/404", raise_for_status=False), 404),
        (lambda client: client.head("echo"), 200),
        (lambda client: client.get("broken", timeout=1), None),
    ],
    ids=["404", "404 as response", "head", "broken"],
)
def test_a_finished_call_tells_its_status(
    api: Handle, client: Client, heard: Heard, call: Callable[[Client], Any], status: int | None
) -> None:
    api.always("/api/broken", Reply(body="xx", style="cut"))
    with suppress(NotFound, TransportError):
        call(client)
    finished = [fields for name, fields in heard if name == "call_finished"]
    assert [fields["status"] for fields in finished] == [status]


def test_no_signal_carries_a_secret(api: Handle, client: Client, heard: Heard) -> None:
    client.get("echo", params={"api_key": "hunter2"})
    api.expire_all()
    client.get("echo")
    client.rotate_token()
    api.always("/token", Reply.of({"error": "invalid_client", "error_description": "s3cr3t"}, 400))
    with pytest.raises(TokenRefused):
        client.rotate_token()
    token = client.token()
    client.revoke_token()
    assert set(names(heard)) == set(NAMES)
    told = repr(heard)
    assert not any(secret in told for secret in ["s3cr3t", "hunter2", *token.revealed()])


def test_a_receiver_that_fails_breaks_no_call(client: Client) -> None:
    def receiver(**_: Any) -> None:
        raise ZeroDivisionError

    with ExitStack() as stack:
        for name in NAMES:
            signal: Signal = getattr(signals, name)
            signal.connect(receiver)
            stack.callback(signal.disconnect, receiver)
        assert client.get("echo").status_code == 200
        client.rotate_token()
        client.revoke_token()
