"""On what terms a call is made."""

from __future__ import annotations

from math import inf

import pytest

from apiclient_app import DeadlineExceeded, clients
from apiclient_app.client.guarding import lease
from tests.conftest import Configure
from tests.engines.ways import Callers
from tests.servers import Handle, Reply


@pytest.mark.parametrize("never", [inf, 1e300, 10**400, 1e10, 4294967.5], ids=repr)
def test_a_deadline_in_years_is_none_and_the_next_one_is_kept(
    api: Handle, api_clients: Configure, clients: Callers, never: float
) -> None:
    api_clients(shop=api.config())
    assert clients["shop"].get("echo", deadline=never).status_code == 200
    api.always("/api/echo", Reply(delay=1.0))
    with pytest.raises(DeadlineExceeded):
        clients["shop"].get("echo", deadline=0.1)


@pytest.mark.parametrize(
    ("timeout", "own"),
    [(600, lease(600)), ((1, 300), lease((1, 300))), (None, lease(None)), ("soon", 0.0)],
)
def test_a_timeout_of_its_own_gives_a_call_its_slot_for_as_long(
    api: Handle, api_clients: Configure, timeout: object, own: float
) -> None:
    api_clients(shop=api.config(MAX_IN_FLIGHT=1))
    client = clients["shop"]
    assert client._prepared("GET", "echo", {}).lease == 0.0
    assert client._prepared("GET", "echo", {"timeout": timeout}).lease == own
