"""States and times, in words."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.html import avoid_wrapping, format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apiclient_app.models import ApiClient
from apiclient_app.rows import RowState
from apiclient_app.tokens import TokenState
from apiclient_app.wording import distance, spans

# State to its word and what it means; a state's colour is in apiclient_app/admin.css.
STATES: dict[str, tuple[Promise, Promise]] = {
    TokenState.FRESH: (gettext_lazy("Fresh"), gettext_lazy("in use")),
    TokenState.STALE: (gettext_lazy("Stale"), gettext_lazy("in use, about to be renewed")),
    TokenState.EXPIRED: (gettext_lazy("Expired"), gettext_lazy("the next call obtains a new one")),
    TokenState.ABSENT: (gettext_lazy("Absent"), gettext_lazy("the next call obtains one")),
    TokenState.STATIC: (gettext_lazy("Static"), gettext_lazy("from the settings, never renewed")),
    "broken": (gettext_lazy("Misconfigured"), gettext_lazy("calls fail until it is mended")),
}
GRANTS: dict[str, tuple[Promise, Promise]] = {
    RowState.HELD: (gettext_lazy("Held"), gettext_lazy("the next renewal uses it")),
    RowState.ASKING: (gettext_lazy("Asking"), gettext_lazy("a token is being asked for with it")),
    RowState.IN_DOUBT: (
        gettext_lazy("In doubt"),
        gettext_lazy("it was sent and no answer came: it may have been used up"),
    ),
    RowState.ATTENTION: (
        gettext_lazy("Needs attention"),
        gettext_lazy("it is of no more use, as far as is known"),
    ),
    RowState.EMPTY: (gettext_lazy("No refresh token"), gettext_lazy("none is stored")),
    RowState.UNREADABLE: (
        gettext_lazy("Unreadable"),
        gettext_lazy("no key that is configured opens it"),
    ),
    "unknown": (gettext_lazy("Unknown"), gettext_lazy("the database did not tell")),
}
URL_PARTS = re.compile(r"[^/.]*[/.]*")


def badge(row: ApiClient, *, explained: bool) -> SafeString:
    """Give the state of its token in words and colour.

    What the state means stands beside it, or in a tooltip; then a second badge tells of a failure.
    """
    key = row.inspection.state.value if row.inspection else "broken"
    word, meaning = STATES[key]
    if explained:
        return spelled_out(key, word, meaning)
    shown = pill(key, word, meaning)
    if row.inspection and (error := row.inspection.last_error):
        shown = format_html("{} {}", shown, pill("failing", _("Failing"), error))
    return shown


def grant_badge(state: str, *, explained: bool) -> SafeString:
    """Give the state of a refresh token in words and colour."""
    word, meaning = GRANTS[state]
    look = spelled_out if explained else pill
    return look(state.replace(" ", "-"), word, meaning)


def pill(key: str, word: object, meaning: object) -> SafeString:
    text = '<span class="apiclient-state {}" title="{}">{}</span>'
    return format_html(text, key, meaning, word)


def spelled_out(key: str, word: object, meaning: object) -> SafeString:
    text = '<span class="apiclient-state {}">{}</span> <span class="quiet">{}</span>'
    return format_html(text, key, word, meaning)


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
