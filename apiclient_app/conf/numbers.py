"""How large a number in settings may be: with a larger one, somebody below stops counting."""

from __future__ import annotations

from typing import Any, Final

# Seconds that a socket can wait: it counts milliseconds in 31 bits, and begins again at zero.
WAIT: Final = 2_000_000
SECONDS: Final = 100_000_000  # three years; added to a date, it is still one
COUNT: Final = 1_000_000
BYTES: Final = 2**63 - 1  # what libcurl takes


def is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def amiss(value: float, most: int, *, zero: bool = False, none: bool = False) -> tuple[str, str]:
    """Give what is wrong with a number, and the remedy; two empty texts where nothing is.

    `zero` and `none` say that these could stand there as well.
    """
    # Written so that it holds for NaN, and compares whole numbers too large for a float.
    if not (value >= 0 if zero else value > 0):
        least = "from zero on" if zero else "above zero"
        return f"is not a number {least}.", f"Give {'zero or more' if zero else 'more than zero'}."
    if value > most:
        return f"is more than {most:_}.", f"Give at most {most:_}{', or None' if none else ''}."
    return "", ""
