"""Refresh tokens and subjects, as people see to them."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from apiclient_app import clients
from apiclient_app.exceptions import APIClientError
from apiclient_app.models import Credential
from tests.servers import Handle, Reply

from .looks import CONTRAST, NARROW, Visit, inside, order, wider

pytestmark = pytest.mark.browser

LIST = "/admin/apiclient_app/apiclient/"
CREDENTIALS = "/admin/apiclient_app/credential/"
SHOP = f"{LIST}shop/change/"
LONG = "x" * 255
ODD = "O'Neil/../<b>%2F 鍵"


@pytest.fixture(autouse=True)
def pages(api: Handle, api_clients: Callable[..., None], people: None) -> dict[str, str]:
    """Subjects of a shop, one of whom needs attention; give subject to URL of its page."""
    options = {"next": {"client_secret": "n3xt"}, "refresh_token": "first"}
    api_clients(
        shop=api.config("RefreshToken", CHECK="GET echo", OPTIONS=options), crm=api.config()
    )
    for subject in ("ann", "bob", ODD, LONG):
        clients["shop"].for_subject(subject).store_refresh_token("s3cret")
    api.script("/token", Reply.of({"error": "invalid_grant"}, 400))
    with pytest.raises(APIClientError):
        clients["shop"].for_subject("ann").token()
    rows = Credential.objects.values_list("subject", "pk")
    return {subject: f"{CREDENTIALS}{pk}/change/" for subject, pk in rows}


def badge(page: Page) -> str:
    return page.locator(".field-grant .apiclient-state").inner_text()


def test_who_needs_attention_is_found_and_mended(visit: Visit, api: Handle) -> None:
    page = visit("root")
    page.goto(LIST)
    page.get_by_role("link", name="1 subject needs attention").click()
    expect(page.locator("#result_list tbody tr")).to_have_count(1)
    page.get_by_role("link", name="ann").click()
    assert badge(page) == "Needs attention"
    expect(page.locator(".field-remedy")).to_contain_text(
        "manage.py apiclient store-refresh-token shop --subject ann"
    )
    page.get_by_role("button", name="Store refresh token").click()
    page.get_by_label("Refresh token").fill("br0ught")
    assert page.get_by_label("Refresh token").get_attribute("type") == "password"
    page.get_by_role("button", name="Store refresh token").click()
    expect(page.locator(".messagelist .success")).to_contain_text("Stored a refresh token")
    assert badge(page) == "Held"
    order(page, "Test connection")
    expect(page.locator(".messagelist .success")).to_contain_text("the API answered 200")
    assert api.token_requests[-1]["fields"]["refresh_token"] == "br0ught"
    page.goto(LIST)
    expect(page.get_by_text("needs attention")).to_have_count(0)


def test_a_subject_is_found_by_a_part_of_its_id(visit: Visit) -> None:
    page = visit("root")
    page.goto(CREDENTIALS)
    expect(page.locator("#result_list tbody tr")).to_have_count(4)
    page.get_by_role("searchbox").fill("neil")
    page.get_by_role("button", name="Search").click()
    page.get_by_role("link", name=ODD).click()
    expect(page.locator(".field-subject .readonly")).to_have_text(ODD)
    order(page, "Revoke token")
    assert badge(page) == "No refresh token"
    expect(page.locator(".field-subject .readonly")).to_have_text(ODD)
    page.get_by_role("link", name="History").click()
    expect(page.locator("#change-history")).to_contain_text("Revoked the token")


def test_a_subject_that_has_no_row_is_shown_by_its_id(visit: Visit, api: Handle) -> None:
    page = visit("root")
    page.goto(f"{LIST}crm/change/")
    page.get_by_role("textbox", name="Subject").fill(ODD)
    page.get_by_role("button", name="Show").click()
    expect(page.locator(".field-subject .readonly")).to_have_text(ODD)
    order(page, "Rotate token")
    expect(page.locator(".messagelist .success")).to_contain_text("Rotated the token")
    expect(page.locator(".field-subject .readonly")).to_have_text(ODD)
    expect(page.locator(".field-state")).to_contain_text("Fresh")
    assert clients["crm"].inspect().state == "absent"


def test_the_next_credentials_are_switched_to(visit: Visit, api: Handle) -> None:
    page = visit("root")
    page.goto(SHOP)
    order(page, "Switch to next credentials")
    expect(page.locator(".messagelist .error")).to_contain_text("nothing was changed")
    api.set(credentials={"app": "n3xt"})
    order(page, "Switch to next credentials")
    expect(page.locator(".messagelist .success")).to_contain_text("Switched")
    expect(page.locator(".field-switched")).to_contain_text("The next ones are in use.")
    expect(page.get_by_role("button", name="Switch to next credentials")).to_have_count(0)
    order(page, "Rotate token")
    expect(page.locator(".messagelist .success")).to_contain_text("Rotated")


def test_revoking_says_that_the_grant_ends(visit: Visit, pages: dict[str, str]) -> None:
    page = visit("root")
    page.goto(pages["bob"])
    page.get_by_role("button", name="Revoke token").click()
    expect(page.locator("#content strong")).to_contain_text("the grant ends")
    page.get_by_role("button", name="No, take me back").click()
    assert badge(page) == "Held"


def test_titles_and_buttons_do_not_cover_each_other(visit: Visit, pages: dict[str, str]) -> None:
    page = visit("root")
    for url in (SHOP, pages["ann"], pages[LONG]):
        page.goto(url)
        title, tools = (page.locator(f"#content {s}") for s in ("h2:not([id])", ".object-tools"))
        above, below = title.bounding_box(), tools.bounding_box()
        assert above
        assert below
        assert above["y"] + above["height"] <= below["y"]


def test_a_narrow_screen_shows_everything_without_scrolling(
    visit: Visit, pages: dict[str, str]
) -> None:
    page = visit("root", viewport=NARROW)
    orders = [f"{LIST}shop/{name}/?subject={LONG}" for name in ("rotate", "store", "revoke")]
    subject = f"{LIST}crm/change/?subject={LONG}"
    for url in (SHOP, CREDENTIALS, subject, *pages.values(), *orders):
        page.goto(url)
        assert not wider(page), url
    page.goto(pages[LONG])
    for button in page.locator(".object-tools a").all():
        assert inside(button)
    page.goto(f"{CREDENTIALS}?q=ann")
    assert inside(page.locator("#result_list .apiclient-state"))


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_links_to_who_is_in_need_are_legible(visit: Visit, scheme: str) -> None:
    page = visit("root", color_scheme=scheme)
    for url in (LIST, SHOP):
        page.goto(url)
        assert page.locator("a .apiclient-state").evaluate(CONTRAST) >= 4.5
