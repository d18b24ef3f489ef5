"""Where the pages are.

A subject is named in the query of a URL: browsers and proxies rewrite paths ("..", "//", "%2F"),
and an id of the application's making may hold any of these. It is no secret; a token never is in
a URL.
"""

from __future__ import annotations

from django.contrib.admin import AdminSite
from django.contrib.admin.utils import quote
from django.http import HttpRequest
from django.urls import reverse

from apiclient_app.models import Credential

from .looks import credential_for


def subject_of(request: HttpRequest) -> str:
    return request.GET.get("subject", "")


def client_page(site: AdminSite, alias: str, subject: str = "", name: str = "change") -> str:
    """Give the URL of a client's page, of one of its subjects' page, or of an operation."""
    return reverse(
        f"admin:apiclient_app_apiclient_{name}",
        args=[quote(alias)],
        query={"subject": subject} if subject else None,
        current_app=site.name,
    )


def credential_page(site: AdminSite, credential: Credential) -> str:
    name = "admin:apiclient_app_credential_change"
    return reverse(name, args=[credential.pk], current_app=site.name)


def credential_list(site: AdminSite, **chosen: str) -> str:
    """Give the URL of the list of rows, filtered; "" where the site does not show it."""
    if not site.is_registered(Credential):
        return ""
    name = "admin:apiclient_app_credential_changelist"
    return reverse(name, query=chosen, current_app=site.name)


def page_of(site: AdminSite, alias: str, subject: str) -> str:
    """Give the URL of the page of a client, or of a subject: that of its row, if it has one."""
    if subject and site.is_registered(Credential):
        credential = credential_for(alias, subject)
        if credential is not None:
            return credential_page(site, credential)
    return client_page(site, alias, subject)
