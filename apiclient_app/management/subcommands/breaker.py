"""`breaker`: the circuit of a client, seen, opened and closed."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _

from apiclient_app.handler import clients
from apiclient_app.management.exits import Exit, Said
from apiclient_app.management.looks import looked
from apiclient_app.management.terminal import Terminal
from apiclient_app.management.wording import circuit

from .base import Subcommand, SubcommandParser, add_alias, add_format


class Breaker(Subcommand):
    """Opened by hand, it stays open until it is closed by hand."""

    @property
    def summary(self) -> str:
        return _("Show the circuit breaker of a client; open it, or close it.")

    @property
    def epilog(self) -> str:
        return _(
            "While it is open, every call fails at once (CircuitOpen), and nothing is sent.\n"
            "It opens by itself when the API fails too often (BREAKER in the settings), and\n"
            "closes when one call gets through. Exits with 0 where it is closed, else with 3."
        )

    def add_arguments(self, parser: SubcommandParser) -> None:
        add_alias(parser)
        parser.add_argument(
            "order",
            nargs="?",
            choices=("open", "close"),
            help=_("without it, the state is shown"),
        )
        add_format(parser)

    def run(self, terminal: Terminal, options: dict[str, Any]) -> None:
        client = clients[options["alias"]]
        if options["order"] == "open":
            client.open_circuit()
        elif options["order"] == "close":
            client.close_circuit()
        found = looked(client)
        state = circuit(found.inspection)
        if options["format"] == "json":
            terminal.json(found.as_dict())
        else:
            terminal.line(f"{found.name}: {state or _('BREAKER is off')}")
        if not options["order"] and found.inspection and found.inspection.circuit_opened_at:
            raise Said(f"{found.name}: {state}", returncode=Exit.ATTENTION)
