"""`check`: does it work?"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.core.management.base import CommandError
from django.utils.translation import gettext as _

from apiclient_app.exceptions import APIClientError
from apiclient_app.handler import clients
from apiclient_app.management.credentials import Crowd, crowds
from apiclient_app.management.exits import Exit, code_for, unusable
from apiclient_app.management.looks import Look, looked
from apiclient_app.management.tables import Table
from apiclient_app.management.terminal import Terminal
from apiclient_app.wording import named

from .base import Subcommand, SubcommandParser, add_alias, add_format, add_subject, chosen

STYLES = {Exit.WELL: "SUCCESS", Exit.ATTENTION: "WARNING"}
OF_GRANT = ("grant", "grant_note", "asking_since", "clock_offset", "switched")

Counted = Mapping[str, Crowd] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """How the test of one client went, and what was found afterwards.

    `status` is None where no API was called.
    """

    alias: str
    subject: str
    milliseconds: int
    tested: bool = True
    status: int | None = None
    error: Exception | None = None
    found: Look | None = None

    @property
    def name(self) -> str:
        return named(self.alias, self.subject)

    @property
    def code(self) -> Exit:
        if self.error is None:
            return Exit.ATTENTION if self.attention else Exit.WELL
        return code_for(self.error) if isinstance(self.error, APIClientError) else Exit.FAILED

    @property
    def attention(self) -> list[str]:
        return self.found.notes if self.found and not self.error else []

    @property
    def result(self) -> str:
        if self.error:
            return _("failed")
        return _("ok") if self.tested else _("skipped")

    @property
    def answer(self) -> str:
        if self.error:
            return ""
        return str(self.status or (_("no CHECK to call") if self.tested else _("subjects only")))

    @property
    def said(self) -> str:
        if self.error is None:
            return ""
        if isinstance(self.error, APIClientError):
            return str(self.error)
        # Its text is not ours and may hold anything; --traceback shows it.
        text = _("%(client)s: %(kind)s in the auth backend or the session of this project")
        return text % {"client": self.name, "kind": type(self.error).__name__}

    @property
    def notes(self) -> list[str]:
        return [note for note in (self.said, *self.attention) if note]

    def as_dict(self) -> dict[str, Any]:
        known = self.found.as_dict() if self.found else {}
        return {
            "alias": self.alias,
            "subject": self.subject,
            "ok": self.error is None,
            "tested": self.tested,
            "status": self.status,
            "milliseconds": self.milliseconds,
            "error": self.said,
            "error_type": type(self.error).__name__ if self.error else "",
            "attention": self.attention,
            **{name: known.get(name) for name in OF_GRANT},
        }


class Check(Subcommand):
    """Tests one client or all of them, one after the other; goes on behind a failure."""

    @property
    def summary(self) -> str:
        return _("Test the connection of one client, or of all.")

    @property
    def epilog(self) -> str:
        return _(
            "Calls the CHECK of the settings, or obtains a token where there is none. Without\n"
            "ALIAS, clients that have tokens of subjects alone are skipped."
        )

    def add_arguments(self, parser: SubcommandParser) -> None:
        add_alias(parser, nargs="?")
        add_subject(parser)
        add_format(parser)

    def run(self, terminal: Terminal, options: dict[str, Any]) -> None:
        trials = planned(options)
        if options["format"] == "json":
            verdicts = [trial.verdict() for trial in trials]
            terminal.json([one.as_dict() for one in verdicts])
        elif trials:
            verdicts = written(terminal, trials)
        else:
            verdicts = []
            terminal.say(_("There are no clients in settings.API_CLIENTS."))
        if concerning := [one for one in verdicts if one.code]:
            raise summed_up(concerning, alone=len(trials) == 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """A test that is to be made; one of many leaves out a client without a grant of its own."""

    alias: str
    subject: str | None = None
    counted: Counted = None
    among_many: bool = False

    @property
    def name(self) -> str:
        return named(self.alias, self.subject or "")

    def verdict(self) -> Verdict:
        response, found, failed, tested = None, None, None, True
        began = time.perf_counter()
        try:
            client = chosen({"alias": self.alias, "subject": self.subject})
            tested = not (self.among_many and looked(client, self.counted).for_subjects_alone)
            try:
                response = client.check() if tested else None
            finally:
                found = looked(client, self.counted)
        except Exception as error:  # noqa: BLE001  # one project's faulty backend must not end the round
            failed = error
        return Verdict(
            alias=str(self.alias),
            subject=self.subject or "",
            milliseconds=round((time.perf_counter() - began) * 1000),
            tested=tested,
            status=None if response is None else response.status_code,
            error=failed,
            found=found,
        )


def planned(options: dict[str, Any]) -> list[Trial]:
    alias, subject = options["alias"], options.get("subject")
    if alias:
        client = chosen(options)
        counted = crowds() if subject is None else None
        return [Trial(alias=client.alias, subject=subject, counted=counted)]
    if subject is not None:
        raise unusable(_("--subject needs the ALIAS of a client"))
    counted = crowds()
    return [Trial(alias=alias, counted=counted, among_many=True) for alias in clients]


def written(terminal: Terminal, trials: Sequence[Trial]) -> list[Verdict]:
    """Test, and write each verdict as it comes."""
    head = (_("ALIAS"), _("RESULT"), _("TIME"), _("ANSWER"))
    widest = (_("skipped"), "99999 ms", _("no CHECK to call"))
    table, verdicts = Table(terminal, head, [(trial.name, *widest) for trial in trials]), []
    for trial in trials:
        one = trial.verdict()
        style = "ERROR" if one.error else STYLES[one.code]
        table.line((one.name, one.result, f"{one.milliseconds} ms", one.answer), {1: style})
        for note in one.notes if len(trials) > 1 else ():
            terminal.note(note)
        terminal.out.flush()
        verdicts.append(one)
    return verdicts


def summed_up(concerning: list[Verdict], *, alone: bool) -> CommandError:
    """Make the error for all that is to be seen to; of a client that was tested alone, in full."""
    text = _("need attention: %(aliases)s")
    text %= {"aliases": ", ".join(one.alias for one in concerning)}
    if alone:
        only = concerning[0]
        text = only.said or f"{only.name}: {'; '.join(only.attention)}"
    error = CommandError(text, returncode=min(one.code for one in concerning))
    error.__cause__ = next((one.error for one in concerning if one.error), None)
    return error
