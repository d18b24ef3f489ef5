"""Times and states, in words."""

from __future__ import annotations

from datetime import UTC, datetime

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

UNITS = (
    (86_400, gettext_lazy("%d d")),
    (3_600, gettext_lazy("%d h")),
    (60, gettext_lazy("%d min")),
    (1, gettext_lazy("%d s")),
)


def duration(seconds: float) -> str:
    """Give a length of time in its two largest units: "2 h 5 min"."""
    rest, parts = int(abs(seconds)), []
    for size, unit in UNITS:
        count, rest = divmod(rest, size)
        if count:
            parts.append(str(unit) % count)
        elif parts:
            break
    return " ".join(parts[:2]) or str(UNITS[-1][1]) % 0


def away(moment: datetime | None) -> str:
    """Give a moment by its distance from now: "in 5 s", "5 s ago"."""
    if moment is None:
        return ""
    seconds = (moment - datetime.now(UTC)).total_seconds()
    text = _("in %(duration)s") if seconds > 0 else _("%(duration)s ago")
    return text % {"duration": duration(seconds)}


def exact(moment: datetime | None) -> str:
    """Give date and time in the project's time zone, and the distance from now."""
    if moment is None:
        return ""
    local = timezone.localtime(moment).isoformat(" ", "seconds")
    return f"{local} ({away(moment)})"
