"""What every subcommand is."""

from __future__ import annotations

from argparse import ArgumentTypeError
from collections.abc import Callable
from typing import Any

from django.core.management.base import CommandParser
from django.utils.translation import gettext as _

from apiclient_app.client import Client
from apiclient_app.handler import clients
from apiclient_app.management.terminal import Terminal


class Subcommand:
    """A word behind `manage.py apiclient`.

    `run` raises APIClientError, or a CommandError with its exit code. `epilog` ends its --help.
    """

    @property
    def summary(self) -> str:
        raise NotImplementedError

    @property
    def epilog(self) -> str:
        return ""

    def add_arguments(self, parser: SubcommandParser) -> None:
        raise NotImplementedError

    def run(self, terminal: Terminal, options: dict[str, Any]) -> None:
        raise NotImplementedError


class SubcommandParser(CommandParser):
    """With a `refusal`, it says that of words it does not know, and repeats none of them."""

    refusal = ""

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        known, unknown = super().parse_known_args(args, namespace)
        if unknown and self.refusal:
            self.error(self.refusal)
        return known, unknown

    def error(self, message: str) -> Any:
        super().error(self.refusal or message)


def add_alias(parser: CommandParser, nargs: Any = None) -> None:
    text = _("a key of API_CLIENTS in the settings")
    parser.add_argument("alias", metavar="ALIAS", nargs=nargs, help=text)


def add_subject(parser: CommandParser) -> None:
    text = _("whose token; by default the application's own")
    parser.add_argument("--subject", metavar="SUBJECT", help=text)


def add_format(parser: CommandParser) -> None:
    parser.add_argument(
        "--format",
        choices=["table", "json"],
        default="table",
        help=_("for people (the default) or for programs"),
    )


def between(least: int, most: int) -> Callable[[str], int]:
    """Make the type of an argument that is a whole number."""

    def number(text: str) -> int:
        if text.isdecimal() and least <= int(text) <= most:
            return int(text)
        said = _("%(text)r is no number from %(least)d to %(most)d")
        raise ArgumentTypeError(said % {"text": text, "least": least, "most": most})

    return number


def chosen(options: dict[str, Any]) -> Client:
    """Give the client of ALIAS and --subject."""
    client = clients[options["alias"]]
    subject = options.get("subject")
    return client if subject is None else client.for_subject(subject)
