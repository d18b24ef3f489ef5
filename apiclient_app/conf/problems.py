"""What can be wrong with a client's settings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

TITLES = {
    "E001": "not a client's settings",
    "E002": "unknown key",
    "E003": "missing key",
    "E004": "wrong value",
    "E005": "auth backend that cannot be used",
    "E006": "unknown option",
    "E007": "missing option",
    "E008": "wrong option",
    "E009": "credentials over plain http",
    "E010": "unknown cache",
}


@dataclass(frozen=True, slots=True)
class Problem:
    """One problem: `code` is "E001" and so on, `key` the key in the client's settings."""

    code: str
    alias: Any
    key: str
    text: str
    remedy: str

    @property
    def where(self) -> str:
        return f"API_CLIENTS[{self.alias!r}]{self.key}"

    def __str__(self) -> str:
        return f"{self.where} {self.text} {self.remedy}"


def at(*names: Any) -> str:
    """Give a key as it stands in settings: ['AUTH']['OPTIONS']."""
    return "".join(f"[{name!r}]" for name in names)
