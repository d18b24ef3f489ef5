"""A look at a client, without asking its API: what is known of its token, or what is wrong."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.core.cache import caches
from django.core.cache.backends.locmem import LocMemCache
from django.utils.translation import gettext as _

from apiclient_app.client import Client
from apiclient_app.exceptions import APIClientError
from apiclient_app.handler import clients
from apiclient_app.rows import RowState
from apiclient_app.tokens import Inspection, TokenState
from apiclient_app.wording import named

from .credentials import Crowd
from .grants import needing, repeats, trouble
from .terminal import Terminal
from .wording import away, circuit

STYLES = {
    TokenState.FRESH: "SUCCESS",
    TokenState.STATIC: "SUCCESS",
    TokenState.STALE: "WARNING",
    TokenState.EXPIRED: "WARNING",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What was found: an inspection, or the problem that the client's settings have.

    `obtains`: whether the client has credentials that give a token at any time. `crowd` is None
    where its subjects were not counted.
    """

    alias: str
    inspection: Inspection | None = None
    problem: str = ""
    obtains: bool = False
    crowd: Crowd | None = None

    @property
    def name(self) -> str:
        return named(self.alias, self.inspection.subject if self.inspection else "")

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
    def for_subjects_alone(self) -> bool:
        """Whether it has tokens of subjects, and the application none of its own."""
        empty = self.inspection is not None and self.inspection.grant == RowState.EMPTY
        return empty and not self.obtains and self.crowd is not None and self.crowd.subjects > 0

    @property
    def notes(self) -> list[str]:
        """Give what somebody should see to."""
        known = self.inspection
        if known is None:
            return [self.problem]
        # One that obtains needs no refresh token: the next call does without.
        idle = self.obtains or self.for_subjects_alone
        grant = "" if idle else trouble(known)
        crowd = "" if self.obtains or self.crowd is None else needing(self.alias, self.crowd)
        failure = "" if grant and repeats(known) else recorded_failure(known)
        open_circuit = shut_off(known)
        return [note for note in (failure, grant, crowd, open_circuit, outage(known)) if note]

    def as_dict(self) -> dict[str, Any]:
        """Give it as JSON types, with the same names whatever was found."""
        blank = dict.fromkeys(Inspection.__dataclass_fields__)
        known = self.inspection.as_dict() if self.inspection else {**blank, "alias": self.alias}
        return {
            **known,
            "problem": self.problem,
            "attention": self.notes if self.inspection else None,
            "subjects": self.crowd.subjects if self.crowd else None,
            "subjects_needing_attention": self.crowd.needing if self.crowd else None,
        }


def look(alias: Any, crowds: Mapping[str, Crowd]) -> Look:
    """Look at a client that may be misconfigured."""
    try:
        return looked(clients[alias], crowds)
    except APIClientError as error:
        return Look(alias=str(alias), problem=str(error))


def looked(client: Client, crowds: Mapping[str, Crowd] | None = None) -> Look:
    return Look(
        alias=client.alias,
        inspection=client.inspect(),
        obtains=client.auth.obtains,
        crowd=None if crowds is None else crowds.get(client.alias, Crowd(0, 0)),
    )


def recorded_failure(known: Inspection) -> str:
    if not known.last_error:
        return ""
    text = _("%(error)s; next attempt %(when)s")
    return text % {"error": known.last_error, "when": next_attempt(known)}


def shut_off(known: Inspection) -> str:
    if known.circuit_opened_at is None:
        return ""
    return _("circuit %(state)s") % {"state": circuit(known)}


def outage(known: Inspection) -> str:
    return (
        ""
        if known.store_available
        else _("the cache does not answer; other processes may know more")
    )


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
