"""`list` and `inspect`: what is known, without asking any API."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError
from django.utils.translation import gettext as _

from apiclient_app.handler import clients
from apiclient_app.management import grants
from apiclient_app.management.credentials import crowds
from apiclient_app.management.exits import Exit
from apiclient_app.management.looks import (
    Look,
    look,
    looked,
    next_attempt,
    warn_of_private_caches,
)
from apiclient_app.management.tables import Table
from apiclient_app.management.terminal import Terminal
from apiclient_app.management.wording import away, circuit, duration, exact
from apiclient_app.rows import RowState
from apiclient_app.tokens import Inspection
from apiclient_app.wording import why

from .base import Subcommand, SubcommandParser, add_alias, add_format, add_subject, chosen

GRANT = 2


class ListClients(Subcommand):
    """A client whose settings cannot be used is listed too, with its problem."""

    @property
    def summary(self) -> str:
        return _("List the clients, and the state of their tokens and grants.")

    def add_arguments(self, parser: SubcommandParser) -> None:
        add_format(parser)

    def run(self, terminal: Terminal, options: dict[str, Any]) -> None:
        counted = crowds()
        looks = [look(alias, counted) for alias in clients]
        warn_of_private_caches(terminal, looks)
        if options["format"] == "json":
            terminal.json([found.as_dict() for found in looks])
        elif looks:
            write(terminal, looks)
        else:
            terminal.say(_("There are no clients in settings.API_CLIENTS."))
        if concerning := [found for found in looks if found.notes]:
            broken = any(found.inspection is None for found in concerning)
            raise CommandError(
                _("need attention: %(aliases)s")
                % {"aliases": ", ".join(f.alias for f in concerning)},
                returncode=Exit.UNUSABLE if broken else Exit.ATTENTION,
            )


def write(terminal: Terminal, looks: list[Look]) -> None:
    lines = [cells(found) for found in looks]
    head = [_("ALIAS"), _("TOKEN"), _("GRANT")]
    head += [_("EXPIRES IN"), _("OBTAINED"), _("BASE URL"), _("AUTH")]
    granted = any(line[GRANT] for line in lines)
    if not granted:
        for line in (head, *lines):
            del line[GRANT]
    table = Table(terminal, head, lines)
    for found, line in zip(looks, lines, strict=True):
        styles = {1: found.style, **({GRANT: grant_style(found)} if granted else {})}
        table.line(line, styles)
        for note in found.notes:
            terminal.note(note)


def cells(found: Look) -> list[str]:
    known = found.inspection
    if known is None:
        return [found.alias, found.state, *[""] * 5]
    left = known.expires_in or 0.0
    return [
        found.alias,
        found.state,
        grant(found, known),
        duration(left) if left > 0 else "",
        away(known.obtained_at),
        known.base_url,
        known.backend.rpartition(".")[2],
    ]


def grant(found: Look, known: Inspection) -> str:
    """Give the state of a grant; where a missing one is no trouble, nothing."""
    idle = known.grant == RowState.EMPTY and (found.obtains or found.for_subjects_alone)
    return "" if idle else known.grant


def grant_style(found: Look) -> str:
    if found.inspection is None:
        return ""
    return grants.STYLES.get(found.inspection.grant, "")


class Inspect(Subcommand):
    """Tells more of one client: its settings, with every secret masked."""

    @property
    def summary(self) -> str:
        return _("Show a client: its token, its grant and its settings, masked.")

    def add_arguments(self, parser: SubcommandParser) -> None:
        add_alias(parser)
        add_subject(parser)
        add_format(parser)

    def run(self, terminal: Terminal, options: dict[str, Any]) -> None:
        client = chosen(options)
        found = looked(client, None if client.subject else crowds())
        settings = client.config.masked()
        warn_of_private_caches(terminal, [found])
        if options["format"] == "json":
            terminal.json({**found.as_dict(), "settings": settings})
        else:
            section(terminal, _("Token"), told(found))
            section(terminal, _("Grant"), told_of_grant(found))
            section(terminal, _("Settings"), settings)
        if found.notes:
            text = f"{found.name}: {'; '.join(found.notes)}"
            raise CommandError(text, returncode=Exit.ATTENTION)


def told(found: Look) -> dict[str, str]:
    """Give what is known of the token, under names for people."""
    known = found.inspection or Inspection(alias=found.alias)
    return {
        _("subject"): known.subject,
        _("state"): found.state,
        _("fingerprint"): known.fingerprint,
        _("scope"): known.scope,
        _("obtained"): exact(known.obtained_at),
        _("renewed from"): exact(known.renew_at),
        _("expires"): exact(known.expires_at),
        _("last error"): known.last_error,
        _("failed"): exact(known.failed_at),
        _("next attempt"): next_attempt(known) if known.last_error else "",
        _("their clock"): clock(known.clock_offset),
        _("credentials"): _("the next ones, of OPTIONS['next']") if known.switched else "",
        _("circuit"): circuit(found.inspection),
    }


def clock(offset: float) -> str:
    if not offset:
        return ""
    text = _("%(duration)s ahead of ours") if offset > 0 else _("%(duration)s behind ours")
    return text % {"duration": duration(offset)}


def told_of_grant(found: Look) -> dict[str, str]:
    known = found.inspection or Inspection(alias=found.alias)
    needy = known.grant == RowState.ATTENTION
    crowd = found.crowd
    return {
        _("state"): grant(found, known),
        _("reason"): why(known.grant_note) if needy else known.grant_note,
        _("asking since"): exact(known.asking_since),
        _("subjects"): str(crowd.subjects) if crowd and crowd.subjects else "",
        _("need attention"): str(crowd.needing) if crowd and crowd.needing else "",
    }


def section(terminal: Terminal, title: str, lines: dict[str, str]) -> None:
    """Write names and texts below a title; not those where there is nothing to say."""
    said = {name: text for name, text in lines.items() if text}
    if not said:
        return
    width = max(map(len, said), default=0)
    terminal.line(title, "MIGRATE_HEADING")
    for name, text in said.items():
        terminal.line(f"  {name:{width}}  {text}")
