"""Logging in where the API has an endpoint of its own making for it."""

from typing import Any

import pytest

from apiclient_app import TokenUnavailable, clients
from apiclient_app.auth import Login, OptionError, Reply, Secret
from apiclient_app.auth.options import build
from apiclient_app.conf.masking import masked_option
from tests.conftest import Configure
from tests.servers import Handle

from .replies import reply

CREDENTIALS = {"user": "app", "pin": 1234, "nested": {"key": "hunter2"}}


def backend(**options: Any) -> Login:
    return Login(**{"login_url": "login", "credentials": Secret(CREDENTIALS), **options})


def configured(api: Handle, **options: Any) -> dict[str, Any]:
    given = {"login_url": "../login", "credentials": {"user": "u", "password": "p"}, **options}
    auth = {"BACKEND": "apiclient_app.auth.Login", "OPTIONS": given}
    return {"BASE_URL": api.base_url, "AUTH": auth}


def test_credentials_are_posted_as_json() -> None:
    request = backend(headers={"X-Tenant": "one"}).token_request()
    assert (request.method, request.url) == ("POST", "login")
    assert request.json == CREDENTIALS
    assert request.content[1] == "application/json"
    assert request.headers == {"Accept": "application/json", "X-Tenant": "one"}


def test_credentials_are_posted_as_a_form() -> None:
    request = backend(credentials=Secret({"user": "a b", "pin": 1}), body="form").token_request()
    assert request.content == (b"user=a+b&pin=1", "application/x-www-form-urlencoded")


def test_a_login_url_is_relative_to_the_base_url(api: Handle, api_clients: Configure) -> None:
    api_clients(api=configured(api))
    assert clients["api"].get("echo").status_code == 200
    assert api.token_requests[0]["fields"] == {"user": "u", "password": "p"}


def test_a_token_is_found_where_the_reply_has_it(api: Handle, api_clients: Configure) -> None:
    api.set(login_reply={"auth": [{"jwt": "{token}"}], "ttl": {"ms": 60_000}})
    api_clients(
        api=configured(
            api, token_path="auth.0.jwt", expires_path="ttl.ms", expires_unit="milliseconds"
        )
    )
    token = clients["api"].token()
    assert token.expires_at - token.obtained_at == pytest.approx(60, abs=2)
    assert clients["api"].get("echo").status_code == 200


def test_a_token_goes_into_the_header_that_the_api_wants(
    api: Handle, api_clients: Configure
) -> None:
    api_clients(api=configured(api, header="X-API-Key", prefix=""))
    headers = clients["api"].get("echo").json()["headers"]
    assert "authorization" not in headers
    assert " " not in headers["x-api-key"]


@pytest.mark.parametrize("found", [{}, {"access_token": None}, {"access_token": 7}])
def test_a_reply_without_the_token_says_where_it_was_due(found: dict[str, Any]) -> None:
    reply = Reply(200, {}, b"{}" if not found else str(found).replace("'", '"').encode())
    with pytest.raises(TokenUnavailable, match=r"'access_token' where the token was due|JSON"):
        backend().read(reply)


def test_every_credential_is_known_to_redaction_and_none_is_shown() -> None:
    own = backend(headers={"X-Api-Key": "k3y-of-the-app", "X-Tenant": "one"})
    assert {"app", "hunter2", "k3y-of-the-app"} <= set(own.secrets())
    assert "one" not in own.secrets()
    assert "hunter2" not in f"{own!r}{vars(own)}"


def test_other_credentials_are_another_identity() -> None:
    other = backend(credentials=Secret({**CREDENTIALS, "pin": 4321}))
    assert other.identity() != backend().identity()


def refreshing(**options: Any) -> Login:
    return backend(refresh_url="refresh", **options)


PAIR = reply({"access_token": "abc", "refresh_token": "r2", "expires_in": 60})


def test_without_a_refresh_url_there_is_nothing_to_refresh() -> None:
    assert (backend().obtains, backend().refreshes) == (True, False)
    assert backend().read(PAIR).refresh_token is None
    assert backend().refresh_token_in(PAIR) is None


def test_with_a_refresh_url_the_refresh_token_is_kept() -> None:
    own = refreshing()
    assert (own.obtains, own.refreshes) == (True, True)
    assert own.read(PAIR).refresh_token == Secret("r2")
    assert own.refresh_token_in(PAIR) == Secret("r2")
    assert own.read(reply({"access_token": "abc"})).refresh_token is None


def test_the_refresh_token_is_found_where_the_reply_has_it() -> None:
    own = refreshing(token_path="data.jwt", refresh_token_path="data.renew")
    answer = reply({"data": {"jwt": "abc", "renew": "r2"}})
    assert own.read(answer).refresh_token == Secret("r2")


def test_a_refresh_token_is_posted_unless_told_otherwise() -> None:
    request = refreshing(headers={"X-Tenant": "one"}).refresh_request(Secret("r1"))
    assert (request.method, request.url) == ("POST", "refresh")
    assert request.json == {"refresh_token": "r1"}
    assert request.headers == {"Accept": "application/json", "X-Tenant": "one"}
    assert "r1" not in repr(request)


def test_a_refresh_token_takes_its_place_however_deep() -> None:
    template = {
        "grant": {"value": "{refresh_token}", "of": ["<{refresh_token}>", 7, None]},
        "device": "d-1",
    }
    own = refreshing(refresh_credentials=Secret(template))
    assert own.refresh_request(Secret("r{0}%s")).json == {
        "grant": {"value": "r{0}%s", "of": ["<r{0}%s>", 7, None]},
        "device": "d-1",
    }
    assert template["device"] == "d-1"
    assert own.refresh_request(Secret("r2")).json["grant"]["value"] == "r2"


def test_a_refresh_can_be_a_form() -> None:
    own = refreshing(body="form", refresh_credentials={"rt": "{refresh_token}", "n": 1})
    assert own.refresh_request(Secret("a b")).content[0] == b"rt=a+b&n=1"


def test_a_refresh_token_can_go_into_a_header_alone() -> None:
    own = refreshing(
        headers={"X-Tenant": "one"},
        refresh_credentials={},
        refresh_headers={"Authorization": "Bearer {refresh_token}", "X-Kind": "refresh"},
    )
    request = own.refresh_request(Secret("r1"))
    assert request.json == {}
    assert request.headers == {
        "Accept": "application/json",
        "X-Tenant": "one",
        "Authorization": "Bearer r1",
        "X-Kind": "refresh",
    }


@pytest.mark.parametrize("text", ["r\r\nX-Evil: 1", "r\x00", "r\x7f", "rü", "r" * 70_000])
def test_a_refresh_token_that_no_header_can_carry_is_not_sent(text: str) -> None:
    own = refreshing(refresh_headers={"X-Refresh": "{refresh_token}"})
    with pytest.raises(ValueError, match="the value for header X-Refresh") as caught:
        own.refresh_request(Secret(text))
    assert "Evil" not in str(caught.value)
    assert refreshing().refresh_request(Secret(text)).json == {"refresh_token": text}


@pytest.mark.parametrize(
    ("error", "ends"),
    [
        ("invalid_grant", True),
        ("http_401", True),
        ("http_400", True),
        ("http_403", False),
        ("http_429", False),
        ("server_error", False),
        ("unreadable", False),
    ],
)
def test_a_refusal_to_refresh_ends_the_grant_and_the_credentials_give_another(
    error: str, ends: bool
) -> None:
    assert refreshing().ends_grant(error) is ends


def test_a_grant_belongs_to_the_credentials() -> None:
    other = Secret({**CREDENTIALS, "user": "ann"})
    assert refreshing(credentials=other).grant_identity() != refreshing().grant_identity()
    assert refreshing(default_life=60.0).grant_identity() == refreshing().grant_identity()


LOGIN = {"login_url": "login", "credentials": {"user": "u"}}


@pytest.mark.parametrize(
    "options",
    [{"refresh_headers": {"X-R": "{refresh_token}"}}, {"refresh_credentials": {"r": "x"}}],
    ids=str,
)
def test_a_template_needs_a_url_to_send_it_to(options: dict[str, Any]) -> None:
    _, (problem,) = build(Login, {**LOGIN, **options})
    assert (problem.kind, problem.option) == ("missing", "refresh_url")


@pytest.mark.parametrize("given", [{}, {"refresh_token": "{refreshtoken}"}], ids=str)
def test_a_template_without_a_place_for_the_token_is_told(given: dict[str, Any]) -> None:
    with pytest.raises(OptionError, match="where the token belongs"):
        refreshing(refresh_credentials=given)
    options = {**LOGIN, "refresh_url": "r", "refresh_credentials": given}
    _, (problem,) = build(Login, options)
    assert (problem.kind, problem.option) == ("wrong", "refresh_credentials")


def test_what_a_template_holds_is_masked_and_known_to_redaction() -> None:
    template = {"refresh_token": "{refresh_token}", "pin": "hunter3"}
    options = {**LOGIN, "refresh_url": "r", "refresh_credentials": template}
    own, problems = build(Login, options)
    assert problems == []
    assert own is not None
    assert "hunter3" in own.secrets()
    assert not [text for text in own.secrets() if "{" in text]
    shown = f"{own!r}{vars(own)}{masked_option(own, 'refresh_credentials', template)}"
    assert "hunter3" not in shown
