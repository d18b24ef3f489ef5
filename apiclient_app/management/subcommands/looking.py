"""`list` and `inspect`: what is known, without asking any API."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils.translation import gettext as _

from apiclient_app.handler import clients
from apiclient_app.management.exits import Exit
from apiclient_app.management.looks import Look, look, next_attempt, warn_of_private_caches
from apiclient_app.management.tables import Table
from apiclient_app.management.terminal import Terminal
from apiclient_app.management.wording import away, duration, exact
from apiclient_app.tokens import Inspection

from .base import Subcommand, add_alias, add_format


class ListClients(Subcommand):
    """A client whose settings cannot be used is listed too, with its problem."""

    @property
    def summary(self) -> str:
        return _("List the clients and the state of their tokens.")

    def add_arguments(self, parser: CommandParser) -> None:
        add_format(parser)

    def run(self, terminal: Terminal, options: dict[str, Any]) -> None:
        looks = [look(alias) for alias in clients]
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
    head = (_("ALIAS"), _("TOKEN"), _("EXPIRES IN"), _("OBTAINED"), _("BASE URL"), _("AUTH"))
    lines = [cells(found) for found in looks]
    table = Table(terminal, head, lines)
    for found, line in zip(looks, lines, strict=True):
        table.line(line, {1: found.style})
        for note in found.notes:
            terminal.note(note)


def cells(found: Look) -> tuple[str, ...]:
    known = found.inspection
    if known is None:
        return found.alias, found.state, "", "", "", ""
    left = known.expires_in or 0.0
    return (
        found.alias,
        found.state,
        duration(left) if left > 0 else "",
        away(known.obtained_at),
        known.base_url,
        known.backend.rpartition(".")[2],
    )


class Inspect(Subcommand):
    """Tells more of one client: its settings, with every secret masked."""

    @property
    def summary(self) -> str:
        return _("Show a client: its token and its settings, masked.")

    def add_arguments(self, parser: CommandParser) -> None:
        add_alias(parser)
        add_format(parser)

    def run(self, terminal: Terminal, options: dict[str, Any]) -> None:
        client = clients[options["alias"]]
        found = Look(client.alias, client.inspect())
        settings = client.config.masked()
        warn_of_private_caches(terminal, [found])
        if options["format"] == "json":
            terminal.json({**found.as_dict(), "settings": settings})
        else:
            section(terminal, _("Token"), told(found))
            section(terminal, _("Settings"), settings)
        if found.notes:
            text = f"{client.alias}: {'; '.join(found.notes)}"
            raise CommandError(text, returncode=Exit.ATTENTION)


def told(found: Look) -> dict[str, str]:
    """Give what is known of the token, under names for people."""
    known = found.inspection or Inspection(alias=found.alias)
    return {
        _("state"): found.state,
        _("fingerprint"): known.fingerprint,
        _("scope"): known.scope,
        _("obtained"): exact(known.obtained_at),
        _("renewed from"): exact(known.renew_at),
        _("expires"): exact(known.expires_at),
        _("last error"): known.last_error,
        _("failed"): exact(known.failed_at),
        _("next attempt"): next_attempt(known) if known.last_error else "",
    }


def section(terminal: Terminal, title: str, lines: dict[str, str]) -> None:
    """Write names and texts below a title; not those where there is nothing to say."""
    said = {name: text for name, text in lines.items() if text}
    width = max(map(len, said), default=0)
    terminal.line(title, "MIGRATE_HEADING")
    for name, text in said.items():
        terminal.line(f"  {name:{width}}  {text}")
