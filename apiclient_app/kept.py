"""Reading what was kept as JSON: ValueError for anything that we would not have written."""

from __future__ import annotations

import json
from typing import Any

MOST = 1 << 63
FAR = 5e10  # seconds; the calendar has as many before 1970 and after, and centuries to spare


def parsed(kept: str) -> Any:
    """Give what a text holds; ValueError also for what nests too deep."""
    try:
        return json.loads(kept)
    except RecursionError as error:
        raise ValueError("it nests too deep") from error


def text(value: Any) -> str:
    """Give a text; half of a surrogate pair is none, and could not be sent."""
    if not isinstance(value, str):
        raise ValueError("not a text")
    value.encode()
    return value


def flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError("neither true nor false")
    return value


def whole(value: Any) -> int:
    """Give a count, or what else is a whole number of at most 63 bits."""
    if type(value) is not int or not 0 <= value < MOST:
        raise ValueError("not a whole number")
    return value


def epoch(value: Any) -> float:
    """Give epoch seconds that are in the calendar."""
    if type(value) not in (int, float) or not -FAR < value < FAR:
        raise ValueError("not a moment")
    return float(value)
