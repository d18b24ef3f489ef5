"""The pages of refresh tokens, and of the subjects whose they are: the list, and one of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext_lazy as _

from apiclient_app.models import ApiClient, Credential

from . import columns, grants
from .columns import fieldsets
from .filters import AliasFilter, StateFilter
from .grants import GRANT, of_credential
from .looks import look_at, warn_of_outage
from .operations import OPERATIONS
from .orders import offered
from .places import client_page
from .queries import credentials

if TYPE_CHECKING:
    ModelAdmin = admin.ModelAdmin[Credential]
else:
    ModelAdmin = admin.ModelAdmin

SEEING = ("view_credential", "view_apiclient")


@admin.register(Credential)
class CredentialAdmin(ModelAdmin):
    """Shows whose refresh tokens there are and how they fare; never one of them, nor its sealed
    text: not in a page, not in a form, not by what a query string finds.

    `view_credential` and each permission for clients include seeing the pages. What people may do
    is done to clients and their subjects: see `ApiClientAdmin`.
    """

    list_display = ("alias", grants.subject, grants.state, grants.obtained, grants.changed)
    list_display_links = ("alias", grants.subject)
    list_filter = (StateFilter, AliasFilter)
    list_per_page = 100
    search_fields = ("alias", "subject")
    search_help_text = _("A part of a subject or of an alias")
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    actions = None

    class Media:
        css = {"all": ["apiclient_app/admin.css"]}

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Credential | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Credential | None = None) -> bool:
        return False

    def has_view_permission(self, request: HttpRequest, obj: Credential | None = None) -> bool:
        operating = (operation.permission for operation in OPERATIONS)
        seeing = (f"apiclient_app.{name}" for name in SEEING)
        return any(map(request.user.has_perm, (*seeing, *operating)))

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest | None = None) -> bool:
        # `?refresh_token__startswith=` would tell, letter by letter, what no page shows.
        return lookup in (StateFilter.parameter_name, AliasFilter.parameter_name)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Credential]:
        return credentials()

    def get_fieldsets(self, request: HttpRequest, obj: Credential | None = None) -> Any:
        if obj is None:
            return []
        used = not look_at(obj).problem
        alias = grants.alias_line(self.client_url(request, obj))
        sets = [
            (None, [alias, grants.subject, grants.problem]),
            (_("Grant"), [*map(of_credential, GRANT), *grants.TIMES]),
            (_("Token"), [of_credential(line) for line in columns.TOKEN if used]),
        ]
        return fieldsets(sets, obj)

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        found = look_at(context["original"])
        warn_of_outage(request, [found])
        context["operations"] = offered(request, self.admin_site, found)
        return super().render_change_form(request, context, *args, **kwargs)

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """What is done to the application's own token is in the history of its client."""
        row = self.get_object(request, unquote(object_id))
        if row and not row.subject and (page := self.client_url(request, row, "history")):
            return HttpResponseRedirect(page)
        return super().history_view(request, object_id, extra_context)

    def client_url(self, request: HttpRequest, row: Credential, name: str = "change") -> str:
        """Give the URL of a page of the row's client; "" where there is none for this person."""
        site = self.admin_site
        if look_at(row).problem or not site.is_registered(ApiClient):
            return ""
        if not site.get_model_admin(ApiClient).has_view_permission(request):
            return ""
        return client_page(site, row.alias, name=name)
