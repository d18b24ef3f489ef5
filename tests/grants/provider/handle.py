"""The test's side of the provider: start it, mint grants, end tokens, read its journal."""

import json
import os
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from math import inf
from pathlib import Path
from typing import Any

import requests

from project.demo.child import Child
from project.demo.fleet import answers
from project.postgres import Postgres
from project.valkey import HOST

from . import CLIENT_ID, CLIENT_SECRET
from .seen import UNREST

THREADS = 96
CALM_SECONDS, RECENT_SECONDS = 1.0, 0.3


@dataclass(frozen=True)
class Seen:
    """What the provider saw since its last reset: token requests, and who has a grant still."""

    asked: list[dict[str, Any]]
    alive: list[str]

    @property
    def issued(self) -> int:
        """How many token requests were granted, whether or not the reply arrived."""
        return sum(entry["status"] == 200 for entry in self.asked)

    @property
    def repeated(self) -> list[dict[str, Any]]:
        """The requests with a refresh token that had been used successfully before."""
        used: set[str] = set()
        repeated = []
        for entry in self.asked:
            if entry["refresh_token"] in used:
                repeated.append(entry)
            if entry["status"] == 200:
                used.add(entry["refresh_token"])
        return repeated

    @property
    def reused(self) -> int:
        """How many of these it took for a theft."""
        return sum(entry["status"] != 200 for entry in self.repeated)


class Provider:
    """A running provider."""

    def __init__(self, port: int, grace: int) -> None:
        self.port, self.grace = port, grace
        self.origin = f"http://{HOST}:{port}"
        self.token_url = f"{self.origin}/o/token/"

    def client(self, refresh_token: str = "", **options: Any) -> dict[str, Any]:
        """Give a value for `API_CLIENTS[alias]`: a client with this first refresh token."""
        given = {
            "token_url": self.token_url,
            "client_id": CLIENT_ID,
            "client_secret": CLIENT_SECRET,
            "grace": self.grace,
            **({"refresh_token": refresh_token} if refresh_token else {}),
            **options,
        }
        auth = {"BACKEND": "apiclient_app.auth.RefreshToken", "OPTIONS": given}
        return {"BASE_URL": f"{self.origin}/api/", "AUTH": auth}

    def mint(self, user: str = "ann") -> str:
        """Give the first refresh token of a new grant of this user."""
        return str(self._control("mint", user=user)["refresh_token"])

    def expire(self) -> int:
        """End every access token; tell how many were alive."""
        return int(self._control("expire")["expired"])

    def settled(self) -> bool:
        """Whether all users' calls are answered, and it has been calm for long enough for each of
        their processes to have the latest token."""
        latest = self._control("latest")
        calm = latest.pop(UNREST, inf) > CALM_SECONDS
        return calm and bool(latest) and max(latest.values()) < RECENT_SECONDS

    def seen(self) -> Seen:
        return Seen(**self._control("seen"))

    def reset(self) -> None:
        self._control("reset")

    def _control(self, order: str, **fields: str) -> dict[str, Any]:
        with requests.Session() as session:
            session.trust_env = False
            reply = session.post(f"{self.origin}/control/{order}", data=fields, timeout=30)
        reply.raise_for_status()
        return dict(reply.json())


@contextmanager
def running(postgres: Postgres, folder: Path, grace: int) -> Iterator[Provider]:
    """Run a provider that takes a used refresh token again for so many seconds."""
    name = f"provider_{grace}"
    postgres.create(name)
    environment = {
        **os.environ,
        "PROVIDER_DATABASE": json.dumps(postgres.settings(name)),
        "PROVIDER_GRACE": str(grace),
    }
    # Idle connections are kept for longer than anybody is idle here.
    options = ["--workers=1", f"--threads={THREADS}", "--keep-alive=75", "--graceful-timeout=1"]
    with socket.create_server((HOST, 0), backlog=512) as listener:
        provider = Provider(listener.getsockname()[1], grace)
        fixed = [
            f"--bind=fd://{listener.fileno()}",
            "--worker-class=gthread",
            "--no-control-socket",
        ]
        words = [sys.executable, "-m", "gunicorn", *fixed, *options, "tests.grants.provider.wsgi"]
        child = Child(words, folder / f"{name}.log", environment, [listener.fileno()])
    try:
        child.wait_until(lambda: answers(f"{provider.origin}/control/seen"))
        yield provider
    finally:
        child.stop()
