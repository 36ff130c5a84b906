"""The first minute: what this is, the ways in, and the ways on from places that cannot be shown."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import Browser, expect

from tests.browser.conftest import OpenTab
from tests.browser.model import End, Hold, ScriptedModel
from tests.browser.people import Meet, meeting
from tests.browser.tab import Held, Tab, until
from tests.serving import ServerProcess


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A server that nobody has used, without a model."""
    with ServerProcess(f"sqlite:///{tmp_path_factory.mktemp('fresh')}/tidings.db") as server:
        yield server


@pytest.fixture
def meet(browser: Browser, open_tab: OpenTab, server: ServerProcess) -> Iterator[Meet]:
    yield from meeting(browser, open_tab, server.url)


def test_the_first_page_says_what_this_is_and_offers_three_ways_in(open_tab: OpenTab, fresh: ServerProcess) -> None:
    tab = open_tab(url=fresh.url)
    ways = tab.page.get_by_role("group", name="Ways to begin")
    expect(tab.page.get_by_text("Tidings is a chat for people and AI assistants")).to_be_visible()
    expect(tab.page.get_by_text("No AI model is connected.")).to_be_visible()
    ways.get_by_role("button", name="Connect a model").click()
    expect(tab.page.get_by_role("dialog", name="Connect a model")).to_contain_text("TIDINGS_MODEL=openai:")
    tab.page.keyboard.press("Escape")
    ways.get_by_role("button", name="Ask a question").click()
    expect(tab.composer).to_be_focused()
    ways.get_by_role("button", name="Open a room").click()
    tab.page.get_by_label("Name").fill("Mara First")
    tab.button("Continue").click()
    expect(tab.page.get_by_role("dialog", name="Rooms")).to_be_visible()
    tab.button("New room").click()
    tab.page.get_by_label("Name").fill("harbour")
    tab.button("Create room").click()

    expect(tab.log.get_by_role("heading", name="No messages yet.")).to_be_visible()
    tab.log.get_by_role("button", name="Invite people").click()
    expect(tab.page.get_by_role("dialog")).to_be_visible()
    tab.page.keyboard.press("Escape")
    tab.log.get_by_role("button", name="Ask @assistant").click()
    expect(tab.page.get_by_label("Write to #harbour")).to_be_focused()
    expect(tab.page.get_by_label("Write to #harbour")).to_have_value("@assistant ")
    tab.page.get_by_role("link", name="Tidings", exact=True).click()  # somebody who has a room needs no introduction
    expect(tab.page.get_by_role("heading", name="Ask about Tidings")).to_be_visible()
    expect(ways).to_have_count(0)


def test_an_address_that_leads_nowhere_shows_the_page_with_ways_on(open_tab: OpenTab, server: ServerProcess) -> None:
    tab = open_tab()
    answer = tab.page.goto(f"{server.url}/nosuchpage")
    assert answer is not None
    assert answer.status == 404
    expect(tab.page.get_by_role("heading", name="Page not found", level=2)).to_be_visible()
    expect(tab.page.locator("textarea")).to_have_count(0)
    tab.button("New conversation").last.click()
    expect(tab.composer).to_be_visible()
    assert tab.path == "/"
    tab.page.goto(f"{server.url}/r/nosuchroom")
    expect(tab.page.get_by_role("heading", name="Room not found")).to_be_visible()
    expect(tab.page.get_by_role("complementary", name="Room", exact=True)).to_have_count(0)
    tab.button("Browse rooms").click()
    expect(tab.page.get_by_role("dialog", name="Rooms")).to_be_visible()
    tab.page.goto(f"{server.url}/c/nosuchconversation")
    expect(tab.page.locator("textarea")).to_have_count(0)
    tab.page.locator("main").get_by_role("button", name="New conversation").click()
    expect(tab.composer).to_be_visible()


def test_a_program_that_asks_for_nothing_gets_a_problem(server: ServerProcess) -> None:
    answer = httpx.get(f"{server.url}/nosuchpage", headers={"accept": "application/json"}, trust_env=False)
    assert (answer.status_code, answer.json()["detail"]) == (404, "There is nothing at /nosuchpage.")


def test_the_conversation_of_another_says_so_and_takes_no_question(meet: Meet) -> None:
    mara, jonas = meet("Mara Owns"), meet("Jonas Visits")
    own = Tab(mara.open("").page)
    own.answered("Is this mine alone?")
    visit = jonas.open("")
    held = Held(visit.page, f"**/topics/conversations.{own.path.removeprefix('/c/')}/events*")
    visit.page.goto(f"{jonas.url}{own.path}")
    visit.ask("hello")  # before the page knows
    held.let_go()
    expect(visit.page.get_by_role("heading", name="This conversation belongs to someone else.")).to_be_visible()
    expect(visit.page.get_by_text("Not sent: This conversation belongs to someone else.")).to_be_visible()
    visit.button("Delete").click()
    expect(visit.page.get_by_text("Not sent")).to_have_count(0)
    expect(visit.page.locator("textarea")).to_have_count(0)
    expect(visit.page.locator(".side").get_by_role("link", name="Is this mine")).to_have_count(0)
    visit.page.locator("main").get_by_role("button", name="New conversation").click()
    expect(visit.composer).to_be_focused()


def test_a_name_takes_along_what_this_browser_asked_and_nothing_of_others(
    open_tab: OpenTab, fresh: ServerProcess
) -> None:
    other = open_tab(url=fresh.url)
    other.page.get_by_label("Your question").fill("What is a run?")
    other.page.keyboard.press("Enter")
    other.expect_state("finished")
    path = other.path

    tab = open_tab(url=fresh.url)
    expect(tab.page.locator(".side").get_by_role("link", name="What is a run?")).to_be_visible()
    tab.answered("What is an offset?")
    tab.page.get_by_role("button", name="Settings").click()
    tab.button("Choose a name").click()
    tab.page.get_by_label("Name").fill("Mara Adopts")
    tab.button("Continue").click()
    expect(tab.page.locator(".side").get_by_role("link", name="What is an offset?")).to_be_visible()
    expect(tab.page.locator(".side").get_by_role("link", name="What is a run?")).to_have_count(0)
    tab.page.goto(f"{fresh.url}{path}")
    expect(tab.page.get_by_role("article", name="Question by Guest")).to_contain_text("What is a run?")


def test_an_empty_answer_has_nothing_to_rate(open_tab: OpenTab, model: ScriptedModel) -> None:
    model.script("say nothing at all", End("stop"))
    tab = open_tab()
    tab.ask("Please say nothing at all")
    expect(tab.answer.get_by_role("button", name="Regenerate")).to_be_visible()
    expect(tab.button("Good answer")).to_have_count(0)
    expect(tab.button("Copy answer")).to_have_count(0)


def test_the_line_above_what_is_new_goes_when_its_reader_writes(meet: Meet) -> None:
    mara, jonas = meet("Mara Writes"), meet("Jonas Wrote")
    jonas.make("since-written", mara)
    read = jonas.say("since-written", "first")
    mara.publish(mara.topic, "room.read", room="since-written", offset=read)
    jonas.say("since-written", "second")
    tab = mara.open("since-written")
    tab.expect_said("first", "second")
    expect(tab.since).to_be_visible()
    tab.say("third")
    tab.expect_said("first", "second", "third")
    expect(tab.since).to_have_count(0)


def test_an_answer_is_not_streaming_while_the_server_is_away(
    open_tab: OpenTab, model: ScriptedModel, tmp_path_factory: pytest.TempPathFactory, scripted: dict[str, str]
) -> None:
    model.script("cut off", "It began", Hold())
    with ServerProcess(f"sqlite:///{tmp_path_factory.mktemp('away')}/tidings.db", env=scripted) as server:
        tab = open_tab(url=server.url)
        tab.ask("Will you be cut off?")
        expect(tab.answer.locator(".chip")).to_have_text("Streaming")
        server.kill()
        expect(tab.answer.locator(".chip")).to_have_text("Reconnecting")
        expect(tab.page.get_by_label("About the run").locator(".chip")).to_have_text("Reconnecting")


def test_at_most_one_message_shows_its_actions(meet: Meet) -> None:
    mara = meet("Mara Bars")
    mara.make("bars")
    mara.say("bars", "one")
    mara.say("bars", "two")
    tab = mara.open("bars")
    tab.expect_said("one", "two")
    tab.said("one").focus()
    expect(tab.said("one").locator(".actions")).to_have_css("opacity", "1")
    tab.said("two").hover()
    expect(tab.said("two").locator(".actions")).to_have_css("opacity", "1")
    expect(tab.said("one").locator(".actions")).to_have_css("opacity", "0")


def test_a_source_opens_the_documentation_at_its_passage(open_tab: OpenTab, fresh: ServerProcess) -> None:
    tab = open_tab(url=fresh.url, reduced_motion="no-preference")
    tab.answered("What is an offset?")
    first = tab.page.get_by_label("Sources").get_by_role("listitem").first
    source = first.get_by_role("link")
    words = first.locator(".passage").inner_text()[:20]
    source.click()
    passage = tab.page.get_by_role("region", name="Cited passage")
    expect(passage).to_contain_text(words)
    expect(passage).to_be_in_viewport()
    expect(passage).to_be_focused()
    expect(tab.page.locator("textarea")).to_have_count(0)
    tab.page.reload()
    expect(passage).to_be_in_viewport()
    tab.page.go_back()
    expect(tab.answer.locator(".cite").first).to_be_visible()
    tab.button("Show where source 1 is cited").click()
    expect(tab.answer.locator(".cite").first).to_be_focused()
    tab.page.goto(f"{fresh.url}/docs/nosuch.md")
    expect(tab.page.get_by_role("heading", name="Page not found", level=2)).to_be_visible()


def test_the_actions_of_a_tapped_message_are_above_the_composer(meet: Meet) -> None:
    mara = meet("Mara Taps", viewport={"width": 390, "height": 700}, has_touch=True, is_mobile=True)
    mara.make("taps")
    mara.say("taps", *[f"line {n}" for n in range(40)])
    tab = mara.open("taps")
    tab.expect_said(*[f"line {n}" for n in range(40)])
    tab.log.evaluate("log => (log.scrollTop -= 300)")
    expect(tab.button("Jump to latest")).to_be_visible()
    low = tab.log.evaluate(
        """log => Math.max(...[...log.querySelectorAll("article.said")].map((one) => one.getBoundingClientRect().bottom)
            .filter((bottom) => bottom < log.getBoundingClientRect().bottom))"""
    )
    tab.page.touchscreen.tap(80, low - 10)  # beside "Jump to latest"
    actions = tab.log.get_by_role("group", name="Actions")
    expect(actions).to_be_in_viewport(ratio=1)
    until(
        tab.page,
        """async () => {
            const end = (selector, side) => document.querySelector(selector).getBoundingClientRect()[side];
            return end(".said .actions", "bottom") <= end(".jump", "top") + 1;
        }""",
    )


PHONE = {"viewport": {"width": 360, "height": 640}, "has_touch": True, "is_mobile": True}


def test_after_a_miss_in_a_room_a_prompt_goes_into_the_composer(meet: Meet) -> None:
    mara = meet("Mara Misses")
    mara.make("misses")
    tab = mara.open("misses")
    tab.say("Hello, all. @docs who won the football match in Zanzibar?")
    tab.log.get_by_role("button", name="What is process mining?").click()
    expect(tab.page.get_by_label("Write to #misses")).to_have_value("@docs What is process mining?")
    expect(tab.page.get_by_label("Write to #misses")).to_be_focused()
    tab.say("What is process mining? I ask @docs: what is an offset?")
    expect(tab.log.get_by_role("article", name="Answer by").last).to_contain_text("An offset is the position")
    expect(tab.page.get_by_text("Try:")).to_have_count(0)


def test_a_narrow_phone_shows_a_whole_step_and_the_bell_beside_a_page_of_the_docs(
    open_tab: OpenTab, fresh: ServerProcess
) -> None:
    tab = open_tab(url=fresh.url, **PHONE)
    tab.ask("Who won the football match in Zanzibar?")
    step = tab.answer.locator(".step > button")
    expect(step).to_contain_text("nothing found")
    cut = "all => all.filter((one) => one.scrollWidth > one.clientWidth).map((one) => one.textContent)"
    assert step.locator("span, small").evaluate_all(cut) == []
    tab.page.goto(f"{fresh.url}/docs/using.md")
    expect(tab.page.get_by_role("heading", name="How do I search?")).to_be_visible()
    tab.page.get_by_role("button", name="Notifications").click()
    expect(tab.page.get_by_role("complementary", name="Notifications")).to_be_visible()


def test_the_name_of_a_key_stays_on_one_line_however_narrow_its_place_is(open_tab: OpenTab) -> None:
    tab = open_tab()
    tab.page.get_by_role("button", name="Settings").click()
    tab.button("Keyboard shortcuts").click()
    expect(tab.page.get_by_role("dialog", name="Keyboard shortcuts").locator("kbd").first).to_be_visible()
    broken = tab.page.locator("kbd").evaluate_all(
        """all => all.filter((key) => {
            key.parentElement.style.width = "20px";
            return key.textContent && key.offsetHeight > 30;
        }).map((key) => key.textContent)"""
    )
    assert broken == []
    assert "Ctrl K" in tab.page.locator("kbd").all_text_contents()
