"""A conversation with the assistant, on a network that works."""

from __future__ import annotations

import json
import re
from pathlib import Path

from playwright.sync_api import expect

from tests.browser.conftest import OpenTab
from tests.browser.model import Break, End, Hold, Refuse, ScriptedModel, Think
from tests.serving import ServerProcess


def test_a_question_gets_an_answer_that_cites_its_sources(open_tab: OpenTab) -> None:
    tab = open_tab()
    tab.page.get_by_label("Assistant").select_option("docs")
    expect(tab.page.get_by_text("Answers are quotes")).to_be_visible()
    tab.button("What is process mining?").click()
    tab.expect_state("finished")
    expect(tab.answer.get_by_text("Searched the documentation")).to_be_visible()
    expect(tab.text).to_contain_text("event")
    assert re.fullmatch(r"/c/\w+", tab.path)
    item = tab.page.get_by_role("link", name="What is process mining?", exact=True)
    expect(item).to_have_attribute("aria-current", "page")

    cite = tab.text.get_by_role("button", name=re.compile("Source 1")).first
    cite.hover()
    expect(tab.page.get_by_role("tooltip")).to_contain_text("process-mining.md")
    cite.click()
    expect(tab.page.locator("#source-1")).to_be_focused()
    expect(tab.page.locator("#source-1")).to_contain_text("lines")
    assert tab.text.inner_text().count("[1]") == 0


def test_an_unanswerable_question_is_declined_plainly(open_tab: OpenTab) -> None:
    tab = open_tab()
    tab.page.get_by_label("Assistant").select_option("docs")
    tab.answered("Who won the football match in Zanzibar yesterday?")
    expect(tab.text).to_have_text("I could not find this in the Tidings docs.")
    expect(tab.text.locator(".cite")).to_have_count(0)
    expect(tab.answer.locator(".step")).to_contain_text("nothing found")
    tab.answer.get_by_role("button", name="What is process mining?").click()
    expect(tab.answers).to_have_count(2)
    tab.expect_state("finished")
    expect(tab.page.get_by_text("Try:")).to_have_count(0)


def test_text_appears_as_it_is_written(open_tab: OpenTab, model: ScriptedModel) -> None:
    first, second = Hold(), Hold()
    model.script("piecemeal", "The first **bold", first, " words** and `co", second, "de`.")
    tab = open_tab()
    tab.ask("Say it piecemeal")
    expect(tab.text).to_have_text("The first bold")
    expect(tab.log).to_have_attribute("aria-busy", "true")
    expect(tab.answer.locator(".caret")).to_have_count(1)
    expect(tab.page.get_by_label("About the run").get_by_text("Streaming")).to_be_visible()
    first.go()
    expect(tab.text.locator("strong")).to_have_text("bold words")
    expect(tab.text).to_have_text("The first bold words and co")
    second.go()
    tab.expect_state("finished")
    expect(tab.text).to_have_text("The first bold words and code.")
    expect(tab.answer.locator(".caret")).to_have_count(0)
    expect(tab.log).to_have_attribute("aria-busy", "false")
    expect(tab.answer.locator(".meta")).to_have_text(re.compile(r"^scripted · \d+ tokens · .+ · finished$"))


def test_a_reload_in_the_middle_goes_on(open_tab: OpenTab, model: ScriptedModel) -> None:
    hold = Hold()
    model.script("reload me", "Half of the answer", hold, " and the other half.")
    tab = open_tab()
    tab.ask("Please reload me")
    expect(tab.text).to_have_text("Half of the answer")
    tab.page.reload()
    expect(tab.text).to_have_text("Half of the answer")
    expect(tab.button("Stop")).to_be_visible()
    hold.go()
    tab.expect_state("finished")
    expect(tab.text).to_have_text("Half of the answer and the other half.")
    assert sum(call[-1]["content"] == "Please reload me" for call in model.calls) == 1


def test_two_tabs_see_the_same_answer_live(open_tab: OpenTab, model: ScriptedModel) -> None:
    hold = Hold()
    model.script("two tabs", "Seen by", hold, " both.")
    one = open_tab()
    one.ask("For two tabs")
    expect(one.text).to_have_text("Seen by")
    two = open_tab(one.path)
    expect(two.text).to_have_text("Seen by")
    hold.go()
    for tab in (one, two):
        tab.expect_state("finished")
        expect(tab.text).to_have_text("Seen by both.")
    two.ask("And back again")
    expect(one.text).to_have_text("You asked: And back again")
    expect(one.answers).to_have_count(2)


def test_stop_keeps_the_text_so_far(open_tab: OpenTab, model: ScriptedModel) -> None:
    model.script("stop by the button", "It began", Hold(), " and never ends")
    model.script("stop by the key", "It began", Hold(), " and never ends")
    tab = open_tab()
    tab.ask("I stop by the button")
    expect(tab.text).to_have_text("It began")
    tab.page.get_by_role("button", name="Stop").click()
    tab.expect_state("stopped")
    expect(tab.answer.get_by_text("Stopped by you. The text so far is kept.")).to_be_visible()
    expect(tab.text).to_have_text("It began")

    tab.ask("I stop by the key")
    expect(tab.answers).to_have_count(2)
    expect(tab.text).to_have_text("It began")
    tab.composer.press("Escape")
    tab.expect_state("stopped")
    expect(tab.button("Send")).to_be_visible()


def test_another_answer_is_another_version(open_tab: OpenTab, model: ScriptedModel) -> None:
    model.script("twice", "The first answer.")
    model.script("twice", "The second answer.")
    tab = open_tab()
    tab.answered("Say it twice")
    tab.button("Regenerate").click()
    expect(tab.text).to_have_text("The second answer.")
    expect(tab.answers).to_have_count(1)
    expect(tab.answer.get_by_text("2 / 2")).to_be_visible()
    tab.button("Previous version").click()
    expect(tab.text).to_have_text("The first answer.")
    tab.button("Next version").click()
    expect(tab.text).to_have_text("The second answer.")
    assert [call[1:] for call in model.calls if "Say it twice" in call[-1]["content"]] == [
        [{"role": "user", "content": "Say it twice"}]
    ] * 2


def test_the_last_question_can_be_changed_and_asked_again(open_tab: OpenTab) -> None:
    tab = open_tab()
    tab.answered("A question with a mistaek")
    tab.composer.press("ArrowUp")
    expect(tab.composer).to_have_value("A question with a mistaek")
    tab.ask("A question without a mistake")
    expect(tab.text).to_have_text("You asked: A question without a mistake")
    expect(tab.answers).to_have_count(1)
    tab.button("Previous version").click()
    expect(tab.log).to_contain_text("A question with a mistaek")


def test_the_model_is_told_what_was_said_before(open_tab: OpenTab, model: ScriptedModel) -> None:
    tab = open_tab()
    tab.answered("First of the history")
    tab.answered("Second of the history")
    said = next(call for call in model.calls if call[-1]["content"] == "Second of the history")
    assert [message["role"] for message in said] == ["system", "user", "assistant", "user"]
    assert said[1]["content"] == "First of the history"
    assert said[2]["content"] == "You asked: First of the history"


def test_a_follow_up_waits_for_the_answer_before_it(open_tab: OpenTab, model: ScriptedModel) -> None:
    hold = Hold()
    model.script("long one", "It takes", hold, " a while.")
    tab = open_tab()
    tab.ask("This is a long one")
    expect(tab.text).to_have_text("It takes")
    tab.ask("And then?")
    expect(tab.log.get_by_text("Will be sent when this answer finishes")).to_be_visible()
    assert not any(call[-1]["content"] == "And then?" for call in model.calls)
    hold.go()
    expect(tab.answers).to_have_count(2)
    expect(tab.text).to_have_text("You asked: And then?")
    expect(tab.answers.first.locator(".prose")).to_have_text("It takes a while.")


def test_a_failure_says_why_and_can_be_tried_again(open_tab: OpenTab, model: ScriptedModel) -> None:
    model.script("fail at first", Refuse(504))
    model.script("fail at first", "Some text, then", Break())
    model.script("fail at first", "At last.")
    tab = open_tab()
    tab.ask("You fail at first")
    tab.expect_state("failed")
    expect(tab.answer.get_by_text("Run failed. The model did not answer in time.")).to_be_visible()
    tab.button("Retry").click()
    expect(tab.text).to_have_text("Some text, then")
    tab.expect_state("failed")
    tab.button("Retry").click()
    expect(tab.text).to_have_text("At last.")
    expect(tab.answer.get_by_text("3 / 3")).to_be_visible()


def test_a_refusal_a_limit_and_a_pause_are_shown_as_what_they_are(open_tab: OpenTab, model: ScriptedModel) -> None:
    model.script("be rude", End("content_filter"))
    model.script("be long", "Half of it", End("length"))
    model.script("be quick", Refuse(429, wait=20))
    tab = open_tab()
    tab.ask("Now be rude")
    tab.expect_state("failed")
    expect(tab.answer.get_by_text("Refused. The model refused to answer this.")).to_be_visible()
    expect(tab.answer.get_by_role("button", name="Retry")).to_have_count(0)
    tab.ask("Now be long")
    expect(tab.text).to_have_text("Half of it")
    expect(tab.answer.get_by_text("Cut short. The answer reached the length limit of its model.")).to_be_visible()
    tab.ask("Now be quick")
    tab.expect_state("failed")
    expect(tab.answer.get_by_text("Wait 20\u00a0s first.")).to_be_visible()
    expect(tab.answer.get_by_role("button", name="Retry")).to_be_visible()


PUBLISH = """async ([topic, events]) => {
    const body = events.map(([type, data]) => JSON.stringify({type, data}) + "\\n").join("");
    const headers = {"Content-Type": "application/x-ndjson"};
    return (await fetch(`/topics/${topic}/events`, {method: "POST", headers, body})).status;
}"""


def test_the_page_is_a_fold_of_topics_whoever_wrote_them(open_tab: OpenTab, server: ServerProcess) -> None:
    tab = open_tab()
    calls = [
        event
        for n in range(5)
        for event in (
            ["tool.started", {"call": f"t{n}", "tool": f"tool_{n}", "input": {"n": n}}],
            ["tool.finished", {"call": f"t{n}", "output": "x" * 4100}],
        )
    ]
    run = [
        ["run.started", {"assistant": "docs", "model": "by hand"}],
        *calls,
        ["block.started", {"block": "b1", "kind": "text"}],
        ["block.delta", {"block": "b1", "kind": "text", "delta": "Between."}],
        ["block.finished", {"block": "b1", "kind": "text", "content": "Between."}],
        ["tool.started", {"call": "bad", "tool": "read_file", "input": {}}],
        ["tool.failed", {"call": "bad", "error": "not found"}],
        ["run.finished", {"outcome": "success", "finish": "length", "usage": [{"output_tokens": 1284}]}],
    ]
    assert tab.page.evaluate(PUBLISH, ["runs.BYHAND", run]) == 201
    made = [["run.created", {"run": "BYHAND", "assistant": "docs", "input": "Asked by hand", "by": "Jonas"}]]
    assert tab.page.evaluate(PUBLISH, ["conversations.byhand", made]) == 201

    # It is his, who asked first.
    assert tab.page.request.post(f"{server.url}/session", data={"name": "Jonas"}).ok
    tab = open_tab("/c/byhand", context=tab.context)
    expect(tab.page.get_by_role("article", name="Question by Jonas")).to_contain_text("Asked by hand")
    expect(tab.text).to_have_text("Between.")
    expect(tab.answer.locator(".meta")).to_have_text(
        re.compile("^by hand · 1,284 tokens · .* · cut at the length limit$")
    )
    tab.page.get_by_role("button", name="5 steps").click()
    expect(tab.answer.locator(".step")).to_have_count(7)
    step = tab.page.get_by_role("button", name="Used tool_3")
    expect(step).to_contain_text("4.1 kB")
    step.click()
    expect(tab.answer.get_by_text('{"n":3}')).to_be_visible()
    expect(tab.answer.locator(".step.failed")).to_contain_text("not found")


def test_a_refused_question_says_why_and_is_not_lost(open_tab: OpenTab) -> None:
    tab = open_tab()
    problem = {"title": "Not allowed", "status": 403, "detail": "Your token may not start runs."}
    tab.page.route("**/runs", lambda route: route.fulfill(status=403, json=problem), times=1)
    tab.ask("Refuse this")
    expect(tab.log.get_by_text("Not sent: Your token may not start runs.")).to_be_visible()
    tab.page.reload()
    expect(tab.log.get_by_text("Not sent: Your token may not start runs.")).to_be_visible()
    tab.button("Retry").click()
    expect(tab.text).to_have_text("You asked: Refuse this")
    expect(tab.page.locator("article.question")).to_have_count(1)


def test_reasoning_is_folded(open_tab: OpenTab, model: ScriptedModel) -> None:
    model.script("think", Think("First I think."), "Then I speak.")
    tab = open_tab()
    tab.answered("Do think")
    expect(tab.log.get_by_text("First I think.")).to_have_count(0)
    tab.answer.get_by_role("button", name="Reasoned").click()
    expect(tab.log.get_by_text("First I think.")).to_be_visible()


def test_code_is_coloured_copied_and_wrapped(open_tab: OpenTab, model: ScriptedModel) -> None:
    model.script("show code", "Here:\n\n```python\ndef f(x):\n    return x[1]\n```\n\nDone.")
    tab = open_tab(permissions=["clipboard-read", "clipboard-write"])
    tab.answered("Now show code")
    block = tab.answer.locator(".code")
    expect(block).to_contain_text("Python")
    expect(block.locator(".hljs-keyword").first).to_have_text("def")
    block.get_by_role("button", name="Copy").click()
    expect(block.get_by_role("button", name="Copied")).to_be_visible()
    assert tab.page.evaluate("navigator.clipboard.readText()") == "def f(x):\n    return x[1]"
    block.get_by_role("button", name="Wrap").click()
    expect(block.locator("pre")).to_have_css("white-space", "pre-wrap")
    tab.button("Copy answer").click()
    expect(tab.button("Copy answer")).to_have_attribute("data-copied", "true")
    assert tab.page.evaluate("navigator.clipboard.readText()").startswith("Here:\n\n```python")


def test_the_log_stays_where_one_has_scrolled_to(open_tab: OpenTab, model: ScriptedModel) -> None:
    hold = Hold()
    model.script("at length", "\n\n".join(f"Paragraph {n}." for n in range(60)), hold, "\n\nThe end.")
    tab = open_tab()
    tab.ask("Speak at length")
    expect(tab.text).to_contain_text("Paragraph 59.")
    expect(tab.text.get_by_text("Paragraph 59.")).to_be_in_viewport()
    tab.wheel(-600)
    expect(tab.button("Jump to latest")).to_be_visible()
    before = tab.log.evaluate("log => log.scrollTop")
    hold.go()
    tab.expect_state("finished")
    assert tab.log.evaluate("log => log.scrollTop") == before
    tab.button("Jump to latest").click()
    expect(tab.text.get_by_text("The end.")).to_be_in_viewport()
    expect(tab.button("Jump to latest")).to_have_count(0)


def test_a_draft_is_kept_for_each_conversation(open_tab: OpenTab) -> None:
    tab = open_tab()
    tab.answered("Where drafts are kept")
    tab.composer.fill("half a thought")
    tab.page.get_by_role("button", name="New conversation").click()
    expect(tab.composer).to_have_value("")
    tab.composer.fill("another one")
    tab.page.get_by_role("link", name="Where drafts are kept").click()
    expect(tab.composer).to_have_value("half a thought")
    tab.page.reload()
    expect(tab.composer).to_have_value("half a thought")
    tab.page.goto(tab.page.url.partition("/c/")[0])
    expect(tab.composer).to_have_value("another one")


def test_conversations_are_found_renamed_saved_and_deleted(open_tab: OpenTab) -> None:
    tab, other = open_tab(), open_tab()
    tab.answered("A conversation about herring")
    path = tab.path
    expect(other.page.get_by_role("link", name="A conversation about herring")).to_be_visible()

    tab.page.get_by_role("button", name="More").click()
    tab.page.get_by_role("menuitem", name="Rename").click()
    tab.page.get_by_label("Title").fill("Herring & <b>other fish</b>")
    tab.page.get_by_role("dialog").get_by_role("button", name="Rename").click()
    expect(other.page.get_by_role("link", name="Herring & <b>other fish</b>")).to_be_visible()

    other.page.keyboard.press("Control+k")
    other.page.get_by_label("Search rooms and conversations").fill("herring & <")
    expect(other.page.get_by_role("dialog").get_by_role("option").first).to_have_text("Herring & <b>other fish</b>")
    other.page.keyboard.press("Enter")
    expect(other.text).to_have_text("You asked: A conversation about herring")

    for item, check in (("Markdown", "> A conversation about herring"), ("JSON", "A conversation about herring")):
        tab.page.get_by_role("button", name="Download").click()
        with tab.page.expect_download() as download:
            tab.page.get_by_role("menuitem", name=item).click()
        saved = Path(download.value.path()).read_text()
        assert check in saved
        assert item != "JSON" or json.loads(saved)["turns"][0][0]["text"] == "You asked: A conversation about herring"

    tab.page.get_by_role("button", name="More").click()
    tab.page.get_by_role("menuitem", name="Delete").click()
    tab.page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(other.page.get_by_role("link", name=re.compile("^Herring"))).to_have_count(0)
    assert tab.path == "/"
    expect(other.page.get_by_text("Conversation not found")).to_be_visible()
    gone = open_tab(path)
    expect(gone.page.get_by_text("Conversation not found")).to_be_visible()
