"""What the pages say of a grant: the state of its refresh token, and what a person is to do."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING

from django.contrib import admin
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apiclient_app.models import ApiClient, Credential
from apiclient_app.rows import RowState
from apiclient_app.tokens import Inspection
from apiclient_app.wording import spelled, why

from .badges import of_grant, pill, spelled_out
from .columns import Line
from .looks import look_at, orphaned, stuck
from .queries import state_of
from .wording import when

if TYPE_CHECKING:
    from django_stubs_ext import StrPromise

CredentialLine = Callable[[Credential], str]


@admin.display(description=gettext_lazy("refresh token"))
def grant(row: ApiClient) -> str:
    state = row.inspection.grant if row.inspection else ""
    if not state:
        return ""
    # What becomes of a row that nobody uses, its state does not say.
    return pill(*of_grant(state)) if row.problem else spelled_out(*of_grant(state))


@admin.display(description=gettext_lazy("reason"))
def reason(row: ApiClient) -> str:
    known = row.inspection
    if known is None or not known.grant_note:
        return ""
    return why(known.grant_note) if known.grant == RowState.ATTENTION else known.grant_note


@admin.display(description=gettext_lazy("what to do"))
def remedy(row: ApiClient) -> str:
    """Say what a person is to do; nothing where the client can help itself."""
    known = row.inspection
    if known is None or row.problem:
        return ""
    if known.grant == RowState.IN_DOUBT:
        return _("Nothing yet: it is tried again when the access token ends, or with “Rotate”.")
    if not stuck(row):
        return ""
    if known.grant == RowState.UNREADABLE:
        return _(
            "Put the SECRET_KEY that it was stored with into SECRET_KEY_FALLBACKS; or authorise "
            "anew, and store the new refresh token."
        )
    return _authorise(known)


def _authorise(known: Inspection) -> str:
    order = spelled("store-refresh-token", known.alias, known.subject)
    text = _(
        "Authorise anew, and store the new refresh token: with the button “Store refresh token” "
        "here, or with {}, which asks for it."
    )
    return format_html(text, format_html("<code>{}</code>", order))


@admin.display(description=gettext_lazy("asking since"))
def asking_since(row: ApiClient) -> str:
    return when(row.inspection.asking_since, exact=True) if row.inspection else ""


GRANT: tuple[Line, ...] = (grant, reason, remedy, asking_since)


def of_credential(line: Line) -> CredentialLine:
    """Make a client's line one of the page of a row."""

    @wraps(line)
    def shown(credential: Credential) -> str:
        return line(look_at(credential))

    return shown


@admin.display(description=gettext_lazy("subject"), ordering="subject")
def subject(credential: Credential) -> str:
    if credential.subject:
        return credential.subject
    return format_html('<span class="quiet">{}</span>', _("the application itself"))


@admin.display(description=gettext_lazy("refresh token"), ordering="state")
def state(credential: Credential) -> str:
    badge = pill(*of_grant(state_of(credential)))
    if reason := orphaned(credential):
        return format_html("{} {}", badge, pill("orphaned", _("Orphaned"), reason))
    return badge


@admin.display(description=gettext_lazy("obtained"), ordering="obtained_at")
def obtained(credential: Credential) -> str:
    return when(credential.obtained_at, exact=False) or "-"


@admin.display(description=gettext_lazy("changed"), ordering="updated_at")
def changed(credential: Credential) -> str:
    return when(credential.updated_at, exact=False)


def alias_line(url: str) -> CredentialLine:
    """Make the line that names the client, linked to its page where there is one."""

    @admin.display(description=gettext_lazy("alias"))
    def alias(credential: Credential) -> str:
        return (
            format_html('<a href="{}">{}</a>', url, credential.alias) if url else credential.alias
        )

    return alias


@admin.display(description=gettext_lazy("problem"))
def problem(credential: Credential) -> str:
    return look_at(credential).problem


def time_line(name: str, description: StrPromise) -> CredentialLine:
    """Make the line for a moment; it is empty where there was none."""

    @admin.display(description=description)
    def shown(credential: Credential) -> str:
        return when(getattr(credential, name), exact=True)

    shown.__name__ = name  # it becomes a CSS class
    return shown


TIMES: tuple[CredentialLine, ...] = (
    time_line("retry_at", gettext_lazy("next attempt")),
    time_line("obtained_at", gettext_lazy("refresh token obtained")),
    time_line("created_at", gettext_lazy("first stored")),
    time_line("updated_at", gettext_lazy("changed")),
)
