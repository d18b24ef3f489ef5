"""Where a test replays HTTP, no call goes round it, whichever way it takes."""

import asyncio
from typing import Any

import pytest
import requests
import responses
import urllib3

from apiclient_app import clients as handler
from tests.conftest import Configure

from .listening import HOST, Listen
from .test_wire import Hearing
from .ways import Callers

OTHERS = {
    "requests-mock": (requests.Session, "get_adapter"),
    "an adapter": (requests.adapters.HTTPAdapter, "send"),
    "a session": (requests.Session, "send"),
    "urllib3": (urllib3.HTTPConnectionPool, "urlopen"),
}


@pytest.fixture
def wire(listen: Listen, api_clients: Configure) -> Hearing:
    hearing = Hearing()
    api_clients(api={"BASE_URL": f"http://{HOST}:{listen(hearing)}/", "TIMEOUT": 5})
    return hearing


def test_responses_answers_and_nobody_else_hears(wire: Hearing, clients: Callers) -> None:
    assert clients["api"].get("x").text == ""
    with responses.RequestsMock() as mocked:
        mocked.get(f"{handler['api'].config.base_url}x", body="mocked")
        mocked.post(f"{handler['api'].config.base_url}x", body="mocked too")
        assert clients["api"].get("x").text == "mocked"
        assert clients["api"].post("x", json=1).text == "mocked too"
        with pytest.raises(requests.ConnectionError, match="Connection refused by Responses"):
            clients["api"].get("unheard-of")
    assert len(wire.heard) == 1
    assert clients["api"].get("x").text == ""
    assert len(wire.heard) == 2


@pytest.mark.parametrize("name", OTHERS)
def test_whatever_replaces_a_part_of_requests_is_asked(
    wire: Hearing, clients: Callers, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    class Replaced(Exception):
        """Of the one who replaces."""

    def replaced(*_: Any, **__: Any) -> Any:
        raise Replaced

    owner, attribute = OTHERS[name]
    monkeypatch.setattr(owner, attribute, replaced)
    with pytest.raises(Replaced):
        clients["api"].get("x")
    assert wire.heard == []


def test_replaced_connections_are_used(
    wire: Hearing, clients: Callers, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As vcrpy does it."""
    made = []

    class Connection(urllib3.connection.HTTPConnection):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            made.append(self)
            super().__init__(*args, **kwargs)

    monkeypatch.setattr(urllib3.HTTPConnectionPool, "ConnectionCls", Connection)
    assert clients["api"].get("x").status_code == 200
    assert len(made) == 1


def test_many_calls_at_once_are_mocked_too(wire: Hearing) -> None:
    client = handler["api"]

    async def gathered() -> list[str]:
        return [r.text for r in await asyncio.gather(*(client.aget("x") for _ in range(9)))]

    with responses.RequestsMock() as mocked:
        mocked.get(f"{client.config.base_url}x", body="mocked")
        assert {r.text for r in client.map(["x"] * 9)} == {"mocked"}
        assert set(asyncio.run(gathered())) == {"mocked"}
    assert wire.heard == []
