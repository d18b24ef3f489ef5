"""How long a scenario is, and of how many processes."""

import os
from dataclasses import dataclass
from typing import Any

import pytest


@dataclass(frozen=True)
class Scale:
    processes: int
    seconds: float

    @property
    def full(self) -> bool:
        return self is FULL


SHORT = Scale(4, 8.0)
FULL = Scale(
    int(os.environ.get("CHAOS_PROCESSES", "8")), float(os.environ.get("CHAOS_SECONDS", "60"))
)

at_length = [pytest.mark.chaos, pytest.mark.timeout(1800)]
_full = pytest.param(FULL, id="full", marks=at_length)

only_full: Any = pytest.mark.parametrize("scale", [_full])
also_short: Any = pytest.mark.parametrize("scale", [pytest.param(SHORT, id="short"), _full])
