"""A real browser. Chromium is Debian's: the one that Playwright downloads is not needed."""

import shutil
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from playwright.sync_api import Page, sync_playwright
from pytest_django.live_server_helper import LiveServer

ARGUMENTS = [
    "--no-sandbox",  # as root, as in CI, Chromium starts in no other way
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]


@pytest.fixture
def people(transactional_db: None) -> None:
    """A superuser, `root`, and `kim`, who may view API clients; the name is the password."""
    User.objects.create_superuser("root", password="root")
    kim = User.objects.create_user("kim", password="kim", is_staff=True)
    kim.user_permissions.add(Permission.objects.get(codename="view_apiclient"))


@pytest.fixture
def visit(people: None, live_server: LiveServer) -> Iterator[Callable[..., Page]]:
    """Log in to the admin: `visit("kim", color_scheme="dark")` gives a page of a new window.

    While it is in use, Playwright runs an event loop in this thread, where Django rightly refuses
    the database. Hence people are made before, and what happened is read from the pages.
    """
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=ARGUMENTS
        )

        def log_in(name: str, **window: Any) -> Page:
            page = chromium.new_context(base_url=live_server.url, **window).new_page()
            page.set_default_timeout(10_000)
            page.goto("/admin/")
            page.get_by_label("Username").fill(name)
            page.get_by_label("Password").fill(name)
            page.get_by_role("button", name="Log in").click()
            return page

        yield log_in
        chromium.close()
