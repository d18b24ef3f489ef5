"""Asking a token endpoint: a fresh connection, no redirect, bounded in time and memory."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from contextvars import copy_context
from typing import Any

import requests

from apiclient_app.exceptions import RequestTimeout, TransportError

REPLY_LIMIT = 1_048_576
PIECE = 65_536


class FreshAdapter(requests.adapters.HTTPAdapter):
    """Keeps hold of its connections, so that another thread can cut them off.

    `response` is what is being read, also where another adapter (SESSION) brought it.
    """

    def __init__(self) -> None:
        super().__init__(pool_connections=1, pool_maxsize=1)
        self.opened: list[Any] = []
        self.response: Any = None

    def get_connection_with_tls_context(self, *args: Any, **kwargs: Any) -> Any:
        pool: Any = super().get_connection_with_tls_context(*args, **kwargs)
        create, opened = pool.ConnectionCls, self.opened

        def remembered(*args: Any, **kwargs: Any) -> Any:
            connection = create(*args, **kwargs)
            opened.append(connection)
            return connection

        pool.ConnectionCls = remembered
        return pool

    def cut(self) -> None:
        for connection in self.opened:
            if (sock := getattr(connection, "sock", None)) is not None:
                with suppress(OSError):
                    sock.shutdown(2)
        # None before urllib3 2.3: there, the thread reads on until the server has done.
        shutdown = getattr(getattr(self.response, "raw", None), "shutdown", None)
        if shutdown is not None:
            with suppress(OSError, ValueError, RuntimeError):
                shutdown()


def within(
    seconds: float,
    work: Callable[[], Any],
    cut: Callable[[], None],
    held_up: list[BaseException] | None = None,
) -> Any:
    """Give what `work` gives; RequestTimeout after `seconds`, whatever it does meanwhile.

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
    thread = threading.Thread(target=context.run, args=(do,), daemon=True, name="apiclient-token")
    thread.start()
    began = time.monotonic()
    try:
        done.wait(seconds)
    except BaseException as error:  # Ctrl-C, or a task's time limit
        if held_up is None:
            raise
        held_up.append(error)
        done.wait(max(0.0, began + seconds - time.monotonic()))
    if "value" in outcome:
        return outcome["value"]
    if not done.is_set():
        cut()
        raise RequestTimeout(f"no whole reply within TOKEN_TIMEOUT ({seconds:g} s)")
    raise outcome["error"]


def bounded_body(response: requests.Response) -> bytes:
    """Read at most `REPLY_LIMIT` decoded bytes; TransportError if there are more."""
    pieces, size = [], 0
    for piece in response.iter_content(PIECE):
        size += len(piece)
        if size > REPLY_LIMIT:
            raise TransportError(f"the reply is longer than {REPLY_LIMIT} bytes")
        pieces.append(piece)
    return b"".join(pieces)
