"""A refused request is sent once more, whole, or the caller is told why it cannot be."""

import hashlib
import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from apiclient_app import BodyNotReplayable, TokenUnavailable, Unauthorized
from apiclient_app.client import Client
from tests.conftest import Configure
from tests.engines.ways import SYNC, Callers
from tests.servers import Handle, Reply

BODY = b"0123456789" * 1000


@pytest.fixture
def client(api: Handle, api_clients: Configure, clients: Callers) -> Client:
    """A client whose token has just been ended by the server."""
    api_clients(api=api.config())
    clients["api"].token()
    api.expire_all()
    return clients["api"]


def offset(position: int) -> io.BytesIO:
    file = io.BytesIO(b"skipped" + BODY)
    file.seek(position)
    return file


REPLAYED: dict[str, Callable[[Path], dict[str, Any]]] = {
    "bytes": lambda _: {"data": BODY},
    "text": lambda _: {"data": BODY.decode()},
    "a file in memory": lambda _: {"data": io.BytesIO(BODY)},
    "a file read in part": lambda _: {"data": offset(7)},
    "a file": lambda path: {"data": path.open("rb")},
    "multipart": lambda _: {"files": {"f": ("f.bin", BODY)}, "data": {"a": "1"}},
    "multipart from a file": lambda path: {"files": {"f": path.open("rb")}},
    "json": lambda _: {"json": {"a": ["ü"]}},
    "a form": lambda _: {"data": {"a": "1", "b": ["2", "3"]}},
    "nothing": lambda _: {},
}


@pytest.mark.parametrize("name", REPLAYED)
def test_a_body_arrives_whole_the_second_time(
    api: Handle, client: Client, tmp_path: Path, name: str
) -> None:
    path = tmp_path / "f.bin"
    path.write_bytes(BODY)
    arguments = REPLAYED[name](path)
    try:
        arrived = client.post("echo", **arguments).json()
    finally:
        for value in [arguments.get("data"), *dict(arguments.get("files", {})).values()]:
            if isinstance(value, io.IOBase):
                value.close()
    sent = [r for r in api.requests if r["path"] == "/api/echo"]
    assert len(sent) == 2
    assert sent[0]["headers"]["content-length"] == sent[1]["headers"]["content-length"]
    assert arrived["size"] == int(sent[0]["headers"]["content-length"])
    if "data" in arguments and name != "multipart" and name != "a form":
        assert arrived["sha256"] == hashlib.sha256(BODY).hexdigest()
    assert len(api.token_requests) == 2


def pieces() -> Iterator[bytes]:
    yield from (BODY, BODY)


class Pipe:
    """Something that can be read once."""

    def __init__(self) -> None:
        self.rest = io.BytesIO(BODY)

    def read(self, size: int = -1) -> bytes:
        return self.rest.read(size)

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.rest)


class Stubborn(io.BytesIO):
    """A file that tells where it is and does not go back there."""

    def seek(self, *_: Any) -> int:
        raise OSError("no")


@pytest.mark.parametrize("body", [pieces, Pipe, lambda: Stubborn(BODY)])
def test_a_body_that_can_be_sent_once_is_not_sent_in_half(
    api: Handle, client: Client, body: Callable[[], Any]
) -> None:
    with pytest.raises(BodyNotReplayable, match="fresh body") as caught:
        client.post("echo", data=body())
    assert isinstance(caught.value.__cause__, Unauthorized)
    assert caught.value.__cause__.status_code == 401
    assert caught.value.alias == "api"
    assert api.count(401) == 1
    assert api.count(200) == 0
    assert client.post("echo", data=body()).json()["size"] >= len(BODY)
    assert len(api.token_requests) == 2


def test_a_generator_that_is_accepted_is_sent_as_it_comes(api: Handle, client: Client) -> None:
    client.rotate_token()
    assert client.post("echo", data=pieces()).json()["size"] == 2 * len(BODY)


def test_the_replay_carries_the_new_token_and_all_else_as_before(
    api: Handle, client: Client
) -> None:
    client.post("echo", params={"a": "1"}, headers={"X-Id": "7"}, cookies={"c": "d"}, data=BODY)
    first, second = (r for r in api.requests if r["path"] == "/api/echo")
    assert first["headers"].pop("authorization") != second["headers"].pop("authorization")
    assert (first["query"], first["headers"]) == (second["query"], second["headers"])


def test_a_second_refusal_is_the_answer(api: Handle, client: Client) -> None:
    with pytest.raises(Unauthorized, match=r"GET .*/api/forbidden: 401") as caught:
        client.get("forbidden")
    assert caught.value.response is not None
    assert api.count(401) == 2
    assert client.get("echo").status_code == 200


def test_a_second_refusal_is_a_response_to_who_wants_responses(client: Client) -> None:
    response = client.get("forbidden", raise_for_status=False)
    assert response.status_code == 401
    assert response.json()["error"]["code"] == "token_expired"


def test_a_refusal_without_a_new_token_is_unavailable_because_unauthorized(
    api: Handle, client: Client
) -> None:
    api.always("/token", Reply(503))
    with pytest.raises(TokenUnavailable) as caught:
        client.get("echo")
    assert isinstance(caught.value.__cause__, Unauthorized)
    assert caught.value.retry_after is not None


@pytest.mark.parametrize(
    ("rule", "refusal"),
    [
        ({"status": [403], "body": {"e.code": ["gone"]}}, Reply.of({"e": {"code": "gone"}}, 403)),
        ({"status": [200], "body": {"errno": [190]}}, Reply.of({"errno": 190})),
        ({"status": [400], "header": {"X-Why": ["old"]}}, Reply(400, headers={"X-Why": "Old"})),
        ("tests.engines.test_replay.says_gone", Reply(410)),
        ([{"status": [401]}, {"status": [440]}], Reply(440)),
    ],
    ids=str,
)
def test_an_api_may_say_expired_in_its_own_way(
    api: Handle, api_clients: Configure, rule: Any, refusal: Reply, clients: Callers
) -> None:
    api_clients(api=api.config(EXPIRED=rule))
    api.script("/api/echo", refusal)
    assert clients["api"].get("echo").json()["method"] == "GET"
    assert len(api.token_requests) == 2


def says_gone(response: Any) -> bool:
    return bool(response.status_code == 410)


def test_an_expiry_with_status_200_that_stays_is_unauthorized(
    api: Handle, api_clients: Configure, clients: Callers
) -> None:
    api_clients(api=api.config(EXPIRED={"status": [200], "body": {"errno": [190]}}))
    api.always("/api/echo", Reply.of({"errno": 190}))
    with pytest.raises(Unauthorized, match="200 OK") as caught:
        clients["api"].get("echo")
    assert caught.value.status_code == 200
    assert clients["api"].get("echo", raise_for_status=False).json() == {"errno": 190}


@pytest.mark.parametrize("clients", SYNC, indirect=True)
def test_a_streamed_refusal_is_closed_and_the_replay_is_streamed(
    api: Handle, client: Client
) -> None:
    with client.get("big?mb=3", stream=True) as response:
        assert response.raw.read(10) == bytes(10)
        assert not response._content_consumed
    assert api.count(401) == 1
