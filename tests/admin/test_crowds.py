"""Many subjects: pages stay bounded, and clients tell how many are in need."""

import html

import pytest
from django.contrib import admin
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import path
from pytest_django import Settings

from apiclient_app import clients
from apiclient_app.admin import ApiClientAdmin, CredentialAdmin
from apiclient_app.models import ApiClient, Credential
from tests.servers import Handle

from .pages import CREDENTIALS, LIST, Configure, page, subjects, text

clients_alone, credentials_alone = admin.AdminSite("clients"), admin.AdminSite("credentials")
clients_alone.register(ApiClient, ApiClientAdmin)
credentials_alone.register(Credential, CredentialAdmin)
urlpatterns = [path("clients/", clients_alone.urls), path("credentials/", credentials_alone.urls)]


@pytest.fixture(autouse=True)
def shop(api: Handle, api_clients: Configure) -> None:
    api_clients(shop=api.config("RefreshToken"))


def crowd(count: int) -> None:
    """Make rows for `count` subjects, each third of which needs attention."""
    client = clients["shop"]
    names = [f"user-{n:04}" for n in range(count)]
    Credential.objects.bulk_create(
        Credential(
            identity=client.for_subject(name).rooms.rows.identity,
            alias="shop",
            subject=name,
            refresh_token="sealed",
            attention="refused: invalid_grant" if n % 3 == 0 else "",
        )
        for n, name in enumerate(names)
    )


def test_the_list_costs_the_same_queries_however_long(admin_client: Client) -> None:
    def cost() -> int:
        with CaptureQueriesContext(connection) as queries:
            assert admin_client.get(CREDENTIALS).status_code == 200
        assert not [q for q in queries if '"seeds"' in q["sql"]]
        return len(queries)

    crowd(5)
    few = cost()
    Credential.objects.all().delete()
    crowd(250)
    assert cost() == few <= 6
    told = text(admin_client.get(CREDENTIALS, {"p": "3"}))
    assert "user-0249" in told
    assert "user-0199" not in told
    assert len(subjects(admin_client)) == 100


def test_clients_tell_how_many_of_their_subjects_are_in_need(
    admin_client: Client, api: Handle, api_clients: Configure
) -> None:
    def cost(count: int) -> int:
        api_clients(**{f"crm{n}": api.config() for n in range(count)}, shop=shop)
        admin_client.get(LIST)
        with CaptureQueriesContext(connection) as queries:
            admin_client.get(LIST)
        return len(queries)

    shop = api.config("RefreshToken")
    crowd(250)
    assert cost(20) == cost(1)
    filtered = f"{CREDENTIALS}?alias=shop&state=needs+attention"
    for url in (LIST, page("shop")):
        assert "84 subjects need attention" in text(admin_client.get(url))
        assert html.escape(filtered) in admin_client.get(url).content.decode()
    assert "250 subjects" in text(admin_client.get(page("shop")))
    assert len(subjects(admin_client, alias="shop", state="needs attention")) == 84


def test_a_site_may_show_clients_or_credentials_alone(
    admin_client: Client, settings: Settings
) -> None:
    crowd(3)
    settings.ROOT_URLCONF = __name__
    listed = "/clients/apiclient_app/apiclient/"
    for place in ("", "shop/change/"):
        assert "1 subject needs attention" in text(admin_client.get(listed + place))
    assert "Subject: user-0000" in text(
        admin_client.get(f"{listed}shop/change/?subject=user-0000")
    )
    row = Credential.objects.get(subject="user-0000")
    told = text(admin_client.get(f"/credentials/apiclient_app/credential/{row.pk}/change/"))
    assert "Subject: user-0000" in told
    assert "Rotate token" not in told
