"""Our side of the server of our own: start one, arm it, ask what it has seen."""

import http.client
import json
import secrets
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

from .api import Api


@contextmanager
def running(alias: str, delay: float) -> Iterator[Api]:
    """Run a server in a process of its own; each answer of its API takes `delay` seconds."""
    token = secrets.token_urlsafe(600)
    with subprocess.Popen(
        [sys.executable, "-m", "benchmarks.server", str(delay), token],
        stdin=subprocess.PIPE,  # it ends with this process, and so does the server
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            yield Api(f"http://127.0.0.1:{int(process.stdout.readline())}/api/", token, alias)
        finally:
            process.stdin.close()
            process.wait(timeout=10)


def expire_after(api: Api, calls: int) -> None:
    """Let the token expire after so many calls, and count from here."""
    asked(api, f"/expire-after/{calls}")


def seen(api: Api) -> Counter[str]:
    return Counter(json.loads(asked(api, "/seen")))


def asked(api: Api, path: str) -> bytes:
    connection = http.client.HTTPConnection(urlsplit(api.base_url).netloc, timeout=10)
    try:
        connection.request("GET", path)
        return connection.getresponse().read()
    finally:
        connection.close()
