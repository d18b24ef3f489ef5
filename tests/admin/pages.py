"""Where the admin's pages are, and what they say."""

import html
import re
from collections.abc import Callable
from typing import Any

from django.contrib.admin.models import LogEntry
from django.contrib.admin.utils import quote
from django.test import Client
from django.urls import reverse

from apiclient_app.models import Credential

Configure = Callable[..., None]  # the fixture api_clients
LogIn = Callable[..., Client]  # the fixture staff

OPERATIONS = ("check", "rotate", "revoke")
LIST = "/admin/apiclient_app/apiclient/"
CREDENTIALS = "/admin/apiclient_app/credential/"


def page(alias: str, name: str = "change", subject: str = "") -> str:
    """Give the URL of a client's page: change, history, or the confirmation of an operation."""
    query = {"subject": subject} if subject else None
    return reverse(f"admin:apiclient_app_apiclient_{name}", args=[quote(alias)], query=query)


def row_page(alias: str, subject: str = "", name: str = "change") -> str:
    """Give the URL of the page of a row that exists."""
    row = Credential.objects.get(alias=alias, subject=subject)
    return reverse(f"admin:apiclient_app_credential_{name}", args=[row.pk])


def subjects(browser: Client, **query: str) -> list[str]:
    """Give the subjects that the list of rows shows."""
    response = browser.get(CREDENTIALS, query)
    assert response.status_code == 200, response
    return [row.subject for row in response.context["cl"].result_list]


def text(response: Any) -> str:
    """Give what a page says to people, on one line."""
    assert response.status_code == 200, response
    body = re.sub(r"(?s)<script.*?</script>|<wbr>", "", response.content.decode())
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", body)).split())


def history() -> list[str]:
    """Give what the admin's history says, latest first."""
    return [entry.get_change_message() for entry in LogEntry.objects.order_by("-pk")]
