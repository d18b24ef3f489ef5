"""Cookies: kept per thread for the application's own calls, and never for a subject."""

import threading
from typing import Any

import pytest

from tests.conftest import Configure
from tests.servers import Handle, Reply

from .ways import Callers

SETTING = {"Set-Cookie": "sid=hunter2; Path=/"}
BY_THREAD = ("requests", "curl", "many")


@pytest.fixture
def configured(api: Handle, api_clients: Configure) -> None:
    api.set(open=True)
    api_clients(api={"BASE_URL": api.base_url})
    api.always("/api/login", Reply(headers=SETTING))
    api.always("/api/gone", Reply(headers={"Set-Cookie": "sid=; Path=/; Max-Age=0"}))
    there = {**SETTING, "Location": "/api/echo"}
    api.always("/api/enter", Reply(302, headers=there))


def cookie(client: Any) -> str | None:
    return client.get("echo").json()["headers"].get("cookie")  # type: ignore[no-any-return]


@pytest.mark.usefixtures("configured")
def test_cookies_of_the_application_come_back_until_they_end(clients: Callers) -> None:
    client = clients["api"]
    assert client.get("login").cookies.get_dict() == {"sid": "hunter2"}
    assert cookie(client) == "sid=hunter2"
    client.get("gone")
    assert cookie(client) is None


@pytest.mark.usefixtures("configured")
@pytest.mark.parametrize("subject", ["", "joe"])
def test_cookies_go_along_a_redirect(clients: Callers, subject: str) -> None:
    client = clients["api"].for_subject(subject) if subject else clients["api"]
    assert client.get("enter").json()["headers"]["cookie"] == "sid=hunter2"
    assert cookie(client) == (None if subject else "sid=hunter2")


@pytest.mark.usefixtures("configured")
def test_cookies_of_a_subject_are_nobodys(clients: Callers) -> None:
    joe, ann = (clients["api"].for_subject(name) for name in ("joe", "ann"))
    assert joe.get("login").cookies.get_dict() == {"sid": "hunter2"}
    assert [cookie(client) for client in (joe, ann, clients["api"])] == [None] * 3
    clients["api"].get("login")
    assert [cookie(client) for client in (joe, ann)] == [None] * 2


@pytest.mark.usefixtures("configured")
@pytest.mark.parametrize("clients", BY_THREAD, indirect=True)
def test_cookies_are_kept_by_thread(clients: Callers) -> None:
    clients["api"].get("login")
    seen: list[str | None] = []
    thread = threading.Thread(target=lambda: seen.append(cookie(clients["api"])))
    thread.start()
    thread.join()
    assert seen == [None]
    assert cookie(clients["api"]) == "sid=hunter2"


@pytest.mark.usefixtures("configured")
def test_a_cookie_of_the_call_goes_with_that_call(clients: Callers) -> None:
    sent = clients["api"].get("echo", cookies={"a": "1"}).json()["headers"]["cookie"]
    assert sent == "a=1"
    assert cookie(clients["api"]) is None
