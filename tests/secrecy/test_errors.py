"""No error tells a secret: not to people, not to logs, not to whoever reports or pickles it."""

import asyncio
from contextlib import suppress
from typing import Any, NoReturn

import pytest

from apiclient_app import InvalidConfiguration, clients
from tests.servers import Handle, Reply

from .canaries import HEADER_TAIL, Canaries
from .conftest import Scene
from .faults import TimeLimit, time_limit
from .holders import HOLDERS, REFRESHING, RENEWABLE
from .parrot import SPEECHES, TOKEN_PATHS, Parrot
from .witnesses import Call, caught

ROUNDS = 12  # in which a parrot repeats all that it is told

each_holder = pytest.mark.parametrize("holder", HOLDERS)
each_renewable = pytest.mark.parametrize("holder", RENEWABLE)
SIGNING = ("oauth", "proxied", "api_key", "in_query", "password", "refreshing", "signed")
each_engine = pytest.mark.parametrize("engine", ["requests", "curl"])
each_way_to_sign = pytest.mark.parametrize("holder", SIGNING)


def one_shot() -> Any:
    yield b"piece"


def failing() -> Any:
    yield 1 / 0


def hook(*_: Any, **__: Any) -> NoReturn:
    raise ZeroDivisionError


CALLS: dict[str, Call] = {
    "get": lambda client: client.get("echo"),
    "post": lambda client: client.post("echo", json={"a": 1}),
    "streamed": lambda client: client.get("echo", stream=True),
    "one-shot body": lambda client: client.post("echo", data=one_shot()),
    "token": lambda client: client.token(),
    "rotate": lambda client: client.rotate_token(),
    "check": lambda client: client.check(),
    "aget": lambda client: asyncio.run(client.aget("echo")),
    "map": lambda client: list(client.map([("POST", "echo")])),
    "arotate": lambda client: asyncio.run(client.arotate_token()),
    "revoke": lambda client: client.revoke_token(),
}
MISUSES: dict[str, Call] = {
    "keyword": lambda client: client.get("echo", jsn={}),
    "JSON": lambda client: client.post("echo", json={1}),
    "NaN": lambda client: client.post("echo", json=float("nan")),
    "params": lambda client: client.get("echo", params=5),
    "files": lambda client: client.post("echo", files=5),
    "auth": lambda client: client.get("echo", auth=5),
    "header": lambda client: client.get("echo", headers={"X-Trace": "a\nb"}),
    "timeout": lambda client: client.get("echo", timeout=-1),
    "method": lambda client: client.request("GE T\n", "echo"),
    "certificate": lambda client: client.get("echo", cert="/no/such/file"),
    "origin": lambda client: client.get("https://other.example/"),
    "endpoint": lambda client: client.call("unheard_of"),
    "body that fails": lambda client: client.post("echo", data=failing()),
    "hook that fails": lambda client: client.get(
        "echo", hooks={"response": lambda *_, **__: 1 / 0}
    ),
}


CALLING = {
    name: CALLS[name]
    for name in ("get", "post", "streamed", "one-shot body", "check", "aget", "map")
}


@pytest.mark.parametrize(
    ("holder", "speech"),
    [
        (holder, speech)
        for holder in SIGNING
        for speech in SPEECHES
        if speech.startswith("api")
        # A proxy answers for the server that is closed.
        if (holder, speech) != ("proxied", "api redirect, closed")
    ],
)
def test_an_api_that_repeats_what_it_was_told(
    scene: Scene, configured: Any, parrot: Parrot, holder: str, speech: str
) -> None:
    client = configured(holder, parrot.origin)
    parrot.speech = speech
    assert len(scene.attempt(client, CALLING)) >= 4
    # A one-shot body cannot be signed: it would have to be read twice.
    assert parrot.repeated >= (4 if holder == "signed" else 5)
    assert scene.all_leaks() == []


@each_renewable
@pytest.mark.parametrize("speech", [name for name in SPEECHES if not name.startswith("api")])
def test_a_token_endpoint_that_repeats_what_it_was_told(
    scene: Scene, configured: Any, parrot: Parrot, holder: str, speech: str
) -> None:
    client = configured(holder, parrot.origin)
    parrot.speech = speech
    for _ in range(ROUNDS):
        if holder in REFRESHING:
            client.store_refresh_token(
                scene.canaries.hatch("stored refresh token", tail=HEADER_TAIL)
            )
        scene.attempt(client, {"rotate": CALLS["rotate"]})
        scene.hear([("inspection", repr(client.inspect()))])
    scene.attempt(client, CALLS)
    assert parrot.repeated >= ROUNDS
    assert scene.all_leaks() == []


@each_engine
@each_way_to_sign
@pytest.mark.parametrize("style", ["hang", "cut", "drip"])
def test_a_connection_that_fails(
    scene: Scene, configured: Any, api: Handle, holder: str, style: Any, engine: str
) -> None:
    client = configured(holder, api.origin, TIMEOUT=0.2, ENGINE=engine)
    for path in ("/token", "/api/echo"):
        api.always(path, Reply(body="{}", style=style))
    assert scene.attempt(client, {"get": CALLS["get"]})
    api.always("/token", Reply.of({"access_token": scene.canaries.hatch("token", tail="")}))
    scene.attempt(client, {"rotate": CALLS["rotate"]})
    assert scene.attempt(client, {"get": CALLS["get"]})
    assert scene.all_leaks() == []


@each_engine
@each_holder
@pytest.mark.parametrize("origin", ["http://127.0.0.1:9", "https://127.0.0.1:9", "no TLS"])
def test_a_server_that_cannot_be_reached(
    scene: Scene, configured: Any, api: Handle, holder: str, origin: str, engine: str
) -> None:
    origin = f"https://127.0.0.1:{api.port}" if origin == "no TLS" else origin
    client = configured(holder, origin, TIMEOUT=0.2, ENGINE=engine)
    assert len(scene.attempt(client, CALLS)) >= len(CALLING)
    assert scene.all_leaks() == []


@each_engine
@pytest.mark.parametrize(
    ("holder", "misuse"),
    [
        (holder, misuse)
        for holder in ("oauth", "proxied", "in_query")
        for misuse in MISUSES
        # requests hands its hooks the proxies: they are not ours to hide.
        if (holder, misuse) != ("proxied", "hook that fails")
    ],
)
def test_a_call_that_is_misused(
    scene: Scene, configured: Any, parrot: Parrot, holder: str, misuse: str, engine: str
) -> None:
    assert scene.attempt(
        configured(holder, parrot.origin, ENGINE=engine), {misuse: MISUSES[misuse]}
    )
    assert scene.all_leaks() == []


def granting(api: Handle, canaries: Canaries) -> None:
    names = ("access_token", "refresh_token")
    for path in TOKEN_PATHS:
        api.always(path, Reply.of({name: canaries.hatch(name, tail="") for name in names}))


@pytest.mark.parametrize("holder", ["login", "form", "paired", "signed"])
@pytest.mark.parametrize("end", ["\n", "é", "\U0001f600"])
def test_a_header_that_cannot_be_sent(
    scene: Scene, configured: Any, parrot: Parrot, holder: str, end: str
) -> None:
    headers = {"X-Door-Key": scene.canaries.hatch("unsendable header", tail=HEADER_TAIL) + end}
    settings = HOLDERS[holder](parrot.origin, scene.canaries)
    if "headers" in settings["AUTH"]["OPTIONS"]:
        settings["AUTH"]["OPTIONS"]["headers"] = headers
    else:
        settings["HEADERS"] = headers
    with suppress(InvalidConfiguration):
        configured(holder, parrot.origin, **settings)
    # Once more, and away from here, where the settings are at hand.
    if (refused := caught(lambda _: clients["shop"], None)) is not None:
        scene.hear_of(refused)
    else:
        scene.attempt(clients["shop"], CALLS)
    assert scene.all_leaks() == []


@each_engine
@pytest.mark.parametrize("holder", [*SIGNING, "with_password", "paired"])
def test_a_call_that_is_interrupted(
    scene: Scene, configured: Any, api: Handle, holder: str, engine: str
) -> None:
    client = configured(holder, api.origin, ENGINE=engine)
    granting(api, scene.canaries)
    api.always("/api/echo", Reply(style="hang"))
    with time_limit(0.3):
        error = caught(CALLS["get"], client)
    assert isinstance(error, TimeLimit)
    scene.hear_of(error)
    assert scene.all_leaks() == []


@each_renewable
def test_a_token_request_that_is_interrupted(
    scene: Scene, configured: Any, api: Handle, holder: str
) -> None:
    client = configured(holder, api.origin)
    granting(api, scene.canaries)
    client.token()
    for path in TOKEN_PATHS:
        api.always(path, Reply(style="hang"))
    with time_limit(0.3):
        error = caught(CALLS["rotate"], client)
    assert isinstance(error, TimeLimit)
    scene.hear_of(error)
    assert scene.all_leaks() == []
