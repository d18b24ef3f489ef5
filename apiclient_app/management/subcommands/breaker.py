"""`breaker`: the circuit of a client, seen, opened and closed."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError
from django.utils.translation import gettext as _

from apiclient_app.handler import clients
from apiclient_app.management.exits import Exit, Said
from apiclient_app.management.looks import Look, looked, outage
from apiclient_app.management.terminal import Terminal
from apiclient_app.management.wording import circuit
from apiclient_app.tokens import Inspection

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
            "closes when one call gets through. Exits with 0 where it is closed, else with 3;\n"
            "with 3 also where the cache does not answer."
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
        if options["format"] == "json":
            terminal.json(found.as_dict())
        else:
            terminal.line(f"{found.name}: {_state(found.inspection)}")
        if not options["order"]:
            _concern(found)


def _state(known: Inspection | None) -> str:
    if known and known.circuit == "closed" and not known.store_available:
        return _("unknown")  # it is this process alone that has heard of no other
    return circuit(known) or _("BREAKER is off")


def _concern(found: Look) -> None:
    """End with what is to be seen to."""
    known = found.inspection
    if known is None or not known.circuit:
        return
    if silence := outage(known):
        raise CommandError(f"{found.name}: {silence}", returncode=Exit.ATTENTION)
    if known.circuit_opened_at:
        raise Said(f"{found.name}: {circuit(known)}", returncode=Exit.ATTENTION)
