"""`subjects`: the rows of refresh tokens, searched and page by page."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.db.models.functions import Now
from django.utils.translation import gettext as _

from apiclient_app.handler import clients
from apiclient_app.management.credentials import (
    Rows,
    batches,
    credentials,
    orphaned,
    unreadable,
)
from apiclient_app.management.grants import STYLES
from apiclient_app.management.tables import Table
from apiclient_app.management.terminal import Terminal
from apiclient_app.management.wording import ago
from apiclient_app.models import STATE
from apiclient_app.rows import RowState
from apiclient_app.store.seal import Seal

from .base import Subcommand, SubcommandParser, add_alias, add_format, between

LIMIT, MOST = 50, 1_000
LAST_PAGE = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Found:
    """A row, and what its columns alone do not tell."""

    credential: Any  # with its `state`, and `now` by the database's clock
    unreadable: bool
    orphaned: bool

    @property
    def state(self) -> str:
        return RowState.UNREADABLE.value if self.unreadable else str(self.credential.state)

    def cells(self) -> tuple[str, ...]:
        row, now = self.credential, self.credential.now
        state = _("%(state)s, orphaned") % {"state": self.state} if self.orphaned else self.state
        changed = row.updated_at
        return row.subject or "-", state, row.alias, ago(row.obtained_at, now), ago(changed, now)

    def as_dict(self) -> dict[str, Any]:
        row = self.credential
        return {
            "alias": row.alias,
            "subject": row.subject,
            "state": self.state,
            "note": row.attention,
            "orphaned": self.orphaned,
            "obtained_at": iso(row.obtained_at),
            "changed_at": iso(row.updated_at),
            "asking_since": iso(row.asking_since),
        }


@dataclass(frozen=True, slots=True)
class Page:
    """Some of the rows that were looked for. The first page is 1."""

    number: int
    size: int
    count: int
    rows: tuple[Found, ...]

    @property
    def pages(self) -> int:
        return -(-self.count // self.size)

    @property
    def said(self) -> str:
        text = _("%(shown)d of %(count)d shown: page %(number)d of %(pages)d")
        return text % {
            "shown": len(self.rows),
            "count": self.count,
            "number": self.number,
            "pages": max(self.pages, 1),
        }


class Subjects(Subcommand):
    """Shows what the database holds: also of aliases that are configured no more."""

    @property
    def summary(self) -> str:
        return _("Show whose refresh tokens are kept, and the states of these grants.")

    @property
    def epilog(self) -> str:
        return _(
            "Orphaned: no client would find the row, for its alias is configured no more, or\n"
            "with another token_url or client_id; `prune --orphans` removes such rows."
        )

    def add_arguments(self, parser: SubcommandParser) -> None:
        add_alias(parser, nargs="?")
        parser.add_argument("--search", metavar="TEXT", help=_("a part of the subject"))
        states = [state.value for state in RowState]
        parser.add_argument(
            "--state", metavar="STATE", choices=states, help=", ".join(map(repr, states))
        )
        for option, metavar, most, default, text in (
            ("--limit", "N", MOST, LIMIT, _("rows on a page (50)")),
            ("--page", "P", LAST_PAGE, 1, _("which page (1)")),
        ):
            parser.add_argument(
                option, metavar=metavar, type=between(1, most), default=default, help=text
            )
        add_format(parser)

    def run(self, terminal: Terminal, options: dict[str, Any]) -> None:
        with credentials() as rows:
            page = turned_to(rows, options)
        if options["alias"] and not page.count and not any(map(options.get, ("search", "state"))):
            clients[options["alias"]]  # an alias that nobody knows is a mistake
        if options["format"] == "json":
            document = {"count": page.count, "page": page.number, "pages": page.pages}
            terminal.json({**document, "rows": [found.as_dict() for found in page.rows]})
            return
        if page.rows:
            write(terminal, page)
        terminal.say(page.said)


def turned_to(rows: Rows, options: dict[str, Any]) -> Page:
    """Look for the rows of one page."""
    rows, state = sought(rows, options).annotate(now=Now(), state=STATE), options["state"]
    size, number = options["limit"], options["page"]
    start, seal = (number - 1) * size, clients.seal
    if state == RowState.UNREADABLE:
        lost = unreadable_ones(rows, seal)
        count, shown = len(lost), rows.filter(pk__in=lost[start : start + size])
    else:
        found = rows.filter(state=state) if state else rows
        count, shown = found.count(), found[start : start + size]
    return Page(
        number=number,
        size=size,
        count=count,
        rows=tuple(Found(row, unreadable(row, seal), orphaned(row)) for row in shown),
    )


def sought(rows: Rows, options: dict[str, Any]) -> Rows:
    if options["alias"]:
        rows = rows.filter(alias=options["alias"])
    if options["search"]:
        rows = rows.filter(subject__icontains=options["search"])
    return rows


def unreadable_ones(rows: Rows, seal: Seal) -> list[int]:
    """Give the keys of rows that no key of the settings opens, in the order of all rows."""
    found = [
        (row.alias, row.subject, row.pk)
        for batch in batches(rows.exclude(refresh_token=""))
        for row in batch
        if unreadable(row, seal)
    ]
    return [key for _alias, _subject, key in sorted(found)]


def write(terminal: Terminal, page: Page) -> None:
    head = (_("SUBJECT"), _("STATE"), _("ALIAS"), _("OBTAINED"), _("CHANGED"))
    lines = [found.cells() for found in page.rows]
    table = Table(terminal, head, lines)
    for found, line in zip(page.rows, lines, strict=True):
        table.line(line, {1: "WARNING" if found.orphaned else STYLES[found.state]})


def iso(moment: datetime | None) -> str | None:
    """Give ISO 8601 in UTC; where USE_TZ is off, in the zone of the database."""
    if moment is None:
        return None
    return (moment.astimezone(UTC) if moment.tzinfo else moment).isoformat()
