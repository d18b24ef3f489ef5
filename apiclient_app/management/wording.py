"""Times, in words."""

from __future__ import annotations

from datetime import UTC, datetime

from django.utils import timezone
from django.utils.translation import gettext as _

from apiclient_app.tokens import Inspection
from apiclient_app.wording import distance, spans


def duration(seconds: float) -> str:
    """Give a length of time: "2 h 5 min"."""
    return " ".join(spans(seconds))


def away(moment: datetime | None) -> str:
    """Give a moment by its distance from now: "in 5 s", "5 s ago"."""
    if moment is None:
        return ""
    seconds = (moment - datetime.now(UTC)).total_seconds()
    return distance(duration(seconds), ahead=seconds > 0)


def ago(moment: datetime | None, now: datetime) -> str:
    """Give a past moment by its distance from `now`, of the same clock."""
    if moment is None:
        return ""
    return distance(duration(max(0.0, (now - moment).total_seconds())), ahead=False)


def circuit(known: Inspection | None) -> str:
    """Give the state of a circuit; nothing where there is no breaker."""
    if known is None or known.circuit_opened_at is None:
        return _("closed") if known and known.circuit else ""
    since = {"away": away(known.circuit_opened_at)}
    if known.circuit_until is None:
        return _("opened by hand %(away)s; nothing is sent until it is closed by hand") % since
    opened = _("opened %(away)s, since the API failed too often") % since
    if known.circuit == "half-open":
        return f"{opened}; {_('the next call tries it')}"
    return f"{opened}; {_('tried again %(away)s') % {'away': away(known.circuit_until)}}"


def exact(moment: datetime | None) -> str:
    """Give date and time in the project's time zone, and the distance from now."""
    if moment is None:
        return ""
    local = timezone.localtime(moment).isoformat(" ", "seconds")
    return f"{local} ({away(moment)})"
