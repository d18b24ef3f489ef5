"""The pages: all clients, one client, its history, and the confirmation of an operation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.contrib import admin, messages
from django.contrib.admin.utils import quote, unquote
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import override

from apiclient_app.exceptions import APIClientError
from apiclient_app.handler import clients
from apiclient_app.models import ApiClient

from . import columns
from .operations import OPERATIONS, Operation
from .rows import ClientList, look, warn_of_outage

if TYPE_CHECKING:
    ModelAdmin = admin.ModelAdmin[ApiClient]
else:
    ModelAdmin = admin.ModelAdmin


@admin.register(ApiClient)
class ApiClientAdmin(ModelAdmin):
    """Shows what is known of each client without asking its API, and never a secret.

    Four permissions: `view_apiclient`, and one for each operation: `rotate_apiclient`,
    `revoke_apiclient` and `check_apiclient` (testing a connection sends a call, so looking on is
    not enough for it). Each of these includes seeing the pages. Nothing can be added, changed or
    deleted here: the settings are the place for that.
    """

    list_display = (
        "alias",
        columns.token,
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

    def get_object(
        self, request: HttpRequest, object_id: str, from_field: str | None = None
    ) -> ApiClient | None:
        try:
            return look(object_id) if object_id in clients else None
        except APIClientError:  # API_CLIENTS as a whole cannot be read: there is no client
            return None

    def get_fieldsets(self, request: HttpRequest, obj: ApiClient | None = None) -> Any:
        if obj is None or obj.inspection is None:
            return [(None, {"fields": [columns.state, columns.problem]})]
        token = [line for line in columns.TOKEN if line(obj)]
        shown = [columns.setting(name, text) for name, text in obj.settings.items() if text]
        return [(_("Token"), {"fields": token}), (_("Configuration"), {"fields": shown})]

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        row: ApiClient = context["original"]
        warn_of_outage(request, [row])
        context["operations"] = [
            operation
            for operation in OPERATIONS
            if operation.suits(row) and request.user.has_perm(operation.permission)
        ]
        return super().render_change_form(request, context, *args, **kwargs)

    def get_urls(self) -> list[URLPattern]:
        operations = [
            path(
                f"<path:object_id>/{operation.name}/",
                self.admin_site.admin_view(self.operation_view),
                {"operation": operation},
                name=f"{self.opts.app_label}_{self.opts.model_name}_{operation.name}",
            )
            for operation in OPERATIONS
        ]
        return operations + super().get_urls()

    def operation_view(
        self, request: HttpRequest, object_id: str, operation: Operation
    ) -> HttpResponse:
        """Ask on GET, act on POST (which `admin_view` protects against forgery)."""
        if not request.user.has_perm(operation.permission):
            raise PermissionDenied
        alias = unquote(object_id)
        row = self.get_object(request, alias)
        if row and request.method == "POST":
            self.carry_out(request, row, operation)
        elif row and operation.suits(row):
            return self.confirmation(request, row, operation)
        return HttpResponseRedirect(self.url_of(alias))  # that page says what there is to say

    def confirmation(
        self, request: HttpRequest, row: ApiClient, operation: Operation
    ) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "title": operation.label,
            "subtitle": row.alias,
            "opts": self.opts,
            "original": row,
            "has_view_permission": True,
            "media": self.media,
            "operation": operation,
            "explanation": operation.explain(clients[row.alias]),
            "back": self.url_of(row.alias),
        }
        request.current_app = self.admin_site.name
        template = "admin/apiclient_app/apiclient/operation_confirmation.html"
        return TemplateResponse(request, template, context)

    def carry_out(self, request: HttpRequest, row: ApiClient, operation: Operation) -> None:
        """Perform it, and tell the person and the history how it went."""
        level = messages.SUCCESS
        try:
            text, values = operation.perform(clients[row.alias])
        except APIClientError as error:
            level, text, values = messages.ERROR, operation.failed, {"error": str(error)}
        with override(settings.LANGUAGE_CODE):  # one language in the history, whoever acts
            self.log_change(request, row, str(text) % values)
        self.message_user(request, str(text) % values, level)

    def url_of(self, alias: str) -> str:
        name = f"admin:{self.opts.app_label}_{self.opts.model_name}_change"
        return reverse(name, args=[quote(alias)], current_app=self.admin_site.name)
