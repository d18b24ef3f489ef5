"""What is known of a token, without asking the API and without showing it."""

import time
from datetime import UTC, datetime

import pytest

from apiclient_app import TokenUnavailable, clients
from apiclient_app.client import Client
from apiclient_app.tokens import TokenState
from tests.conftest import Configure
from tests.servers import Handle, Reply


@pytest.fixture
def client(api: Handle, api_clients: Configure) -> Client:
    api_clients(api=api.config(OPTIONS={"scope": "read"}))
    return clients["api"]


def another_process() -> Client:
    """Give the client as a process has it that has not called yet."""
    clients.reset()
    return clients["api"]


def test_before_the_first_call_there_is_nothing_to_see(api: Handle, client: Client) -> None:
    seen = client.inspect()
    assert seen.state == TokenState.ABSENT
    assert (seen.alias, seen.base_url, seen.subject) == ("api", api.base_url, "")
    assert seen.backend == "apiclient_app.auth.ClientCredentials"
    assert (seen.fingerprint, seen.expires_at, seen.expires_in, seen.last_error) == (
        "",
        None,
        None,
        "",
    )
    assert seen.store_available
    assert api.requests == []


def test_a_token_is_seen_with_its_times_and_not_itself(api: Handle, client: Client) -> None:
    token = client.token()
    requests = len(api.requests)
    seen = client.inspect()
    assert len(api.requests) == requests
    assert seen.state == TokenState.FRESH
    assert seen.fingerprint == token.fingerprint
    assert len(seen.fingerprint) == 12
    assert seen.scope == "read"
    assert seen.expires_at == datetime.fromtimestamp(token.expires_at, UTC)
    assert seen.obtained_at is not None
    assert seen.renew_at is not None
    assert seen.obtained_at < seen.renew_at < seen.expires_at
    assert 3590 < (seen.expires_in or 0) <= 3600
    assert not any(secret in repr(seen.as_dict()) for secret in token.revealed())


def test_what_another_process_obtained_is_seen(client: Client) -> None:
    fingerprint = client.token().fingerprint
    assert another_process().inspect().fingerprint == fingerprint


@pytest.mark.parametrize(
    ("life", "passed", "state"),
    [(100, 0, "fresh"), (100, 85, "stale"), (100, 97, "expired"), (100, 101, "expired")],
)
def test_a_state_is_that_of_the_moment(
    api: Handle,
    client: Client,
    monkeypatch: pytest.MonkeyPatch,
    life: int,
    passed: float,
    state: str,
) -> None:
    api.set(expires_in=life)
    client.token()
    now = time.time() + passed
    monkeypatch.setattr("apiclient_app.client.operations.time.time", lambda: now)
    seen = client.inspect()
    assert seen.state == state
    assert seen.expires_in == pytest.approx(life - passed, abs=1)


def test_a_failure_is_seen_with_its_next_try(api: Handle, client: Client) -> None:
    api.always("/token", Reply(503, headers={"Retry-After": "20"}))
    with pytest.raises(TokenUnavailable):
        client.get("echo")
    seen = another_process().inspect()
    assert seen.state == TokenState.ABSENT
    assert seen.last_error.startswith("http_503: ")
    assert seen.failed_at is not None
    assert seen.retry_at is not None
    assert 19 < (seen.retry_at - seen.failed_at).total_seconds() <= 21
