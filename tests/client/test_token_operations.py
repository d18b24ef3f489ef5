"""What people and code do with a token: get it, rotate it, revoke it."""

import time
from base64 import b64encode
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from apiclient_app import TokenRefused, TokenUnavailable, clients
from apiclient_app.client import Client
from apiclient_app.tokens import TokenState
from tests.conftest import Configure, forget
from tests.servers import Handle, Reply
from tests.settings import REDIS_URL


@pytest.fixture
def client(api: Handle, api_clients: Configure) -> Client:
    api_clients(api=api.config(MEMORY_SECONDS=0.2))
    return clients["api"]


@pytest.fixture
def revocable(api: Handle, api_clients: Configure) -> Client:
    options = {"revocation_url": "/revoke"}
    api_clients(api=api.config(MEMORY_SECONDS=0.5, OPTIONS=options))
    return clients["api"]


def another_process(alias: str = "api") -> Client:
    """Give the client as a process has it that has not called yet."""
    clients.reset()
    return clients[alias]


def sent(client: Client) -> str:
    return str(client.get("echo").json()["headers"]["authorization"])


def test_token_obtains_once_and_gives_the_current_one(api: Handle, client: Client) -> None:
    first = client.token()
    assert client.token().id == first.id
    assert another_process().token().id == first.id
    assert sent(clients["api"]) in first.headers["Authorization"].reveal()
    assert len(api.token_requests) == 1


def test_a_rotation_gives_a_new_token_to_everybody(api: Handle, client: Client) -> None:
    before = client.token()
    after = client.rotate_token()
    assert after.replaces(before)
    assert client.token().id == after.id
    assert another_process().token().id == after.id
    assert len(api.token_requests) == 2


def test_a_rotation_obtains_the_first_token_too(api: Handle, client: Client) -> None:
    assert client.rotate_token().id == client.token().id
    assert len(api.token_requests) == 1


def test_a_rotation_that_fails_leaves_the_old_token_in_use(api: Handle, client: Client) -> None:
    before = client.token()
    api.always("/token", Reply.of({"error": "invalid_client"}, 401))
    with pytest.raises(TokenRefused):
        client.rotate_token()
    assert client.inspect().last_error.startswith("invalid_client")
    assert sent(client) == before.headers["Authorization"].reveal()
    assert client.token().id == before.id


def test_a_rotation_does_not_wait_for_a_cooldown_and_ends_it(api: Handle, client: Client) -> None:
    api.script("/token", Reply(503, headers={"Retry-After": "60"}))
    with pytest.raises(TokenUnavailable):
        client.get("echo")
    client.rotate_token()
    assert client.inspect().last_error == ""
    assert sent(client)


def test_rotations_at_one_moment_are_one(api: Handle, client: Client) -> None:
    client.token()
    api.set(token_delay=0.3)
    meet = Barrier(8)

    def rotate(_: int) -> str:
        meet.wait()
        return client.rotate_token().id

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(rotate, range(8)))) == 1
    assert len(api.token_requests) == 2


def test_a_replaced_token_is_revoked_when_nobody_can_hold_it(
    api: Handle, revocable: Client
) -> None:
    old = revocable.token().headers["Authorization"].reveal().partition(" ")[2]
    revocable.rotate_token()
    revocable.token()
    assert api.seen()["revocations"] == []
    time.sleep(0.55)
    revocable.token()
    (asked,) = api.seen()["revocations"]
    assert asked["fields"] == {"token": old, "token_type_hint": "access_token"}
    assert (asked["client_id"], asked["client_auth"]) == ("app", "client_secret_basic")
    revocable.token()
    assert len(api.seen()["revocations"]) == 1
    assert sent(revocable)


def test_a_rotation_that_waits_has_the_old_token_revoked(api: Handle, revocable: Client) -> None:
    old = revocable.token()
    began = time.monotonic()
    new = revocable.rotate_token(wait=True)
    assert time.monotonic() - began >= 0.5
    (asked,) = api.seen()["revocations"]
    assert asked["fields"]["token"] in old.revealed()
    assert sent(revocable) == new.headers["Authorization"].reveal()


def test_a_provider_that_does_not_revoke_a_replaced_token_holds_nobody_up(
    api: Handle, revocable: Client
) -> None:
    revocable.token()
    api.always("/revoke", Reply(500))
    assert revocable.rotate_token(wait=True).id == revocable.token().id


def test_a_revoked_token_is_forgotten_everywhere_and_at_the_provider(
    api: Handle, revocable: Client
) -> None:
    old = revocable.token()
    revocable.revoke_token()
    assert revocable.inspect().state == TokenState.ABSENT
    (asked,) = api.seen()["revocations"]
    assert asked["fields"]["token"] in old.revealed()
    assert another_process().inspect().state == TokenState.ABSENT
    assert sent(clients["api"]) != old.headers["Authorization"].reveal()
    assert api.count(401) == 0


def test_a_process_that_holds_a_revoked_token_forgets_it_in_memory_seconds(
    api: Handle, client: Client
) -> None:
    old = client.token()
    another_process().revoke_token()
    time.sleep(0.25)
    assert client.token().id != old.id
    assert api.count(401) == 0


def test_revoking_clears_a_recorded_failure(api: Handle, client: Client) -> None:
    api.script("/token", Reply.of({"error": "invalid_client"}, 401))
    with pytest.raises(TokenRefused):
        client.get("echo")
    client.revoke_token()
    assert client.inspect().last_error == ""
    assert sent(client)


@pytest.mark.parametrize(
    "reply", [Reply(503), Reply(style="hang"), Reply(400), Reply(style="cut")]
)
def test_a_provider_that_does_not_revoke_is_told_and_the_token_is_forgotten(
    api: Handle, api_clients: Configure, reply: Reply
) -> None:
    options = {"revocation_url": "/revoke"}
    api_clients(api=api.config(TOKEN_TIMEOUT=0.3, OPTIONS=options))
    old = clients["api"].token()
    api.always("/revoke", reply)
    if reply.style == "cut":
        api.always("/revoke", Reply(body="broken off", style="cut"))
    with pytest.raises(TokenUnavailable, match="forgotten here") as caught:
        clients["api"].revoke_token()
    assert caught.value.error == "not_revoked"
    assert not any(secret in f"{caught.value}" for secret in old.revealed())
    assert clients["api"].inspect().state == TokenState.ABSENT
    assert clients["api"].token().id != old.id


def test_revoking_nothing_is_no_error(api: Handle, revocable: Client) -> None:
    revocable.revoke_token()
    assert api.requests == []


def test_client_authentication_by_post_is_used_for_revocation_too(
    api: Handle, api_clients: Configure
) -> None:
    options = {"revocation_url": "/revoke", "client_auth": "client_secret_post"}
    api_clients(api=api.config(OPTIONS=options))
    clients["api"].token()
    clients["api"].revoke_token()
    (asked,) = api.seen()["revocations"]
    assert asked["client_auth"] == "client_secret_post"
    assert b64encode(b"app:s3cr3t").decode() not in str(api.requests)


def test_a_token_in_memory_outlives_its_eviction(api: Handle, client: Client) -> None:
    before = client.token()
    forget(REDIS_URL)
    time.sleep(0.25)
    client.get("echo")
    assert another_process().token().id == before.id
    assert len(api.token_requests) == 1
