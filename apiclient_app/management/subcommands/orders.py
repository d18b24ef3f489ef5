"""`rotate`, `revoke` and `switch`: what a person orders done with tokens and credentials."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError
from django.utils.translation import gettext as _

from apiclient_app.client import Client
from apiclient_app.management.exits import Exit
from apiclient_app.management.looks import looked, warn_of_private_caches
from apiclient_app.management.terminal import Terminal
from apiclient_app.management.wording import duration
from apiclient_app.tokens import Inspection
from apiclient_app.wording import spelled

from .base import Subcommand, SubcommandParser, add_alias, add_format, add_subject, chosen


class Order(Subcommand):
    """Acts on the token of one client, and tells what is known of it afterwards."""

    def add_arguments(self, parser: SubcommandParser) -> None:
        add_alias(parser)
        add_subject(parser)
        add_format(parser)

    def run(self, terminal: Terminal, options: dict[str, Any]) -> None:
        client = chosen(options)
        self.act(client, options)
        found = looked(client)
        known = found.inspection or Inspection(alias=client.alias)
        warn_of_private_caches(terminal, [found])
        if options["format"] == "json":
            terminal.json(found.as_dict())
        else:
            terminal.line(f"{found.name}: {self.outcome(client, known)}")
        if not known.store_available:
            text = _(
                "%(client)s: the cache does not answer, so no other process has heard of it. "
                "Repeat it when the cache is back."
            )
            raise CommandError(text % {"client": found.name}, returncode=Exit.FAILED)

    def act(self, client: Client, options: dict[str, Any]) -> None:
        raise NotImplementedError

    def outcome(self, client: Client, known: Inspection) -> str:
        raise NotImplementedError


class Rotate(Order):
    """Clears a recorded failure, too."""

    @property
    def summary(self) -> str:
        return _("Obtain a new token now, and retire the old one.")

    @property
    def epilog(self) -> str:
        return _(
            "A refresh token that is in doubt or was refused is sent once more: a person may\n"
            "try what the app does not."
        )

    def add_arguments(self, parser: SubcommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--wait",
            action="store_true",
            help=_("stay until the provider has been told to revoke the old token"),
        )

    def act(self, client: Client, options: dict[str, Any]) -> None:
        client.rotate_token(wait=options["wait"])

    def outcome(self, client: Client, known: Inspection) -> str:
        text = _("rotated; the new token has the fingerprint %(fingerprint)s and lives %(life)s")
        life = duration(known.expires_in or 0)
        return text % {"fingerprint": known.fingerprint, "life": life}


class Revoke(Order):
    """Clears a recorded failure, too."""

    @property
    def summary(self) -> str:
        return _("Forget the token everywhere, and have it revoked.")

    @property
    def epilog(self) -> str:
        return _("A refresh token is forgotten and revoked with it.")

    def act(self, client: Client, options: dict[str, Any]) -> None:
        client.revoke_token()

    def outcome(self, client: Client, known: Inspection) -> str:
        if client.auth.obtains:
            return _("revoked; the next call obtains a new token")
        text = _("revoked, with its refresh token; to begin anew, authorise and `%(order)s`")
        order = spelled("store-refresh-token", client.alias, client.subject)
        return text % {"order": order}


class Switch(Order):
    """Tries the next credentials with the application's own token."""

    @property
    def summary(self) -> str:
        return _("Use the next client credentials (OPTIONS['next']) everywhere, if they work.")

    @property
    def epilog(self) -> str:
        return _(
            "They have to obtain a token, and the API has to take it for CHECK; otherwise\n"
            "nothing is changed. Afterwards move them to their places (client_id,\n"
            "client_secret) in the settings, and deploy."
        )

    def add_arguments(self, parser: SubcommandParser) -> None:
        add_alias(parser)
        add_format(parser)

    def act(self, client: Client, options: dict[str, Any]) -> None:
        client.switch_credentials()

    def outcome(self, client: Client, known: Inspection) -> str:
        text = _(
            "switched; every process uses the next credentials, and the new token has the "
            "fingerprint %(fingerprint)s. Now move them from OPTIONS['next'] to their places "
            "(client_id, client_secret) in API_CLIENTS[%(alias)r], and deploy."
        )
        return text % {"fingerprint": known.fingerprint, "alias": client.alias}
