"""Backends that have credentials and refresh tokens: renewed by the one, else by the other."""

from collections.abc import Callable
from typing import Any

import pytest

from apiclient_app import clients
from tests.conftest import Configure
from tests.servers import Handle, Reply

pytestmark = pytest.mark.django_db

Rotate = Callable[[str], None]  # what the next reply brings


def password(api: Handle) -> tuple[dict[str, Any], Rotate, str]:
    options = {"username": "joe", "password": "hunter2"}
    return (
        api.config("Password", OPTIONS=options),
        lambda text: api.set(token_fields={"refresh_token": text}),
        "/token",
    )


def login(api: Handle) -> tuple[dict[str, Any], Rotate, str]:
    options = {
        "login_url": "../login",
        "credentials": {"username": "joe", "password": "hunter2"},
        "refresh_url": "../login",
    }
    auth = {"BACKEND": "apiclient_app.auth.Login", "OPTIONS": options}
    reply = {"access_token": "{token}", "expires_in": 3600}
    return (
        {"BASE_URL": api.base_url, "AUTH": auth},
        lambda text: api.set(login_reply={**reply, "refresh_token": text}),
        "/login",
    )


@pytest.mark.parametrize("configured", [password, login])
def test_a_renewal_uses_each_refresh_token_once_and_the_password_only_where_it_must(
    api: Handle,
    api_clients: Configure,
    configured: Callable[[Handle], tuple[dict[str, Any], Rotate, str]],
) -> None:
    settings, rotate, path = configured(api)
    api_clients(api=settings)
    rotate("r-1")
    assert clients["api"].get("echo").status_code == 200
    for text in ("r-2", "r-3"):
        rotate(text)
        api.expire_all()
        assert clients["api"].get("echo").status_code == 200
    api.expire_all()
    api.script(path, Reply.of({"error": "invalid_grant"}, 400))
    assert clients["api"].get("echo").status_code == 200

    sent = [asked["fields"] for asked in api.token_requests]
    assert [each.get("password") for each in sent] == ["hunter2", None, None, None, "hunter2"]
    assert [each.get("refresh_token") for each in sent] == [None, "r-1", "r-2", "r-3", None]


@pytest.mark.parametrize("configured", [password, login])
def test_a_reply_without_a_refresh_token_keeps_the_old_one(
    api: Handle,
    api_clients: Configure,
    configured: Callable[[Handle], tuple[dict[str, Any], Rotate, str]],
) -> None:
    settings, rotate, _ = configured(api)
    api_clients(api=settings)
    rotate("r-1")
    clients["api"].get("echo")
    rotate("")
    for _ in range(2):
        api.expire_all()
        assert clients["api"].get("echo").status_code == 200
    assert [a["fields"].get("refresh_token") for a in api.token_requests] == [None, "r-1", "r-1"]


def test_a_login_that_is_refused_a_refresh_logs_in_again(
    api: Handle, api_clients: Configure
) -> None:
    settings, rotate, path = login(api)
    api_clients(api=settings)
    rotate("r-1")
    clients["api"].get("echo")
    api.expire_all()
    api.script(path, Reply(401, "<html>no</html>"))
    assert clients["api"].get("echo").status_code == 200
    assert [a["fields"].get("password") for a in api.token_requests] == [
        "hunter2",
        None,
        "hunter2",
    ]
