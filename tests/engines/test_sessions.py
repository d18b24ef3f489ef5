"""One pool a process, one Session a thread, the user's own if there is one; none over a fork."""

import json
import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests
import responses

from apiclient_app import Forbidden
from apiclient_app import clients as handler
from tests.conftest import Configure
from tests.engines.ways import Callers
from tests.servers import Handle

BY_THREAD = ("requests", "curl", "many")  # an event loop keeps its connections until it closes
BASE = "https://api.example/v1/"
OAUTH = {
    "BACKEND": "apiclient_app.auth.ClientCredentials",
    "OPTIONS": {"token_url": "../token", "client_id": "app", "client_secret": "s3cr3t"},
}


def ports(api: Handle, path: str = "/api/echo") -> list[int]:
    return [r["peer"] for r in api.requests if r["path"] == path]


@responses.activate
def test_calls_mocked_with_responses_work_unchanged_token_request_included(
    api_clients: Configure, redis_url: str, clients: Callers
) -> None:
    api_clients(shop={"BASE_URL": BASE, "AUTH": OAUTH})
    granted = {"access_token": "one", "expires_in": 3600}
    asked = responses.post("https://api.example/token", json=granted)
    user = responses.get(
        f"{BASE}users/7",
        json={"id": 7},
        match=[
            responses.matchers.header_matcher({"Authorization": "Bearer one"}),
            responses.matchers.query_param_matcher({"full": "1"}),
        ],
    )
    made = responses.post(f"{BASE}users", status=201, match=[
        responses.matchers.json_params_matcher({"name": "x"}),
    ])  # fmt: skip
    client = clients["shop"]
    assert client.get("users/7", params={"full": 1}).json() == {"id": 7}
    assert client.post("users", json={"name": "x"}).status_code == 201
    assert (asked.call_count, user.call_count, made.call_count) == (1, 1, 1)


@responses.activate
def test_a_mocked_401_is_renewed_and_replayed(
    api_clients: Configure, redis_url: str, clients: Callers
) -> None:
    api_clients(shop={"BASE_URL": BASE, "AUTH": OAUTH})
    for name in ("one", "two"):
        responses.post("https://api.example/token", json={"access_token": name})
    responses.get(f"{BASE}x", status=401)
    responses.get(f"{BASE}x", body="fine")
    assert clients["shop"].get("x").text == "fine"
    sent = [
        call.request.headers["Authorization"]
        for call in responses.calls
        if call.request.method == "GET"
    ]
    assert sent == ["Bearer one", "Bearer two"]


def test_a_connection_is_kept_and_used_again(
    api: Handle, api_clients: Configure, clients: Callers
) -> None:
    api_clients(api=api.config())
    for _ in range(5):
        clients["api"].get("echo")
    assert len(set(ports(api))) == 1


@pytest.mark.parametrize("clients", BY_THREAD, indirect=True)
def test_threads_share_the_pool_and_nothing_else(
    api: Handle, api_clients: Configure, clients: Callers
) -> None:
    api.set(open=True)
    api_clients(api={"BASE_URL": api.base_url, "POOL_SIZE": 4})
    client, sessions, meet = clients["api"], set(), threading.Barrier(4)

    def call(number: int) -> Any:
        meet.wait()
        client.rooms.engine.sessions.session().cookies.set("thread", str(number))
        sessions.add(client.rooms.engine.sessions.session())
        replies = [client.get("echo").json()["headers"]["cookie"] for _ in range(10)]
        return set(replies)

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(call, range(4))) == [{f"thread={n}"} for n in range(4)]
    assert len(sessions) == 4
    assert len(set(ports(api))) <= 4
    with ThreadPoolExecutor(1) as pool:
        pool.submit(client.get, "echo").result()
    assert len(set(ports(api))) <= 4


@pytest.mark.parametrize("clients", BY_THREAD, indirect=True)
def test_closing_the_handler_closes_connections_and_clients_stay_usable(
    api: Handle, api_clients: Configure, clients: Callers
) -> None:
    api_clients(api=api.config())
    clients["api"].get("echo")
    handler.close()
    assert clients["api"].get("echo").status_code == 200
    assert len(set(ports(api))) == 2


def in_child(work: Callable[[], Any]) -> Any:
    """Give what `work` gives in a fork of this process."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            os.write(writing, json.dumps(work()).encode())
            code = 0
        finally:
            os._exit(code)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        told = pipe.read()
    assert os.waitpid(pid, 0)[1] == 0
    return json.loads(told)


@pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning")
def test_after_a_fork_the_child_has_connections_of_its_own_and_the_same_token(
    api: Handle, api_clients: Configure, clients: Callers
) -> None:
    api_clients(api=api.config())
    client = clients["api"]
    client.get("echo")
    told = in_child(lambda: [client.get("echo").status_code, client.token().id])
    assert told == [200, client.token().id]
    client.get("echo")
    parent, child, after = ports(api)
    assert parent == after
    assert child != parent
    assert len(api.token_requests) == 1


@pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning")
def test_locks_held_at_a_fork_do_not_hold_up_the_child(
    api: Handle, api_clients: Configure, clients: Callers
) -> None:
    api_clients(api=api.config(), other=api.config())
    client = clients["api"]
    client.memory.sit(7, 1e12, 1e12)
    with handler._lock, client.memory._changed:
        assert in_child(lambda: clients["other"].get("echo").status_code) == 200
        assert in_child(lambda: client.get("echo").status_code) == 200
    client.memory.stand(7)


def strict_session() -> requests.Session:
    """As many write it: every response of 400 and above raises."""
    session = requests.Session()
    session.hooks["response"].append(lambda response, *_, **__: response.raise_for_status())
    return session


def test_a_hook_that_raises_for_status_hides_no_expiry(
    api: Handle, api_clients: Configure, clients: Callers
) -> None:
    api_clients(api=api.config(SESSION=strict_session))
    clients["api"].get("echo")
    api.expire_all()
    assert clients["api"].get("echo").status_code == 200
    with pytest.raises(Forbidden):
        clients["api"].get("status/403")


def authenticated_session() -> requests.Session:
    session = requests.Session()
    session.auth = ("joe", "own")
    session.params = {"v": "2"}
    session.trust_env = False
    session.verify = False
    return session


def test_a_users_own_session_keeps_its_auth_and_parameters(
    api: Handle, api_clients: Configure, clients: Callers
) -> None:
    api.set(open=True)
    api_clients(api={"BASE_URL": api.base_url, "SESSION": f"{__name__}.authenticated_session"})
    arrived = clients["api"].get("echo", params={"a": "1"}).json()
    assert arrived["headers"]["authorization"] == requests.auth._basic_auth_str("joe", "own")
    assert arrived["query"] == {"v": "2", "a": "1"}


def test_auth_per_call_is_put_on_before_the_clients_own(
    api: Handle, api_clients: Configure, clients: Callers
) -> None:
    api.set(open=True)
    key = {"BACKEND": "apiclient_app.auth.ApiKey", "OPTIONS": {"key": "k" * 8}}
    api_clients(api={"BASE_URL": api.base_url, "AUTH": key})
    headers = clients["api"].get("echo", auth=("joe", "own")).json()["headers"]
    assert headers["authorization"].startswith("Basic ")
    assert headers["x-api-key"] == "k" * 8


def test_headers_of_the_settings_and_of_the_call_are_laid_over_each_other(
    api: Handle, api_clients: Configure, clients: Callers
) -> None:
    api_clients(api=api.config(HEADERS={"X-One": "settings", "X-Two": "settings"}))
    arrived = clients["api"].get("echo", headers={"x-two": "call", "X-Three": "call"}).json()
    assert arrived["headers"]["x-one"] == "settings"
    assert arrived["headers"]["x-two"] == "call"
    assert arrived["headers"]["x-three"] == "call"


def test_the_token_wins_over_an_authorization_of_the_settings(
    api: Handle, api_clients: Configure, clients: Callers
) -> None:
    api_clients(api=api.config(HEADERS={"Authorization": "Basic no"}))
    assert clients["api"].get("echo").json()["headers"]["authorization"].startswith("Bearer ")
