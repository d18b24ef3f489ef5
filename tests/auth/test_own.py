"""A backend of one's own, in about ten lines."""

from dataclasses import dataclass
from math import inf, nan
from typing import Any

import pytest
import requests

from apiclient_app import TokenUnavailable, clients
from apiclient_app.auth import AuthBackend, Grant, Reply, Secret, TokenRequest
from apiclient_app.auth.messages import HEADER_LIMIT
from apiclient_app.tokens import Token
from tests.conftest import Configure
from tests.servers import Handle


@dataclass(frozen=True, kw_only=True, repr=False)
class DoorCode(AuthBackend):
    url: str
    code: Secret[str]

    def token_request(self) -> TokenRequest:
        return TokenRequest("POST", self.url, json={"code": self.code.reveal()})

    def read(self, reply: Reply) -> Grant:
        body = reply.json()
        return Grant({"X-API-Key": body["key"]}, life=body["minutes"] * 60)


class Mark(AuthBackend):
    """Signs, and obtains nothing."""

    def __init__(self, words: list[str]) -> None:
        self.words = words

    def sign(self, request: requests.PreparedRequest, token: Token | None) -> None:
        request.headers["X-Words"] = " ".join(self.words)


def door(api: Handle, backend: type[AuthBackend] = DoorCode, **options: Any) -> dict[str, Any]:
    given = {"url": "/login", "code": "hunter2", **options}
    return {"BASE_URL": api.base_url, "AUTH": {"BACKEND": backend, "OPTIONS": given}}


class Pass(DoorCode):
    """Renews itself by what the last reply gave."""

    def refresh_request(self, refresh_token: Secret[str]) -> TokenRequest:
        return TokenRequest("POST", self.url, json={"pass": refresh_token.reveal()})

    def read(self, reply: Reply) -> Grant:
        body = reply.json()
        return Grant({"X-API-Key": body["key"]}, refresh_token=body["pass"])


def test_a_backend_of_ones_own_can_refresh() -> None:
    own = Pass(url="/login", code=Secret("hunter2"))
    assert (own.obtains, own.refreshes, own.timed, own.grace) == (True, True, False, 0)
    assert own.refresh_token_in(Reply(200, {}, b'{"key":"k","pass":"p"}')) == Secret("p")
    assert own.ends_grant("invalid_grant")
    assert not own.ends_grant("invalid_client")
    assert own.grant_identity() == own.identity()
    assert (own.first_refresh_token, own.successor, own.for_subject("joe")) == (None, None, own)
    assert own.refresh_revocation_request(Secret("p")) is None


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"key":"a\\nb","pass":"p"}', b"[" * 99_999])
def test_looking_for_a_refresh_token_never_fails(body: bytes) -> None:
    own = Pass(url="/login", code=Secret("hunter2"))
    assert own.refresh_token_in(Reply(200, {}, body)) is None


def test_an_identity_is_in_plain_types_and_every_text_of_a_secret_is_known() -> None:
    own = Mark([])
    vars(own).update(a={"b", "a"}, c=Secret({"x": ["one", {"y": "two"}], "n": 7}), d=object())
    assert own.identity() == {
        "words": [],
        "a": ["a", "b"],
        "c": {"x": ["one", {"y": "two"}], "n": 7},
        "d": "builtins.object",
    }
    assert own.secrets() == ["one", "two"]
    assert AuthBackend().revocation_request(Token("id", 1, {}, 0, 1, 1, 1)) is None


def test_a_request_may_have_no_body() -> None:
    assert TokenRequest("GET", "/token").content == (b"", "")


def test_ten_lines_obtain_keep_and_renew_a_token(api: Handle, api_clients: Configure) -> None:
    api.set(login_reply={"key": "{token}", "minutes": 10})
    api_clients(door=door(api))
    first = clients["door"].get("echo").json()["headers"]["x-api-key"]
    assert clients["door"].get("echo").json()["headers"]["x-api-key"] == first
    api.expire_all()
    assert clients["door"].get("echo").json()["headers"]["x-api-key"] != first
    assert [asked["fields"] for asked in api.token_requests] == [{"code": "hunter2"}] * 2


def test_a_dotted_path_names_it_too(api: Handle, api_clients: Configure) -> None:
    api.set(open=True)
    path = f"{__name__}.Mark"
    auth = {"BACKEND": path, "OPTIONS": {"words": ["a", "b"]}}
    api_clients(own={"BASE_URL": api.base_url, "AUTH": auth})
    assert clients["own"].get("echo").json()["headers"]["x-words"] == "a b"
    assert clients["own"].inspect().backend == path
    assert clients["own"].inspect().state == "static"


@pytest.mark.parametrize(
    "reply",
    [{}, {"key": None, "minutes": 1}, {"key": "k", "minutes": None}, {"key": "", "minutes": 1}],
    ids=repr,
)
def test_a_reply_that_it_cannot_read_is_token_unavailable(
    api: Handle, api_clients: Configure, reply: dict[str, Any]
) -> None:
    api.set(login_reply=reply)
    api_clients(door=door(api))
    with pytest.raises(TokenUnavailable, match="the auth backend failed") as caught:
        clients["door"].get("echo")
    assert "hunter2" not in f"{caught.value}{caught.value.__cause__!r}"
    assert api.count(200) == 0


@pytest.mark.parametrize("life", [inf, nan, 1e300, -1.0, 0.0, None])
def test_an_absurd_life_stands_for_the_default(life: float | None) -> None:
    assert Grant({"X-Key": "k"}, life=life).life == Grant.DEFAULT_LIFE


class Everlasting(DoorCode):
    def read(self, reply: Reply) -> Grant:
        return Grant({"X-API-Key": reply.json()["key"]}, life=inf)


def test_a_token_for_ever_is_stored_and_inspected_as_any_other(
    api: Handle, api_clients: Configure
) -> None:
    api.set(login_reply={"key": "{token}"})
    api_clients(door=door(api, Everlasting))
    clients["door"].get("echo")
    seen = clients["door"].inspect()
    assert seen.store_available
    assert seen.state == "fresh"


@pytest.mark.parametrize(
    "value",
    ["", "  ", "a\nb", "a\r\nX-Evil: 1", "a\x00", "ü", "a\x7f", 7, None, "a" * (HEADER_LIMIT + 1)],
    ids=lambda value: repr(value)[:20],
)
def test_a_header_that_cannot_be_sent_is_refused_and_not_shown(value: Any) -> None:
    with pytest.raises(ValueError, match="the value for header X-Key") as caught:
        Grant({"X-Key": value})
    assert "Evil" not in str(caught.value)


def test_several_headers_are_put_on_the_request() -> None:
    grant = Grant({"X-Id": "1", "X-Key": Secret("hunter2")}, life=60)
    request = requests.Request("GET", "https://api.example/").prepare()
    token = Token("id", 1, grant.headers, 0, 50, 55, 60)
    AuthBackend().sign(request, token)
    assert (request.headers["X-Id"], request.headers["X-Key"]) == ("1", "hunter2")
    assert "hunter2" not in repr(grant)
