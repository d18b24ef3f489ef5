"""What every subcommand is."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser
from django.utils.translation import gettext as _

from apiclient_app.management.terminal import Terminal


class Subcommand:
    """A word behind `manage.py apiclient`.

    `run` raises APIClientError, or a CommandError with its exit code.
    """

    @property
    def summary(self) -> str:
        raise NotImplementedError

    def add_arguments(self, parser: CommandParser) -> None:
        raise NotImplementedError

    def run(self, terminal: Terminal, options: dict[str, Any]) -> None:
        raise NotImplementedError


def add_alias(parser: CommandParser, nargs: Any = None) -> None:
    text = _("a key of API_CLIENTS in the settings")
    parser.add_argument("alias", metavar="ALIAS", nargs=nargs, help=text)


def add_format(parser: CommandParser) -> None:
    parser.add_argument(
        "--format",
        choices=["table", "json"],
        default="table",
        help=_("for people (the default) or for programs"),
    )
