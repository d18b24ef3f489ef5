"""Refresh tokens, and what they are asked with, stay secret whatever becomes of a request."""

from collections.abc import Callable
from typing import Any

import pytest
from pytest_django import Settings

from apiclient_app import Client, clients
from tests.command.orders import order
from tests.servers import Handle, Reply

from .canaries import HEADER_TAIL, TAIL, Canaries
from .conftest import Scene
from .faults import Fault, down, failing_from, interrupted
from .holders import REFRESHING
from .parrot import SPEECHES, TOKEN_PATHS, Parrot
from .traces import raw, rows
from .witnesses import Call

each_refreshing = pytest.mark.parametrize("holder", REFRESHING)
API_SPEECHES = [name for name in SPEECHES if name.startswith("api")]
TOKEN_SPEECHES = [name for name in SPEECHES if name not in API_SPEECHES]
ROUNDS = 8

ORDERS: dict[str, Call] = {
    "rotate": lambda client: client.rotate_token(),
    "get": lambda client: client.get("echo"),
    "switch": lambda client: client.switch_credentials(),
    "revoke": lambda client: client.revoke_token(),
}


def store(client: Client, canaries: Canaries, tail: str = HEADER_TAIL) -> None:
    client.store_refresh_token(canaries.hatch("stored refresh token", tail=tail))


# One that only has refresh tokens, one that has a password too, and one with templates.
each_kind = pytest.mark.parametrize("holder", ["refreshing", "with_password", "paired"])


@each_kind
@pytest.mark.parametrize("speech", ["api 404", "description", "scope"])
@pytest.mark.parametrize("fault", [down, interrupted])
@pytest.mark.parametrize("statement", range(3))
def test_a_database_that_fails_at_each_statement(
    scene: Scene,
    configured: Any,
    parrot: Parrot,
    monkeypatch: pytest.MonkeyPatch,
    holder: str,
    speech: str,
    fault: Fault,
    statement: int,
) -> None:
    monkeypatch.setattr("apiclient_app.flow.refreshing.KEEP_PAUSES", ())
    client = configured(holder, parrot.origin)
    parrot.speech, said_to_fail = speech, 0
    for _ in range(1 if speech in API_SPEECHES else ROUNDS):
        store(client, scene.canaries)
        with failing_from(statement, fault) as failed:
            scene.attempt(client, {"rotate": ORDERS["rotate"]})
        said_to_fail += len(failed)
        scene.hear([("inspection", repr(client.inspect())), *rows(), *raw("default")])
    assert said_to_fail
    assert scene.all_leaks() == []


@each_kind
def test_a_row_that_no_key_opens(
    scene: Scene, configured: Any, parrot: Parrot, settings: Settings, holder: str
) -> None:
    client = configured(holder, parrot.origin)
    store(client, scene.canaries)
    client.token()
    settings.SECRET_KEY = "another"
    client = clients["shop"]
    parrot.speech = "description"
    assert scene.attempt(client, ORDERS)
    for words in (("inspect", "shop"), ("subjects",), ("reencrypt",), ("check",)):
        shown = order(*words)
        scene.hear([(words[0], f"{shown.out} {shown.err} {shown.error}")])
    scene.hear([("inspection", repr(client.inspect())), *rows(), *raw("default")])
    assert scene.all_leaks() == []


@pytest.mark.parametrize("tail", [TAIL, "\U0001f600", "x" * 70_000])
def test_a_refresh_token_that_fits_no_header(
    scene: Scene, configured: Any, parrot: Parrot, tail: str
) -> None:
    client = configured("paired", parrot.origin)
    store(client, scene.canaries, tail)
    parrot.speech = "description"
    assert scene.attempt(client, {"rotate": ORDERS["rotate"]})
    scene.attempt(client, ORDERS)
    scene.hear([("inspection", repr(client.inspect())), *rows()])
    assert scene.all_leaks() == []


BAD: dict[str, Callable[[str], Any]] = {
    "line break": lambda token: f"{token}\n{token}",
    "control character": lambda token: f"{token}\0",
    "bytes": lambda token: token.encode(),
    "list": lambda token: [token],
    "fine": lambda token: token,
}


@pytest.mark.parametrize("holder", [*REFRESHING, "oauth", "static", "signed"])
@pytest.mark.parametrize("bad", BAD)
def test_a_refresh_token_that_is_not_stored(
    scene: Scene, configured: Any, holder: str, bad: str
) -> None:
    def storing(client: Client) -> None:
        # No local of ours holds it, nor one of the client's.
        client.store_refresh_token(BAD[bad](scene.canaries.hatch("new refresh token")))

    client = configured(holder, "http://127.0.0.1:9")
    with failing_from(0, down):
        assert scene.attempt(client, {"store": storing})
    assert scene.all_leaks() == []


@pytest.mark.parametrize("holder", ["oauth", "refreshing", "asserting", "with_password"])
@pytest.mark.parametrize("speech", API_SPEECHES)
def test_a_revocation_endpoint_that_repeats_what_it_was_told(
    scene: Scene, configured: Any, parrot: Parrot, holder: str, speech: str
) -> None:
    client = configured(holder, parrot.origin)
    parrot.speech = speech
    for _ in range(ROUNDS // 2):
        if holder in REFRESHING:
            store(client, scene.canaries)
        client.token()
        scene.attempt(client, {"revoke": ORDERS["revoke"]})
    assert parrot.repeated >= ROUNDS // 2
    assert scene.all_leaks() == []


@pytest.mark.parametrize(
    ("holder", "speech"),
    [
        *(("posting", speech) for speech in SPEECHES),
        # These are tried without a call: a refresh token is not for trying.
        *(("refreshing", speech) for speech in TOKEN_SPEECHES),
        *(("asserting", speech) for speech in TOKEN_SPEECHES),
    ],
)
def test_next_credentials_that_do_not_work(
    scene: Scene, configured: Any, parrot: Parrot, holder: str, speech: str
) -> None:
    client = configured(holder, parrot.origin)
    parrot.speech = speech
    for _ in range(ROUNDS):
        if holder in REFRESHING:
            store(client, scene.canaries)
        scene.attempt(client, {name: ORDERS[name] for name in ("switch", "rotate")})
        scene.hear([("inspection", repr(client.inspect()))])
    assert parrot.repeated >= ROUNDS
    assert scene.all_leaks() == []


@each_refreshing
@pytest.mark.parametrize("style", ["hang", "cut", "drip"])
def test_a_reply_that_is_lost(
    scene: Scene, configured: Any, api: Handle, holder: str, style: Any
) -> None:
    client = configured(holder, api.origin, TIMEOUT=0.2)
    store(client, scene.canaries)
    for path in TOKEN_PATHS:
        api.always(path, Reply(body="{}", style=style))
    assert len(scene.attempt(client, ORDERS)) >= 2
    scene.hear([("inspection", repr(client.inspect())), *rows(), *raw("default")])
    assert scene.all_leaks() == []
