"""The test's side of a provider: start one in a process of its own, turn its knobs, ask it."""

import http.client
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any

from .http import Reply


class Handle:
    """A running provider."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.origin = f"http://127.0.0.1:{port}"
        self.token_url = f"{self.origin}/token"
        self.base_url = f"{self.origin}/api/"

    def config(self, backend: str = "ClientCredentials", **settings: Any) -> dict[str, Any]:
        """Give a value for `API_CLIENTS[alias]`: a client of this provider.

        `OPTIONS` are those of the auth backend; the other settings are the client's own.
        """
        options = {
            "token_url": self.token_url,
            "client_id": "app",
            "client_secret": "s3cr3t",
            **settings.pop("OPTIONS", {}),
        }
        path = backend if "." in backend else f"apiclient_app.auth.{backend}"
        auth = {"BACKEND": path, "OPTIONS": options}
        return {"BASE_URL": self.base_url, "AUTH": auth, **settings}

    def set(self, **knobs: Any) -> None:
        """Turn knobs: see `Knobs`."""
        self._control("set", knobs)

    def script(self, path: str, *replies: Reply) -> None:
        """Answer the next requests at `path` with these, in turn; afterwards as usual."""
        self._control("script", {"path": path, "replies": [asdict(reply) for reply in replies]})

    def always(self, path: str, reply: Reply) -> None:
        """Answer every request at `path` with this. "{token}" in its body becomes a new token."""
        self._control("always", {"path": path, "reply": asdict(reply)})

    def usual(self, path: str) -> None:
        """Take back what `always` said."""
        self._control("usual", {"path": path})

    def consent(self, subject: str) -> str:
        """Give the first refresh token of a new grant."""
        return str(self._control("consent", {"subject": subject}))

    @property
    def issued(self) -> list[str]:
        """Every access and refresh token there has been since the last reset."""
        return list(self._control("issued"))

    @property
    def lost(self) -> list[str]:
        """Subjects whose refresh tokens are void, for one was used again too late."""
        return list(self._control("lost"))

    def expire_all(self) -> None:
        """End every token issued so far."""
        self._control("expire")

    def reset(self) -> None:
        self._control("reset")

    def seen(self) -> dict[str, Any]:
        """Give what it has counted since the last reset: see `Seen`."""
        return dict(self._control("seen"))

    @property
    def requests(self) -> list[dict[str, Any]]:
        """The latest requests, with all their headers."""
        return list(self._control("requests"))

    @property
    def token_requests(self) -> list[dict[str, Any]]:
        return list(self.seen()["token_requests"])

    def count(self, status: int, path: str = "/api/") -> int:
        """How many replies of this status there were at this path, or below it."""
        statuses = self.seen()["statuses"].items()
        return sum(n for key, n in statuses if key.startswith(f"{status} {path}"))

    def _control(self, order: str, document: Any = None) -> Any:
        # Not with requests: a test may have it mocked.
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request("POST", f"/control/{order}", json.dumps(document or {}))
            return json.loads(connection.getresponse().read())
        finally:
            connection.close()


@contextmanager
def running() -> Iterator[Handle]:
    """Run a provider in a process of its own, so that it shares no GIL with its callers."""
    # Its stdin ends with this process, and so does it.
    with subprocess.Popen(
        [sys.executable, "-m", "tests.servers"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            yield Handle(int(process.stdout.readline()))
        finally:
            process.stdin.close()
            process.wait(timeout=10)
