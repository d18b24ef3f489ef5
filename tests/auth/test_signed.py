"""A signature on every request, over what is sent."""

import hashlib
import hmac
import io
from base64 import b64decode, b64encode
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from apiclient_app import InvalidRequest, clients
from apiclient_app.auth import Secret, Signed
from apiclient_app.auth.options import build
from tests.conftest import Configure
from tests.servers import Handle

from .replies import NOW

DATE = "Fri, 15 Jan 2027 08:00:00 GMT"
KEY = b"hunter2"


def backend(**options: Any) -> Signed:
    return Signed(**{"key_id": "k-1", "secret": Secret(KEY.decode()), **options}).at(NOW)


def signed(own: Signed, method: str = "GET", **content: Any) -> requests.PreparedRequest:
    url = "https://api.example/v1/a%20b?x=1&y=%C3%BC"
    request = requests.Request(method, url, **content).prepare()
    own.sign(request, None)
    return request


def signature(header: str) -> bytes:
    return b64decode(header.partition('signature="')[2].rstrip('"'))


def test_what_is_signed_is_what_is_sent() -> None:
    request = signed(backend(), "POST", data=b"body")
    digest = f"sha-256=:{b64encode(hashlib.sha256(b'body').digest()).decode()}:"
    text = f"POST\n/v1/a%20b?x=1&y=%C3%BC\n{DATE}\n{digest}"
    expected = hmac.new(KEY, text.encode(), hashlib.sha256).digest()
    assert request.headers["Date"] == DATE
    assert request.headers["Content-Digest"] == digest
    header = request.headers["Authorization"]
    assert header == f'HMAC-SHA256 key_id="k-1", signature="{b64encode(expected).decode()}"'


@pytest.mark.parametrize("algorithm", ["sha256", "sha384", "sha512"])
def test_the_algorithm_is_that_of_signature_and_digest(algorithm: Any) -> None:
    request = signed(backend(algorithm=algorithm), "POST", data=b"body")
    digest = b64encode(hashlib.new(algorithm, b"body").digest()).decode()
    assert request.headers["Content-Digest"] == f"sha-{algorithm[3:]}=:{digest}:"
    text = f"POST\n/v1/a%20b?x=1&y=%C3%BC\n{DATE}\nsha-{algorithm[3:]}=:{digest}:"
    sent = str(request.headers["Authorization"])
    assert sent.startswith(f"HMAC-{algorithm.upper()} ")
    assert signature(sent) == hmac.digest(KEY, text.encode(), algorithm)


CHANGES: dict[str, dict[str, Any]] = {
    "method": {"method": "PUT", "data": b"body"},
    "body": {"method": "POST", "data": b"Body"},
    "no body": {"method": "POST"},
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_another_request_has_another_signature(change: dict[str, Any]) -> None:
    first = signed(backend(), "POST", data=b"body")
    assert signed(backend(), **change).headers["Authorization"] != first.headers["Authorization"]


def test_another_time_or_key_has_another_signature() -> None:
    first = signed(backend()).headers["Authorization"]
    assert signed(backend().at(NOW + 1)).headers["Authorization"] != first
    assert signed(backend(secret=Secret("other"))).headers["Authorization"] != first
    assert signed(backend()).headers["Authorization"] == first


@pytest.mark.parametrize(
    "body",
    [b"\xc3\xbc-body", "ü-body", bytearray(b"\xc3\xbc-body"), io.BytesIO(b"\xc3\xbc-body"),
     io.StringIO("ü-body")],
    ids=lambda body: type(body).__name__,
)  # fmt: skip
def test_every_body_that_can_be_read_twice_is_signed(body: Any) -> None:
    request = requests.Request("POST", "https://api.example/").prepare()
    request.body = body
    backend().sign(request, None)
    expected = b64encode(hashlib.sha256("ü-body".encode()).digest()).decode()
    assert request.headers["Content-Digest"] == f"sha-256=:{expected}:"


def test_a_file_is_signed_from_where_it_stands_and_put_back(tmp_path: Path) -> None:
    path = tmp_path / "big"
    path.write_bytes(b"head" + b"x" * 200_000)
    with path.open("rb") as file:
        file.seek(4)
        request = signed(backend(), "POST", data=file)
        assert file.tell() == 4
    expected = b64encode(hashlib.sha256(b"x" * 200_000).digest()).decode()
    assert request.headers["Content-Digest"] == f"sha-256=:{expected}:"


class Pipe(io.BytesIO):
    def seek(self, *_: Any) -> int:
        raise io.UnsupportedOperation("seek")


def lines() -> Iterator[bytes]:
    yield b"one"


@pytest.mark.parametrize("body", [lines(), Pipe(b"x"), object()], ids=["iterator", "pipe", "odd"])
def test_a_body_that_can_be_read_once_is_refused(body: Any) -> None:
    request = requests.Request("POST", "https://api.example/").prepare()
    request.body = body
    with pytest.raises(InvalidRequest, match=r"nothing was sent\. Give bytes, or a file"):
        backend().sign(request, None)


def verified(told: dict[str, Any], target: str) -> None:
    """Verify what arrived, as the API would."""
    headers = told["headers"]
    text = f"{told['method']}\n{target}\n{headers['date']}\n{headers['content-digest']}"
    expected = hmac.digest(KEY, text.encode(), "sha256")
    assert signature(headers["authorization"]) == expected
    digest = b64decode(headers["content-digest"].removeprefix("sha-256=:").rstrip(":"))
    assert digest.hex() == told["sha256"]


@pytest.fixture
def signing(api: Handle, api_clients: Configure) -> Any:
    auth = {
        "BACKEND": "apiclient_app.auth.Signed",
        "OPTIONS": {"key_id": "k-1", "secret": KEY.decode()},
    }
    api.set(open=True)
    api_clients(api={"BASE_URL": api.base_url, "AUTH": auth})
    return clients["api"]


def test_what_arrives_can_be_verified(signing: Any, tmp_path: Path) -> None:
    path = tmp_path / "body"
    path.write_bytes(b"y" * 70_000)
    verified(signing.get("echo", params={"a": "ü b"}).json(), "/api/echo?a=%C3%BC+b")
    verified(signing.post("echo", json={"a": 1}).json(), "/api/echo")
    verified(signing.post("echo", data={"a": "ü"}).json(), "/api/echo")
    with path.open("rb") as file:
        verified(signing.put("echo", data=file).json(), "/api/echo")


def test_a_redirect_is_signed_anew(signing: Any) -> None:
    response = signing.post("redirect?status=307&to=/api/echo?b=2", data=b"body")
    assert len(response.history) == 1
    verified(response.json(), "/api/echo?b=2")


def test_a_redirect_elsewhere_takes_no_signature_along(signing: Any, other_api: Handle) -> None:
    other_api.set(open=True)
    told = signing.get(f"redirect?to={other_api.base_url}echo").json()["headers"]
    assert not {"authorization", "content-digest", "date"} & told.keys()


def test_a_one_shot_body_is_not_sent(api: Handle, signing: Any) -> None:
    with pytest.raises(InvalidRequest, match="can be read only once"):
        signing.post("echo", data=lines())
    assert api.requests == []


class Exchange(Signed):
    """An API with ways of its own."""

    date_header = "X-Timestamp"
    digest_header = "X-Body-Hash"
    authorization_header = "X-Signature"

    def date(self, now: float) -> str:
        return str(int(now * 1000))

    def digest(self, body: bytes) -> str:
        return body.hex()

    def string_to_sign(self, request: Any, date: str, digest: str) -> str:
        return f"{date}{request.method}{request.path_url}{digest}"

    def signing_key(self, date: str) -> bytes:
        return hmac.digest(super().signing_key(date), date.encode(), "sha256")

    def authorization(self, signature: bytes) -> str:
        return signature.hex()


def test_everything_can_be_written_otherwise() -> None:
    own = Exchange(key_id="k-1", secret=Secret(KEY.decode())).at(NOW)
    request = signed(own)
    date, empty = "1800000000000", hashlib.sha256().hexdigest()
    key = hmac.digest(KEY, date.encode(), "sha256")
    text = f"{date}GET/v1/a%20b?x=1&y=%C3%BC{empty}"
    assert request.headers["X-Timestamp"] == date
    assert request.headers["X-Body-Hash"] == empty
    assert request.headers["X-Signature"] == hmac.digest(key, text.encode(), "sha256").hex()
    assert "Authorization" not in request.headers


@pytest.mark.parametrize(
    ("options", "option"),
    [({"key_id": "k\r\nX-Evil: 1"}, ""), ({"algorithm": "sha1"}, "algorithm"), ({"secret": ""},
     "secret")],
    ids=str,
)  # fmt: skip
def test_what_cannot_sign_is_told(options: dict[str, Any], option: str) -> None:
    _, (problem,) = build(Signed, {"key_id": "k", "secret": "hunter2", **options})
    assert (problem.kind, problem.option) == ("wrong", option)
    assert "Evil" not in repr(problem)
    assert "hunter2" not in repr(problem)


def test_it_is_static_and_keeps_its_secret() -> None:
    own = backend()
    assert not own.renewable
    assert "hunter2" in own.secrets()
    assert "k-1" not in own.secrets()
    assert "hunter2" not in f"{own!r}{vars(own)}{signed(own).headers}"
    assert own.identity() != backend(secret=Secret("other")).identity()
