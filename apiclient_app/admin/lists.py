"""The list of clients: those of the settings, each looked at once."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.admin.views.main import ChangeList
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest

from apiclient_app.exceptions import APIClientError
from apiclient_app.handler import clients
from apiclient_app.models import ApiClient

from .looks import look, warn_of_outage


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
