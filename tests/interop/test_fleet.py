"""One grant, held by the threads of several processes."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.grants.crew import mustered

from .authority import Authority
from .keys import key
from .options import signing

pytestmark = pytest.mark.interop

EXPIRIES = 20


def test_twenty_expiries_use_each_refresh_token_once(
    authority: Authority, redis_url: str, tmp_path: Path, tell: Callable[[str], None]
) -> None:
    authority.register("private_key_jwt", key("ES256"))
    options = {**signing(key("ES256")), "refresh_token": authority.consent("kim")}
    database = {"ENGINE": "django.db.backends.sqlite3", "NAME": str(tmp_path / "db.sqlite3")}
    settings = {
        "API_CLIENTS": {"api": authority.config("RefreshToken", **options)},
        "DATABASES": {"default": database},
    }
    with mustered(tmp_path, redis_url, 2, settings) as crew:
        crew.start(threads=4, every=0.1)
        for _ in range(EXPIRIES):
            time.sleep(1)
            authority.expire()
        time.sleep(1)
        calls = crew.stop()
    assert not calls.failed
    assert len(calls) > EXPIRIES
    sent = [asked["refresh_token"] for asked in authority.seen]
    assert len(set(sent)) == len(set(authority.jtis)) == len(sent) <= EXPIRIES + 1
    assert {asked["status"] for asked in authority.seen} == {200}
    tell(f"oidc-provider: {EXPIRIES} expiries, {len(sent)} refreshes, {len(calls)} calls")
