"""The pages of clients and of their subjects: the list, one of them, and its history."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext_lazy as _

from apiclient_app.exceptions import APIClientError
from apiclient_app.handler import clients
from apiclient_app.models import ApiClient
from apiclient_app.tokens import TokenState
from apiclient_app.wording import named

from . import columns
from .columns import Line, fieldsets
from .grants import GRANT
from .lists import ClientList
from .looks import look, warn_of_outage
from .operations import OPERATIONS
from .orders import Orders, offered
from .places import client_page, page_of, subject_of
from .queries import subjects_in_need
from .subjects import count_line, subject_field, token_column

if TYPE_CHECKING:
    ModelAdmin = admin.ModelAdmin[ApiClient]
else:
    ModelAdmin = admin.ModelAdmin


@admin.register(ApiClient)
class ApiClientAdmin(Orders, ModelAdmin):
    """Shows what is known of each client without asking its API, and never a secret.

    Four permissions: `view_apiclient`, and one for each kind of operation: `rotate_apiclient`
    (storing refresh tokens and switching credentials too), `revoke_apiclient` and
    `check_apiclient` (testing a connection sends a call, so looking on is not enough for it). Each
    of these includes seeing the pages. Nothing can be added, changed or deleted here: the settings
    are the place for that.

    With `?subject=` in its URL, a client's page is that of one of its subjects.
    """

    list_display = (
        "alias",
        columns.expires_in,
        columns.last_obtained,
        columns.url,
        columns.auth,
        columns.error,
    )
    sortable_by = ()
    actions = None

    class Media:
        css = {"all": ["apiclient_app/admin.css"]}

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: ApiClient | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: ApiClient | None = None) -> bool:
        return False

    def has_view_permission(self, request: HttpRequest, obj: ApiClient | None = None) -> bool:
        return super().has_view_permission(request, obj) or any(
            request.user.has_perm(operation.permission) for operation in OPERATIONS
        )

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ClientList]:
        return ClientList

    def get_list_display(self, request: HttpRequest) -> Any:
        token = token_column(self.admin_site, cache(subjects_in_need))
        return (self.list_display[0], token, *self.list_display[1:])

    def get_object(
        self, request: HttpRequest, object_id: str, from_field: str | None = None
    ) -> ApiClient | None:
        try:
            return look(object_id, subject_of(request)) if object_id in clients else None
        except APIClientError:  # API_CLIENTS as a whole cannot be read: there is no client
            return None

    def get_fieldsets(self, request: HttpRequest, obj: ApiClient | None = None) -> Any:
        if obj is None or obj.inspection is None:
            return [(None, {"fields": [columns.state, columns.problem]})]
        sets = [(None, [columns.SUBJECT]), (_("Token"), columns.TOKEN), (_("Grant"), GRANT)]
        if not obj.inspection.subject:
            settings = [columns.setting(*item) for item in obj.settings.items()]
            sets += [(_("Subjects"), self.subjects(obj)), (_("Configuration"), settings)]
        return fieldsets(sets, obj)

    def subjects(self, row: ApiClient) -> list[Line]:
        known = row.inspection
        if known is None or known.state == TokenState.STATIC:
            return []
        counted = [count_line(self.admin_site, row.alias)] if known.grant else []
        return [*counted, subject_field]

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        alias, subject = unquote(object_id), subject_of(request)
        if refusal := self.refusing_subject(request, alias):
            return refusal
        home = page_of(self.admin_site, alias, subject)
        if home != client_page(self.admin_site, alias, subject):
            return HttpResponseRedirect(home)
        named_so = {"subtitle": named(alias, subject)}
        return super().change_view(request, object_id, form_url, named_so | (extra_context or {}))

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        row: ApiClient = context["original"]
        warn_of_outage(request, [row])
        context["operations"] = offered(request, self.admin_site, row)
        return super().render_change_form(request, context, *args, **kwargs)
