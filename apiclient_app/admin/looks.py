"""A look at a client, for itself or for one of its subjects: what is known, or what is wrong."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from django.contrib import messages
from django.http import HttpRequest
from django.utils.translation import gettext as _

from apiclient_app.client import Client
from apiclient_app.exceptions import APIClientError, UnknownClient
from apiclient_app.handler import clients
from apiclient_app.models import ApiClient, Credential
from apiclient_app.rows import RowState
from apiclient_app.tokens import Inspection

from .queries import credential_of, state_of

USELESS = (RowState.ATTENTION, RowState.EMPTY, RowState.UNREADABLE)


def client_for(alias: str, subject: str) -> Client:
    """Give the client of a subject, or of the application itself; raises APIClientError."""
    client = clients[alias]
    return client.for_subject(subject) if subject else client


def rows_of(alias: str, subject: str = "") -> Any:
    """Give where a client keeps the refresh token of a subject; None where it keeps none."""
    with suppress(APIClientError):
        return client_for(alias, subject).rooms.rows
    return None


def credential_for(alias: str, subject: str) -> Credential | None:
    """Give the row that a client and its subject use, if there is one to be had."""
    rows = rows_of(alias, subject)
    return None if rows is None else credential_of(rows.identity)


def look(alias: str, subject: str = "") -> ApiClient:
    """Give the row of a configured client; one that cannot be used as configured says why."""
    row = ApiClient(alias=str(alias))
    try:
        client = client_for(alias, subject)
        row.inspection = client.inspect()
        row.settings = client.config.masked()
    except APIClientError as error:
        row.problem = str(error)
    return row


def stuck(row: ApiClient) -> bool:
    """Tell whether no token can be obtained until a person stores a refresh token."""
    known = row.inspection
    if known is None or row.problem or known.grant not in USELESS:
        return False
    return not client_for(row.alias, known.subject).auth.obtains


def orphaned(credential: Credential) -> str:
    """Say why no client uses this row; nothing where one does, or may when it is mended."""
    try:
        rows = client_for(credential.alias, credential.subject).rooms.rows
    except UnknownClient:
        return _("its alias is not in the settings any more")
    except APIClientError:
        return ""
    if rows is None or rows.identity != credential.identity:
        return _("its client was configured anew, and has another grant")
    return ""


def look_at(credential: Credential) -> ApiClient:
    """Give what its client knows of token and grant. Where there is a `problem`, nobody can use
    this row, and all that is known is what it says itself.

    One look for a page, whose lines all ask for it.
    """
    kept = vars(credential)
    if "look" not in kept:
        kept["look"] = _look_at(credential)
    return kept["look"]  # type: ignore[no-any-return]


def _look_at(credential: Credential) -> ApiClient:
    found = look(credential.alias, credential.subject)
    if why := orphaned(credential):
        found = ApiClient(alias=credential.alias)
        found.problem = _("No client uses it: %(why)s.") % {"why": why}
    if found.problem:
        found.inspection = Inspection(
            alias=credential.alias,
            subject=credential.subject,
            grant=state_of(credential),
            grant_note=credential.attention,
            asking_since=credential.asking_since,
        )
    return found


def warn_of_outage(request: HttpRequest, rows: list[ApiClient]) -> None:
    """Say on the page if a cache did not answer."""
    if any(row.inspection and not row.inspection.store_available for row in rows):
        text = _(
            "The cache does not answer. What is shown is what this server process remembers; "
            "other processes may have other tokens."
        )
        messages.warning(request, text)
