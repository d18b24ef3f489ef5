"""Who sees what, and who may do what."""

import pytest
from django.contrib.auth.models import Permission
from django.test import Client

from apiclient_app import clients
from tests.servers import Handle

from .pages import CREDENTIALS, LIST, OPERATIONS, Configure, LogIn, history, page, row_page, text

each_operation = pytest.mark.parametrize("operation", OPERATIONS)
LABELS = {"check": "Test connection", "rotate": "Rotate token", "revoke": "Revoke token"}


@pytest.fixture(autouse=True)
def shop(api: Handle, api_clients: Configure) -> None:
    api_clients(shop=api.config())


def offered(browser: Client) -> list[str]:
    shown = text(browser.get(page("shop")))
    return [name for name, label in LABELS.items() if label in shown]


@pytest.mark.django_db
def test_a_migration_makes_four_permissions_and_no_table() -> None:
    found = Permission.objects.filter(content_type__app_label="apiclient_app")
    names = {f"{name}_apiclient" for name in ("view", *OPERATIONS)}
    assert names <= set(found.values_list("codename", flat=True))
    assert not {f"{verb}_apiclient" for verb in ("add", "change", "delete")} & set(
        found.values_list("codename", flat=True)
    )


def test_strangers_are_asked_to_log_in(client: Client, db: None) -> None:
    for url in (LIST, page("shop"), page("shop", "rotate")):
        assert client.get(url).status_code == 302
        assert client.post(url).status_code == 302
    assert history() == []


def test_without_a_permission_there_is_nothing_to_see(staff: LogIn) -> None:
    browser = staff()
    for name in ("change", "history", *OPERATIONS):
        assert browser.get(page("shop", name)).status_code == 403
    assert browser.get(LIST).status_code == 403
    assert "API client" not in text(browser.get("/admin/"))


def test_view_permission_shows_everything_and_no_button(staff: LogIn) -> None:
    browser = staff("view")
    assert "API clients" in text(browser.get("/admin/"))
    assert "shop" in text(browser.get(LIST))
    assert "Configuration" in text(browser.get(page("shop")))
    assert browser.get(page("shop", "history")).status_code == 200
    assert offered(browser) == []


@each_operation
def test_view_permission_gives_no_orders(staff: LogIn, api: Handle, operation: str) -> None:
    browser = staff("view")
    assert browser.get(page("shop", operation)).status_code == 403
    assert browser.post(page("shop", operation)).status_code == 403
    assert api.token_requests == []
    assert history() == []


@each_operation
def test_each_operation_has_its_own_permission(staff: LogIn, operation: str) -> None:
    browser = staff(operation)
    assert offered(browser) == [operation]
    for other in OPERATIONS:
        allowed = other == operation
        assert browser.get(page("shop", other)).status_code == (200 if allowed else 403)
        assert browser.post(page("shop", other)).status_code == (302 if allowed else 403)
    assert len(history()) == 1


@each_operation
def test_a_forged_order_is_refused(staff: LogIn, api: Handle, operation: str) -> None:
    browser = staff(*OPERATIONS, csrf=True)
    assert browser.post(page("shop", operation)).status_code == 403
    asked = browser.get(page("shop", operation))
    token = {"csrfmiddlewaretoken": asked.context["csrf_token"]}
    assert api.token_requests == []
    assert browser.post(page("shop", operation), token).status_code == 302


@each_operation
@pytest.mark.parametrize("method", ["get", "head", "options", "put", "delete"])
def test_only_a_post_acts(admin_client: Client, api: Handle, operation: str, method: str) -> None:
    clients["shop"].token()
    getattr(admin_client, method)(page("shop", operation))
    assert len(api.token_requests) == 1
    assert clients["shop"].inspect().state == "fresh"
    assert history() == []


SUBJECTS = ("", "ann")


@pytest.fixture
def kept(api: Handle, api_clients: Configure, db: None) -> None:
    following = {"next": {"client_secret": "n3xt"}}
    api_clients(shop=api.config("RefreshToken", OPTIONS=following))
    for subject in SUBJECTS:
        client = clients["shop"].for_subject(subject) if subject else clients["shop"]
        client.store_refresh_token("s3cret")


@pytest.mark.parametrize("name", ["view_credential", "view", *OPERATIONS])
def test_who_may_see_clients_may_see_whose_refresh_tokens_there_are(
    kept: None, staff: LogIn, name: str
) -> None:
    browser = staff(name)
    for url in (CREDENTIALS, row_page("shop", "ann"), row_page("shop", "ann", "history")):
        assert "ann" in text(browser.get(url))
    assert "Credentials" in text(browser.get("/admin/"))


def test_who_may_see_credentials_alone_sees_no_client_and_gives_no_orders(
    kept: None, staff: LogIn, api: Handle
) -> None:
    browser = staff("view_credential")
    assert LIST not in browser.get("/admin/").content.decode()
    assert browser.get(LIST).status_code == 403
    for subject in SUBJECTS:
        shown = browser.get(row_page("shop", subject)).content.decode()
        assert "/apiclient/shop/" not in shown
        assert browser.get(row_page("shop", subject, "history")).status_code == 200
        assert browser.get(page("shop", subject=subject)).status_code == 403
        for name in (*OPERATIONS, "store", "switch"):
            asked = page("shop", name, subject)
            assert browser.get(asked).status_code == 403
            assert browser.post(asked, {"refresh_token": "x"}).status_code == 403
    assert api.token_requests == []
    assert history() == []


def test_without_a_permission_no_refresh_token_is_heard_of(kept: None, staff: LogIn) -> None:
    browser = staff()
    for url in (CREDENTIALS, *(row_page("shop", "ann", n) for n in ("change", "history"))):
        assert browser.get(url).status_code == 403
    assert "redentials" not in text(browser.get("/admin/"))


@pytest.mark.parametrize("subject", SUBJECTS)
def test_storing_and_switching_take_the_permission_to_rotate(
    kept: None, staff: LogIn, subject: str
) -> None:
    labels = ("Rotate token", "Store refresh token", "Switch to next credentials")
    browser = staff("rotate")
    shown = text(browser.get(row_page("shop", subject)))
    assert [label for label in labels if label in shown] == [*labels]
    assert not [label for label in ("Revoke token", "Test connection") if label in shown]
    for name in ("store", "switch"):
        assert browser.get(page("shop", name, subject)).status_code == 200


@pytest.mark.parametrize("name", ["store", "switch"])
def test_a_forged_order_about_credentials_is_refused(kept: None, staff: LogIn, name: str) -> None:
    browser = staff("rotate", csrf=True)
    assert browser.post(page("shop", name), {"refresh_token": "forged"}).status_code == 403
    assert history() == []


def test_nothing_can_be_added_changed_or_deleted(admin_client: Client) -> None:
    assert admin_client.get(f"{LIST}add/").status_code == 403
    assert admin_client.post(f"{LIST}add/", {"alias": "x"}).status_code == 403
    assert admin_client.post(page("shop"), {"alias": "x"}).status_code == 403
    assert admin_client.get(page("shop", "delete")).status_code == 403
    assert admin_client.post(page("shop", "delete"), {"post": "yes"}).status_code == 403
