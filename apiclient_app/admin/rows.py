"""The rows of the admin's pages: configured clients, each looked at once."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.admin.views.main import ChangeList
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _

from apiclient_app.exceptions import APIClientError
from apiclient_app.handler import clients
from apiclient_app.models import ApiClient


def look(alias: str) -> ApiClient:
    """Give the row of a configured client; one that cannot be used as configured says why."""
    row = ApiClient(alias=str(alias))
    try:
        client = clients[alias]
        row.inspection = client.inspect()
        row.settings = client.config.masked()
    except APIClientError as error:
        row.problem = str(error)
    return row


def warn_of_outage(request: HttpRequest, rows: list[ApiClient]) -> None:
    """Say on the page if a cache did not answer."""
    if any(row.inspection and not row.inspection.store_available for row in rows):
        text = _(
            "The cache does not answer. What is shown is what this server process remembers; "
            "other processes may have other tokens."
        )
        messages.warning(request, text)


class ClientList(ChangeList):
    """Django's change list over `settings.API_CLIENTS`, in the order of the settings."""

    def get_queryset(self, request: HttpRequest, *args: Any, **kwargs: Any) -> QuerySet[ApiClient]:
        # Query strings filter nothing: there is nothing to look up, and nothing to leak.
        return ApiClient.objects.all()

    def get_results(self, request: HttpRequest) -> None:
        self.result_list = _rows(request)
        self.result_count = self.full_result_count = len(self.result_list)
        self.paginator = Paginator(self.result_list, max(1, self.result_count))
        self.show_full_result_count = self.show_admin_actions = False
        self.can_show_all = self.multi_page = False


def _rows(request: HttpRequest) -> list[ApiClient]:
    try:
        rows = [look(alias) for alias in clients]
    except APIClientError as error:
        messages.error(request, str(error))
        return []
    warn_of_outage(request, rows)
    return rows
