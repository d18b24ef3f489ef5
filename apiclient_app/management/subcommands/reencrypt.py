"""`reencrypt`: rows move to the first SECRET_KEY, before an old one is dropped."""

from __future__ import annotations

from collections import Counter
from typing import Any

from django.core.management.base import CommandError
from django.db import transaction
from django.utils.translation import gettext as _

from apiclient_app.handler import clients
from apiclient_app.management.credentials import Rows, batches, credentials
from apiclient_app.management.exits import Exit
from apiclient_app.management.terminal import Terminal
from apiclient_app.models import Credential
from apiclient_app.store.rows import place_of
from apiclient_app.store.seal import Seal, Unsealable

from .base import Subcommand, SubcommandParser

MOVED, CURRENT, UNREADABLE, BUSY = "moved", "current", "unreadable", "busy"
TRIES = 5


class Reencrypt(Subcommand):
    """A row that is changed at the same moment is read anew, and never written over."""

    @property
    def summary(self) -> str:
        return _("Encrypt the stored refresh tokens with the first SECRET_KEY.")

    @property
    def epilog(self) -> str:
        return _(
            "To change SECRET_KEY: put the old one into SECRET_KEY_FALLBACKS and deploy that\n"
            "everywhere; run this; then drop the old one. It can be repeated, and run while\n"
            "tokens are in use."
        )

    def add_arguments(self, parser: SubcommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help=_("count, and change nothing"))

    def run(self, terminal: Terminal, options: dict[str, Any]) -> None:
        counts, seal = Counter[str](), clients.seal
        with credentials() as rows:
            for batch in batches(rows.exclude(refresh_token="")):
                # A commit for each row would take minutes for thousands; a batch holds up nobody.
                with transaction.atomic(using=rows.db):
                    counts.update(moved(rows, row, seal, dry=options["dry_run"]) for row in batch)
        text = _("to be encrypted anew") if options["dry_run"] else _("encrypted anew")
        terminal.line(
            _("%(moved)d %(text)s, %(current)d current, %(unreadable)d unreadable")
            % {"text": text, **{name: counts[name] for name in (MOVED, CURRENT, UNREADABLE)}}
        )
        if problem := remedy(counts):
            raise CommandError(problem, returncode=Exit.ATTENTION)


def moved(rows: Rows, row: Credential, seal: Seal, *, dry: bool) -> str:
    """Have a row encrypted with the first key; tell what became of it."""
    sealed: str | None = row.refresh_token
    for _try in range(TRIES):
        if not sealed:
            return CURRENT  # emptied, or gone, in the meantime
        try:
            anew = seal.resealed(sealed, place_of(row.identity))
        except Unsealable:
            return UNREADABLE
        if anew is None:
            return CURRENT
        same = rows.filter(pk=row.pk, refresh_token=sealed)
        if dry or same.update(refresh_token=anew):
            return MOVED
        sealed = rows.filter(pk=row.pk).values_list("refresh_token", flat=True).first()
    return BUSY


def remedy(counts: Counter[str]) -> str:
    if counts[UNREADABLE]:
        text = _(
            "%(count)d refresh tokens are opened by no key: put the SECRET_KEY that they were "
            "stored with into SECRET_KEY_FALLBACKS, and repeat it. Which they are: "
            "`manage.py apiclient subjects --state unreadable`."
        )
        return text % {"count": counts[UNREADABLE]}
    if counts[BUSY]:
        text = _("%(count)d rows were being changed all the time; repeat it.")
        return text % {"count": counts[BUSY]}
    return ""
