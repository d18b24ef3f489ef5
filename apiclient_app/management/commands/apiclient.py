"""`manage.py apiclient`: look at the configured clients, call them, act on their tokens."""

from __future__ import annotations

import argparse
from typing import Any

from django.core.management.base import (
    BaseCommand,
    CommandError,
    CommandParser,
    DjangoHelpFormatter,
)
from django.utils.translation import gettext as _

from apiclient_app.exceptions import APIClientError
from apiclient_app.management.exits import code_for, ending_as_a_process, explained
from apiclient_app.management.subcommands import SUBCOMMANDS
from apiclient_app.management.subcommands.base import SubcommandParser
from apiclient_app.management.terminal import Terminal


class HelpFormatter(DjangoHelpFormatter, argparse.RawDescriptionHelpFormatter):
    """Django's, but the lines of the epilog stay as they are."""


class Command(BaseCommand):
    """Each subcommand is a module in `apiclient_app.management.subcommands`."""

    # One misconfigured client must not hide the others; each is examined when it is looked at.
    requires_system_checks: list[str] = []

    _called_from_command_line: bool

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        self.help = _("Look at the API clients of this project, call them, act on their tokens.")
        self.base_arguments: list[tuple[Any, Any]] = []
        return super().create_parser(
            prog_name, subcommand, epilog=explained(), formatter_class=HelpFormatter, **kwargs
        )

    def add_base_argument(self, parser: CommandParser, *args: Any, **kwargs: Any) -> None:
        super().add_base_argument(parser, *args, **kwargs)
        self.base_arguments.append((args, kwargs))

    def add_arguments(self, parser: CommandParser) -> None:
        commands = parser.add_subparsers(
            dest="subcommand",
            metavar="COMMAND",
            required=True,
            parser_class=SubcommandParser,
        )
        for name, subcommand in SUBCOMMANDS.items():
            inner = commands.add_parser(
                name,
                help=subcommand.summary,
                description=subcommand.summary,
                epilog=subcommand.epilog,
                formatter_class=HelpFormatter,
            )
            subcommand.add_arguments(inner)
            # --settings and the like are usually typed last, behind the subcommand.
            quiet = {"default": argparse.SUPPRESS, "help": argparse.SUPPRESS}
            for args, kwargs in self.base_arguments:
                inner.add_argument(*args, **{**kwargs, **quiet})

    def execute(self, *args: Any, **options: Any) -> Any:
        if not self._called_from_command_line:
            return super().execute(*args, **options)
        with ending_as_a_process(self.stderr, options["traceback"]):
            return super().execute(*args, **options)

    def handle(self, *args: Any, **options: Any) -> None:
        terminal = Terminal(self.stdout, self.stderr, self.style, options["force_color"])
        try:
            SUBCOMMANDS[options["subcommand"]].run(terminal, options)
        except APIClientError as error:
            raise CommandError(str(error), returncode=code_for(error)) from error
        finally:
            self.stdout.flush()
