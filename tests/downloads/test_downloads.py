"""`download`: what is there under its name is all there."""

import json
from pathlib import Path
from typing import Any

import pytest
import requests
import responses

from apiclient_app import InvalidRequest, NotFound, TransportError, clients
from apiclient_app.client import Client
from tests.conftest import Configure
from tests.servers import Handle, Reply
from tests.servers.files import Files

from .conftest import BODY, left_over, only


@pytest.mark.parametrize("length", ["length", "chunked", "none"])
def test_it_is_written_and_the_answer_is_given_closed(
    client: Client, files: Files, target: Path, length: str
) -> None:
    files.length = length
    response = client.download("file", str(target), params={"a": "1"}, headers={"X-Id": "7"})
    assert only(target)
    assert (response.status_code, response.headers["ETag"]) == (200, '"one"')
    assert response.raw.closed
    (asked,) = files.asked
    assert asked["path"] == "/file?a=1"
    assert (asked["x-id"], asked["accept-encoding"]) == ("7", "identity")
    assert "range" not in asked


def test_what_was_there_is_replaced_at_once_and_only_by_all_of_it(
    client: Client, files: Files, target: Path
) -> None:
    target.write_bytes(b"old")
    files.breaks = [0]
    with pytest.raises(TransportError):
        client.download("file", target)
    assert target.read_bytes() == b"old"
    assert list(target.parent.iterdir()) == [target]
    client.download("file", target)
    assert only(target)


def test_an_empty_file_is_one(client: Client, files: Files, target: Path) -> None:
    files.body = b""
    client.download("file", target)
    assert target.read_bytes() == b""


def test_no_secret_lies_beside_it(client: Client, files: Files, target: Path) -> None:
    files.breaks = [1_000_000, 0]
    with pytest.raises(TransportError):
        client.download("file", target, params={"api_key": "hunter2"})
    kept = json.loads(target.with_name("report.bin.part.json").read_text())
    assert kept.keys() == {"mark", "etag", "modified", "length"}
    assert "hunter2" not in str(kept)


@pytest.mark.parametrize("raise_for_status", [True, False])
def test_a_refusal_is_raised_and_no_file_is_made(
    api: Handle, files: Files, api_clients: Configure, target: Path, raise_for_status: bool
) -> None:
    api_clients(api=api.config(BASE_URL=files.origin, RAISE_FOR_STATUS=raise_for_status))
    files.refusals = [404]
    with pytest.raises(NotFound):
        clients["api"].download("file", target)
    assert list(target.parent.iterdir()) == []


@pytest.mark.parametrize("status", [202, 204, 206, 304])
def test_what_is_no_file_is_none(client: Client, files: Files, target: Path, status: int) -> None:
    files.refusals = [status]
    with pytest.raises(TransportError, match=f"{status} is no file"):
        client.download("file", target)
    assert list(target.parent.iterdir()) == []


def test_a_range_that_is_never_satisfiable_is_the_apis_answer(
    client: Client, files: Files, target: Path
) -> None:
    left_over(client, files, target)
    files.refusals = [416, 416]
    with pytest.raises(requests.HTTPError, match="416"):
        client.download("file", target)
    assert len(files.asked) == 2


def test_a_compressed_answer_is_written_as_it_is_read(
    api: Handle, api_clients: Configure, target: Path
) -> None:
    api_clients(api=api.config())
    api.always("/api/echo", Reply(style="bomb", megabytes=2))
    clients["api"].download("echo", target)
    assert target.read_bytes() == bytes(2 << 20)


@pytest.mark.parametrize(
    "kwargs",
    [
        {"stream": True},
        {"raise_for_status": False},
        {"headers": {"range": "bytes=1-"}},
        {"headers": {"If-Range": "x"}},
        {"timeout": -1},
    ],
)
def test_what_cannot_be_asked_for_is_refused(
    client: Client, files: Files, target: Path, kwargs: dict[str, Any]
) -> None:
    with pytest.raises((InvalidRequest, ValueError)):
        client.download("file", target, **kwargs)
    assert files.asked == []
    assert list(target.parent.iterdir()) == []


@responses.activate
def test_a_mocked_answer_is_written(client: Client, files: Files, target: Path) -> None:
    responses.post(client.config.auth.token_url, json={"access_token": "t", "expires_in": 60})  # type: ignore[attr-defined]
    responses.get(f"{files.origin}/file", body=BODY)
    client.download("file", target)
    assert only(target)
