"""Downloads of processes that are small, and of some that are killed."""

import hashlib
import random
import signal
import subprocess
import sys
import time
import tracemalloc
from pathlib import Path

import pytest

from apiclient_app import clients
from tests.conftest import Configure
from tests.servers import Handle
from tests.servers.files import Files

from .conftest import BODY


def test_a_large_download_takes_no_memory(
    api: Handle, api_clients: Configure, target: Path
) -> None:
    api_clients(api=api.config())
    clients["api"].get("echo")
    tracemalloc.start()
    try:
        clients["api"].download("big?mb=60", target)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert target.stat().st_size == 60 << 20
    assert peak < 2 << 20


KILLED = """
import sys, django
from django.conf import settings
settings.configure(SECRET_KEY="x", API_CLIENTS={"api": {"BASE_URL": sys.argv[1]}})
django.setup()
from apiclient_app import clients
clients["api"].download("file", sys.argv[2])
"""


def killed(files: Files, target: Path) -> int:
    """Begin a download in another process and kill it; give its exit code."""
    with subprocess.Popen([sys.executable, "-c", KILLED, files.origin, str(target)]) as process:
        time.sleep(random.uniform(0.6, 1.2))
        process.send_signal(signal.SIGKILL)
        return process.wait()


@pytest.mark.slow
def test_whenever_it_is_killed_the_next_one_ends_it(files: Files, target: Path) -> None:
    files.body = BODY * 100
    wanted = hashlib.sha256(files.body).hexdigest()
    for _ in range(5):
        target.unlink(missing_ok=True)
        tries = 1
        while killed(files, target) and not target.exists():
            tries += 1
            assert tries < 50
        assert hashlib.sha256(target.read_bytes()).hexdigest() == wanted
