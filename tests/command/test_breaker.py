"""`breaker` tells whether calls go, as far as that is known."""

from typing import Any

import pytest

from tests.conftest import Configure
from tests.servers import Handle

from .conftest import Run
from .orders import order

SILENT = "the cache does not answer; other processes may know more"
DOWN = {"REDIS_URL": "redis://127.0.0.1:1/0"}


def circuit_of(api: Handle, auth: bool) -> dict[str, Any]:
    config = api.config(BREAKER=True)
    return config if auth else {"BASE_URL": config["BASE_URL"], "BREAKER": True}


@pytest.mark.parametrize("auth", [True, False], ids=["token", "no token"])
@pytest.mark.parametrize("form", ["table", "json"])
def test_a_cache_that_does_not_answer_leaves_the_circuit_unknown(
    api: Handle, api_clients: Configure, auth: bool, form: str
) -> None:
    api_clients(shop={**circuit_of(api, auth), "CACHE": "dummy"})
    shown = order("breaker", "shop", format=form)
    assert (shown.code, shown.error) == (3, f"shop: {SILENT}")
    if form == "table":
        assert shown.out == "shop: unknown\n"
    else:
        assert shown.document["store_available"] is False


@pytest.mark.parametrize("auth", [True, False], ids=["token", "no token"])
def test_a_redis_that_is_down_is_an_exit_code_for_scripts(
    api: Handle, run: Run, auth: bool
) -> None:
    for word in ("breaker", "inspect"):
        ran = run(word, "shop", env=DOWN, shop=circuit_of(api, auth))
        assert ran.returncode == 3
        assert ran.stderr.endswith(f"apiclient: shop: {SILENT}\n")  # behind a line of the log


def test_an_open_circuit_is_told_once(api: Handle, run: Run) -> None:
    assert run("breaker", "shop", "open", shop=circuit_of(api, True)).returncode == 0
    ran = run("breaker", "shop", shop=circuit_of(api, True))
    assert (ran.returncode, ran.stderr) == (3, "")
    assert ran.stdout.startswith("shop: opened by hand")


def test_without_a_breaker_there_is_nothing_to_see_to(api: Handle, api_clients: Configure) -> None:
    api_clients(shop=api.config(CACHE="dummy"))
    assert order("breaker", "shop").out == "shop: BREAKER is off\n"
    assert order("breaker", "shop").code == 0
