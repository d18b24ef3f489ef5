"""What is to be said of a grant: the state of its refresh token, and what a person can do."""

from __future__ import annotations

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from apiclient_app.records import NEEDS_ATTENTION, NO_REFRESH_TOKEN
from apiclient_app.rows import RowState
from apiclient_app.tokens import Inspection
from apiclient_app.wording import spelled, why

from .credentials import Crowd
from .wording import away

UNKNOWN = "unknown"
STYLES: dict[str, str] = {
    RowState.HELD: "SUCCESS",
    RowState.ASKING: "SUCCESS",
    RowState.IN_DOUBT: "WARNING",
    UNKNOWN: "WARNING",
    RowState.ATTENTION: "ERROR",
    RowState.EMPTY: "ERROR",
    RowState.UNREADABLE: "ERROR",
}


def trouble(known: Inspection) -> str:
    """Give what somebody should see to about a grant that cannot be had anew; else nothing."""
    said = {
        RowState.IN_DOUBT: _in_doubt,
        RowState.ATTENTION: _needs_attention,
        RowState.EMPTY: _empty,
        RowState.UNREADABLE: _unreadable,
        UNKNOWN: _unknown,
    }.get(known.grant)
    return said(known) if said else ""


def repeats(known: Inspection) -> bool:
    """Whether the recorded failure says what the state of the grant says already."""
    return known.last_error.startswith((NEEDS_ATTENTION, NO_REFRESH_TOKEN))


def _in_doubt(known: Inspection) -> str:
    text = _(
        "in doubt: a refresh got no answer (%(when)s), so the refresh token may be used up; it is "
        "tried again by itself, or at once with `%(order)s`"
    )
    return text % {"when": away(known.asking_since), "order": _order("rotate", known)}


def _needs_attention(known: Inspection) -> str:
    text = _("needs attention: %(why)s; authorise anew, and store the new one with `%(order)s`")
    return text % {
        "why": why(known.grant_note),
        "order": _order("store-refresh-token", known),
    }


def _empty(known: Inspection) -> str:
    text = _("there is no refresh token; authorise, and store it with `%(order)s`")
    return text % {"order": _order("store-refresh-token", known)}


def _unreadable(known: Inspection) -> str:
    return _(
        "no key opens the stored refresh token; put the SECRET_KEY it was stored with into "
        "SECRET_KEY_FALLBACKS, then run `manage.py apiclient reencrypt`"
    )


def _unknown(known: Inspection) -> str:
    text = _("the state of the grant is unknown: %(reason)s")
    return text % {"reason": known.grant_note}


def _order(word: str, known: Inspection) -> str:
    return spelled(word, known.alias, known.subject)


def needing(alias: str, crowd: Crowd) -> str:
    """Say how many subjects need attention, and which command shows them; nothing if none do."""
    if not crowd.needing:
        return ""
    text = ngettext(
        "%(needing)d of %(subjects)d subject needs attention: %(order)s",
        "%(needing)d of %(subjects)d subjects need attention: %(order)s",
        crowd.subjects,
    )
    order = f"{spelled('subjects', alias)} --state '{RowState.ATTENTION}'"
    return text % {"needing": crowd.needing, "subjects": crowd.subjects, "order": order}
