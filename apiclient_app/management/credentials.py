"""The rows of refresh tokens, as people ask for them: by state, counted, told from orphans."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from django.core.management.base import CommandError
from django.db.models import Count, QuerySet
from django.utils.translation import gettext as _

from apiclient_app.exceptions import InvalidConfiguration, InvalidRequest, RowsUnavailable
from apiclient_app.handler import clients
from apiclient_app.models import IN_NEED, OF_SUBJECTS, Credential
from apiclient_app.store.rows import place_of
from apiclient_app.store.seal import Seal, Unsealable
from apiclient_app.store.table import own_connection

from .exits import Exit

Rows = QuerySet[Credential]

BATCH = 500


@dataclass(frozen=True, slots=True)
class Crowd:
    """How many subjects of a client have a row, and how many of these need attention."""

    subjects: int
    needing: int


@contextmanager
def credentials() -> Iterator[Rows]:
    """Give all rows, on a connection of their own; CommandError where they cannot be had."""
    try:
        with own_connection() as using:
            yield Credential.objects.using(using)
    except RowsUnavailable as error:
        failed = str(error)
    else:
        return
    raise CommandError(
        _("the rows of refresh tokens cannot be had: %(reason)s") % {"reason": failed},
        returncode=Exit.FAILED,
    )


def batches(rows: Rows) -> Iterator[list[Credential]]:
    """Give rows in batches, each by a query of its own: no cursor stays open while they change."""
    last = 0
    while batch := list(rows.filter(pk__gt=last).order_by("pk")[:BATCH]):
        yield batch
        last = batch[-1].pk


def unreadable(credential: Credential, seal: Seal) -> bool:
    if not credential.refresh_token:
        return False
    try:
        seal.open(credential.refresh_token, place_of(credential.identity))
    except Unsealable:
        return True
    return False


def orphaned(credential: Credential) -> bool:
    """Whether no client would find it: its alias is configured no more, or its grant is another.

    False where the settings of its client cannot be used: who knows what they were meant to be.
    """
    alias, subject = credential.alias, credential.subject
    if alias not in clients:
        return True
    try:
        client = clients[alias].for_subject(subject) if subject else clients[alias]
    except InvalidConfiguration:
        return False
    except InvalidRequest:
        return True
    return client.rooms.rows is None or client.rooms.rows.identity != credential.identity


def crowds() -> dict[str, Crowd]:
    """Count the subjects of all clients, in one query; in none where no client keeps rows.

    Nothing where the database does not answer: each inspection says so.
    """
    if not any(map(_keeps_rows, clients)):
        return {}
    needing = Count("subject", distinct=True, filter=IN_NEED)
    with suppress(RowsUnavailable), own_connection() as using:
        rows = Credential.objects.using(using).filter(OF_SUBJECTS).order_by().values("alias")
        counted = rows.annotate(subjects=Count("subject", distinct=True), needing=needing)
        return {n["alias"]: Crowd(n["subjects"], n["needing"]) for n in counted}
    return {}


def _keeps_rows(alias: str) -> bool:
    try:
        return clients[alias].rooms.rows is not None
    except InvalidConfiguration:
        return False
