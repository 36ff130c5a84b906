"""Links to the questions and answers of a conversation: where they lead, in which version, and for whom."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Locator, expect

from tests.browser.conftest import OpenTab
from tests.browser.model import ScriptedModel
from tests.browser.people import Meet, RoomTab, meeting
from tests.serving import ServerProcess


@pytest.fixture
def meet(browser: Browser, open_tab: OpenTab, server: ServerProcess) -> Iterator[Meet]:
    yield from meeting(browser, open_tab, server.url)


def linked(tab: RoomTab, message: Locator) -> str:
    """Copy the link to a question or an answer; the address."""
    message.hover()
    message.get_by_role("button", name="Copy link").click()
    expect(message.get_by_role("button", name="Copy link")).to_have_attribute("data-copied", "true")
    return str(tab.page.evaluate("navigator.clipboard.readText()"))


def test_links_open_a_conversation_at_a_question_and_at_an_answer_in_their_version(
    meet: Meet, model: ScriptedModel
) -> None:
    model.script("Which bird steals", "The skua.")
    model.script("Tell me all", *["A line about skuas.\n\n"] * 60)
    mara = meet("Mara of links", permissions=["clipboard-read", "clipboard-write"])
    tab = mara.open("")
    tab.answered("Which bird steals?")
    tab.answered("Tell me all of it")
    questions, answers = tab.page.locator("article.question"), tab.page.locator("article.answer")
    to_question, to_answer = linked(tab, questions.last), linked(tab, answers.first)
    assert re.search(r"/c/[\w-]+\?question=[\w-]+$", to_question)
    answers.first.hover()
    answers.first.get_by_role("button", name="Regenerate").click()
    expect(answers).to_have_count(1)
    tab.expect_state("finished")
    expect(tab.page.get_by_text("2 / 2")).to_be_visible()

    tab.page.goto(to_question)
    found = tab.page.locator("article.found")
    expect(found).to_contain_text("Tell me all of it")
    expect(found).to_be_in_viewport()
    expect(found).to_be_focused()
    expect(tab.page.locator(".toast")).to_have_count(0)
    expect(tab.page.get_by_role("button", name=re.compile("Jump to latest"))).to_be_visible()
    expect(tab.page.get_by_text("1 / 2")).to_be_attached()
    tab.page.goto(to_answer)
    expect(found).to_contain_text("The skua.")
    expect(found).to_be_in_viewport()


def test_a_link_to_what_is_not_there_says_so_and_a_link_of_another_person_opens_nothing(meet: Meet) -> None:
    mara, jonas = meet("Mara of lost links"), meet("Jonas of lost links")
    tab = mara.open("")
    tab.answered("Is it there?")
    address = tab.page.url
    tab.page.goto(f"{address}?answer=none")
    expect(tab.page.locator(".toast")).to_contain_text("Message not found")
    expect(tab.answer).to_be_in_viewport()
    other = jonas.open("")
    other.page.goto(f"{address}?answer=none")
    expect(other.page.get_by_role("heading", name="This conversation belongs to someone else.")).to_be_visible()
