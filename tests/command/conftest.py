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
    """Start `manage.py apiclient` with these words: `start("list", shop=api.config())`."""

    def popen(*words: str, env: dict[str, str] | None = None, **more: Any) -> Any:
        streams = ("stdin", "stdout", "stderr", "preexec_fn")
        options = {name: more.pop(name) for name in streams if name in more}
        (tmp_path / "command_settings.py").write_text(
            f"from tests.settings import *\nAPI_CLIENTS = {more!r}\n"
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
        return subprocess.Popen(
            [sys.executable, "manage.py", "apiclient", *words],
            cwd=TOP,
            env=environment,
            **{"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options},
        )

    return popen


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
