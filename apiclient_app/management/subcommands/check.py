"""`check`: does it work?"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils.translation import gettext as _

from apiclient_app.exceptions import APIClientError
from apiclient_app.handler import clients
from apiclient_app.management.exits import Exit, code_for
from apiclient_app.management.looks import attention
from apiclient_app.management.tables import Table
from apiclient_app.management.terminal import Terminal

from .base import Subcommand, add_alias, add_format

STYLES = {Exit.WELL: "SUCCESS", Exit.ATTENTION: "WARNING"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """How the test of one client went. `status` is None where no API was called."""

    alias: str
    milliseconds: int
    status: int | None = None
    error: Exception | None = None
    attention: tuple[str, ...] = ()

    @property
    def code(self) -> Exit:
        if self.error is None:
            return Exit.ATTENTION if self.attention else Exit.WELL
        return code_for(self.error) if isinstance(self.error, APIClientError) else Exit.FAILED

    @property
    def said(self) -> str:
        if self.error is None:
            return ""
        if isinstance(self.error, APIClientError):
            return str(self.error)
        # Its text is not ours and may hold anything; --traceback shows it.
        text = _("%(alias)s: %(kind)s in the auth backend or the session of this project")
        return text % {"alias": self.alias, "kind": type(self.error).__name__}

    @property
    def notes(self) -> list[str]:
        return [note for note in (self.said, *self.attention) if note]

    def as_dict(self) -> dict[str, Any]:
        return {
            "alias": self.alias,
            "ok": self.error is None,
            "status": self.status,
            "milliseconds": self.milliseconds,
            "error": self.said,
            "error_type": type(self.error).__name__ if self.error else "",
            "attention": [*self.attention],
        }


class Check(Subcommand):
    """Tests one client or all of them, one after the other; goes on behind a failure."""

    @property
    def summary(self) -> str:
        return _("Test the connection of one client, or of all.")

    def add_arguments(self, parser: CommandParser) -> None:
        add_alias(parser, nargs="?")
        add_format(parser)

    def run(self, terminal: Terminal, options: dict[str, Any]) -> None:
        aliases: list[Any] = [clients[options["alias"]].alias] if options["alias"] else [*clients]
        if options["format"] == "json":
            verdicts = [verdict(alias) for alias in aliases]
            terminal.json([one.as_dict() for one in verdicts])
        elif aliases:
            verdicts = written(terminal, aliases)
        else:
            verdicts = []
            terminal.say(_("There are no clients in settings.API_CLIENTS."))
        if concerning := [one for one in verdicts if one.code]:
            raise summed_up(concerning, alone=len(aliases) == 1)


def verdict(alias: Any) -> Verdict:
    response, failed, notes = None, None, []
    began = time.perf_counter()
    try:
        response = clients[alias].check()
        notes = attention(clients[alias].inspect())
    except Exception as error:  # noqa: BLE001  # one project's faulty backend must not end the round
        failed = error
    return Verdict(
        alias=str(alias),
        milliseconds=round((time.perf_counter() - began) * 1000),
        status=None if response is None else response.status_code,
        error=failed,
        attention=tuple(notes),
    )


def written(terminal: Terminal, aliases: list[Any]) -> list[Verdict]:
    """Test, and write each verdict as it comes."""
    ok, failed, uncalled = _("ok"), _("failed"), _("no CHECK to call")
    head = (_("ALIAS"), _("RESULT"), _("TIME"), _("ANSWER"))
    samples = [(str(alias), failed, "99999 ms", uncalled) for alias in aliases]
    table, verdicts = Table(terminal, head, samples), []
    for alias in aliases:
        one = verdict(alias)
        answer = "" if one.error else str(one.status or uncalled)
        result, style = (failed, "ERROR") if one.error else (ok, STYLES[one.code])
        table.line((one.alias, result, f"{one.milliseconds} ms", answer), {1: style})
        for note in one.notes if len(aliases) > 1 else ():
            terminal.note(note)
        terminal.out.flush()
        verdicts.append(one)
    return verdicts


def summed_up(concerning: list[Verdict], *, alone: bool) -> CommandError:
    """Make the error for all that is to be seen to; of a client that was tested alone, in full."""
    text = _("need attention: %(aliases)s")
    text %= {"aliases": ", ".join(one.alias for one in concerning)}
    if alone:
        text = "; ".join(concerning[0].notes)
    error = CommandError(text, returncode=min(one.code for one in concerning))
    error.__cause__ = next((one.error for one in concerning if one.error), None)
    return error
