"""Phones, keyboards, screen readers, light and dark."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import OpenTab
from tests.browser.model import Hold, ScriptedModel
from tests.browser.tab import Tab
from tests.serving import ServerProcess

PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
AXE = Path(__file__).parents[2] / "node_modules" / "axe-core" / "axe.min.js"

RICH = """\
A paragraph with `code`, **bold** and [a link](https://example.com).

```python
a_line_of_code_that_is_much_longer_than_any_phone_is_wide = "and goes on and on, and on and on and on and on"
```

| One column | Another column | A third column | A fourth one, so that it is wide |
|---|---|---|---:|
| 1 | 2 | 3 | 4,000 |

> A quote, and averyveryveryveryveryveryveryveryveryveryveryveryveryveryverylongwordthatdoesnotfitonaline.

1. First
2. Second
"""


def overflow(page: Page) -> list[str]:
    """Return the names of the page's boxes whose content is wider than they are."""
    return page.evaluate(
        """() => [document.documentElement, ...document.querySelectorAll(
                ".log, .page, .page-header, .side.open, .aside, .centre, .toasts, dialog")]
            .filter((box) => box.scrollWidth > box.clientWidth + 1).map((box) => box.className || box.tagName)"""
    )


EXEMPT = "[inert], .prose, .link, .skip, .segments, .waits, .note, .source-chips"
"""Elements that may be smaller than a finger: they stand within a text, or have a size of their own by design."""


def small_targets(page: Page) -> list[str]:
    """Visible buttons, links and fields smaller than a finger."""
    return page.evaluate(
        """(exempt) => [...document.querySelectorAll("button, a, input, select")]
            .filter((one) => one.checkVisibility() && !one.closest(exempt))
            .map((one) => [one.ariaLabel || one.textContent.trim(), one.getBoundingClientRect()])
            .filter(([, box]) => box.height < 43.5 && box.width > 0).map(([name, box]) => `${name}: ${box.height}`)""",
        EXEMPT,
    )


def test_a_phone_has_no_sideways_scroll_and_room_for_fingers(open_tab: OpenTab, model: ScriptedModel) -> None:
    hold = Hold()
    model.script("phone", RICH, hold, "\n\nThe end.")
    tab = open_tab(**PHONE)
    assert overflow(tab.page) == []
    tab.ask("On a phone")
    expect(tab.text).to_contain_text("Second")
    assert overflow(tab.page) == []
    expect(tab.page.locator(".page-header")).to_contain_text("Streaming")
    expect(tab.button("Stop")).to_be_in_viewport()
    hold.go()
    tab.expect_state("finished")
    assert overflow(tab.page) == []
    assert small_targets(tab.page) == []

    tab.button("Open the side bar").tap()
    expect(tab.page.get_by_role("link", name="On a phone")).to_be_in_viewport()
    assert small_targets(tab.page) == []
    tab.button("New conversation").tap()
    expect(tab.page.get_by_role("heading", level=1)).to_have_text("New conversation")
    expect(tab.page.get_by_role("link", name="On a phone")).not_to_be_in_viewport()


def test_a_phone_shows_sources_as_chips_and_in_a_sheet(open_tab: OpenTab) -> None:
    tab = open_tab(**PHONE)
    tab.page.get_by_label("Assistant").select_option("docs")
    tab.ask("What is process mining?")
    tab.expect_state("finished")
    tab.answer.locator(".source-chip").first.tap()
    expect(tab.page.get_by_role("complementary", name="Run")).to_be_in_viewport()
    expect(tab.page.locator("#source-1")).to_be_in_viewport()
    tab.button("Close run details").tap()
    expect(tab.page.get_by_role("complementary", name="Run")).to_have_count(0)


def test_the_keyboard_reaches_everything_in_order(open_tab: OpenTab) -> None:
    tab = open_tab()
    tab.answered("By keyboard")
    keys = tab.page.keyboard
    brand = tab.page.get_by_role("link", name="Tidings", exact=True)
    brand.focus()
    keys.press("Shift+Tab")
    expect(tab.page.get_by_role("link", name="Skip to the composer")).to_be_focused()
    keys.press("Enter")
    expect(tab.composer).to_be_focused()
    brand.focus()
    keys.press("Tab")
    expect(tab.page.get_by_role("button", name="Notifications")).to_be_focused()
    keys.press("Tab")
    expect(tab.page.get_by_role("button", name="Search").first).to_be_focused()

    keys.press("?")
    expect(tab.page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_visible()
    keys.press("Escape")
    expect(tab.page.get_by_role("dialog")).to_have_count(0)
    expect(tab.page.get_by_role("button", name="Search").first).to_be_focused()
    keys.press("Control+k")
    expect(tab.page.get_by_label("Search rooms and conversations")).to_be_focused()
    keys.press("Escape")

    tab.page.get_by_role("button", name="Settings").focus()
    keys.press("Enter")
    expect(tab.page.get_by_role("dialog", name="Settings")).to_be_visible()
    keys.press("Escape")
    expect(tab.page.get_by_role("button", name="Settings")).to_be_focused()

    tab.page.get_by_role("button", name="More").focus()
    keys.press("Enter")
    expect(tab.page.get_by_role("menuitem", name="Rename")).to_be_focused()
    keys.press("ArrowDown")
    expect(tab.page.get_by_role("menuitem", name="Delete")).to_be_focused()
    keys.press("Escape")
    expect(tab.page.get_by_role("button", name="More")).to_be_focused()

    tab.composer.focus()
    tab.composer.fill("one")
    keys.press("Shift+Enter")
    keys.type("?")
    expect(tab.composer).to_have_value("one\n?")


def test_a_finished_answer_is_announced_once(open_tab: OpenTab, model: ScriptedModel) -> None:
    hold = Hold()
    model.script("aloud", "Read this", hold, " aloud.")
    tab = open_tab()
    tab.page.evaluate(
        """() => {
            window.heard = [];
            const listen = () => document.querySelectorAll("[role=status], [aria-live=polite], [aria-live=assertive]")
                .forEach((region) => region.textContent.trim() && heard.push(region.textContent.trim()));
            new MutationObserver(listen).observe(document.body, {subtree: true, childList: true, characterData: true});
        }"""
    )
    tab.ask("Say it aloud")
    expect(tab.text).to_have_text("Read this")
    assert tab.page.evaluate("heard") == []
    hold.go()
    expect(tab.page.get_by_role("status").last).to_contain_text("scripted: Read this aloud.")
    assert set(tab.page.evaluate("heard")) == {"scripted: Read this aloud."}


def test_the_theme_is_chosen_and_kept(open_tab: OpenTab) -> None:
    tab = open_tab(color_scheme="light")
    body = tab.page.locator("body")
    expect(body).to_have_css("background-color", "rgb(255, 255, 255)")
    tab.page.get_by_role("button", name="Settings").click()
    tab.page.get_by_text("Dark", exact=True).click()
    expect(body).to_have_css("background-color", "rgb(18, 27, 27)")
    tab.page.reload()
    expect(body).to_have_css("background-color", "rgb(18, 27, 27)")


def test_animations_are_off_under_reduced_motion(open_tab: OpenTab, model: ScriptedModel) -> None:
    hold = Hold()
    model.script("stand still", "Still", hold)
    tab = open_tab(reduced_motion="reduce")
    tab.ask("Please stand still")
    expect(tab.text).to_have_text("Still")
    moving = "() => document.getAnimations().filter((one) => one.effect.getTiming().duration > 0).length"
    assert tab.page.evaluate(moving) == 0
    hold.go()
    tab.expect_state("finished")


def test_names_of_any_length_and_script_fit_on_a_phone(open_tab: OpenTab, server: ServerProcess) -> None:
    names = [
        "W" * 60,
        "\u0645\u062d\u0645\u062f \u0639\u0628\u062f \u0627\u0644\u0631\u062d\u0645\u0646",
        "\U0001f984\U0001f30a Ada",
    ]
    tab = open_tab(**PHONE)
    ask = tab.page.request
    room = f"{server.url}/topics/rooms.names/events"
    for name in names:
        assert ask.post(f"{server.url}/session", data={"name": name}).ok
        if name == names[0]:
            assert ask.post(f"{room}?type=room.created", data={"name": "W" * 80, "about": "W" * 500}).ok
        else:
            assert ask.post(f"{room}?type=member.joined", data={"member": name}).ok
            assert ask.post(f"{room}?type=message.posted", data={"text": f"@{names[0]} and @{names[1]}"}).ok
    assert ask.post(f"{server.url}/session", data={"name": names[0]}).ok
    tab.page.goto(f"{server.url}/r/names")
    expect(tab.page.locator("article.said")).to_have_count(2)
    expect(tab.page.locator("article.said .person").last).to_have_text("\U0001f984A")
    assert overflow(tab.page) == []
    for opens, closes in (
        ("Open the side bar", "Close the side bar"),
        ("Room details", "Close room details"),
    ):
        tab.button(opens).tap()
        assert overflow(tab.page) == []
        tab.button(closes).tap()
    tab.page.locator(".bell:visible").tap()
    expect(tab.page.locator(".notice")).to_have_count(2)
    assert overflow(tab.page) == []


@pytest.mark.skipif(not AXE.exists(), reason="axe-core is not installed (scripts/node-modules)")
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", ["wide", "phone"])
def test_axe_finds_no_serious_fault(open_tab: OpenTab, model: ScriptedModel, scheme: str, size: str) -> None:
    hold = Hold()
    question = f"Everything in {scheme} on a {size}"
    model.script(question, RICH, hold, "\n\nThe end.")
    tab = open_tab(color_scheme=scheme, **(PHONE if size == "phone" else {}))
    check(tab, "empty")
    tab.ask(question)
    expect(tab.text).to_contain_text("Second")
    check(tab, "streaming")
    tab.ask("And a follow-up")
    expect(tab.log.get_by_text("Will be sent when this answer finishes")).to_be_visible()
    check(tab, "waiting")
    hold.go()
    expect(tab.answers).to_have_count(2)
    tab.expect_state("finished")
    check(tab, "finished")
    if size == "phone":
        tab.button("Open the side bar").tap()
        check(tab, "drawer")
    tab.page.get_by_role("button", name="Settings").click()
    check(tab, "settings")
    tab.page.keyboard.press("Escape")
    for name, keys in (("search", "Control+k"), ("help", "?")):
        tab.page.locator("body").press(keys)
        expect(tab.page.get_by_role("dialog")).to_be_visible()
        check(tab, name)
        tab.page.keyboard.press("Escape")


@pytest.mark.skipif(not AXE.exists(), reason="axe-core is not installed (scripts/node-modules)")
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", ["wide", "phone"])
def test_axe_finds_no_serious_fault_in_what_opens(
    open_tab: OpenTab, server: ServerProcess, scheme: str, size: str
) -> None:
    tab = open_tab(color_scheme=scheme, **(PHONE if size == "phone" else {}))
    tab.answered(f"To be renamed in {scheme} on a {size}")
    ask = tab.page.request
    for name in ("Rename", "Delete"):
        tab.page.get_by_role("button", name="More").click()
        tab.page.get_by_role("menuitem", name=name).click()
        expect(tab.page.get_by_role("dialog")).to_be_visible()
        check(tab, name)
        tab.page.keyboard.press("Escape")
    tab.page.locator(".bell:visible").click()
    check(tab, "centre of nobody")
    tab.button("Choose a name").click()
    check(tab, "sign-in")
    me = f"Mara-{scheme}-{size}"
    tab.page.get_by_label("Name").fill(me)
    with tab.page.expect_response("**/notifications"):
        tab.button("Continue").click()
    tab.button("Close notifications").click()
    tell = f"{server.url}/topics/users.{me}/events?type=notification.created"
    for fact in (
        {"title": "You were mentioned", "kind": "mention", "topic": "rooms.x"},
        {"title": "It failed", "kind": "failed"},
    ):
        assert ask.post(tell, data={"text": "What there is to tell", "link": "/r/x", **fact}).ok
    expect(tab.page.locator(".toast")).to_have_count(2)
    check(tab, "toasts")
    tab.page.locator(".bell:visible").click()
    expect(tab.page.locator(".toast")).to_have_count(0)
    check(tab, "centre")
    tab.button("Mark as read").first.click()
    tab.page.get_by_role("button", name="Do not disturb").click()
    tab.button("For an hour").click()
    expect(tab.page.get_by_text("Unread counts still update.")).to_be_visible()
    check(tab, "quiet")
    room = f"{server.url}/topics/rooms.axe-{scheme}-{size}/events"
    assert ask.post(f"{room}?type=room.created", data={"name": "axe", "private": False}).ok
    assert ask.post(f"{room}?type=message.posted", data={"text": f"@{me} **said** so"}).ok
    assert ask.post(f"{room}?type=message.posted", data={"text": "@docs What is process mining?"}).ok
    tab.page.goto(f"{server.url}/r/axe-{scheme}-{size}")
    expect(tab.log).to_contain_text("said")
    tab.expect_state("finished")
    check(tab, "room")
    said = tab.page.get_by_role("article", name=f"Message by {me}").first
    said.focus()
    said.get_by_role("button", name="Message actions").press("Enter")
    check(tab, "menu of a message")
    tab.page.keyboard.press("Escape")
    if size == "phone":
        tab.button("Room details").tap()
        check(tab, "sheet")
    tab.button("Add a member").first.click()
    expect(tab.page.get_by_role("dialog")).to_be_visible()
    check(tab, "dialog of a room")


def check(tab: Tab, state: str) -> None:
    """Axe's rules over the page as it is now."""
    tab.page.evaluate(AXE.read_text(encoding="utf-8"))
    found = tab.page.evaluate("axe.run(document, {resultTypes: ['violations']})")["violations"]
    serious = [
        {
            "rule": fault["id"],
            "at": [node["html"][:200] for node in fault["nodes"]],
            "why": fault["nodes"][0]["any"][:1],
        }
        for fault in found
        if fault["impact"] in ("serious", "critical")
    ]
    assert not serious, f"{state}: {json.dumps(serious, indent=1)[:4000]}"
