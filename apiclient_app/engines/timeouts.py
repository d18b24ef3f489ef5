"""A timeout as requests takes it: seconds, a pair of them, or urllib3's own."""

from __future__ import annotations

from typing import Any

from urllib3.util import Timeout


def timeouts(timeout: Any) -> tuple[float | None, float | None]:
    """Give seconds to connect and to wait for bytes; ValueError for what requests refuses."""
    if not isinstance(timeout, Timeout):
        connect, read = timeout, timeout
        if isinstance(timeout, tuple):
            try:
                connect, read = timeout
            except ValueError:
                raise ValueError(
                    f"Invalid timeout {timeout}. Pass a (connect, read) timeout tuple, "
                    f"or a single float to set both timeouts to the same value."
                ) from None
        timeout = Timeout(connect=connect, read=read)
    whole = timeout.total
    bounds: list[Any] = [timeout.connect_timeout, timeout._read]
    first, second = (
        min(
            (float(each) for each in (bound, whole) if isinstance(each, int | float)), default=None
        )
        for bound in bounds
    )
    return first, second
