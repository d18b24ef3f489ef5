"""What the demo consists of: the provider, the site, a Celery worker."""

import os
import secrets
import shutil
import socket
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from typing import Self

import redis
import requests

from .child import BASE_DIR, Child

HOST = "127.0.0.1"
PROVIDER_THREADS = 64
SITE_PROCESSES, SITE_THREADS = 4, 8
WORKER_PROCESSES = 4


class Fleet:
    """The processes of one run: start those you need; all are gone on leaving.

    Nothing is shared with another run, not even in the same Redis: ports, folder and keys are
    its own.
    """

    def __init__(self, redis_url: str) -> None:
        self.run = f"demo-{secrets.token_hex(3)}"
        self.redis_url = redis_url
        self.folder = BASE_DIR / "var" / self.run
        self.provider_url = self.site_url = ""
        self._starting: list[tuple[Child, Callable[[], bool]]] = []
        self._children: list[Child] = []

    @property
    def settings(self) -> dict[str, str]:
        """The environment variables that `project.settings` reads."""
        return {
            "DEMO_RUN": self.run,
            "DJANGO_SETTINGS_MODULE": "project.settings",
            "PROVIDER_URL": self.provider_url,
            "REDIS_URL": self.redis_url,
            "NO_PROXY": HOST,
            "no_proxy": HOST,
        }

    @property
    def environment(self) -> dict[str, str]:
        """Ours and `settings`, without what would lead a process of the fleet astray."""
        astray = ("CELERY_", "DJANGO_", "GUNICORN_", "PROVIDER_")
        ours = {name: value for name, value in os.environ.items() if not name.startswith(astray)}
        return ours | self.settings

    def start_provider(self) -> None:
        # One process, as it counts in memory. It keeps idle connections for longer than anybody
        # is idle here: closed just when the next call is sent, one would fail that call.
        options = ["--workers=1", f"--threads={PROVIDER_THREADS}", "--keep-alive=75"]
        self.provider_url = self._serve("provider", "project.provider.wsgi", options, "/seen/")

    def start_site(self) -> None:
        # Preloaded: what is set up before the fork must survive it.
        options = [f"--workers={SITE_PROCESSES}", f"--threads={SITE_THREADS}", "--preload"]
        self.site_url = self._serve("site", "project.wsgi", options, "/admin/login/")

    def start_worker(self, *options: str, app: str = "project.celery") -> None:
        """Start a Celery worker; prefork unless the options say otherwise."""
        options = options or ("--pool=prefork", f"--concurrency={WORKER_PROCESSES}")
        quiet = ["--loglevel=INFO", "--without-gossip", "--without-mingle"]
        worker = self._start("worker", ["celery", f"--app={app}", "worker", *quiet, *options])
        self._starting.append((worker, lambda: b" ready." in worker.log.read_bytes()))

    def wait(self) -> None:
        """Return when all that was started is ready."""
        while self._starting:
            child, ready = self._starting.pop(0)
            child.wait_until(ready)

    def check(self) -> None:
        """Raise `Ended` if any has ended."""
        for child in self._children:
            child.check()

    def manage(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run a management command of the site."""
        return subprocess.run(
            [sys.executable, "manage.py", *words],
            cwd=BASE_DIR,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=60,
        )

    def seen(self) -> Counter[str]:
        """Give what the provider has counted so far."""
        return Counter(fetch(f"{self.provider_url}/seen/").json())

    def expire_tokens(self) -> None:
        """Have the provider end every token before its time."""
        fetch(f"{self.provider_url}/expire/", "POST")

    def __enter__(self) -> Self:
        self.folder.mkdir(parents=True)
        return self

    def __exit__(self, *_: object) -> None:
        for child in self._children:
            child.ask_to_stop()
        for child in self._children:
            child.stop()
        with suppress(redis.RedisError), redis.Redis.from_url(self.redis_url) as connection:
            if keys := list(connection.scan_iter(f"{self.run}:*")):
                connection.delete(*keys)
        shutil.rmtree(self.folder)

    def _serve(self, name: str, application: str, options: list[str], path: str) -> str:
        # It is handed a port that is open already: nobody can take it in between.
        with socket.create_server((HOST, 0), backlog=512) as listener:
            url = f"http://{HOST}:{listener.getsockname()[1]}"
            fd = listener.fileno()
            fixed = [f"--bind=fd://{fd}", "--worker-class=gthread", "--no-control-socket"]
            words = ["gunicorn", *fixed, "--graceful-timeout=3", *options, application]
            child = self._start(name, words, fd)
        self._starting.append((child, lambda: answers(url + path)))
        return url

    def _start(self, name: str, words: list[str], *fds: int) -> Child:
        log = self.folder / f"{name}.log"
        child = Child([sys.executable, "-m", *words], log, self.environment, fds)
        self._children.append(child)
        return child


def fetch(url: str, method: str = "GET") -> requests.Response:
    """Call a process of the fleet, by a connection of its own; raises unless it answers well."""
    with requests.Session() as session:
        session.trust_env = False  # no proxy between processes of one machine
        response = session.request(method, url, timeout=30)
    if not response.ok:
        raise requests.HTTPError(f"{url} answered {response.status_code}: {response.text[:300]}")
    return response


def answers(url: str) -> bool:
    with suppress(requests.RequestException):
        return fetch(url).ok
    return False
