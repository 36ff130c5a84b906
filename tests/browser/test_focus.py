"""The focus follows what opens and closes, with motion and without, on phones and on enlarged pages."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import OpenTab
from tests.browser.people import Meet, meeting
from tests.serving import ServerProcess

PHONE: dict[str, Any] = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
ENLARGED: dict[str, Any] = {"viewport": {"width": 640, "height": 400}, "device_scale_factor": 2}
"""A window of 1280 x 800 at 200 %."""
MEDIUM: dict[str, Any] = {"viewport": {"width": 1024, "height": 768}}

OUTSIDE = "!document.activeElement.closest('[inert]') && document.activeElement !== document.body"
"""The focus is on an element that people can reach."""


@pytest.fixture
def meet(browser: Browser, open_tab: OpenTab, server: ServerProcess) -> Iterator[Meet]:
    yield from meeting(browser, open_tab, server.url)


@pytest.fixture(params=["no-preference", "reduce"], ids=["moving", "still"])
def motion(request: pytest.FixtureRequest) -> dict[str, str]:
    return {"reduced_motion": request.param}


def expect_focus_in(page: Page, selector: str) -> None:
    """Wait until the focus is on an element inside the selected one."""
    expect(page.locator(f"{selector} :focus")).to_have_count(1)


@pytest.mark.parametrize("screen", [PHONE, ENLARGED], ids=["phone", "enlarged"])
def test_the_side_bar_takes_the_focus_and_gives_it_back(
    open_tab: OpenTab, motion: dict[str, str], screen: dict[str, Any]
) -> None:
    tab = open_tab(**screen, **motion)
    keys = tab.page.keyboard
    opener = tab.button("Open the side bar")
    opener.focus()
    keys.press("Enter")
    expect_focus_in(tab.page, ".side")
    keys.press("Escape")
    expect(opener).to_be_focused()
    expect(tab.page.locator(".side")).to_be_hidden()

    keys.press("Enter")
    expect_focus_in(tab.page, ".side")
    tab.page.locator(".side .brand").click(position={"x": 200, "y": 8})  # the ground of the side bar takes no focus
    keys.press("Escape")
    expect(tab.page.locator(".side")).to_be_hidden()
    expect(opener).to_be_focused()

    keys.press("Enter")
    expect_focus_in(tab.page, ".side")
    tab.page.locator(".scrim").click(position={"x": 380, "y": 200})
    expect(tab.page.locator(".side")).to_be_hidden()
    assert tab.page.evaluate(OUTSIDE)


def test_the_side_bar_is_closed_when_the_page_becomes_wide(open_tab: OpenTab, motion: dict[str, str]) -> None:
    tab = open_tab(**ENLARGED, **motion)
    tab.button("Open the side bar").click()
    expect_focus_in(tab.page, ".side")
    tab.page.set_viewport_size({"width": 1280, "height": 800})
    expect(tab.page.locator("main")).not_to_have_attribute("inert", "")
    tab.page.set_viewport_size({"width": 640, "height": 400})
    expect(tab.page.locator(".side")).to_be_hidden()
    expect(tab.page.locator("main")).not_to_have_attribute("inert", "")


@pytest.mark.parametrize("screen", [PHONE, ENLARGED, MEDIUM], ids=["phone", "enlarged", "medium"])
def test_panels_take_the_focus_and_give_it_back(
    open_tab: OpenTab, meet: Meet, motion: dict[str, str], screen: dict[str, Any]
) -> None:
    mara = meet("Mara Focus", **screen, **motion)
    room = f"focus-{screen['viewport']['width']}-{motion['reduced_motion']}"
    mara.make(room)
    tab = mara.open(room)
    opens = "Room details"
    for opener, panel in (
        (tab.button(opens), "aside.aside"),
        (tab.page.locator(".bell:visible"), "aside.centre"),
    ):
        opener.focus()
        tab.page.keyboard.press("Enter")
        expect_focus_in(tab.page, panel)
        for _ in range(20):  # no element below the panel is reached
            tab.page.keyboard.press("Tab")
            assert tab.page.evaluate("!document.activeElement.closest('main, .side, .skip')")
        tab.page.locator(panel).get_by_role("heading", level=2).click()
        tab.page.keyboard.press("Escape")
        expect(tab.page.locator(panel)).to_have_count(0)
        expect(opener).to_be_focused()


def test_dialogs_and_menus_take_the_focus_and_give_it_back(open_tab: OpenTab, motion: dict[str, str]) -> None:
    tab = open_tab(**ENLARGED, **motion)
    keys = tab.page.keyboard
    more = tab.button("More")
    more.focus()
    keys.press("Enter")
    expect(tab.page.get_by_role("menuitem").first).to_be_focused()
    keys.press("Escape")
    expect(more).to_be_focused()
    keys.press("?")
    expect_focus_in(tab.page, "dialog")
    keys.press("Escape")
    expect(tab.page.get_by_role("dialog")).to_have_count(0)
    expect(more).to_be_focused()
