"""The command on PostgreSQL: rows are read and written on a connection of their own."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from project.postgres import Postgres
from tests.servers import Handle

from .conftest import Run
from .grants import refreshing


@pytest.fixture
def postgres() -> Iterator[dict[str, Any]]:
    """Give the settings of a database that is empty."""
    with Postgres() as server:
        server.create("site")
        yield {"DATABASES": {"default": server.settings("site")}}


@pytest.mark.slow
def test_every_word_works_on_postgresql(api: Handle, run: Run, postgres: dict[str, Any]) -> None:
    assert run("migrate", setting=postgres).returncode == 0
    shop = refreshing(api)
    for subject in ("ann", "bob"):
        words = ("store-refresh-token", "shop", "--subject", subject)
        ran = run(*words, given=b"r1", setting={**postgres, "SECRET_KEY": "old"}, shop=shop)
        assert ran.returncode == 0, ran.stderr
    postgres |= {"SECRET_KEY": "new", "SECRET_KEY_FALLBACKS": ["old"]}
    ran = run("reencrypt", setting=postgres, shop=shop)
    assert ran.stdout == "2 encrypted anew, 0 current, 0 unreadable\n"
    postgres |= {"SECRET_KEY_FALLBACKS": []}
    ran = run("check", "shop", "--subject", "ann", setting=postgres, shop=shop)
    assert ran.returncode == 0, ran.stderr
    assert run("revoke", "shop", "--subject", "bob", setting=postgres, shop=shop).returncode == 0
    ran = run("subjects", "--search", "B", "--format", "json", setting=postgres, shop=shop)
    assert [row["state"] for row in json.loads(ran.stdout)["rows"]] == ["no refresh token"]
    ran = run("subjects", "--state", "held", setting=postgres, shop=shop)
    assert ran.stderr == "1 of 1 shown: page 1 of 1\n"
    listed = json.loads(run("list", "--format", "json", setting=postgres, shop=shop).stdout)
    assert (listed[0]["subjects"], listed[0]["subjects_needing_attention"]) == (2, 0)
    ran = run("prune", "--days", "0", setting=postgres, shop=shop)
    assert ran.stdout == "removed: 1 without a refresh token, 0 refused, 0 orphaned\n"
    ran = run("prune", "--orphans", "--days", "0", setting=postgres)
    assert ran.stdout == "removed: 0 without a refresh token, 0 refused, 1 orphaned\n"
