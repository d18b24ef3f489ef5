"""`store-refresh-token`: the beginning of a grant, or what mends one."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _

from apiclient_app.handler import clients
from apiclient_app.management.exits import unusable
from apiclient_app.management.looks import looked
from apiclient_app.management.terminal import Terminal
from apiclient_app.management.typed import secret
from apiclient_app.wording import named

from .base import Subcommand, SubcommandParser, add_alias, add_format, add_subject, chosen


class StoreRefreshToken(Subcommand):
    """Takes the refresh token from a prompt or from stdin, and never shows it."""

    @property
    def summary(self) -> str:
        return _("Keep a refresh token, read from a prompt or from stdin.")

    @property
    def epilog(self) -> str:
        return _(
            "examples:\n"
            "  manage.py apiclient store-refresh-token shop\n"
            "  vault read ... | manage.py apiclient store-refresh-token shop --subject ann\n"
            "\n"
            "On a terminal it asks, without echo. It is the beginning of a new grant: what\n"
            "was held before is forgotten."
        )

    def add_arguments(self, parser: SubcommandParser) -> None:
        add_alias(parser)
        add_subject(parser)
        add_format(parser)
        parser.allow_abbrev = False
        parser.refusal = _(
            "usage is store-refresh-token ALIAS [--subject SUBJECT]; the refresh token is typed "
            "at the prompt or comes from stdin, for everybody on this machine can read a command "
            "line. If it was on this one, have it revoked and get another."
        )

    def run(self, terminal: Terminal, options: dict[str, Any]) -> None:
        if options["alias"] not in clients:  # perhaps it is the refresh token
            known = ", ".join(map(repr, clients)) or _("none")
            text = _("There is no client of that name in settings.API_CLIENTS; known: %(known)s.")
            raise unusable(text % {"known": known})
        client = chosen(options)
        name = named(client.alias, client.subject)
        prompt = _("Refresh token for %(client)s: ") % {"client": name}
        client.store_refresh_token(secret(prompt))
        if options["format"] == "json":
            terminal.json(looked(client).as_dict())
        else:
            text = _("%(client)s: stored; the next call obtains a token with it")
            terminal.line(text % {"client": name})
