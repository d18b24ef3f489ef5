"""Waiting for work that may never end, and no longer than one has."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextvars import copy_context
from typing import Any

from apiclient_app.exceptions import RequestTimeout


def within(
    seconds: float,
    work: Callable[[], Any],
    cut: Callable[[], None],
    complaint: str,
    held_up: list[BaseException] | None = None,
) -> Any:
    """Give what `work` gives; RequestTimeout (`complaint`) after `seconds`, whatever it does.

    A socket timeout bounds one read, not the sum of them: a server that drips a byte a second
    holds a plain `requests.post(timeout=10)` for as long as it likes. So the work is done in a
    thread of its own, and its connection is cut when time is up. With a list `held_up`, an
    interruption is put there, and the work goes on; a second one counts.
    """
    outcome: dict[str, Any] = {}
    done = threading.Event()  # not join(): interrupted, it takes the thread for ended (bpo-45274)

    def do() -> None:
        try:
            outcome["value"] = work()
        except BaseException as error:  # noqa: BLE001  # raised again in the caller's thread
            outcome["error"] = error
        finally:
            done.set()

    context = copy_context()
    thread = threading.Thread(target=context.run, args=(do,), daemon=True, name="apiclient-call")
    thread.start()
    began = time.monotonic()
    try:
        done.wait(seconds)
    except BaseException as error:  # Ctrl-C, or a task's time limit
        if held_up is None:
            raise
        held_up.append(error)
        done.wait(max(0.0, began + seconds - time.monotonic()))
    finished = done.is_set()  # first: it may be done between the two looks
    if "value" in outcome:
        return outcome["value"]
    if not finished:
        cut()
        raise RequestTimeout(f"{complaint} ({seconds:g} s)")
    raise outcome["error"]
