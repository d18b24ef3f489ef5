"""`rotate` and `revoke`: what a person orders done with a token."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils.translation import gettext as _

from apiclient_app.client import Client
from apiclient_app.handler import clients
from apiclient_app.management.exits import Exit
from apiclient_app.management.looks import Look, warn_of_private_caches
from apiclient_app.management.terminal import Terminal
from apiclient_app.management.wording import duration
from apiclient_app.tokens import Inspection

from .base import Subcommand, add_alias, add_format


class Order(Subcommand):
    """Acts on the token of one client, and tells what is known of it afterwards."""

    def add_arguments(self, parser: CommandParser) -> None:
        add_alias(parser)
        add_format(parser)

    def run(self, terminal: Terminal, options: dict[str, Any]) -> None:
        client = clients[options["alias"]]
        self.act(client, options)
        known = client.inspect()
        warn_of_private_caches(terminal, [Look(client.alias, known)])
        if options["format"] == "json":
            terminal.json(Look(client.alias, known).as_dict())
        else:
            terminal.line(f"{client.alias}: {self.outcome(known)}")
        if not known.store_available:
            text = _(
                "%(alias)s: the cache does not answer, so no other process has heard of it. "
                "Repeat it when the cache is back."
            )
            raise CommandError(text % {"alias": client.alias}, returncode=Exit.FAILED)

    def act(self, client: Client, options: dict[str, Any]) -> None:
        raise NotImplementedError

    def outcome(self, known: Inspection) -> str:
        raise NotImplementedError


class Rotate(Order):
    """Clears a recorded failure, too."""

    @property
    def summary(self) -> str:
        return _("Obtain a new token now, and retire the old one.")

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--wait",
            action="store_true",
            help=_("stay until the provider has been told to revoke the old token"),
        )

    def act(self, client: Client, options: dict[str, Any]) -> None:
        client.rotate_token(wait=options["wait"])

    def outcome(self, known: Inspection) -> str:
        text = _("rotated; the new token has the fingerprint %(fingerprint)s and lives %(life)s")
        life = duration(known.expires_in or 0)
        return text % {"fingerprint": known.fingerprint, "life": life}


class Revoke(Order):
    """Clears a recorded failure, too."""

    @property
    def summary(self) -> str:
        return _("Forget the token everywhere, and have it revoked.")

    def act(self, client: Client, options: dict[str, Any]) -> None:
        client.revoke_token()

    def outcome(self, known: Inspection) -> str:
        return _("revoked; the next call obtains a new token")
