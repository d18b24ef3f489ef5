"""`call`: one call, its body to stdout."""

from __future__ import annotations

from contextlib import ExitStack
from typing import IO, Any

from django.utils.translation import gettext as _
from requests.structures import CaseInsensitiveDict

from apiclient_app.conf.reading import METHODS
from apiclient_app.management.bodies import checked_json, content, pour
from apiclient_app.management.exits import Exit, Said, unusable
from apiclient_app.management.terminal import Terminal
from apiclient_app.wording import named

from .base import Subcommand, SubcommandParser, add_alias, add_subject, chosen

OF_THE_SETTINGS = ("authorization", "proxy-authorization", "cookie", "x-api-key")


class Call(Subcommand):
    """Whatever the status is, it goes to stderr and the body to stdout."""

    @property
    def summary(self) -> str:
        return _("Call the API: body to stdout, status to stderr.")

    @property
    def epilog(self) -> str:
        return _(
            "examples:\n"
            "  manage.py apiclient call github GET users/octocat --subject user-42\n"
            "  manage.py apiclient call shop POST orders --json '{\"article\": 7}'\n"
            "  pg_dump shop | manage.py apiclient call backup PUT dump.sql --data -"
        )

    def add_arguments(self, parser: SubcommandParser) -> None:
        add_alias(parser)
        parser.add_argument(
            "method", metavar="METHOD", type=str.upper, choices=METHODS, help=", ".join(METHODS)
        )
        parser.add_argument("path", metavar="PATH", help=_("joins under BASE_URL"))
        add_subject(parser)
        for option, metavar, text in (
            ("--param", "NAME=VALUE", _("for the query; can be repeated")),
            ("--header", "'NAME: VALUE'", _("can be repeated")),
        ):
            parser.add_argument(option, metavar=metavar, help=text, action="append", default=[])
        body = parser.add_mutually_exclusive_group()
        for option, metavar, text in (
            ("--json", "DOCUMENT", _("a JSON body; or @FILE, or - for stdin")),
            ("--data", "TEXT", _("any other body; or @FILE, or - for stdin")),
        ):
            body.add_argument(option, metavar=metavar, help=text)

    def run(self, terminal: Terminal, options: dict[str, Any]) -> None:
        client = chosen(options)
        with ExitStack() as stack:
            response = client.request(
                options["method"],
                options["path"],
                stream=True,
                raise_for_status=False,
                **request_arguments(options, stack),
            )
            stack.callback(response.close)
            status = f"{response.status_code} {response.reason or ''}".strip()
            if options["verbosity"]:
                terminal.say(terminal.styled(status, "SUCCESS" if response.ok else "ERROR"))
            pour(response, terminal)
        if not response.ok:
            raise Said(f"{named(client.alias, client.subject)}: {status}", returncode=Exit.FAILED)


def request_arguments(options: dict[str, Any], stack: ExitStack) -> dict[str, Any]:
    """Give what the options come to, as keyword arguments of `Client.request`."""
    headers = CaseInsensitiveDict(pair(text, ":", "--header") for text in options["header"])
    if secret := next((name for name in headers if name.lower() in OF_THE_SETTINGS), None):
        text = _(
            "--header %(name)s: credentials belong into the settings; everybody on this "
            "machine can read a command line"
        )
        raise unusable(text % {"name": secret})
    data: bytes | IO[bytes] | None = None
    if options["json"] is not None:
        data = checked_json(content(options["json"], stack))
        headers.setdefault("Content-Type", "application/json")
    elif options["data"] is not None:
        data = content(options["data"], stack)
    params = [pair(text, "=", "--param") for text in options["param"]]
    return {"params": params, "headers": headers, "data": data}


def pair(text: str, separator: str, option: str) -> tuple[str, str]:
    name, found, value = text.partition(separator)
    if not found or not name.strip():
        raise unusable(
            _("%(option)s needs a name and a value, with %(separator)r between them")
            % {"option": option, "separator": separator}
        )
    return (name, value) if separator == "=" else (name.strip(), value.strip())
