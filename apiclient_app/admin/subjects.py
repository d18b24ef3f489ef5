"""What the pages of clients say of refresh tokens and subjects: how many, and who is in need."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from django.contrib import admin
from django.contrib.admin import AdminSite
from django.utils.functional import Promise
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from apiclient_app.models import ApiClient
from apiclient_app.rows import RowState

from .columns import EMPTY, Line
from .places import credential_list
from .queries import count_subjects
from .wording import grant_badge, pill


def grant_column(site: AdminSite, in_need: Callable[[], Mapping[str, int]]) -> Line:
    """Make the column for refresh tokens; `in_need` is asked if a client has any."""

    @admin.display(description=_("refresh token"))
    def grant(row: ApiClient) -> str:
        known = row.inspection
        if known is None or not known.grant:
            return EMPTY
        badge = grant_badge(known.grant, explained=False)
        if count := in_need().get(row.alias):
            return format_html("{} {}", badge, _in_need(site, row.alias, count))
        return badge

    return grant


def subjects_line(site: AdminSite, alias: str) -> Line:
    """Make the line that counts the subjects of a client; it is empty where none has a row."""
    text = _counted(site, alias)

    @admin.display(description=_("with refresh tokens"))
    def subjects(_row: ApiClient) -> str:
        return text

    return subjects


def _counted(site: AdminSite, alias: str) -> str:
    count, in_need = count_subjects(alias)
    if not count:
        return ""
    text = ngettext("%(count)d subject", "%(count)d subjects", count) % {"count": count}
    shown = linked(text, credential_list(site, alias=alias))
    return format_html("{} {}", shown, _in_need(site, alias, in_need)) if in_need else shown


def _in_need(site: AdminSite, alias: str, count: int) -> SafeString:
    text = ngettext(
        "%(count)d subject needs attention", "%(count)d subjects need attention", count
    ) % {"count": count}
    url = credential_list(site, alias=alias, state=RowState.ATTENTION)
    return linked(pill("needs-attention", text, ""), url)


def linked(text: str | Promise, url: str) -> SafeString:
    return format_html('<a href="{}">{}</a>', url, text) if url else format_html("{}", text)
