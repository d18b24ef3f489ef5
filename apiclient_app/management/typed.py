"""A secret that is typed or piped in: never an argument, for everybody can read a command line."""

from __future__ import annotations

import sys
import warnings
from getpass import GetPassWarning, getpass

from django.utils.translation import gettext as _

from apiclient_app.secret import Secret

from .exits import unusable

PIPED_LIMIT = 65_536
TYPED_LIMIT = 4_094  # a terminal cuts longer lines off, without a word


def secret(prompt: str) -> Secret[str]:
    """Ask for a secret on a terminal, without echo; otherwise take it from stdin."""
    if sys.stdin is None:
        raise unusable(_("there is no stdin to read it from"))
    found, refused = _typed(prompt) if sys.stdin.isatty() else _piped()
    if refused:
        raise unusable(refused)
    return found


def _typed(prompt: str) -> tuple[Secret[str], str]:
    found, refused = Secret(""), ""
    with warnings.catch_warnings():
        warnings.simplefilter("error", GetPassWarning)
        try:
            found = Secret(getpass(prompt))
        except GetPassWarning:
            refused = _("this terminal shows what is typed; pipe it in")
        except (EOFError, ValueError):
            refused = _("nothing was typed that could be read")
    if len(found.reveal()) > TYPED_LIMIT:
        refused = _("a terminal may have cut it off; pipe it in")
    return found, refused


def _piped() -> tuple[Secret[str], str]:
    try:
        found = Secret(sys.stdin.read(PIPED_LIMIT + 1))
    except ValueError:  # its `object` holds what was read
        found = Secret("\0")
    line = Secret(found.reveal().removesuffix("\n").removesuffix("\r"))
    if len(found.reveal()) > PIPED_LIMIT:
        return line, _("stdin holds more than a secret")
    if not line.reveal().isprintable():
        return line, _("stdin holds more than one line of text")
    return line, ""
