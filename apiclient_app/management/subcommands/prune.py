"""`prune`: dead rows are removed, and due revocations done."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.core.management.base import CommandError
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from apiclient_app.exceptions import APIClientError
from apiclient_app.handler import clients
from apiclient_app.management.credentials import Rows, batches, credentials, orphaned
from apiclient_app.management.exits import code_for
from apiclient_app.management.terminal import Terminal
from apiclient_app.models import CLAIMED, Credential
from apiclient_app.rows import REFUSED

from .base import Subcommand, SubcommandParser, between

# A row that has seen the first refresh token of the settings stays: it knows that it is spent.
UNSEEDED = Q(seeds="")
EMPTY = UNSEEDED & Q(refresh_token="")
SPENT = UNSEEDED & ~Q(refresh_token="") & Q(attention__startswith=REFUSED)


class Prune(Subcommand):
    """Removes no row that is in use, or may be of use."""

    @property
    def summary(self) -> str:
        return _("Remove dead rows of refresh tokens, and have due revocations done.")

    @property
    def epilog(self) -> str:
        return _(
            "Dead: without a refresh token, or with one that the provider refused. Orphaned:\n"
            "no client would find the row, for its alias is configured no more, or with\n"
            "another token_url or client_id; its refresh token may still be good."
        )

    def add_arguments(self, parser: SubcommandParser) -> None:
        parser.add_argument(
            "--days",
            metavar="N",
            type=between(0, 36_500),
            default=30,
            help=_("unchanged for so long (30)"),
        )
        parser.add_argument(
            "--orphans", action="store_true", help=_("remove orphaned rows of that age, too")
        )
        parser.add_argument("--dry-run", action="store_true", help=_("count, and change nothing"))

    def run(self, terminal: Terminal, options: dict[str, Any]) -> None:
        failures = [] if options["dry_run"] else settled()
        with credentials() as rows:
            pruned = Pruning(rows, options["days"], options["dry_run"]).done(options["orphans"])
        pruned.tell(terminal, options)
        if failures:
            text = "; ".join(map(str, failures))
            raise CommandError(text, returncode=min(map(code_for, failures)))


@dataclass(frozen=True, slots=True)
class Pruned:
    """How many rows were removed; and which orphans were kept, by alias."""

    empty: int
    spent: int
    orphans: int
    kept: Counter[str]

    def tell(self, terminal: Terminal, options: dict[str, Any]) -> None:
        said = _("to be removed") if options["dry_run"] else _("removed")
        text = _(
            "%(said)s: %(empty)d without a refresh token, %(spent)d refused, %(orphans)d orphaned"
        )
        counts = {"empty": self.empty, "spent": self.spent, "orphans": self.orphans}
        terminal.line(text % {"said": said, **counts})
        for alias, count in sorted(self.kept.items()):
            why = _("whose grant is another now") if alias in clients else _("configured no more")
            text = _("kept: %(count)d orphaned of %(alias)s, %(why)s")
            terminal.line(text % {"count": count, "alias": alias, "why": why})
        if self.kept and not options["orphans"]:
            terminal.line(_("`prune --orphans` removes them; `subjects ALIAS` shows them."))
        elif self.kept:
            text = _("Kept were those that have changed in the last %(days)d days (--days).")
            terminal.line(text % {"days": options["days"]})


class Pruning:
    """Each removal is one statement: a row that is mended at this moment stays."""

    def __init__(self, rows: Rows, days: int, dry: bool) -> None:
        self.rows, self.dry = rows, dry
        self.old = ~CLAIMED & Q(updated_at__lte=Now() - timedelta(days=days))

    def done(self, with_orphans: bool) -> Pruned:
        empty, spent = self.removed(EMPTY), self.removed(SPENT)
        orphans, kept = 0, Counter[str]()
        for batch in batches(self.rows.exclude(self.old & (EMPTY | SPENT))):
            for alias, keys in lost(batch).items():
                gone = self.removed(Q(pk__in=keys)) if with_orphans else 0
                orphans += gone
                kept[alias] += len(keys) - gone
        return Pruned(empty, spent, orphans, +kept)

    def removed(self, which: Q) -> int:
        found = self.rows.filter(self.old & which).order_by()
        return found.count() if self.dry else found._raw_delete(found.db)


def lost(rows: list[Credential]) -> dict[str, list[int]]:
    """Give the keys of those that are orphaned, by alias."""
    found: dict[str, list[int]] = {}
    for row in rows:
        if orphaned(row):
            found.setdefault(row.alias, []).append(row.pk)
    return found


def settled() -> list[APIClientError]:
    """Have what is due revoked, for all clients; give what hindered."""
    failures = []
    for alias in clients:
        try:
            clients[alias].settle()
        except APIClientError as error:
            failures.append(error)
    return failures
