"""Whatever is put into a call, one request goes out, or none."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any

import pytest
import requests

from apiclient_app import InvalidConfiguration, InvalidRequest, TokenError
from apiclient_app.auth import AuthBackend
from tests.conftest import Configure
from tests.servers import Handle, Reply

from .listening import Listen
from .ways import SYNC, Callers

BREAKS = {
    "a line": "s3cr3t\r\nX-Evil: 1",
    "a line feed": "s3cr3t\nX-Evil: 1",
    "a carriage return": "s3cr3t\rX-Evil: 1",
    "a folded line": "s3cr3t\r\n X-Evil: 1",
    "a folded line feed": "s3cr3t\n\tX-Evil: 1",
    "a request": "s3cr3t\r\n\r\nDELETE /all HTTP/1.1\r\nHost: x\r\n\r\n",
    "a NUL": "s3cr3t\0X-Evil: 1",
    "a letter that Latin-1 has not": "s3cr3t\u010aX-Evil: 1",
}
KEY = "a-key-of-16-chars"


class Careless(AuthBackend):
    """A backend of the user's own that looks at nothing."""

    def __init__(self, *, header: str = "X-Own", value: str = "fine", tail: str = "") -> None:
        self.header, self.value, self.tail = header, value, tail

    def sign(self, request: Any, token: Any) -> None:
        request.headers[self.header] = self.value
        request.url += self.tail


def signed(name: str, value: str) -> Callable[[Any], Any]:
    def sign(request: Any) -> Any:
        request.headers[name] = value
        return request

    return sign


def auth(backend: Any, **options: Any) -> dict[str, Any]:
    backend = backend if isinstance(backend, type) else f"apiclient_app.auth.{backend}"
    return {"AUTH": {"BACKEND": backend, "OPTIONS": options}}


Case = tuple[dict[str, Any], str, str, dict[str, Any]]  # settings, method, path, arguments

OF_A_CALL: dict[str, Callable[[str], Case]] = {
    "a header": lambda bad: ({}, "GET", "x", {"headers": {"X-A": bad}}),
    "a header's name": lambda bad: ({}, "GET", "x", {"headers": {bad: "a"}}),
    "the host": lambda bad: ({}, "GET", "x", {"headers": {"Host": bad}}),
    "a cookie": lambda bad: ({}, "GET", "x", {"cookies": {"a": bad}}),
    "a cookie's name": lambda bad: ({}, "GET", "x", {"cookies": {bad: "a"}}),
    "auth": lambda bad: ({}, "GET", "x", {"auth": signed("X-A", bad)}),
    "auth's name": lambda bad: ({}, "GET", "x", {"auth": signed(bad, "a")}),
    "a signature": lambda bad: (auth(Careless, value=bad), "GET", "x", {}),
    "a signature's name": lambda bad: (auth(Careless, header=bad), "GET", "x", {}),
    "a method": lambda bad: ({}, f"GET{bad}", "x", {}),
}
NAMES = [case for name, case in OF_A_CALL.items() if name.endswith(("name", "method"))]
OF_THE_SETTINGS: dict[str, Callable[[str], dict[str, Any]]] = {
    "HEADERS": lambda bad: {"HEADERS": {"X-A": bad}},
    "a name in HEADERS": lambda bad: {"HEADERS": {bad: "a"}},
    "User-Agent": lambda bad: {"HEADERS": {"User-Agent": bad}},
    "an API key": lambda bad: auth("ApiKey", key=bad),
    "its header": lambda bad: auth("ApiKey", key=KEY, header=bad),
    "a key in the query": lambda bad: auth("ApiKey", key=bad, query="k"),
    "a token": lambda bad: auth("StaticToken", token=bad),
    "a token's header": lambda bad: auth("StaticToken", token=KEY, header=bad),
    "its prefix": lambda bad: auth("StaticToken", token=KEY, prefix=bad),
    "a key's id": lambda bad: auth("Signed", key_id=bad, secret=KEY),
}
BASIC: dict[str, Callable[[str], dict[str, Any]]] = {
    "a username": lambda bad: auth("Basic", username=bad.replace(":", ""), password=KEY),
    "a password": lambda bad: auth("Basic", username="joe", password=bad),
}
QUOTED: dict[str, Callable[[str], Case]] = {
    "params": lambda bad: ({}, "GET", "x", {"params": {"q": bad}}),
    "names in params": lambda bad: ({}, "GET", "x", {"params": {bad: "q"}}),
    "params as a text": lambda bad: ({}, "GET", "x", {"params": f"q={bad}"}),
    "a form": lambda bad: ({}, "POST", "x", {"data": {bad: bad}}),
    "a key's name in the query": lambda bad: (auth("ApiKey", key=KEY, query=bad), "GET", "x", {}),
    "a signed URL": lambda bad: (auth(Careless, tail=f"?q={bad}"), "GET", "x", {}),
    "a path": lambda bad: ({}, "GET", f"x{bad}", {}),
    "a query": lambda bad: ({}, "GET", f"x?q={bad}", {}),
}


class Recorder:
    """Keeps every byte that arrives, and answers each head."""

    def __init__(self) -> None:
        self.heard = b""

    def __call__(self, connection: socket.socket) -> None:
        answered = 0
        while piece := connection.recv(65_536):
            self.heard += piece
            if (heads := self.heard.count(b"\r\n\r\n")) > answered:
                reply = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
                connection.sendall(reply * (heads - answered))
                answered = heads


Recorded = tuple[Recorder, str]


@pytest.fixture
def recorded(listen: Listen) -> Recorded:
    recorder = Recorder()
    return recorder, f"http://127.0.0.1:{listen(recorder)}/"


def one_request(heard: bytes, method: str) -> bool:
    """Whether this is one request of requests' making, and no header more than it says."""
    head, _, _body = heard.partition(b"\r\n\r\n")
    first, *fields = head.split(b"\r\n")
    names = {field.partition(b":")[0].lower() for field in fields}
    usual = b"host user-agent accept-encoding accept connection x-api-key x-own content-length"
    bare = head.replace(b"\r\n", b"")
    return (
        first.startswith(method.encode() + b" /x")
        and first.endswith(b" HTTP/1.1")
        and names <= {*usual.split(), b"content-type"}
        and not any(mark in bare for mark in (b"\r", b"\n", b"\0"))
        and b"DELETE /all HTTP" not in heard
    )


@pytest.mark.parametrize("bad", BREAKS.values(), ids=BREAKS)
@pytest.mark.parametrize("case", OF_A_CALL.values(), ids=OF_A_CALL)
def test_what_would_split_a_request_is_refused_before_anything_is_sent(
    recorded: Recorded,
    api_clients: Configure,
    clients: Callers,
    case: Callable[[str], Case],
    bad: str,
) -> None:
    recorder, base = recorded
    settings, method, path, arguments = case(bad)
    api_clients(shop={"BASE_URL": base, **settings})
    with pytest.raises(InvalidRequest) as caught:
        clients["shop"].request(method, path, timeout=5, **arguments)
    assert recorder.heard == b""
    assert not caught.value.sent
    if case not in NAMES:
        assert "s3cr3t" not in f"{caught.value}{caught.value.__cause__!r}"


@pytest.mark.parametrize("clients", SYNC, indirect=True)
@pytest.mark.parametrize("bad", BREAKS.values(), ids=BREAKS)
@pytest.mark.parametrize("case", OF_THE_SETTINGS.values(), ids=OF_THE_SETTINGS)
def test_settings_that_would_split_a_request_are_refused(
    recorded: Recorded,
    api_clients: Configure,
    clients: Callers,
    case: Callable[[str], dict[str, Any]],
    bad: str,
) -> None:
    recorder, base = recorded
    api_clients(shop={"BASE_URL": base, **case(bad)})
    with pytest.raises((InvalidConfiguration, InvalidRequest)) as caught:
        clients["shop"].get("x", timeout=5)
    assert recorder.heard == b""
    if "\u010a" not in bad:  # which is found out when it is to be sent
        assert isinstance(caught.value, InvalidConfiguration)


@pytest.mark.parametrize("clients", SYNC, indirect=True)
@pytest.mark.parametrize("bad", BREAKS.values(), ids=BREAKS)
@pytest.mark.parametrize("case", BASIC.values(), ids=BASIC)
def test_control_characters_in_basic_credentials_are_refused(
    recorded: Recorded,
    api_clients: Configure,
    clients: Callers,
    case: Callable[[str], dict[str, Any]],
    bad: str,
) -> None:
    recorder, base = recorded
    api_clients(shop={"BASE_URL": base, **case(bad)})
    if "\u010a" in bad:  # in UTF-8, a letter like any other
        assert clients["shop"].get("x", timeout=5).text == "ok"
        return
    with pytest.raises(InvalidConfiguration, match="control characters"):
        clients["shop"].get("x", timeout=5)
    assert recorder.heard == b""


@pytest.mark.parametrize("bad", BREAKS.values(), ids=BREAKS)
@pytest.mark.parametrize("case", QUOTED.values(), ids=QUOTED)
def test_what_is_put_into_a_url_or_a_form_is_quoted_or_refused(
    recorded: Recorded,
    api_clients: Configure,
    clients: Callers,
    case: Callable[[str], Case],
    bad: str,
) -> None:
    recorder, base = recorded
    settings, method, path, arguments = case(bad)
    api_clients(shop={"BASE_URL": base, **settings})
    try:
        clients["shop"].request(method, path, timeout=5, **arguments)
    except InvalidRequest:
        assert recorder.heard == b""
    else:
        assert one_request(recorder.heard, method)


@pytest.mark.parametrize("bad", BREAKS.values(), ids=BREAKS)
def test_a_token_that_would_split_a_request_is_no_token(
    api: Handle, api_clients: Configure, clients: Callers, bad: str
) -> None:
    granted = {"access_token": bad, "token_type": "Bearer"}
    api.always("/token", Reply.of(granted))
    api_clients(api=api.config())
    with pytest.raises(TokenError) as caught:
        clients["api"].get("echo")
    assert {request["path"] for request in api.requests} == {"/token"}
    assert "s3cr3t" not in str(caught.value)


@pytest.mark.parametrize("bad", BREAKS.values(), ids=BREAKS)
@pytest.mark.parametrize("place", ["headers", "name"])
def test_a_token_request_is_not_split_either(
    recorded: Recorded, api_clients: Configure, clients: Callers, bad: str, place: str
) -> None:
    recorder, base = recorded
    headers = {"X-A": bad} if place == "headers" else {bad: "a"}
    login = auth("Login", login_url="login", credentials={"user": "joe"}, headers=headers)
    api_clients(shop={"BASE_URL": base, **login})
    with pytest.raises((InvalidConfiguration, InvalidRequest, TokenError)):
        clients["shop"].get("x", timeout=5)
    assert recorder.heard == b""


def test_a_cookie_that_cannot_be_sent_back_is_not_kept(
    listen: Listen, api_clients: Configure, clients: Callers
) -> None:
    heard: list[bytes] = []

    def answer(connection: socket.socket) -> None:
        while piece := connection.recv(65_536):
            heard.append(piece)
            connection.sendall(
                b"HTTP/1.1 200 OK\r\nSet-Cookie: a=1\x01; Path=/\r\nSet-Cookie: b=2; Path=/\r\n"
                b"Content-Length: 0\r\n\r\n"
            )

    api_clients(shop={"BASE_URL": f"http://127.0.0.1:{listen(answer)}/"})
    for _ in range(2):
        clients["shop"].get("x", timeout=5)
    assert b"Cookie: b=2\r\n" in heard[1]


def test_a_session_of_the_users_splits_no_request_either(
    recorded: Recorded, api_clients: Configure
) -> None:
    from apiclient_app import clients

    recorder, base = recorded

    def careless() -> requests.Session:
        session = requests.Session()
        session.auth = signed("X-A", BREAKS["a folded line"])
        return session

    api_clients(shop={"BASE_URL": base, "SESSION": careless})
    with pytest.raises(InvalidRequest):
        clients["shop"].get("x", timeout=5)
    assert recorder.heard == b""
