"""A token request that is given up ends: no thread is left behind to read on."""

import threading
import time

import pytest
import requests

from apiclient_app import TokenUnavailable, clients
from tests.conftest import Configure
from tests.servers import Handle, Reply


def own_session() -> requests.Session:
    return requests.Session()


def asking() -> set[threading.Thread]:
    return {thread for thread in threading.enumerate() if thread.name == "apiclient-token"}


@pytest.mark.parametrize("session", [None, own_session], ids=["ours", "the user's own"])
@pytest.mark.parametrize(("style", "seconds"), [("hang", 0.4), ("drip", 1.3)])
def test_the_thread_of_a_token_request_ends_soon_after_its_time(
    api: Handle, api_clients: Configure, style: str, seconds: float, session: object
) -> None:
    api_clients(api=api.config(TOKEN_TIMEOUT=seconds, SESSION=session))
    api.always("/token", Reply(body="x" * 60, style=style))  # type: ignore[arg-type]
    before = asking()
    with pytest.raises(TokenUnavailable, match="TOKEN_TIMEOUT"):
        clients["api"].get("echo")
    deadline = time.monotonic() + 2
    while asking() - before and time.monotonic() < deadline:
        time.sleep(0.01)
    assert asking() <= before
    # The provider notices later; it must not count that reply's end for the next test.
    while not api.count(200, "/token") and time.monotonic() < deadline + 3:
        time.sleep(0.01)
