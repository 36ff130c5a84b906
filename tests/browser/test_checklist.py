"""The points of docs/checklist.md about a conversation that no other file tests, each named by its number."""

from __future__ import annotations

import json
import re
from pathlib import Path

from playwright.sync_api import expect

from tests.browser.conftest import OpenTab
from tests.browser.model import Hold, ScriptedModel
from tests.browser.tab import Held


def test_the_table_names_tests_that_there_are() -> None:
    table = (Path(__file__).parents[2] / "docs" / "checklist.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| (\d+) \|(.*)$", table, re.MULTILINE))
    assert list(rows) == [str(n) for n in range(1, 45)]
    for row in rows.values():
        for file, tests in re.findall(r"`(test_\w+\.py)`: ((?:`test_\w+`(?:, )?)+)", row):
            source = (Path(__file__).parent / file).read_text(encoding="utf-8")
            for test in re.findall(r"`(test_\w+)`", tests):
                assert f"def {test}(" in source, f"{file} has no {test}"
    assert sum("test_" in row or "open_tab" in row for row in rows.values()) == len(rows)


def test_1_there_is_a_sign_of_life_before_the_first_token(open_tab: OpenTab, model: ScriptedModel) -> None:
    hold = Hold()
    model.script("sign of life", hold, "At last.")
    tab = open_tab()
    tab.ask("A sign of life")
    expect(tab.answer.get_by_text("Waiting for the first token")).to_be_visible()
    expect(tab.answer.locator(".run-line")).to_be_visible()
    expect(tab.button("Stop")).to_be_visible()
    hold.go()
    expect(tab.text).to_have_text("At last.")
    expect(tab.answer.get_by_text("Waiting for the first token")).to_have_count(0)


def test_4_an_earlier_question_asked_otherwise_begins_a_branch(open_tab: OpenTab, model: ScriptedModel) -> None:
    tab = open_tab()
    for question in ("Branch one", "Branch two", "Branch three"):
        tab.answered(question)
    tab.page.get_by_role("article", name="Question").nth(1).hover()
    tab.button("Edit and ask again").nth(1).click()
    expect(tab.composer).to_have_value("Branch two")
    tab.ask("Branch two, otherwise")
    expect(tab.text).to_have_text("You asked: Branch two, otherwise")
    expect(tab.answers).to_have_count(2)
    expect(tab.answer.get_by_text("2 / 2")).to_be_visible()
    tab.answered("Branch after that")

    second = tab.answers.nth(1)
    second.hover()
    second.get_by_role("button", name="Previous version").click()
    expect(tab.answers).to_have_count(3)
    expect(tab.text).to_have_text("You asked: Branch three")
    # What is asked here goes on here, on every device, and the model is told of this branch alone.
    tab.answered("Branch four")
    for one in (tab, open_tab(tab.path)):
        expect(one.page.locator(".asked")).to_have_text(["Branch one", "Branch two", "Branch three", "Branch four"])
        expect(one.answers.nth(1).get_by_text("1 / 2")).to_be_attached()
    told = next(call for call in model.calls if call[-1]["content"] == "Branch four")
    assert [message["content"] for message in told if message["role"] == "user"] == [
        "Branch one",
        "Branch two",
        "Branch three",
        "Branch four",
    ]


def test_7_tables_lists_and_links(open_tab: OpenTab, model: ScriptedModel) -> None:
    model.script(
        "shapes", "1. One\n2. Two\n   - inner\n\n| a | b |\n|---|---:|\n| c | 1 |\n\nSee [it](https://example.com/x)."
    )
    tab = open_tab()
    tab.answered("All shapes")
    expect(tab.text.locator("ol > li")).to_have_count(2)
    expect(tab.text.locator("ol ul li")).to_have_text("inner")
    expect(tab.text.get_by_role("cell")).to_have_text(["c", "1"])
    expect(tab.text.get_by_role("columnheader")).to_have_text(["a", "b"])
    link = tab.text.get_by_role("link", name="it")
    expect(link).to_have_attribute("href", "https://example.com/x")
    expect(link).to_have_attribute("target", "_blank")


def test_8_what_came_below_is_counted(open_tab: OpenTab, model: ScriptedModel) -> None:
    model.script("fill the screen", "\n\n".join(f"Paragraph {n}." for n in range(60)))
    tab = open_tab()
    tab.answered("Please fill the screen")
    other = open_tab(tab.path)
    expect(tab.text.get_by_text("Paragraph 59.")).to_be_in_viewport()
    tab.wheel(-600)
    expect(tab.button("Jump to latest")).to_be_visible()
    other.answered("And more")
    tab.button("Jump to latest (1 new)").click()
    expect(tab.text).to_be_in_viewport()


def test_12_a_question_is_shown_before_the_server_has_it(open_tab: OpenTab) -> None:
    tab = open_tab()
    tab.answered("Before the slow one")
    held = Held(tab.page, "**/runs")
    tab.ask("The slow one")
    expect(tab.page.get_by_role("article", name="Question").last).to_contain_text("The slow one")
    expect(tab.log.get_by_text("sending", exact=True)).to_be_visible()
    expect(tab.composer).to_have_value("")
    held.let_go()
    expect(tab.text).to_have_text("You asked: The slow one")
    expect(tab.log.get_by_text("sending", exact=True)).to_have_count(0)
    expect(tab.page.get_by_role("article", name="Question")).to_have_count(2)


def test_17_all_branches_are_in_the_export(open_tab: OpenTab) -> None:
    tab = open_tab()
    tab.answered("To be exported")
    tab.button("Regenerate").click()
    expect(tab.answer.get_by_text("2 / 2")).to_be_visible()
    tab.expect_state("finished")
    tab.page.get_by_role("button", name="Download").click()
    with tab.page.expect_download() as download:
        tab.page.get_by_role("menuitem", name="JSON").click()
    [turn] = json.loads(Path(download.value.path()).read_text())["turns"]
    assert [(one["question"], one["after"], one["state"]) for one in turn] == [("To be exported", None, "finished")] * 2


def test_18_who_answers_is_labelled_honestly(open_tab: OpenTab) -> None:
    tab = open_tab()
    tab.page.get_by_label("Assistant").select_option("docs")
    expect(tab.page.get_by_text("Answers are quotes from the Tidings docs")).to_be_visible()
    tab.answered("What does a publish promise on SQLite?")
    expect(tab.page.get_by_label("About the run").get_by_text("none (quotes the docs)")).to_be_visible()
    expect(tab.answer.locator(".meta")).to_have_text(re.compile(r"^[\d,]+ words? · .+ · finished$|^.+ · finished$"))


def test_20_a_thumb_is_a_fact_of_the_conversation(open_tab: OpenTab) -> None:
    tab = open_tab()
    tab.answered("To be rated")
    other = open_tab(tab.path)
    tab.button("Good answer").click()
    for one in (tab, other):
        expect(one.button("Good answer")).to_have_attribute("aria-pressed", "true")
    other.button("Bad answer").click()
    for one in (tab, other):
        expect(one.button("Good answer")).to_have_attribute("aria-pressed", "false")
        expect(one.button("Bad answer")).to_have_attribute("aria-pressed", "true")
    other.button("Bad answer").click()
    tab.page.reload()
    expect(tab.button("Bad answer")).to_have_attribute("aria-pressed", "false")


def test_39_the_focus_is_seen_wherever_the_keyboard_goes(open_tab: OpenTab) -> None:
    tab = open_tab()
    tab.answered("Walked through by keyboard")
    tab.page.get_by_role("link", name="Skip to the composer").focus()
    seen = """() => {
        const one = document.activeElement;
        const framed = one.closest(".composer:has(textarea:focus-visible), .sought") ?? one;
        const {outlineStyle, outlineWidth} = getComputedStyle(framed);
        return [one.ariaLabel || one.textContent.trim() || one.tagName, outlineStyle, parseFloat(outlineWidth)];
    }"""
    walk = [tab.page.evaluate(seen)]
    while walk[-1][0] != "Your question" and len(walk) < 60:
        tab.page.keyboard.press("Tab")
        walk.append(tab.page.evaluate(seen))
    assert [stop for stop in walk if stop[1:] != ["solid", 2]] == []
    names = [name for name, *_ in walk]
    wanted = ["Skip to the composer", "Tidings", "Notifications", "New conversation", "Settings", "Conversation"]
    assert [name for name in names if name in wanted] == wanted
    assert names[-1] == "Your question"


def test_41_the_system_s_theme_is_followed_until_one_is_chosen(open_tab: OpenTab) -> None:
    tab = open_tab(color_scheme="light")
    body = tab.page.locator("body")
    expect(body).to_have_css("background-color", "rgb(255, 255, 255)")
    tab.page.emulate_media(color_scheme="dark")
    expect(body).to_have_css("background-color", "rgb(18, 27, 27)")
    tab.page.get_by_role("button", name="Settings").click()
    tab.page.get_by_text("Light", exact=True).click()
    expect(body).to_have_css("background-color", "rgb(255, 255, 255)")
