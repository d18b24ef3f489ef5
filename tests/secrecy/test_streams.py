"""No error of a body that the caller reads tells a secret."""

import asyncio
import io
from typing import Any

import pytest

from apiclient_app.client import Client
from tests.servers import Handle, Reply

from .conftest import Scene
from .parrot import SPEECHES, Parrot
from .test_errors import SIGNING
from .witnesses import Call


async def astreamed(client: Client) -> None:
    async with client.astream("GET", "echo") as response:
        async for _ in response.aiter_content():
            pass


READING: dict[str, Call] = {
    "content": lambda client: client.get("echo", stream=True).content,
    "lines": lambda client: list(client.get("echo", stream=True).iter_lines()),
    "raw": lambda client: client.get("echo", stream=True).raw.read(decode_content=True),
    "json": lambda client: client.get("echo", stream=True).json(),
    "astream": lambda client: asyncio.run(astreamed(client)),
    "download": lambda client: client.download("echo", io.BytesIO()),
    "adownload": lambda client: asyncio.run(client.adownload("echo", io.BytesIO())),
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
    scene.attempt(client, READING)
    assert scene.all_leaks() == []


@pytest.mark.parametrize("holder", SIGNING)
@pytest.mark.parametrize("style", ["cut", "drip"])
def test_a_body_that_does_not_come(
    scene: Scene, configured: Any, api: Handle, holder: str, style: Any
) -> None:
    client = configured(holder, api.origin, TIMEOUT=0.2)
    api.always("/token", Reply.of({"access_token": scene.canaries.hatch("token", tail="")}))
    api.always("/api/echo", Reply(body='{"a": "0123456789"}', style=style))
    assert len(scene.attempt(client, READING)) == len(READING)
    assert scene.all_leaks() == []
