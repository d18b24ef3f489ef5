"""Times and URLs, in words."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import avoid_wrapping, format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from apiclient_app.wording import distance, spans

URL_PARTS = re.compile(r"[^/.]*[/.]*")


def breakable(url: str) -> SafeString:
    """Give a URL that a narrow column may break behind its slashes and dots."""
    return format_html_join(mark_safe("<wbr>"), "{}", ((part,) for part in URL_PARTS.findall(url)))


def duration(seconds: float) -> str:
    """Give a length of time that breaks between its units only: "2 h 5 min"."""
    return " ".join(avoid_wrapping(span) for span in spans(seconds))


def when(moment: datetime | None, *, exact: bool) -> str:
    """Give a moment by its distance from now; with date and time too, or these in a tooltip."""
    if moment is None:
        return ""
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)  # a row's, without USE_TZ
    local = timezone.localtime(moment)
    seconds = _seconds_to(moment)
    date = date_format(local, "DATETIME_FORMAT")
    away = distance(duration(seconds), ahead=seconds >= 0)
    if exact:
        text = '<time datetime="{}">{}</time> <span class="quiet">({})</span>'
        return format_html(text, local.isoformat(), date, away)
    return format_html('<time datetime="{}" title="{}">{}</time>', local.isoformat(), date, away)


def _seconds_to(moment: datetime) -> float:
    return (moment - datetime.now(UTC)).total_seconds()
