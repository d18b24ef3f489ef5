"""A streamed answer that breaks off while it is read: our errors, whichever way it is read."""

import copy
import io
import pickle
import shutil
from collections.abc import Callable
from typing import Any

import pytest
import requests
import responses

from apiclient_app import RequestTimeout, TransportError, clients
from apiclient_app.client import Client
from tests.conftest import Configure
from tests.secrecy.witnesses import local_variables
from tests.servers import Handle, Reply

TEXT = '{"a": "0123456789"}'
BAD_GZIP = Reply(body="this was never compressed", headers={"Content-Encoding": "gzip"})

WAYS: dict[str, Callable[[requests.Response], Any]] = {
    "iter_content": lambda r: list(r.iter_content(5)),
    "iter_lines": lambda r: list(r.iter_lines()),
    "iteration": list,
    "content": lambda r: r.content,
    "text": lambda r: r.text,
    "json": lambda r: r.json(),
    "raw.read": lambda r: r.raw.read(decode_content=True),
    "raw.read1": lambda r: [r.raw.read1(5, decode_content=True) for _ in range(9)],
    "raw.stream": lambda r: list(r.raw.stream(5, decode_content=True)),
    "raw as a file": lambda r: [r.raw.read(5, decode_content=True) for _ in range(9)],
    "pickle": pickle.dumps,
}
PLAIN = {**WAYS, "copied": lambda r: shutil.copyfileobj(r.raw, io.BytesIO())}


@pytest.fixture
def client(api: Handle, api_clients: Configure) -> Client:
    api_clients(api=api.config(TIMEOUT=(3, 0.5)))
    return clients["api"]


@pytest.mark.parametrize("way", PLAIN.values(), ids=PLAIN)
def test_what_breaks_off_is_a_transport_error_however_it_is_read(
    api: Handle, client: Client, way: Callable[[requests.Response], Any]
) -> None:
    api.always("/api/echo", Reply(body=TEXT, style="cut"))
    response = client.get("echo", stream=True)
    with pytest.raises(TransportError, match=r"api: GET http.*echo failed") as caught:
        way(response)
    assert type(caught.value) is TransportError
    assert (caught.value.alias, caught.value.method) == ("api", "GET")


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_what_cannot_be_decoded_is_a_transport_error(
    api: Handle, client: Client, way: Callable[[requests.Response], Any]
) -> None:
    api.always("/api/echo", BAD_GZIP)
    response = client.get("echo", stream=True)
    with pytest.raises(TransportError):
        way(response)


@pytest.mark.parametrize("way", ["iter_content", "content", "raw.read", "raw.stream"])
def test_what_does_not_come_in_time_is_a_request_timeout(
    api: Handle, client: Client, way: str
) -> None:
    api.always("/api/echo", Reply(body=TEXT, style="drip"))
    response = client.get("echo", stream=True)
    with pytest.raises(RequestTimeout, match="echo failed"):
        WAYS[way](response)


def test_a_refusal_that_breaks_off_while_the_rule_reads_it_is_a_transport_error(
    api: Handle, api_clients: Configure
) -> None:
    api_clients(api=api.config(EXPIRED={"status": [401], "body": {"error": ["gone"]}}))
    api.always("/api/echo", Reply(401, body=TEXT, style="cut"))
    with pytest.raises(TransportError):
        clients["api"].get("echo", stream=True)


def test_nothing_that_was_sent_shows_in_the_error(api: Handle, client: Client) -> None:
    api.always("/api/echo", Reply(body=TEXT, style="cut"))
    token = client.token().headers["Authorization"].reveal().split()[-1]
    response = client.get("echo", params={"api_key": "k3y-in-query"}, stream=True)
    with pytest.raises(TransportError) as caught:
        list(response.iter_content(5))
    error: BaseException | None = caught.value
    while error is not None:
        ours = (line for line in local_variables(error) if not line.startswith("test_"))
        told = f"{error} {error!r} {vars(error)} {''.join(ours)}"
        assert token not in told
        assert "k3y-in-query" not in told
        error = error.__cause__ or error.__context__


def test_a_whole_one_is_read_as_from_requests(client: Client) -> None:
    with client.get("echo", stream=True) as response:
        assert isinstance(response, requests.Response)
        assert repr(response) == "<Response [200]>"
        assert response.json()["method"] == "GET"
        assert io.BytesIO(response.content).read() == b"".join(response.iter_content(10))
    with client.get("echo", stream=True) as response:
        assert b"".join(response.iter_content(None)).startswith(b"{")
        with pytest.raises(requests.exceptions.StreamConsumedError):
            response.iter_content()


@pytest.mark.parametrize(
    "revive", [copy.copy, lambda response: pickle.loads(pickle.dumps(response))]
)
def test_it_is_pickled_and_copied_as_a_plain_response(
    client: Client, revive: Callable[[Any], Any]
) -> None:
    revived = revive(client.get("echo", stream=True))
    assert type(revived) is requests.Response
    assert revived.json()["method"] == "GET"


class OwnResponse(requests.Response):
    """What a Session of the user's gives."""


class OwnAdapter(requests.adapters.HTTPAdapter):
    def build_response(self, req: Any, resp: Any) -> requests.Response:
        response = super().build_response(req, resp)
        response.__class__ = OwnResponse
        return response


def own_session() -> requests.Session:
    session = requests.Session()
    session.mount("http://", OwnAdapter())
    return session


def test_a_response_of_the_users_own_class_stays_one(api: Handle, api_clients: Configure) -> None:
    api_clients(api=api.config(SESSION=f"{__name__}.own_session"))
    api.always("/api/echo", Reply(body=TEXT, style="cut"))
    response = clients["api"].get("echo", stream=True)
    assert isinstance(response, OwnResponse)
    with pytest.raises(TransportError):
        _ = response.content


@responses.activate
def test_a_mocked_one_can_be_read(client: Client) -> None:
    responses.post(url := f"{client.config.base_url}echo", json={"a": 1})
    responses.post(
        client.config.auth.token_url,  # type: ignore[attr-defined]
        json={"access_token": "t", "expires_in": 60},
    )
    assert client.post("echo", stream=True).json() == {"a": 1}
    assert responses.calls[-1].request.url == url
