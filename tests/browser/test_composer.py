"""The field in which people write: its help with Markdown, input methods, and phones."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.conftest import OpenTab
from tests.browser.people import Meet, meeting
from tests.serving import ServerProcess

PHONE: dict[str, Any] = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}

SAFARI = """field => {
    field.dispatchEvent(new CompositionEvent("compositionstart", { bubbles: true }));
    field.dispatchEvent(new CompositionEvent("compositionend", { bubbles: true, data: "会議" }));
    const key = { key: "Enter", code: "Enter", keyCode: 229, bubbles: true, cancelable: true };
    return field.dispatchEvent(new KeyboardEvent("keydown", key));
}"""
"""The Enter that chooses a word, in the order in which Safari tells of it."""


@pytest.fixture
def meet(browser: Browser, open_tab: OpenTab, server: ServerProcess) -> Iterator[Meet]:
    yield from meeting(browser, open_tab, server.url)


def test_a_list_goes_on_as_it_is_written(meet: Meet) -> None:
    mara = meet("Mara Composing")
    mara.make("composing")
    tab = mara.open("composing")
    tab.writing.press_sequentially("To do:")
    for text in ("- one", "two", ""):
        tab.writing.press("Shift+Enter")
        tab.writing.press_sequentially(text)
    expect(tab.writing).to_have_value("To do:\n- one\n- two\n- ")
    tab.writing.press("Shift+Enter")
    expect(tab.writing).to_have_value("To do:\n- one\n- two\n")
    tab.writing.press("Enter")
    expect(tab.messages.locator("li")).to_have_text(["one", "two"])


def test_a_fence_is_closed_and_enter_adds_lines_inside(meet: Meet) -> None:
    mara = meet("Mara Fencing")
    mara.make("fencing")
    tab = mara.open("fencing")
    tab.writing.press_sequentially("```py")
    tab.writing.press("Enter")
    expect(tab.writing).to_have_value("```py\n\n```")
    tab.writing.press_sequentially("if x:")
    tab.writing.press("Enter")
    tab.writing.press_sequentially("  y")
    tab.writing.press("Enter")
    expect(tab.writing).to_have_value("```py\nif x:\n  y\n  \n```")
    expect(tab.page.locator(".hint")).to_contain_text("Ctrl+Enter sends")
    tab.writing.press("Control+z")
    expect(tab.writing).to_have_value("```py\nif x:\n  y\n```")
    tab.writing.press("Control+Enter")
    expect(tab.messages.locator("pre code")).to_have_text("if x:\n  y")


def test_pasted_code_becomes_a_code_block(meet: Meet) -> None:
    mara = meet("Mara Pasting", permissions=["clipboard-read", "clipboard-write"])
    mara.make("pasting")
    tab = mara.open("pasting")
    tab.writing.fill("Look:")
    for text in ("def f(x):\n    return x\n", "plain words\nof prose"):
        tab.page.evaluate("text => navigator.clipboard.writeText(text)", text)
        tab.writing.press("End")
        tab.writing.press("Control+v")
    expect(tab.writing).to_have_value("Look:\n```\ndef f(x):\n    return x\n```\nplain words\nof prose")


def test_a_preview_shows_what_will_be_sent(meet: Meet) -> None:
    mara = meet("Mara Preview")
    mara.make("preview")
    tab = mara.open("preview")
    preview = tab.page.get_by_role("region", name="Preview")
    tab.writing.fill("plain")
    expect(tab.button("Preview")).to_have_count(0)
    tab.writing.fill("some **strong** words\n- and a list")
    tab.button("Preview").click()
    expect(preview.locator("strong")).to_have_text("strong")
    expect(tab.writing).to_be_hidden()
    tab.button("Preview").click()
    expect(tab.writing).to_have_value("some **strong** words\n- and a list")
    tab.button("Preview").click()
    tab.button("Send").click()
    expect(tab.messages.locator("strong")).to_have_text("strong")
    expect(preview).to_have_count(0)
    expect(tab.writing).to_be_focused()


def test_the_enter_of_an_input_method_sends_nothing(meet: Meet) -> None:
    mara = meet("Mara Typing")
    mara.make("method")
    tab = mara.open("method")
    tab.writing.fill("今日は会議")
    assert tab.writing.evaluate(SAFARI), "the key is the browser's"
    tab.writing.press_sequentially("です")
    tab.writing.press("Enter")
    expect(tab.messages.locator(".asked")).to_have_text(["今日は会議です"])
    search = tab.page.get_by_role("combobox", name="Search rooms and conversations")
    tab.page.keyboard.press("Control+k")
    search.fill("method")
    expect(tab.page.get_by_role("option").first).to_be_visible()
    assert search.evaluate(SAFARI)
    expect(search).to_be_visible()


def test_enter_adds_a_line_on_a_phone(meet: Meet) -> None:
    mara = meet("Mara Phone", **PHONE)
    mara.make("on-a-phone")
    tab = mara.open("on-a-phone")
    tab.writing.tap()
    tab.writing.press_sequentially("- one")
    tab.writing.press("Enter")
    tab.writing.press_sequentially("two")
    expect(tab.writing).to_have_value("- one\n- two")
    expect(tab.writing).to_have_attribute("enterkeyhint", "enter")
    tab.button("Send").tap()
    expect(tab.messages.locator("li")).to_have_text(["one", "two"])
