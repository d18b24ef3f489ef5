"""The admin as people use it: by looking and clicking."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.servers import Handle

from .looks import CONTRAST, NARROW, Visit, inside, order, wider

pytestmark = pytest.mark.browser

LIST = "/admin/apiclient_app/apiclient/"
SHOP = f"{LIST}shop/change/"
LABELS = ("Test connection", "Rotate token", "Revoke token")
TOKEN_STATES = ("fresh", "stale", "expired", "absent", "static", "broken", "failing")
GRANT_STATES = ("held", "asking", "in-doubt", "needs-attention", "no-refresh-token", "orphaned")


@pytest.fixture(autouse=True)
def shop(api: Handle, api_clients: Callable[..., None]) -> None:
    api_clients(
        shop=api.config(CHECK="GET echo"),
        refused=api.config(OPTIONS={"client_id": "nobody"}),
        plain={"BASE_URL": "https://plain.example/"},
        broken={"BASE_URL": "https://broken.example/", "TIMEOUTS": 3},
    )


def row(page: Page, alias: str) -> Any:
    return page.locator("#result_list tr", has=page.get_by_role("link", name=alias, exact=True))


def fingerprint(page: Page) -> str:
    return page.locator(".field-fingerprint .readonly").inner_text()


def test_a_superuser_inspects_tests_rotates_and_revokes(visit: Visit, api: Handle) -> None:
    page = visit("root")
    page.get_by_role("link", name="API clients", exact=True).last.click()
    expect(row(page, "shop")).to_contain_text("Absent")
    expect(row(page, "broken")).to_contain_text("Misconfigured")

    page.get_by_role("link", name="shop", exact=True).click()
    order(page, "Test connection")
    expect(page.locator(".messagelist .success")).to_contain_text("the API answered 200")
    expect(page.locator(".field-state")).to_contain_text("Fresh")

    before = fingerprint(page)
    page.get_by_role("button", name="Rotate token").click()
    page.get_by_role("button", name="No, take me back").click()
    assert fingerprint(page) == before
    order(page, "Rotate token")
    expect(page.locator(".messagelist .success")).to_contain_text("Rotated the token")
    assert fingerprint(page) != before
    assert len(api.token_requests) == 2

    order(page, "Revoke token")
    expect(page.locator(".field-state")).to_contain_text("Absent")
    page.get_by_role("link", name="History").click()
    for outcome in ("Tested the connection", "Rotated the token", "Revoked the token"):
        expect(page.locator("#change-history")).to_contain_text(outcome)


def test_a_failure_is_told_where_it_happens_and_in_the_list(visit: Visit) -> None:
    page = visit("root")
    page.goto(f"{LIST}refused/change/")
    order(page, "Rotate token")
    expect(page.locator(".messagelist .error")).to_contain_text("invalid_client")
    page.goto(LIST)
    expect(row(page, "refused")).to_contain_text("Failing")
    expect(row(page, "refused")).to_contain_text("invalid_client")


def test_staff_with_view_only_sees_no_button_and_is_refused(visit: Visit, api: Handle) -> None:
    page = visit("kim")
    page.goto(LIST)
    page.get_by_role("link", name="shop", exact=True).click()
    expect(page.locator(".field-state")).to_contain_text("Absent")
    for label in LABELS:
        expect(page.get_by_text(label)).to_have_count(0)

    forgery_token = page.locator("[name=csrfmiddlewaretoken]").first.input_value()
    for name in ("check", "rotate", "revoke"):
        reply = page.request.post(
            f"{LIST}shop/{name}/",
            form={"csrfmiddlewaretoken": forgery_token},
            headers={"Referer": page.url},
        )
        assert reply.status == 403
        assert "CSRF" not in reply.text()
    assert api.token_requests == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_state_is_legible(visit: Visit, scheme: str) -> None:
    page = visit("root", color_scheme=scheme)
    page.goto(f"{LIST}refused/change/")
    order(page, "Rotate token")
    page.goto(LIST)
    badge = page.locator(".apiclient-state").first
    for state in (*TOKEN_STATES, *GRANT_STATES):
        badge.evaluate("(element, state) => element.className = `apiclient-state ${state}`", state)
        assert badge.evaluate(CONTRAST) >= 4.5, state


def test_a_narrow_screen_shows_state_and_buttons_without_scrolling(visit: Visit) -> None:
    page = visit("root", viewport=NARROW)
    page.goto(SHOP)
    for label in (*LABELS, "History"):
        assert inside(page.locator(".object-tools").get_by_text(label))
    for url in (
        LIST,
        SHOP,
        f"{LIST}shop/rotate/",
        f"{LIST}shop/history/",
        f"{LIST}broken/change/",
    ):
        page.goto(url)
        assert not wider(page), url
    page.goto(LIST)
    assert inside(row(page, "broken").locator(".apiclient-state"))
