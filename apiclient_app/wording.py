"""Lengths of time in words, for the admin and the command."""

from __future__ import annotations

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

UNITS = (
    (86_400, gettext_lazy("%d d")),
    (3_600, gettext_lazy("%d h")),
    (60, gettext_lazy("%d min")),
    (1, gettext_lazy("%d s")),
)


def spans(seconds: float) -> list[str]:
    """Give a length of time in its two largest units: ["2 h", "5 min"]."""
    rest, found = int(abs(seconds)), []
    for size, unit in UNITS:
        count, rest = divmod(rest, size)
        if count:
            found.append(str(unit) % count)
        elif found:
            break
    return found[:2] or [str(UNITS[-1][1]) % 0]


def distance(text: str, *, ahead: bool) -> str:
    """Give the way to a moment: "in 5 s", "5 s ago"."""
    return (_("in %(duration)s") if ahead else _("%(duration)s ago")) % {"duration": text}
