"""The orders that people give: offered, confirmed, carried out, and remembered."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.contrib.admin import AdminSite
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.decorators import method_decorator
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import override
from django.views.decorators.debug import sensitive_post_parameters

from apiclient_app.exceptions import APIClientError, InvalidRequest
from apiclient_app.models import ApiClient
from apiclient_app.wording import named

from .looks import client_for, credential_for
from .operations import OPERATIONS, Operation
from .places import client_page, page_of, subject_of

if TYPE_CHECKING:
    ModelAdmin = admin.ModelAdmin[ApiClient]
else:
    ModelAdmin = admin.ModelAdmin


def offered(request: HttpRequest, site: AdminSite, row: ApiClient) -> list[tuple[Promise, str]]:
    """Give the operations that suit a client and subject, for who may do them: label and URL."""
    if not site.is_registered(ApiClient):
        return []
    subject = row.inspection.subject if row.inspection else ""
    return [
        (operation.label, client_page(site, row.alias, subject, operation.name))
        for operation in OPERATIONS
        if request.user.has_perm(operation.permission) and suits(operation, row)
    ]


def suits(operation: Operation, row: ApiClient) -> bool:
    """Tell whether an operation can be done to a client and subject at all."""
    if row.problem or row.inspection is None:
        return False
    return operation.suits(client_for(row.alias, row.inspection.subject), row.inspection)


class Orders(ModelAdmin):
    """The pages on which people give orders to clients, and to their subjects."""

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

    @method_decorator(sensitive_post_parameters("refresh_token"))
    def operation_view(
        self, request: HttpRequest, object_id: str, operation: Operation
    ) -> HttpResponse:
        """Ask on GET, act on POST (which `admin_view` protects against forgery)."""
        if not request.user.has_perm(operation.permission):
            raise PermissionDenied
        alias, subject = unquote(object_id), subject_of(request)
        if refusal := self.refusing_subject(request, alias):
            return refusal
        row = self.get_object(request, alias)
        form = operation.form(request.POST if request.method == "POST" else None)
        if row and form.is_valid():
            self.carry_out(request, row, operation, form.cleaned_data)
        elif row and suits(operation, row):
            return self.confirmation(request, row, operation, form)
        # That page says what there is to say.
        return HttpResponseRedirect(page_of(self.admin_site, alias, subject))

    def refusing_subject(self, request: HttpRequest, alias: str) -> HttpResponse | None:
        """Say so, and lead to the client's page, where no subject can have such an id."""
        try:
            client_for(alias, subject_of(request))
        except InvalidRequest as error:
            self.message_user(request, str(error), messages.ERROR)
            return HttpResponseRedirect(client_page(self.admin_site, alias))
        except APIClientError:
            pass  # the page says what is wrong with the client
        return None

    def confirmation(
        self, request: HttpRequest, row: ApiClient, operation: Operation, form: forms.Form
    ) -> HttpResponse:
        client = client_for(row.alias, subject_of(request))
        context = {
            **self.admin_site.each_context(request),
            "title": operation.label,
            "subtitle": named(row.alias, client.subject),
            "opts": self.opts,
            "original": row,
            "has_view_permission": self.has_view_permission(request, row),
            "media": self.media + form.media,
            "operation": operation,
            "explanation": operation.explain(client, row.inspection or client.inspect()),
            "form": form,
            "back": page_of(self.admin_site, row.alias, client.subject),
        }
        request.current_app = self.admin_site.name
        template = "admin/apiclient_app/apiclient/operation_confirmation.html"
        return TemplateResponse(request, template, context)

    def carry_out(
        self, request: HttpRequest, row: ApiClient, operation: Operation, given: dict[str, Any]
    ) -> None:
        """Perform it, and tell the person and the history how it went."""
        level = messages.SUCCESS
        try:
            client = client_for(row.alias, subject_of(request))
            text, values = operation.perform(client, **given)
        except APIClientError as error:
            level, text, values = messages.ERROR, operation.failed, {"error": str(error)}
        with override(settings.LANGUAGE_CODE):  # one language in the history, whoever acts
            self.remember(request, row, str(text) % values)
        self.message_user(request, str(text) % values, level)

    def remember(self, request: HttpRequest, row: ApiClient, text: str) -> None:
        """Write it into the history: of a subject's own row, or else of its client."""
        subject = subject_of(request)
        target: Any = credential_for(row.alias, subject) if subject else None
        if subject and target is None:
            said = _("Subject “%(subject)s”: %(text)s")
            text = said % {"subject": subject, "text": text}
        self.log_change(request, target or row, text)
