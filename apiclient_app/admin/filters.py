"""By what the list of refresh tokens can be filtered."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from apiclient_app.exceptions import APIClientError
from apiclient_app.handler import clients
from apiclient_app.models import Credential
from apiclient_app.rows import RowState

from .badges import GRANTS
from .looks import rows_of
from .queries import of_state

ORPHANED = "orphaned"


class AliasFilter(admin.SimpleListFilter):
    """The clients that keep refresh tokens: from the settings, without a query."""

    title = _("alias")
    parameter_name = "alias"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(alias, alias) for alias in configured() if rows_of(alias) is not None]

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[Credential]
    ) -> QuerySet[Credential]:
        return queryset if self.value() is None else queryset.filter(alias=self.value())


class StateFilter(admin.SimpleListFilter):
    """The states that the database can tell, and rows whose client is gone."""

    title = _("refresh token")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        told = [(s.value, GRANTS[s][0]) for s in RowState if s is not RowState.UNREADABLE]
        return [*told, (ORPHANED, _("Orphaned: alias not configured"))]

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[Credential]
    ) -> QuerySet[Credential]:
        if self.value() == ORPHANED:
            return queryset.exclude(alias__in=configured())
        return queryset if self.value() is None else of_state(queryset, self.value() or "")


def configured() -> list[str]:
    with suppress(APIClientError):  # API_CLIENTS as a whole cannot be read
        return list(clients)
    return []
