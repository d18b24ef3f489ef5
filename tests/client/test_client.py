"""A client's calls: what requests takes goes in, what requests gives comes out."""

import copy
import io
import pickle
from datetime import timedelta
from typing import Any
from urllib.parse import unquote

import pytest
import requests
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apiclient_app import (
    ForeignOrigin,
    InvalidConfiguration,
    InvalidRequest,
    NotFound,
    TokenRefused,
)
from apiclient_app.client import Client
from tests.conftest import Configure
from tests.engines.ways import SYNC, Callers
from tests.servers import Handle, Reply

ENDPOINTS = {
    "user": "GET users/{username}",
    "keys": "DELETE users/{username}/keys/{key}",
    "make": "POST users",
    "head": "HEAD redirect",
    "braces": "GET {{literally}}/{x}",
}


@pytest.fixture
def client(api: Handle, api_clients: Configure, clients: Callers) -> Client:
    api.set(open=True)
    api_clients(api={"BASE_URL": api.base_url, "ENDPOINTS": ENDPOINTS})
    return clients["api"]


@pytest.mark.parametrize("method", ["get", "options", "post", "put", "patch", "delete"])
def test_each_method_calls_with_its_name(client: Client, method: str) -> None:
    response = getattr(client, method)("echo")
    assert isinstance(response, requests.Response)
    assert response.json()["method"] == method.upper()
    assert client.request(method, "echo").json()["method"] == method.upper()


def test_head_has_no_body(client: Client) -> None:
    assert client.head("echo").content == b""


def test_any_method_can_be_requested(client: Client) -> None:
    assert client.request("PROPFIND", "echo").json()["method"] == "PROPFIND"


@pytest.mark.parametrize("path", ["echo", "/echo"])
def test_a_path_joins_under_the_base_url(api: Handle, client: Client, path: str) -> None:
    assert client.get(path).url == f"{api.base_url}echo"


@pytest.mark.parametrize("method", ["", "GE T", "GET\r\nX-Evil: 1", "GÉT", "\x00"])
def test_what_is_no_method_is_not_sent(api: Handle, client: Client, method: str) -> None:
    with pytest.raises(InvalidRequest, match="is not a method") as caught:
        client.request(method, "echo")
    assert str(caught.value).isprintable()
    assert api.requests == []


def test_the_keyword_arguments_of_requests_are_taken(api: Handle, client: Client) -> None:
    arrived = client.post(
        "echo",
        params={"a": ["1", "2"], "ü": "ß"},
        headers={"X-Id": "7"},
        cookies={"c": "d"},
        json={"k": "v"},
        timeout=(1, 2),
        allow_redirects=False,
        verify=True,
        proxies={"ftp": "http://nowhere.example"},
        cert=None,
        hooks={"response": lambda response, *_, **__: response.headers.update({"X-Hook": "1"})},
    )
    told = arrived.json()
    assert told["query"] == {"a": "2", "ü": "ß"}
    assert told["headers"]["x-id"] == "7"
    assert told["headers"]["cookie"] == "c=d"
    assert told["headers"]["content-type"] == "application/json"
    assert told["size"] == len('{"k": "v"}')
    assert arrived.headers["X-Hook"] == "1"
    assert arrived.elapsed > timedelta(0)


def test_files_and_forms_are_sent(client: Client) -> None:
    form = client.post("echo", data={"a": "1"}).json()
    assert form["headers"]["content-type"] == "application/x-www-form-urlencoded"
    files = client.post("echo", files={"f": io.BytesIO(b"123")}, data={"a": "1"}).json()
    assert files["headers"]["content-type"].startswith("multipart/form-data")


@pytest.mark.parametrize("clients", SYNC, indirect=True)
def test_a_streamed_answer_is_left_to_the_caller(client: Client) -> None:
    with client.get("big?mb=2", stream=True) as response:
        assert sum(map(len, response.iter_content(65_536))) == 2 << 20


def test_a_timeout_of_none_waits_as_requests_does(client: Client) -> None:
    assert client.get("slow?ms=50", timeout=None).status_code == 200


def test_errors_are_raised_unless_the_caller_wants_responses(client: Client) -> None:
    with pytest.raises(NotFound):
        client.get("status/404")
    assert client.get("status/404", raise_for_status=False).status_code == 404
    assert client.call("user", username="x", raise_for_status=False).status_code == 200


def test_a_client_can_give_responses_by_default(
    api: Handle, api_clients: Configure, clients: Callers
) -> None:
    api.set(open=True)
    api_clients(api={"BASE_URL": api.base_url, "RAISE_FOR_STATUS": False})
    assert clients["api"].get("status/500").status_code == 500
    with pytest.raises(NotFound):
        clients["api"].get("status/404", raise_for_status=True)


def test_a_redirect_or_not_modified_is_no_error(api: Handle, client: Client) -> None:
    api.always("/api/x", Reply(304))
    assert client.get("x").status_code == 304


def test_an_endpoint_is_called_by_its_name(client: Client) -> None:
    response = client.call("user", username="octo cat", params={"q": "1"}, headers={"X-Id": "7"})
    assert response.json()["path"] == "/api/users/octo cat"
    assert response.json()["query"] == {"q": "1"}
    assert response.json()["headers"]["x-id"] == "7"
    assert client.call("keys", username="a", key=7).json()["method"] == "DELETE"
    assert client.call("make", json={"name": "x"}).json()["size"] > 0
    assert client.call("head", params={"to": "/api/echo"}).status_code == 302
    assert client.call("braces", x="1").url.endswith("/%7Bliterally%7D/1")


HOSTILE = st.text(alphabet="./\\%2eEfF?#;&=@: \t\r\n\x00ü", min_size=1, max_size=12)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(HOSTILE)
def test_a_hostile_value_stays_in_its_segment_on_the_wire(client: Client, value: str) -> None:
    try:
        response = client.call("keys", username=value, key="k")
    except InvalidRequest:
        return
    raw = str(response.request.path_url).removeprefix("/api/")
    before, segment, key, last = raw.split("/")
    assert (before, key, last) == ("users", "keys", "k")
    assert unquote(segment) == value


def test_an_endpoint_that_is_not_there_is_told_which_are(client: Client) -> None:
    with pytest.raises(InvalidConfiguration, match="known: user, keys"):
        client.call("usr")
    with pytest.raises(InvalidRequest, match="needs username="):
        client.call("user")


@pytest.mark.parametrize("path", ["https://elsewhere.example/", "//elsewhere.example", "../x"])
def test_a_path_that_leaves_is_refused_before_a_token_is_asked_for(
    api: Handle, api_clients: Configure, path: str, clients: Callers
) -> None:
    api_clients(api=api.config())
    with pytest.raises(ForeignOrigin):
        clients["api"].get(path)
    assert api.requests == []


def test_without_a_token_the_api_is_not_called(
    api: Handle, api_clients: Configure, clients: Callers
) -> None:
    api_clients(api=api.config(OPTIONS={"client_secret": "wrong"}))
    with pytest.raises(TokenRefused, match=r"API_CLIENTS\['api'\]\['AUTH'\]\['OPTIONS'\]"):
        clients["api"].get("echo")
    assert [r["path"] for r in api.requests] == ["/token"]


def test_a_connection_test_calls_check(
    api: Handle, api_clients: Configure, clients: Callers
) -> None:
    api_clients(
        checked=api.config(CHECK="get echo?ping=1"),
        plain=api.config(RAISE_FOR_STATUS=False),
        failing=api.config(CHECK="GET status/404", RAISE_FOR_STATUS=False),
        open={"BASE_URL": api.base_url},
    )
    response = clients["checked"].check()
    assert response is not None
    assert response.json()["query"] == {"ping": "1"}
    assert clients["plain"].check() is None
    assert clients["plain"].inspect().state == "fresh"
    assert clients["open"].check() is None
    with pytest.raises(NotFound):
        clients["failing"].check()


def test_a_client_says_who_it_is_and_nothing_else(
    api: Handle, api_clients: Configure, clients: Callers
) -> None:
    api_clients(api=api.config())
    client = clients["api"]
    client.get("echo")
    shown = f"{client!r} {vars(client)!r}"
    assert repr(client) == f"<Client 'api' {api.base_url}>"
    assert "s3cr3t" not in shown
    assert client.memory.token is not None
    assert not any(secret in shown for secret in client.memory.token.revealed())


def test_a_client_is_not_pickled(client: Client) -> None:
    def copied(work: Any) -> None:
        with pytest.raises(TypeError, match="pass its alias, 'api'"):
            work(client)

    copied(pickle.dumps)
    copied(copy.copy)
