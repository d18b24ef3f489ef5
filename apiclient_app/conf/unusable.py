"""A value in settings that cannot be used."""

from __future__ import annotations

Complaint = tuple[str, str, str, str]


class Unusable(ValueError):
    """A value cannot be used; `complaints` are (code, key inside it, text, remedy)."""

    def __init__(self, *complaints: Complaint) -> None:
        super().__init__()
        self.complaints = complaints


def wrong(text: str, remedy: str, inner: str = "") -> Unusable:
    return Unusable(("E004", inner, text, remedy))
