"""What the pages say of a client: the columns of the list and the lines of its own page.

Django's admin shows what these functions return for a row, under their description.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.utils import timezone
from django.utils.html import format_html
from django.utils.text import Truncator
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from apiclient_app.models import ApiClient

from .badges import of_token, spelled_out
from .wording import breakable, duration, when

if TYPE_CHECKING:
    from django_stubs_ext import StrPromise

Line = Callable[[ApiClient], str]
EMPTY = "-"  # as in the rest of the admin
ERROR_LENGTH = 80


@admin.display(description=_("base URL"))
def url(row: ApiClient) -> str:
    return breakable(row.inspection.base_url) if row.inspection else EMPTY


@admin.display(description=_("auth backend"))
def auth(row: ApiClient) -> str:
    if row.inspection is None:
        return EMPTY
    backend = row.inspection.backend
    return format_html('<span title="{}">{}</span>', backend, backend.rpartition(".")[2])


@admin.display(description=_("state"))
def state(row: ApiClient) -> str:
    return spelled_out(*of_token(row))


@admin.display(description=_("expires in"))
def expires_in(row: ApiClient) -> str:
    seconds = row.inspection.expires_in if row.inspection else None
    return EMPTY if seconds is None or seconds <= 0 else duration(seconds)


@admin.display(description=_("last obtained"))
def last_obtained(row: ApiClient) -> str:
    at = row.inspection.obtained_at if row.inspection else None
    return when(at, exact=False) or EMPTY


@admin.display(description=_("last error"))
def error(row: ApiClient) -> str:
    text = row.inspection.last_error if row.inspection else row.problem
    if not text:
        return EMPTY
    return format_html('<span title="{}">{}</span>', text, Truncator(text).chars(ERROR_LENGTH))


@admin.display(description=_("problem"))
def problem(row: ApiClient) -> str:
    return row.problem


def line(name: str, description: StrPromise) -> Line:
    """Make the line for a field of the inspection; it is empty where there is nothing to say."""

    @admin.display(description=description)
    def shown(row: ApiClient) -> str:
        value = getattr(row.inspection, name)
        return when(value, exact=True) if isinstance(value, datetime) else value or ""

    shown.__name__ = name  # it becomes a CSS class
    return shown


@admin.display(description=_("next attempt"))
def retry(row: ApiClient) -> str:
    if row.inspection is None or not row.inspection.last_error:
        return ""
    at = row.inspection.retry_at
    if at is None or at <= timezone.now():
        return gettext("with the next call")
    return when(at, exact=True)


@admin.display(description=_("their clock"))
def clock(row: ApiClient) -> str:
    offset = row.inspection.clock_offset if row.inspection else 0.0
    if not offset:
        return ""
    ahead, behind = gettext("%(duration)s ahead of ours"), gettext("%(duration)s behind ours")
    return (ahead if offset > 0 else behind) % {"duration": duration(offset)}


@admin.display(description=_("circuit"))
def circuit(row: ApiClient) -> str:
    known = row.inspection
    if known is None or known.circuit_opened_at is None:
        return gettext("Closed") if known is not None and known.circuit else ""
    since = when(known.circuit_opened_at, exact=True)
    if known.circuit_until is None:
        return format_html(gettext("Opened by hand {}; nothing is sent."), since)
    until = when(known.circuit_until, exact=True)
    text = gettext("Opened {}, since the API failed too often; one call tries it {}.")
    return format_html(text, since, until)


@admin.display(description=_("client credentials"))
def switched(row: ApiClient) -> str:
    if row.inspection is None or not row.inspection.switched:
        return ""
    return gettext(
        "The next ones are in use. In the settings, put the values of “next” in the place of the "
        "old ones (client_id and client_secret), and remove “next”."
    )


def setting(name: str, value: str) -> Line:
    """Make the line for a setting, already masked."""

    @admin.display(description=name)
    def shown(_row: ApiClient) -> str:
        return value

    shown.__name__ = "setting"
    return shown


SUBJECT = line("subject", _("subject"))
TOKEN: tuple[Line, ...] = (
    state,
    line("fingerprint", _("fingerprint")),
    line("scope", _("scope")),
    line("obtained_at", _("obtained")),
    line("renew_at", _("renewed from")),
    line("expires_at", _("expires")),
    line("last_error", _("last error")),
    line("failed_at", _("failed")),
    retry,
    clock,
    switched,
    circuit,
)


def fieldsets(sets: Iterable[tuple[Any, Iterable[Callable[[Any], str]]]], row: Any) -> Any:
    """Give titles and lines as Django's admin wants them; only lines that say something."""
    said = [(title, [line for line in lines if line(row)]) for title, lines in sets]
    return [(title, {"fields": lines}) for title, lines in said if lines]
