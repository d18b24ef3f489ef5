"""States, in words and colour."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy

from apiclient_app.models import ApiClient
from apiclient_app.rows import RowState
from apiclient_app.tokens import TokenState

from .looks import stuck

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
    "unknown": (gettext_lazy("Grant unknown"), gettext_lazy("the database did not tell")),
}
STUCK = gettext_lazy("none can be obtained without a refresh token that works")

Words = tuple[str, object, object]  # a CSS class, a word, and what it means


def of_token(row: ApiClient) -> Words:
    """Give the state of a client's token."""
    if row.inspection is None:
        return ("broken", *STATES["broken"])
    state = row.inspection.state
    word, meaning = STATES[state]
    usable = state in (TokenState.FRESH, TokenState.STALE)
    return state.value, word, STUCK if stuck(row) and not usable else meaning


def of_grant(state: str) -> Words:
    """Give the state of a refresh token."""
    return (state.replace(" ", "-"), *GRANTS[state])


def pill(key: str, word: object, meaning: object) -> SafeString:
    """Give a badge with what it means in a tooltip."""
    text = '<span class="apiclient-state {}" title="{}">{}</span>'
    return format_html(text, key, meaning, word)


def spelled_out(key: str, word: object, meaning: object) -> SafeString:
    """Give a badge with what it means beside it."""
    text = '<span class="apiclient-state {}">{}</span> <span class="quiet">{}</span>'
    return format_html(text, key, word, meaning)
