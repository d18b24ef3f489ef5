"""A token endpoint may answer anything: a typed error comes of it, soon, and without a secret."""

from __future__ import annotations

import resource
import time

import pytest

from apiclient_app import TokenRefused, TokenUnavailable, clients
from tests.conftest import Configure
from tests.servers import Handle
from tests.servers.http import Reply

JSON = {"Content-Type": "application/json"}
SECRET = "s3cr3t"

UNREADABLE = {
    "a list": Reply(body='[{"access_token": "x"}]', headers=JSON),
    "null": Reply(body="null", headers=JSON),
    "a text": Reply(body='"token"', headers=JSON),
    "a number": Reply(body="17", headers=JSON),
    "true": Reply(body="true", headers=JSON),
    "HTML": Reply(body="<html>login s3cr3t</html>", headers={"Content-Type": "text/html"}),
    "nothing": Reply(),
    "half an object": Reply(body='{"access_token": "abc', headers=JSON),
    "deeply nested": Reply(body="[" * 100_000, headers=JSON),
    "a number without end": Reply(body='{"expires_in": ' + "9" * 50_000 + "}", headers=JSON),
    "no text at all": Reply(body="\udcff\udcfe\udcfd", headers=JSON),
    "no token": Reply(body='{"token_type": "bearer"}', headers=JSON),
    "an empty token": Reply(body='{"access_token": ""}', headers=JSON),
    "a token that is null": Reply(body='{"access_token": null}', headers=JSON),
    "a token that is a list": Reply(body='{"access_token": ["x"]}', headers=JSON),
    "a token with a line break": Reply(body='{"access_token": "a\\r\\nX-Evil: 1"}', headers=JSON),
    "another token type": Reply(body='{"access_token": "x", "token_type": "mac"}', headers=JSON),
    "503": Reply(503, body="down for s3cr3t"),
    "500 with JSON": Reply(500, body='{"error": "server_error"}', headers=JSON),
    "429": Reply(429, headers={"Retry-After": "7"}),
    "half a reply": Reply(body='{"access_token": "abcdefgh"}', headers=JSON, style="cut"),
    "an unknown encoding": Reply(body="{}", headers={**JSON, "Content-Encoding": "gzip"}),
}


@pytest.mark.parametrize("name", UNREADABLE)
def test_what_grants_nothing_is_token_unavailable(
    api: Handle, api_clients: Configure, name: str
) -> None:
    api_clients(api=api.config())
    api.always("/token", UNREADABLE[name])
    with pytest.raises(TokenUnavailable) as caught:
        clients["api"].get("echo")
    assert caught.value.retry_after is not None
    assert caught.value.retry_after > 0
    assert SECRET not in f"{caught.value}{caught.value.__cause__!r}"
    assert api.count(200) == 0
    assert api.count(401) == 0


REFUSALS = {
    "invalid_client": Reply.of({"error": "invalid_client", "error_description": SECRET}, 401),
    "invalid_scope": Reply.of({"error": "invalid_scope"}, 400),
    "invalid_grant": Reply.of({"error": "invalid_grant"}, 200),
    "http_403": Reply(403, body=f"<html>{SECRET}</html>"),
    "http_404": Reply(404),
}


@pytest.mark.parametrize("error", REFUSALS)
def test_what_asking_again_does_not_mend_is_token_refused(
    api: Handle, api_clients: Configure, error: str
) -> None:
    api_clients(api=api.config())
    api.always("/token", REFUSALS[error])
    with pytest.raises(TokenRefused) as caught:
        clients["api"].get("echo")
    assert caught.value.error == error
    assert SECRET not in f"{caught.value}{caught.value.description}{caught.value.__cause__!r}"
    for _ in range(5):
        with pytest.raises(TokenRefused):
            clients["api"].get("echo")
    assert len(api.token_requests) == 1


@pytest.mark.parametrize("style", ["hang", "drip"])
def test_a_server_that_keeps_us_waiting_is_left_when_token_timeout_is_over(
    api: Handle, api_clients: Configure, style: str
) -> None:
    api_clients(api=api.config(TOKEN_TIMEOUT=1.2))
    body = '{"access_token": "abcdefghijklmnop", "token_type": "bearer"}'
    api.always("/token", Reply(body=body, headers=JSON, style=style))  # type: ignore[arg-type]
    began = time.monotonic()
    with pytest.raises(TokenUnavailable, match="TOKEN_TIMEOUT"):
        clients["api"].get("echo")
    assert 1.0 < time.monotonic() - began < 3.0


@pytest.mark.parametrize("style", ["big", "bomb"])
def test_fifty_megabytes_are_not_read(api: Handle, api_clients: Configure, style: str) -> None:
    api_clients(api=api.config())
    headers = {**JSON, "Content-Encoding": "gzip"} if style == "bomb" else JSON
    api.always("/token", Reply(style=style, headers=headers, megabytes=50))  # type: ignore[arg-type]
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(TokenUnavailable, match="longer than"):
        clients["api"].get("echo")
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown < 20 * 1024  # KiB


def test_retry_after_is_honoured(api: Handle, api_clients: Configure) -> None:
    api_clients(api=api.config())
    api.always("/token", Reply(503, headers={"Retry-After": "40"}))
    with pytest.raises(TokenUnavailable) as caught:
        clients["api"].get("echo")
    assert 38 < (caught.value.retry_after or 0) <= 40


def test_a_recorded_failure_is_mended_by_a_rotation(api: Handle, api_clients: Configure) -> None:
    api_clients(api=api.config())
    api.script("/token", Reply(503))
    with pytest.raises(TokenUnavailable):
        clients["api"].get("echo")
    assert clients["api"].inspect().last_error
    clients["api"].rotate_token()
    assert clients["api"].inspect().last_error == ""
    assert clients["api"].get("echo").status_code == 200


@pytest.mark.parametrize(
    ("said", "life"),
    [
        (60, 60),
        ("60", 60),
        ("60.0", 60),
        (59.5, 59.5),
        (None, 3600),
        (0, 3600),
        (-5, 3600),
        (10**30, 3600),
        ("soon", 3600),
        (True, 3600),
        ([60], 3600),
        ({"seconds": 60}, 3600),
    ],
    ids=repr,
)
def test_a_life_is_read_tolerantly(
    api: Handle, api_clients: Configure, said: object, life: float
) -> None:
    api_clients(api=api.config())
    api.set(expires_in=said, life=3600)
    token = clients["api"].token()
    assert token.expires_at - token.obtained_at == pytest.approx(life, abs=2)
    assert clients["api"].get("echo").status_code == 200


def test_a_reply_behind_a_byte_order_mark_is_read(api: Handle, api_clients: Configure) -> None:
    api_clients(api=api.config())
    api.always("/token", Reply(body='\ufeff{"access_token": "{token}"}', headers=JSON))
    assert clients["api"].get("echo").status_code == 200


def test_the_token_request_carries_no_expired_token(api: Handle, api_clients: Configure) -> None:
    api_clients(api=api.config(OPTIONS={"client_auth": "client_secret_post"}))
    clients["api"].get("echo")
    api.expire_all()
    clients["api"].get("echo")
    asked = [r for r in api.requests if r["path"] == "/token"]
    assert len(asked) == 2
    assert all("authorization" not in r["headers"] for r in asked)


def test_each_token_request_has_a_connection_of_its_own(
    api: Handle, api_clients: Configure
) -> None:
    api_clients(api=api.config())
    for _ in range(3):
        clients["api"].rotate_token()
    ports = [r["peer"] for r in api.requests if r["path"] == "/token"]
    assert len(set(ports)) == 3
