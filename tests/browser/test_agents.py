"""Agents in the page: their questions are forms, their data are cards, and both outlive the page that shows them."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Locator, expect

from tests.browser.conftest import OpenTab
from tests.browser.people import Meet, meeting
from tests.browser.tab import Tab
from tests.browser.test_keyboard import Keys
from tests.browser.test_layout import AXE
from tests.serving import ServerProcess


@pytest.fixture(scope="module")
def agents(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a server whose assistants are the agents of this folder, served by two workers."""
    store = f"sqlite:///{tmp_path_factory.mktemp('agents')}/tidings.db"
    with ServerProcess(store, args=("--workers", "2", "--assistant", "tests.browser.agents:team")) as server:
        yield server.url


@pytest.fixture
def meet(browser: Browser, open_tab: OpenTab, agents: str) -> Iterator[Meet]:
    yield from meeting(browser, open_tab, agents)


def form(tab: Tab) -> Locator:
    return tab.page.get_by_role("region", name="Question for you")


def ask(tab: Tab, assistant: str, question: str) -> None:
    tab.page.get_by_label("Assistant").select_option(assistant)
    tab.ask(question)


def test_a_question_is_answered_by_keys_alone_after_a_reload(open_tab: OpenTab, agents: str) -> None:
    """Ask, see the card, reload in the middle, change what the agent would do, and read the answer."""
    tab = open_tab(url=agents)
    expect(tab.page.get_by_role("heading", name="Ask Support")).to_be_visible()
    keys = Keys(tab.page)
    keys.to("Refund 4711", "Shift+Tab")
    keys.press("Enter")
    expect(form(tab)).to_contain_text("Use refund?")
    expect(tab.page.get_by_role("img", name="needs an answer")).to_be_visible()
    card = tab.answer.locator("figure").first
    expect(card).to_contain_text("Order 4711")
    expect(card).to_contain_text("<b>bold</b>")
    expect(card.get_by_role("link")).to_have_attribute("href", "https://example.com/4711")

    tab.page.reload()
    expect(form(tab)).to_contain_text("49.5")
    keys.to("Edit", "Shift+Tab")
    keys.press("Enter")
    keys.to("Amount")
    keys.press("ControlOrMeta+a")
    keys.write("much", "Enter")
    expect(form(tab)).to_contain_text("This is not a number.")
    expect(tab.page.get_by_label("Amount")).to_be_focused()
    keys.press("Escape")
    expect(tab.answer).to_have_attribute("data-state", "streaming")
    assert keys.at == "Edit"
    keys.press("Enter")
    keys.to("Amount")
    keys.press("ControlOrMeta+a")
    keys.write("12.5", "Enter")
    tab.expect_state("finished")
    expect(tab.text.last).to_contain_text("refunded 12.5 for 4711")
    answered = tab.answer.get_by_role("button", name="Edited by you: refund")
    expect(answered).to_be_focused()
    keys.press("Enter")
    expect(tab.answer.get_by_role("region", name="Question and answer")).to_contain_text("12.5")


def test_two_calls_are_decided_together_and_apart(open_tab: OpenTab, agents: str) -> None:
    tab = open_tab(url=agents)
    ask(tab, "both", "Do both")
    expect(form(tab)).to_contain_text("2 actions wait for your decision")
    form(tab).get_by_role("group", name="Decision about refund").get_by_role("button", name="Reject").click()
    form(tab).get_by_label("Reason").fill("too much")
    form(tab).get_by_role("button", name="Send 2 decisions").click()
    expect(form(tab)).to_contain_text("Decide about send, too.")
    form(tab).get_by_role("group", name="Decision about send").get_by_role("button", name="Approve").click()
    form(tab).get_by_role("button", name="Send 2 decisions").click()
    tab.expect_state("finished")
    expect(tab.text.last).to_contain_text("with reason: too much")
    expect(tab.text.last).to_contain_text("sent to ann")
    # The conversation goes on with the assistant that it was asked, and so does a new tab.
    other = open_tab(tab.path, url=agents, context=tab.context)
    expect(other.page.get_by_label("Assistant")).to_have_value("both")

    other.page.get_by_role("button", name="New conversation").click()
    ask(other, "each", "Do each")
    expect(form(other)).to_have_count(2)
    form(other).filter(has_text="refund").get_by_role("button", name="Edit").click()
    other.page.get_by_label("Amount").fill("7")
    form(other).filter(has_text="refund").get_by_role("button", name="Send changes").click()
    expect(form(other)).to_have_count(1)
    form(other).get_by_role("button", name="Approve").click()
    other.expect_state("finished")
    expect(other.text.last).to_contain_text("refunded 7 for 4711")


def test_a_form_is_made_of_a_schema_and_a_wrong_answer_is_asked_for_again(open_tab: OpenTab, agents: str) -> None:
    tab = open_tab(url=agents)
    ask(tab, "trip", "Plan a trip")
    expect(form(tab)).to_contain_text("Where to?")
    expect(form(tab)).to_contain_text("100")
    if AXE.exists():
        tab.page.evaluate(AXE.read_text(encoding="utf-8"))
        found = tab.page.evaluate("axe.run(document, {resultTypes: ['violations']})")["violations"]
        assert [(fault["id"], fault["nodes"][0]["html"]) for fault in found] == []
    tab.page.get_by_label("City").fill("Ur")
    tab.page.get_by_label("Nights").fill("15")
    form(tab).get_by_role("button", name="Send answer").click()
    expect(form(tab)).to_contain_text("At least 3 characters.")
    expect(form(tab)).to_contain_text("At most 14.")
    tab.page.get_by_label("City").fill("Uruk")
    tab.page.get_by_label("Nights").fill("3")
    form(tab).get_by_role("button", name="Send answer").click()
    expect(form(tab)).to_contain_text("Uruk for 3 nights?")
    tab.page.get_by_label("Answer", exact=True).fill("perhaps")
    form(tab).get_by_role("button", name="Send answer").click()
    expect(form(tab)).to_contain_text("The answer was not in the form that the question needs. Answer again.")
    # A second tab shows the same question, and learns of the answer that is given here.
    other = open_tab(tab.path, url=agents, context=tab.context)
    expect(form(other)).to_contain_text("Answer again.")
    form(tab).get_by_role("button", name="No", exact=True).click()
    for one in (tab, other):
        one.expect_state("finished")
        expect(one.text.last).to_have_text("Not booked")
        expect(one.answer.locator(".agent")).to_have_text("planner")
        expect(form(one)).to_have_count(0)


def test_a_room_asks_by_name_and_the_first_answer_counts(meet: Meet) -> None:
    mara, tom = meet("Mara Agents"), meet("Tom Agents")
    mara.make("agents", tom)
    here, there = mara.open("agents"), tom.open("agents")
    here.say("@both please")
    expect(form(here)).to_contain_text("2 actions wait")
    for call in ("refund", "send"):
        form(there).get_by_role("group", name=f"Decision about {call}").get_by_role("button", name="Approve").click()
    form(there).get_by_role("button", name="Send 2 decisions").click()
    expect(here.answer.get_by_role("button", name="Approved by Tom Agents")).to_be_visible()
    expect(here.answer).to_contain_text("sent to ann")
    expect(form(here)).to_have_count(0)


def test_a_question_notifies_elsewhere_and_is_read_where_it_is_answered(meet: Meet) -> None:
    mara = meet("Mara Elsewhere")
    mara.make("elsewhere")
    other = mara.open("")
    mara.say("elsewhere", "@both please")
    toast = other.page.locator(".toast").filter(has_text="needs your answer")
    expect(toast).to_be_visible()
    expect(other.page.get_by_role("button", name="Notifications, 1 unread")).to_be_visible()
    other.page.locator(".side").get_by_role("link", name="elsewhere").click()
    expect(other.page.get_by_role("region", name="Question for you")).to_contain_text("2 actions wait")
    expect(other.page.get_by_role("button", name="Notifications", exact=True)).to_be_visible()
    expect(toast).to_have_count(0)


def test_a_hostile_question_harms_nobody(open_tab: OpenTab, agents: str) -> None:
    tab = open_tab(url=agents)
    tab.page.on("dialog", lambda dialog: pytest.fail(f"a script ran: {dialog.message}"))
    ask(tab, "hostile", "Do harm")
    fields = form(tab).locator("input, textarea, select")
    expect(fields).to_have_count(4)
    assert tab.answer.locator("img, b:not(.byline b), a[href^='javascript']").count() == 0
    assert tab.page.evaluate("document.querySelectorAll('.answer *').length") < 3000
    tab.page.get_by_label("Pattern").fill("harmless")
    form(tab).get_by_role("button", name="Send answer").click()
    tab.expect_state("finished")
    expect(tab.text.last).to_have_text(re.compile("Got harmless"))
