"""The command as a process of its own, as a shell or cron runs it."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests import settings as test_settings

Start = Callable[..., "subprocess.Popen[bytes]"]
Run = Callable[..., "subprocess.CompletedProcess[str]"]

TOP = Path(__file__).resolve().parent.parent.parent
LIMIT = 30


@pytest.fixture
def start(redis_url: str, tmp_path: Path) -> Start:
    """Start `manage.py apiclient` with these words: `start("list", shop=api.config())`.

    `setting` are more settings than API_CLIENTS.
    """

    def popen(*words: str, env: dict[str, str] | None = None, **more: Any) -> Any:
        streams = ("stdin", "stdout", "stderr", "preexec_fn")
        options = {name: more.pop(name) for name in streams if name in more}
        settings = {**more.pop("setting", {}), "API_CLIENTS": more}
        lines = [f"{name} = {value!r}" for name, value in settings.items()]
        (tmp_path / "command_settings.py").write_text(
            "\n".join(["from tests.settings import *", *lines, ""])
        )
        environment = {
            **os.environ,
            "REDIS_URL": redis_url,
            "TEST_RUN": test_settings.RUN,
            "PYTHONPATH": f"{tmp_path}{os.pathsep}{TOP}",
            "DJANGO_SETTINGS_MODULE": "command_settings",
            "PYTHONUNBUFFERED": "",  # buffers are where a closed pipe hurts
            **(env or {}),
        }
        command = ["migrate", "-v0"] if words == ("migrate",) else ["apiclient", *words]
        return subprocess.Popen(
            [sys.executable, "manage.py", *command],
            cwd=TOP,
            env=environment,
            **{"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options},
        )

    return popen


@pytest.fixture
def database(run: "Run", tmp_path: Path) -> dict[str, Any]:
    """Give settings with a database for processes: `run("list", setting=database, …)`."""
    engine = {"ENGINE": "django.db.backends.sqlite3", "NAME": str(tmp_path / "db.sqlite3")}
    setting = {"DATABASES": {"default": engine}}
    assert run("migrate", setting=setting).returncode == 0
    return setting


@pytest.fixture
def run(start: Start) -> Run:
    """Run it to its end; `given` is its stdin. Gives its output as text, and its exit code."""

    def completed(*words: str, given: bytes = b"", **more: Any) -> Any:
        with start(*words, stdin=subprocess.PIPE, **more) as process:
            try:
                out, err = process.communicate(given, LIMIT)
            finally:
                process.kill()
        return subprocess.CompletedProcess(
            process.args,
            process.returncode,
            (out or b"").decode(),
            (err or b"").decode(),
        )

    return completed
