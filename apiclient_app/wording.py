"""What admin and command put into words alike: lengths of time, and what a person is to do."""

from __future__ import annotations

import shlex

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from .rows import REFUSED

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


def named(alias: str, subject: str = "") -> str:
    """Give a client's name: "shop", or "shop (user-42)"."""
    return f"{alias} ({subject})" if subject else alias


def spelled(word: str, alias: str, subject: str = "") -> str:
    """Give a command as it is to be typed, ready for a shell."""
    words = ["manage.py", "apiclient", word, alias, *(["--subject", subject] if subject else [])]
    return shlex.join(words)


def why(note: str) -> str:
    """Give in words why a refresh token needs attention."""
    kind, _separator, error = note.partition(": ")
    if kind == REFUSED:
        return _("the provider refused the refresh token (%(error)s)") % {"error": error}
    return _("the refresh token was sent, and sent again later, and no answer came back")
