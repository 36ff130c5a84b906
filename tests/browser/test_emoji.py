"""Emoji: by their names in what is written, from a dialog, and any of them as a reaction."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.conftest import OpenTab
from tests.browser.people import Meet, meeting
from tests.browser.test_direct import PHONE, expect_no_fault
from tests.serving import ServerProcess


@pytest.fixture
def meet(browser: Browser, open_tab: OpenTab, server: ServerProcess) -> Iterator[Meet]:
    yield from meeting(browser, open_tab, server.url)


def test_emoji_are_written_by_name_and_picked_by_the_keyboard(meet: Meet) -> None:
    mara, jonas = meet("Mara Smiles"), meet("Jonas Smiles", **PHONE, color_scheme="dark")
    mara.make("smiles", jonas)
    tab, other = mara.open("smiles"), jonas.open("smiles")
    keys = tab.page.keyboard
    tab.writing.focus()
    keys.type("Well done :tad")
    expect(tab.page.get_by_role("listbox", name="Emoji").get_by_role("option").first).to_contain_text(":tada:")
    expect_no_fault(tab)
    keys.press("Enter")
    expect(tab.writing).to_have_value("Well done 🎉 ")
    keys.type("and thanks :pray:")
    expect(tab.writing).to_have_value("Well done 🎉 and thanks 🙏 ")
    keys.type("at 10:30")
    expect(tab.page.get_by_role("listbox")).to_have_count(0)
    keys.press("Enter")
    other.expect_said("Well done 🎉 and thanks 🙏 at 10:30")

    tab.button("Add an emoji").click()
    dialog = tab.page.get_by_role("dialog", name="Emoji")
    keys.type("rocket")
    expect(dialog.get_by_role("option")).to_have_count(1)
    keys.press("Enter")
    expect(tab.writing).to_be_focused()
    expect(tab.writing).to_have_value("🚀")
    tab.button("Add an emoji").click()
    expect(dialog.get_by_role("option", name="rocket")).to_have_attribute("aria-selected", "true")
    dialog.get_by_role("button", name="Food").click()
    expect(dialog.get_by_role("option", name="grapes", exact=True)).to_be_visible()
    dialog.get_by_role("combobox").focus()
    keys.press("ArrowDown")
    keys.press("ArrowRight")
    marked = dialog.locator("[aria-selected=true]")
    expect(marked).to_have_count(1)
    expect(marked).not_to_have_attribute("aria-label", "grapes")
    expect_no_fault(tab)
    keys.press("Escape")

    message = other.said("Well done")
    message.tap()
    message.get_by_role("button", name="React").tap()
    message.get_by_role("menuitem", name="Other emoji").tap()
    sheet = other.page.get_by_role("dialog", name="Emoji")
    expect(sheet.get_by_role("option", name="grinning", exact=True)).to_be_visible()
    expect_no_fault(other)
    assert other.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    sheet.get_by_role("combobox").fill("flag germany")
    expect(sheet).to_contain_text("No emoji matches.")
    sheet.get_by_role("combobox").fill("unicorn")
    sheet.get_by_role("option", name="unicorn").tap()
    reaction = tab.said("Well done").get_by_role("button", name="🦄, 1")
    reaction.click()
    expect(other.said("Well done").get_by_role("button", name="🦄, 2")).to_be_visible()
