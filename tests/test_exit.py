"""A process that ends while a token is being asked for keeps what comes of it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from apiclient_app import clients
from tests import settings as test_settings
from tests.conftest import Configure
from tests.servers import Handle

PROGRAM = """
import asyncio, sys
import django
django.setup()
from apiclient_app import DeadlineExceeded, clients
client = clients["shop"]
client.inspect()  # what is imported with the first call, is
if sys.argv[1] == "called":
    try:
        client.get("echo", deadline=0.7)
    except DeadlineExceeded:
        print("gone")
elif sys.argv[1] == "awaited":
    async def cancelled():
        async with asyncio.timeout(0.7):
            await client.aget("echo")
    try:
        asyncio.run(cancelled())
    except TimeoutError:
        print("gone")
else:
    from apiclient_app import Call
    (late,) = client.map([Call("GET", "echo", deadline=0.7)], return_exceptions=True)
    print("gone" if isinstance(late, DeadlineExceeded) else late)
"""


@pytest.mark.parametrize("way", ["called", "awaited", "mapped"])
def test_a_token_that_was_asked_for_is_kept_though_the_process_ends(
    api: Handle, api_clients: Configure, redis_url: str, tmp_path: Path, way: str
) -> None:
    settings = {"shop": api.config()}
    api_clients(**settings)
    api.set(token_delay=1.8)
    (tmp_path / "ending_settings.py").write_text(
        f"from tests.settings import *\nAPI_CLIENTS = {settings!r}\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, way],
        env={
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "ending_settings",
            "PYTHONPATH": os.pathsep.join([str(tmp_path), str(Path.cwd())]),
            "REDIS_URL": redis_url,
            "TEST_RUN": test_settings.RUN,
        },
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.stdout, done.stderr, done.returncode) == ("gone\n", "", 0)
    assert len(api.token_requests) == 1
    assert clients["shop"].inspect().state == "fresh"
