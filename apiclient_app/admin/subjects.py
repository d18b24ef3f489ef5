"""What the pages of clients say of subjects: how many there are, and how many are in need."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from django.contrib import admin
from django.contrib.admin import AdminSite
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from apiclient_app.models import ApiClient
from apiclient_app.rows import RowState
from apiclient_app.tokens import Inspection

from .badges import of_grant, of_token, pill
from .columns import Line
from .looks import stuck
from .places import credential_list
from .queries import count_subjects


def token_column(site: AdminSite, in_need: Callable[[], Mapping[str, int]]) -> Line:
    """Make the column for the state of tokens, and for what somebody should see to.

    `in_need` gives alias to number of subjects; it is asked if a client keeps refresh tokens.
    """

    @admin.display(description=gettext_lazy("token"))
    def token(row: ApiClient) -> str:
        pills = [pill(*of_token(row))]
        if row.inspection is not None:
            pills += _warnings(row, row.inspection)
            count = in_need().get(row.alias, 0) if row.inspection.grant else 0
            pills += [_in_need(site, row.alias, count)] if count else []
        return format_html_join(" ", "{}", ((shown,) for shown in pills))

    return token


def _warnings(row: ApiClient, known: Inspection) -> list[SafeString]:
    warnings = []
    if stuck(row) or known.grant in (RowState.IN_DOUBT, "unknown"):
        warnings.append(pill(*of_grant(known.grant)))
    elif known.last_error:
        warnings.append(pill("failing", _("Failing"), known.last_error))
    if known.circuit_opened_at is not None:
        warnings.append(pill("failing", _("Circuit open"), _("calls are not sent")))
    return warnings


def count_line(site: AdminSite, alias: str) -> Line:
    """Make the line that counts the subjects of a client; it is empty where none has a row."""
    text = _counted(site, alias)

    @admin.display(description=gettext_lazy("with refresh tokens"))
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


def linked(text: str, url: str) -> SafeString:
    return format_html('<a href="{}">{}</a>', url, text) if url else format_html("{}", text)


@admin.display(description=gettext_lazy("show one"))
def subject_field(_row: ApiClient) -> str:
    """Ask for a subject. Its form is elsewhere on the page: forms cannot be nested."""
    return format_html(
        '<input type="text" name="subject" form="subject-form" class="vTextField" maxlength="255" '
        'autocomplete="off" aria-label="{}" placeholder="{}" required> '
        '<input type="submit" form="subject-form" value="{}">',
        _("Subject"),
        _("its id, exactly as for_subject() gets it"),
        _("Show"),
    )
