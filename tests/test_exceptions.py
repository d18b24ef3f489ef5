"""Errors: a class a status, texts for people, and a life after pickling."""

import inspect
from typing import Any

import pytest
import requests
from django.core.exceptions import ImproperlyConfigured

import apiclient_app
from apiclient_app import clients, exceptions
from apiclient_app.exceptions import (
    APIClientError,
    RateLimited,
    RequestTimeout,
    StatusError,
)
from tests.conftest import Configure
from tests.servers import Handle, Reply

CLASSES = {
    name: kind
    for name, kind in inspect.getmembers(exceptions, inspect.isclass)
    if issubclass(kind, APIClientError)
}
STATUSES = {
    400: "BadRequest",
    401: "Unauthorized",
    402: "ClientError",
    403: "Forbidden",
    404: "NotFound",
    409: "Conflict",
    418: "ClientError",
    429: "RateLimited",
    451: "ClientError",
    500: "ServerError",
    502: "ServerError",
    503: "ServerError",
    599: "ServerError",
}


@pytest.fixture
def shop(api: Handle, api_clients: Configure) -> Handle:
    api.set(open=True)
    api_clients(shop={"BASE_URL": api.base_url, "HEADERS": {"X-Api-Key": "hunter2"}})
    return api


def failed(path: str, **arguments: Any) -> StatusError:
    with pytest.raises(StatusError) as caught:
        clients["shop"].get(path, **arguments)
    return caught.value


def test_every_error_is_exported() -> None:
    assert set(CLASSES) <= set(apiclient_app.__all__)
    assert all(getattr(apiclient_app, name) is kind for name, kind in CLASSES.items())


def test_every_error_of_a_call_is_one_of_requests() -> None:
    for name, kind in CLASSES.items():
        outside = name in ("APIClientError", "UnknownClient", "InvalidConfiguration")
        assert issubclass(kind, requests.RequestException) != outside, name
    assert issubclass(CLASSES["UnknownClient"], KeyError)
    assert issubclass(CLASSES["InvalidConfiguration"], ImproperlyConfigured)
    assert issubclass(StatusError, requests.HTTPError)
    assert issubclass(CLASSES["TransportError"], requests.ConnectionError)
    assert issubclass(RequestTimeout, requests.Timeout)


@pytest.mark.parametrize("status", STATUSES)
def test_each_status_has_its_class(shop: Handle, status: int) -> None:
    error = failed(f"status/{status}")
    assert type(error).__name__ == STATUSES[status]
    assert error.status_code == status
    assert error.response is not None
    assert error.response.status_code == status
    assert error.request is error.response.request


def test_the_text_tells_alias_method_url_status_and_a_piece_of_the_body(shop: Handle) -> None:
    error = failed("status/404", params={"page": "2", "token": "hunter2"})
    url = f"{shop.base_url}status/404?page=2&token=***"
    assert str(error).startswith(f"shop: GET {url}: 404 Not Found: ")
    assert '"status": 404' in str(error)
    assert (error.alias, error.method, error.url) == ("shop", "GET", url)


@pytest.mark.parametrize(
    "body",
    [
        "the key hunter2 is wrong",
        '{"password": "other-secret"}',
        "access_token=other-secret",
        "Authorization: Bearer other-secret",
    ],
)
def test_the_text_holds_no_secret(shop: Handle, body: str) -> None:
    shop.always("/api/x", Reply(400, body=body))
    assert "hunter2" not in str(failed("x"))
    assert "other-secret" not in str(failed("x"))


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        ("", "text/plain"),
        ("x" * 100_000, "text/plain"),
        ("a\r\n\tb\x00\x1b[31m", "text/plain"),
        ("\udcff\udcfe", "text/plain; charset=utf-8"),
        ("\udcff\udcfe", "application/octet-stream"),
        ("x", "text/plain; charset=no-such"),
        ("x", "text/plain; charset=idna"),
        ("x", "text/plain; charset=base64"),
        ("x", "text/plain; charset=undefined"),
        ("x" * 99, "text/plain; charset=punycode"),
        ("\\N{x", "text/plain; charset=unicode_escape"),
        ("x", "text/plain; charset=utf-8\x00"),
        ("x", "text/plain; charset="),
    ],
    ids=lambda value: repr(value)[:40],
)
@pytest.mark.parametrize("stream", [False, True])
def test_no_body_and_no_charset_breaks_the_text(
    shop: Handle, body: str, content_type: str, stream: bool
) -> None:
    shop.always("/api/x", Reply(500, body=body, headers={"Content-Type": content_type}))
    error = failed("x", stream=stream)
    assert str(error).isprintable()
    assert len(str(error)) < 350


def test_a_streamed_error_is_read_in_part_and_closed(shop: Handle) -> None:
    shop.always("/api/x", Reply(503, style="big", megabytes=20))
    response = failed("x", stream=True).response
    assert response is not None
    assert len(response.content) <= 65_536
    assert response.raw.closed


class Blank(requests.adapters.BaseAdapter):
    """Somebody's adapter that gives what a response is at least."""

    reason: str | None = None

    def send(self, request: requests.PreparedRequest, *_: Any, **__: Any) -> requests.Response:
        response = requests.Response()
        response.status_code, response.request, response.url = 404, request, str(request.url)
        response.reason = self.reason  # type: ignore[assignment]
        return response

    def close(self) -> None:
        return None


def blank_session() -> requests.Session:
    session = requests.Session()
    session.mount("https://", Blank())
    return session


def test_a_response_without_a_body_has_a_text(api_clients: Configure) -> None:
    api_clients(shop={"BASE_URL": "https://api.example/", "SESSION": blank_session})
    assert str(failed("x")) == "shop: GET https://api.example/x: 404"


def test_a_reason_and_a_url_of_any_length_are_one_short_line(
    api_clients: Configure, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Blank, "reason", "token=hunter2\r\n" + "no " * 10_000)
    api_clients(shop={"BASE_URL": "https://api.example/", "SESSION": blank_session})
    error = failed("x" * 10_000)
    assert str(error).isprintable()
    assert len(str(error)) < 700
    assert "hunter2" not in str(error)
    assert len(error.url) > 10_000


@pytest.mark.parametrize(
    ("said", "seconds"),
    [("7", 7), ("0", 0), ("soon", None), (None, None), ("Fri, 01 Jan 1999 00:00:00 GMT", 0)],
)
def test_retry_after_is_told_in_seconds(
    shop: Handle, said: str | None, seconds: float | None
) -> None:
    shop.always("/api/x", Reply(429, headers={"Retry-After": said} if said else {}))
    error = failed("x")
    assert isinstance(error, RateLimited)
    assert error.retry_after == seconds


def test_one_except_catches_all_that_is_raised(shop: Handle) -> None:
    for path in ("status/404", "../x", "https://elsewhere.example/"):
        with pytest.raises(APIClientError):
            clients["shop"].get(path)
    with pytest.raises(APIClientError):
        clients["nobody"]


def test_code_written_for_requests_keeps_working(shop: Handle) -> None:
    with pytest.raises(requests.HTTPError) as caught:
        clients["shop"].get("status/404").raise_for_status()
    response = caught.value.response
    assert response is not None
    assert response.status_code == 404
    with pytest.raises(requests.RequestException, match="nothing was sent"):
        clients["shop"].get("https://elsewhere.example/")
