"""What can be wrong with the options of an auth backend."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["unknown", "missing", "wrong"]


@dataclass(frozen=True, slots=True)
class OptionProblem:
    """What is wrong with one option, and how to mend it."""

    kind: Kind
    option: str
    remedy: str


class OptionError(ValueError):
    """Raise it in `__post_init__` for an option that cannot be used; never with its value."""

    def __init__(self, kind: Kind, option: str, remedy: str) -> None:
        super().__init__(f"option {option!r} is {kind}: {remedy}")
        self.problem = OptionProblem(kind, option, remedy)
