"""Whatever goes wrong on the way is an error of ours, and still one of requests."""

import inspect
import socket
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
import requests
import urllib3
from requests import exceptions as theirs

from apiclient_app import (
    APIClientError,
    CallError,
    InvalidRequest,
    RateLimited,
    RequestTimeout,
    TransportError,
)
from tests.conftest import Configure
from tests.engines.listening import HOST, Listen, saying
from tests.engines.ways import Callers
from tests.servers import Handle, Reply

ERRORS = {
    f"{kind.__module__}.{kind.__name__}": kind
    for module in (theirs, urllib3.exceptions)
    for _, kind in inspect.getmembers(module, inspect.isclass)
    if issubclass(kind, requests.RequestException | urllib3.exceptions.HTTPError)
}
TIMEOUTS = (requests.Timeout, urllib3.exceptions.TimeoutError)
BEFORE = (
    *(theirs.InvalidURL, theirs.InvalidHeader, theirs.InvalidJSONError),
    *(theirs.InvalidSchema, theirs.MissingSchema, theirs.URLRequired),
)


def made(kind: type[Exception]) -> Exception:
    """Give an exception of theirs, whatever its constructor wants."""
    if issubclass(kind, theirs.JSONDecodeError):
        return kind("why", "", 0)
    error = kind.__new__(kind)
    Exception.__init__(error, "why: password=hunter2")
    vars(error).update(response=None, partial=1, expected=2, length=b"z")
    return error


class Failing(requests.adapters.BaseAdapter):
    """The network, as it fails."""

    error: BaseException

    def send(self, *_: Any, **__: Any) -> requests.Response:
        raise self.error

    def close(self) -> None:
        return None


def failing_session() -> requests.Session:
    session = requests.Session()
    session.mount("https://", Failing())
    return session


@pytest.fixture
def fail(
    api_clients: Configure, monkeypatch: pytest.MonkeyPatch, clients: Callers
) -> Callable[[BaseException], None]:
    """Have the next call of `clients["api"]` meet this exception."""
    api_clients(api={"BASE_URL": "https://api.example/", "SESSION": failing_session})

    def prepare(error: BaseException) -> None:
        monkeypatch.setattr(Failing, "error", error, raising=False)

    return prepare


@pytest.mark.parametrize("kind", ERRORS.values(), ids=ERRORS)
def test_each_exception_of_requests_and_urllib3_is_ours_and_still_theirs(
    fail: Callable[[BaseException], None], kind: type[Exception], clients: Callers
) -> None:
    fail(made(kind))
    with pytest.raises(CallError) as caught:
        clients["api"].get("users", params={"q": "1", "access_token": "hunter2"})
    error = caught.value
    assert isinstance(error, requests.RequestException)
    invalid = issubclass(kind, BEFORE) and not issubclass(kind, theirs.InvalidProxyURL)
    assert isinstance(error, InvalidRequest if invalid else TransportError)
    assert isinstance(error, RequestTimeout) == issubclass(kind, TIMEOUTS)
    assert isinstance(error, requests.Timeout) == issubclass(kind, TIMEOUTS)
    assert str(error).startswith(
        "api: GET https://api.example/users?q=1&access_token=*** failed: "
    )
    assert "hunter2" not in f"{error}{error.__cause__!r}"
    assert (error.alias, error.method) == ("api", "GET")
    assert error.__cause__ is not None


@pytest.mark.parametrize(
    "error",
    [
        ConnectionResetError(104, "reset"),
        BrokenPipeError(32, "broken"),
        socket.gaierror(-2, "unknown"),
        OSError("could not find a suitable TLS CA certificate bundle"),
    ],
)
def test_an_error_of_the_system_is_a_transport_error(
    fail: Callable[[BaseException], None], error: OSError, clients: Callers
) -> None:
    fail(error)
    with pytest.raises(TransportError):
        clients["api"].get("x")


def test_a_timeout_of_the_system_is_a_timeout(
    fail: Callable[[BaseException], None], clients: Callers
) -> None:
    fail(TimeoutError("timed out"))
    with pytest.raises(RequestTimeout):
        clients["api"].get("x")


@pytest.mark.parametrize("error", [KeyboardInterrupt(), SystemExit(3), ZeroDivisionError("own")])
def test_what_is_not_about_the_call_passes_through(
    fail: Callable[[BaseException], None], error: BaseException, clients: Callers
) -> None:
    fail(error)
    with pytest.raises(type(error)) as caught:
        clients["api"].get("x")
    assert caught.value is error


@pytest.fixture
def port() -> Iterator[int]:
    """A port where nobody listens."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield held.getsockname()[1]


def test_a_refused_connection(api_clients: Configure, port: int, clients: Callers) -> None:
    api_clients(api={"BASE_URL": f"http://127.0.0.1:{port}/"})
    with pytest.raises(
        TransportError, match=r"api: GET http://127\.0\.0\.1:\d+/x failed: Connection"
    ):
        clients["api"].get("x")


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        (Reply(body="x" * 100, style="cut"), "broke off|IncompleteRead"),
        (Reply(body="junk", headers={"Content-Encoding": "gzip"}), "cannot be decoded"),
        (Reply(body="zz\r\n", headers={"Transfer-Encoding": "chunked"}), "broke off|Chunk"),
        (Reply(status=200, headers={"X": "y" * 400_000}), "Connection|broke off"),
        (Reply(status=200, headers={f"X-{n}": "y" for n in range(6_000)}), "Connection|broke off"),
    ],
    ids=["cut", "not gzip", "not chunked", "a long header", "many headers"],
)
def test_a_broken_answer(
    api: Handle, api_clients: Configure, reply: Reply, said: str, clients: Callers
) -> None:
    api_clients(api={"BASE_URL": api.base_url})
    api.always("/api/x", reply)
    with pytest.raises(TransportError, match=said):
        clients["api"].get("x", timeout=5)


def test_an_answer_that_does_not_come_in_time(
    api: Handle, api_clients: Configure, clients: Callers
) -> None:
    api_clients(api={"BASE_URL": api.base_url, "TIMEOUT": 0.1})
    api.always("/api/x", Reply(style="hang"))
    with pytest.raises(RequestTimeout, match="no answer within TIMEOUT"):
        clients["api"].get("x")
    with pytest.raises(RequestTimeout):
        clients["api"].get("x", timeout=(1, 0.05))


def test_tls_where_there_is_none(api_clients: Configure, clients: Callers) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            connection, _ = server.accept()
            with connection:
                connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
                connection.recv(65_536)

        thread = threading.Thread(target=answer)
        thread.start()
        api_clients(api={"BASE_URL": f"https://127.0.0.1:{server.getsockname()[1]}/"})
        with pytest.raises(TransportError, match="TLS failed"):
            clients["api"].get("x", timeout=5)
        thread.join()


def test_a_proxy_that_is_not_there(
    api: Handle, api_clients: Configure, port: int, clients: Callers
) -> None:
    proxies = {"http": f"http://joe:hunter2@127.0.0.1:{port}"}
    api_clients(api={"BASE_URL": "http://api.example/", "PROXIES": proxies})
    with pytest.raises(TransportError, match="the proxy failed") as caught:
        clients["api"].get("x")
    assert "hunter2" not in f"{caught.value}{caught.value.__cause__!r}"


@pytest.mark.parametrize(
    "arguments",
    [
        {"headers": {"X": "a\nb"}},
        {"headers": {"X": 7}},
        {"headers": {"X": "ü\u2028"}},
        {"json": float("nan")},
        {"cert": "/no/such/file"},
        {"proxies": {"http": "http://"}},
        {"timeout": "soon"},
        {"timeout": -1},
        {"timeout": (1, 2, 3)},
        {"params": {"q": "\ud800"}},
    ],
    ids=str,
)
def test_arguments_that_cannot_be_used_are_said_so(
    api: Handle, api_clients: Configure, arguments: dict[str, Any], clients: Callers
) -> None:
    """TypeErrors and ValueErrors about an argument itself are requests' own, as they are there."""
    api_clients(api={"BASE_URL": api.base_url})
    with pytest.raises((APIClientError, ValueError)):
        clients["api"].post("x", **arguments)
    assert api.requests == []


def test_an_unknown_argument_is_a_type_error(api_clients: Configure, clients: Callers) -> None:
    api_clients(api={"BASE_URL": "https://api.example/"})
    with pytest.raises(TypeError, match="colour"):
        clients["api"].get("x", colour="blue")


@pytest.mark.parametrize("ahead", [-3600, 0, 3600])
def test_a_date_to_come_back_at_counts_by_the_servers_own_clock(
    listen: Listen, api_clients: Configure, clients: Callers, ahead: int
) -> None:
    now = datetime.now(UTC) + timedelta(seconds=ahead)
    dates = [format_datetime(each, usegmt=True) for each in (now, now + timedelta(seconds=20))]
    head = "HTTP/1.1 429 Slowly\r\nDate: {}\r\nRetry-After: {}\r\nContent-Length: 0\r\n\r\n"
    port = listen(saying(head.format(*dates).encode()))
    api_clients(api={"BASE_URL": f"http://{HOST}:{port}/"})
    with pytest.raises(RateLimited) as caught:
        clients["api"].get("x", timeout=5)
    assert caught.value.retry_after == pytest.approx(20)
