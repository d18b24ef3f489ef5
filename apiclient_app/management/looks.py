"""A look at a client, without asking its API: what is known of its token, or what is wrong."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.core.cache import caches
from django.core.cache.backends.locmem import LocMemCache
from django.utils.translation import gettext as _

from apiclient_app.exceptions import APIClientError
from apiclient_app.handler import clients
from apiclient_app.tokens import Inspection, TokenState

from .terminal import Terminal
from .wording import away

STYLES = {
    TokenState.FRESH: "SUCCESS",
    TokenState.STATIC: "SUCCESS",
    TokenState.STALE: "WARNING",
    TokenState.EXPIRED: "WARNING",
}


@dataclass(frozen=True, slots=True)
class Look:
    """What was found: an inspection, or the problem that the client's settings have."""

    alias: str
    inspection: Inspection | None = None
    problem: str = ""

    @property
    def state(self) -> str:
        known = self.inspection
        if known is None:
            return _("misconfigured")
        unknown = known.state is TokenState.ABSENT and not known.store_available
        return _("unknown") if unknown else known.state.value

    @property
    def style(self) -> str:
        return STYLES.get(self.inspection.state, "") if self.inspection else "ERROR"

    @property
    def notes(self) -> list[str]:
        """Give what somebody should see to."""
        return attention(self.inspection) if self.inspection else [self.problem]

    def as_dict(self) -> dict[str, Any]:
        """Give it as JSON types, with the same names whatever was found."""
        blank = dict.fromkeys(Inspection.__dataclass_fields__)
        known = self.inspection.as_dict() if self.inspection else {**blank, "alias": self.alias}
        return {**known, "problem": self.problem}


def look(alias: Any) -> Look:
    try:
        return Look(str(alias), clients[alias].inspect())
    except APIClientError as error:
        return Look(str(alias), problem=str(error))


def attention(inspection: Inspection) -> list[str]:
    notes = []
    if inspection.last_error:
        text = _("%(error)s; next attempt %(when)s")
        notes.append(text % {"error": inspection.last_error, "when": next_attempt(inspection)})
    if not inspection.store_available:
        notes.append(_("the cache does not answer; other processes may know more"))
    return notes


def next_attempt(inspection: Inspection) -> str:
    at = inspection.retry_at
    return away(at) if at and at > datetime.now(UTC) else _("with the next call")


def warn_of_private_caches(terminal: Terminal, looks: Sequence[Look]) -> None:
    """Say if what was found is this process's own, as with Django's default cache."""
    used = {clients[found.alias].config.cache for found in looks if found.inspection}
    for alias in sorted(used):
        if isinstance(caches[alias], LocMemCache):
            text = _(
                "apiclient: CACHES[%(alias)r] is each process's own: the tokens of your servers "
                "are neither seen nor changed here."
            )
            terminal.say(text % {"alias": alias})
