"""One handle of libcurl sends one request after the other, and nothing of one with another."""

import io
import socket
from typing import Any

import pytest
import requests
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apiclient_app.engines.curl import Transport

from .listening import HOST, Listen, heard
from .test_wire import Hearing, parts

OPTIONS: dict[str, Any] = {
    "timeout": 5,
    "verify": True,
    "cert": None,
    "proxies": {},
    "stream": False,
}
NAMES = st.sampled_from(
    ["Authorization", "authorization", "Accept", "Cookie", "X-A", "X-B", "User-Agent", "Expect"]
)
HEADERS = st.dictionaries(NAMES, st.sampled_from(["", "one", "two", "f\xfcnf"]), max_size=4)
BODIES = st.sampled_from([None, None, None, b"", b"12345", "zw\xf6lf", "file", "pieces", "long"])
REQUESTS = st.tuples(
    st.sampled_from(["GET", "GET", "POST", "PUT", "HEAD", "DELETE", "PURGE"]),
    st.sampled_from(["/", "/x?a=1"]),
    HEADERS,
    BODIES,
    st.sampled_from([5, (5, 5), 6.5]),
)


def made(body: Any) -> Any:
    return {"file": io.BytesIO(b"file"), "pieces": iter([b"a", b"b"]), "long": bytes(99_999)}.get(
        body, body
    )


@settings(
    max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(REQUESTS, min_size=2, max_size=7))
def test_a_request_goes_out_as_it_would_from_a_new_handle(listen: Listen, calls: Any) -> None:
    hearing, fresh = Hearing(), Hearing()
    port, other = listen(hearing), listen(fresh)
    transport = Transport(4, 4)
    for number, (method, path, headers, body, timeout) in enumerate(calls):
        given = None if method == "HEAD" else body
        options = {**OPTIONS, "timeout": timeout}
        for which, at in ((transport, port), (Transport(1, 1), other)):
            request = requests.Request(
                method, f"http://{HOST}:{at}{path}", headers=headers, data=made(given)
            ).prepare()
            request.headers["X-Number"] = str(number)
            response = which.send(request, options)
            assert response.status_code == 200
            assert len(transport._transfers) <= 1  # one handle for all
            request.headers.clear()  # as whoever got the response may do
            if which is not transport:
                which.close()
    transport.close()
    sent, expected = (
        [
            (line, [f for f in fields if not f.startswith(b"host:")], body)
            for line, fields, body in each
        ]
        for each in (hearing.parts(), fresh.parts())
    )
    assert sent == expected


def test_a_handle_keeps_no_body(listen: Listen) -> None:
    transport = Transport(1, 1)
    body = io.BytesIO(b"secret")
    request = requests.Request("POST", f"http://{HOST}:{listen(Hearing())}/", data=body).prepare()
    options = OPTIONS
    transport.send(request, options)
    (transfer,) = transport._transfers
    assert transfer.body is None
    assert not hasattr(transfer, "request")
    assert (transfer.lines, transfer.chunks) == ([], [])
    transport.close()


@pytest.mark.parametrize("proxies", [{}, {"http": "p"}])
def test_what_fails_while_it_is_made_ready_leaves_connections_alone(
    listen: Listen, proxies: dict[str, str]
) -> None:
    ports: list[int] = []

    def answer(connection: socket.socket) -> None:
        while heard(connection):
            ports.append(connection.getpeername()[1])
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    transport = Transport(1, 1)
    request = requests.Request("GET", f"http://{HOST}:{listen(answer)}/").prepare()
    options = OPTIONS
    transport.send(request, options)
    with pytest.raises(ValueError, match="imeout"):
        transport.send(request, {**options, "timeout": -1, "proxies": proxies})
    transport.send(request, options)
    transport.close()
    assert len(set(ports)) == 1


def test_the_parts_of_a_request_are_told_apart() -> None:
    chunked = b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n"
    assert parts(chunked)[2] == b"a"
