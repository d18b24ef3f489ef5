"""Redirects: wherever a server points, the caller gets a response or an error of ours."""

import tracemalloc

import pytest
import responses
from responses.registries import OrderedRegistry

from apiclient_app import APIClientError, TokenUnavailable, TransportError
from tests.conftest import Configure
from tests.engines.listening import HOST, free_port
from tests.engines.ways import Callers
from tests.servers import Handle, Reply

KEY = "a-key-of-16-chars"
LOCATIONS = [
    "http://[bad/x",
    "http://h:99999999/",
    "http://h:port/",
    "http://",
    "//",
    "http://exa mple/",
    "http://\udcff\udcfe/",
    "http://.../",
    f"http://{'a' * 70}.example/",
    "ftp://files.example/x",
    "javascript:alert(1)",
    "data:text/plain,x",
    "file:///etc/passwd",
    "\x7f",
]


@pytest.mark.parametrize("location", LOCATIONS, ids=repr)
@pytest.mark.parametrize("follow", [True, False])
def test_an_unusable_location_is_an_error_of_ours(
    api: Handle, api_clients: Configure, location: str, follow: bool, clients: Callers
) -> None:
    api_clients(api=api.config())
    api.always("/api/x", Reply(302, headers={"Location": location}))
    try:
        response = clients["api"].get("x", allow_redirects=follow, timeout=2)
    except APIClientError as error:
        refused: APIClientError | None = error
    else:
        refused = None
        assert response.status_code == 302 or response.history
    if refused is not None:
        assert isinstance(refused, TransportError)
        assert "\n" not in str(refused)
        assert "GET" in str(refused)


def test_a_redirect_without_location_is_the_response(
    api: Handle, api_clients: Configure, clients: Callers
) -> None:
    api_clients(api=api.config())
    api.always("/api/x", Reply(302, body="nowhere"))
    assert clients["api"].get("x").text == "nowhere"


def test_redirects_are_not_followed_where_the_caller_says_so(
    api: Handle, api_clients: Configure, clients: Callers
) -> None:
    api_clients(api=api.config())
    response = clients["api"].get("redirect?to=/api/echo", allow_redirects=False)
    assert response.status_code == 302
    assert response.next is not None
    assert clients["api"].head("redirect?to=/api/echo").status_code == 302
    assert clients["api"].request("HEAD", "redirect?to=/api/echo").status_code == 200


def test_a_redirect_without_end_ends(
    api: Handle, api_clients: Configure, clients: Callers
) -> None:
    api_clients(api=api.config())
    api.always("/api/x", Reply(302, headers={"Location": "/api/x"}))
    with pytest.raises(TransportError, match="too many redirects"):
        clients["api"].get("x")
    assert api.count(302) == 31


def test_history_is_that_of_requests(
    api: Handle, api_clients: Configure, clients: Callers
) -> None:
    api_clients(api=api.config())
    response = clients["api"].get("redirect?to=/api/redirect%3Fto%3D/api/echo")
    assert [r.status_code for r in response.history] == [302, 302]
    assert response.url == f"{api.base_url}echo"
    assert response.elapsed >= response.history[0].elapsed


@pytest.mark.parametrize(
    ("status", "method", "becomes"),
    [(301, "POST", "GET"), (302, "POST", "GET"), (303, "PUT", "GET"), (307, "POST", "POST")],
)
def test_method_and_body_go_on_as_the_status_says(
    api: Handle, api_clients: Configure, status: int, method: str, becomes: str, clients: Callers
) -> None:
    api_clients(api=api.config())
    arrived = (
        clients["api"]
        .request(method, f"redirect?to=/api/echo&status={status}", data=b"12345")
        .json()
    )
    assert arrived["method"] == becomes
    assert arrived["size"] == (5 if becomes == "POST" else 0)


def test_cookies_of_one_host_are_kept_from_the_other(
    api: Handle, other_api: Handle, api_clients: Configure, clients: Callers
) -> None:
    other_api.set(open=True)
    api_clients(api=api.config(HEADERS={"X-Session-Id": "hunter2"}))
    clients["api"].get(f"redirect?to={other_api.base_url}echo", headers={"Cookie": "sid=hunter2"})
    assert "hunter2" not in repr(other_api.requests)


@responses.activate(registry=OrderedRegistry)
def test_a_key_that_the_api_repeats_in_its_location_goes_no_further(
    api_clients: Configure, clients: Callers
) -> None:
    auth = {"BACKEND": "apiclient_app.auth.ApiKey", "OPTIONS": {"key": KEY, "query": "api_key"}}
    api_clients(shop={"BASE_URL": "https://api.example/", "AUTH": auth})
    location = f"https://evil.example/x?page=2&api_key={KEY}"
    responses.get("https://api.example/x", status=302, headers={"Location": location})
    landed = responses.get("https://evil.example/x")
    clients["shop"].get("x")
    assert landed.calls[0].request.url == "https://evil.example/x?page=2"


@responses.activate
def test_from_https_to_http_is_another_origin(api_clients: Configure, clients: Callers) -> None:
    auth = {"BACKEND": "apiclient_app.auth.ApiKey", "OPTIONS": {"key": KEY}}
    api_clients(shop={"BASE_URL": "https://api.example/", "AUTH": auth})
    responses.get(
        "https://api.example/x", status=302, headers={"Location": "http://api.example/x"}
    )
    landed = responses.get("http://api.example/x")
    clients["shop"].get("x")
    assert KEY not in repr(landed.calls[0].request.headers)


@pytest.mark.parametrize("style", ["big", "bomb"])
def test_a_token_endpoint_that_redirects_with_fifty_megabytes_is_not_read(
    api: Handle, api_clients: Configure, style: str, clients: Callers
) -> None:
    api_clients(api=api.config())
    headers = {"Location": "/elsewhere", "Content-Type": "text/html"}
    api.always("/token", Reply(307, headers=headers, style=style, megabytes=50))  # type: ignore[arg-type]
    client = clients["api"]
    tracemalloc.start()
    try:
        with pytest.raises(TokenUnavailable):
            client.get("echo")
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 5_000_000


def test_a_redirect_goes_by_the_proxy_of_its_own_host(
    api: Handle,
    other_api: Handle,
    api_clients: Configure,
    monkeypatch: pytest.MonkeyPatch,
    clients: Callers,
) -> None:
    monkeypatch.setenv("http_proxy", other_api.origin)
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    other_api.set(open=True)
    api_clients(api=api.config())
    api.always("/api/x", Reply(302, headers={"Location": "http://elsewhere.example/echo"}))
    assert clients["api"].get("x").status_code == 200
    (proxied,) = other_api.requests
    assert proxied["headers"]["host"] == "elsewhere.example"
    assert "authorization" not in proxied["headers"]


NOWHERE = {
    "a port that is closed": f"http://{HOST}:{{port}}/done",
    "a host that nobody knows": "http://nowhere.invalid/done",
    "a port that is none": "http://h:99999999/done",
}


@pytest.mark.parametrize("location", NOWHERE.values(), ids=NOWHERE)
@pytest.mark.parametrize("deadline", [None, 30])
def test_a_post_that_was_taken_is_not_repeated_where_its_redirect_leads_nowhere(
    api: Handle,
    api_clients: Configure,
    clients: Callers,
    location: str,
    deadline: float | None,
) -> None:
    api_clients(api=api.config(RETRY={"attempts": 3, "backoff": 0.01}))
    led = {"Location": location.format(port=free_port())}
    api.always("/api/orders", Reply(303, headers=led))
    with pytest.raises(TransportError) as caught:
        clients["api"].post("orders", json={"a": 1}, deadline=deadline)
    assert caught.value.sent is True
    assert api.count(303) == 1
