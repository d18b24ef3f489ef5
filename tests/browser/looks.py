"""What a person sees of a page, measured."""

from collections.abc import Callable

from playwright.sync_api import Locator, Page

Visit = Callable[..., Page]  # the fixture visit

NARROW = {"width": 375, "height": 667}

# Contrast as WCAG 2 defines it, between an element's text and the background that it has itself.
CONTRAST = """element => {
    const luminance = colour => {
        const [r, g, b] = colour.match(/[\\d.]+/g).slice(0, 3).map(Number).map(
            c => (c /= 255) <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const style = getComputedStyle(element);
    const [low, high] = [style.color, style.backgroundColor].map(luminance).sort((a, b) => a - b);
    return (high + 0.05) / (low + 0.05);
}"""


def order(page: Page, label: str) -> None:
    """Give an order, and confirm it."""
    page.get_by_role("button", name=label).click()
    page.get_by_role("button", name=label).click()


def inside(place: Locator) -> bool:
    """Tell whether it is on a narrow screen as a whole."""
    box = place.bounding_box()
    assert box
    return 0 <= box["x"] <= box["x"] + box["width"] <= NARROW["width"]


def wider(page: Page) -> bool:
    """Tell whether a narrow screen has to be scrolled sideways."""
    return bool(page.evaluate("document.documentElement.scrollWidth") > NARROW["width"])
