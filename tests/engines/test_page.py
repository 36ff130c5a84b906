"""The page in Firefox and WebKit: answers, reloads, tabs, a room of two people, files, and the keyboard alone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from selenium.webdriver.common.keys import Keys

from tests.browser.model import Hold, ScriptedModel
from tests.engines.engines import Engine
from tests.engines.tab import Tab
from tests.serving import ServerProcess

SAID = "article.said:not(.pale) .asked"
"""The texts of a room's messages that are in its log."""


@pytest.fixture(scope="module")
def model() -> Iterator[ScriptedModel]:
    with ScriptedModel() as model:
        yield model


@pytest.fixture(scope="module")
def server(engine: Engine, model: ScriptedModel, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A server for each engine, so that no test finds what another browser has left."""
    store = f"sqlite:///{tmp_path_factory.mktemp(engine.name)}/tidings.db"
    with ServerProcess(store, env={"TIDINGS_MODEL_URL": model.url, "TIDINGS_MODEL": "scripted"}) as server:
        yield server


@pytest.fixture
def tab(browser: Tab, server: ServerProcess) -> Tab:
    """The page of somebody without a name."""
    browser.open(server.url)
    browser.driver.delete_all_cookies()
    browser.evaluate("localStorage.clear()")
    return browser.open(server.url)


def test_an_answer_appears_as_it_is_written(tab: Tab, model: ScriptedModel, engine: Engine) -> None:
    hold = Hold()
    model.script(f"piecemeal in {engine.name}", "The first **bold", hold, " words** and `code`.")
    tab.say(f"Say it piecemeal in {engine.name}")
    tab.expect_answer("The first bold", "streaming")
    hold.go()
    tab.expect_answer("The first bold words and code.", "finished")
    assert tab.texts("article.answer .prose strong") == ["bold words"]


def test_a_reload_in_the_middle_goes_on(tab: Tab, model: ScriptedModel, engine: Engine) -> None:
    hold, question = Hold(), f"Please reload {engine.name}"
    model.script(question, "Half of the answer", hold, " and the other half.")
    tab.say(question)
    tab.expect_answer("Half of the answer", "streaming")
    tab.driver.refresh()
    tab.expect_answer("Half of the answer", "streaming")
    hold.go()
    tab.expect_answer("Half of the answer and the other half.", "finished")
    assert sum(call[-1]["content"] == question for call in model.calls) == 1


@pytest.mark.parametrize("engine", ["webkit"], indirect=True)
def test_a_page_can_be_left_while_it_loads(tab: Tab, server: ServerProcess) -> None:
    # A module that awaits something at its top level takes a core for ever if its page is left meanwhile.
    for _ in range(40):
        tab.evaluate("location.reload()")
        tab.open(server.url)
    tab.find("textarea#composer")


def test_two_tabs_see_the_same_answer_live(tab: Tab, model: ScriptedModel, engine: Engine) -> None:
    hold = Hold()
    model.script(f"two tabs of {engine.name}", "Seen by", hold, " both.")
    tab.say(f"For two tabs of {engine.name}")
    tab.expect_answer("Seen by", "streaming")
    second = tab.beside().open(tab.evaluate("location.href"))
    second.expect_answer("Seen by", "streaming")
    hold.go()
    for one in (second, tab):
        one.expect_answer("Seen by both.", "finished")
    second.say("And back again")
    tab.expect_answer("You asked: And back again", "finished")
    second.close()


def test_the_page_goes_on_when_its_server_is_killed(tab: Tab, server: ServerProcess) -> None:
    tab.say("Before the kill")
    tab.expect_answer("You asked: Before the kill", "finished")
    server.kill()
    tab.find(".banner")
    tab.say("While there is no server")
    server.start()
    tab.expect_answer("You asked: While there is no server", "finished")
    assert tab.evaluate("document.querySelectorAll('article.answer').length") == 2


@pytest.fixture(scope="module")
def other(engine: Engine) -> Tab:
    """The browser of a second person."""
    return engine.browser()


def sign_in(tab: Tab, server: ServerProcess, name: str) -> None:
    tab.open(server.url)
    status = """async (name) => {
        const headers = { "Content-Type": "application/json" };
        return (await fetch("/session", { method: "POST", headers, body: JSON.stringify({ name }) })).status;
    }"""
    assert tab.call(status, name) in (200, 201, 204)


def make_room(tab: Tab, id: str, *members: str) -> None:
    events = [("room.created", {"name": id})] + [("member.joined", {"member": name}) for name in members]
    for type, data in events:
        publish = """async (id, type, data) => {
            const init = { method: "POST", body: JSON.stringify(data) };
            return (await fetch(`/topics/rooms.${id}/events?type=${type}`, init)).status;
        }"""
        assert tab.call(publish, id, type, data) == 201


def test_two_people_talk_in_a_room(tab: Tab, other: Tab, server: ServerProcess) -> None:
    sign_in(tab, server, "Mara Lindqvist")
    sign_in(other, server, "Jonas Weber")
    make_room(tab, "engines", "Jonas Weber")
    for one in (tab, other):
        one.open(f"{server.url}/r/engines")
    tab.say("Hello Jonas")
    other.expect_texts(SAID, "Hello Jonas")
    other.say("Hello @Mara")
    for one in (tab, other):
        one.expect_texts(SAID, "Hello Jonas", "Hello @Mara")
    assert tab.texts(".mention.mine") == ["@Mara"]
    tab.find("aside li", "Jonas Weber")


def test_a_file_is_uploaded_and_another_person_reads_it(
    tab: Tab, other: Tab, server: ServerProcess, tmp_path: Path
) -> None:
    sign_in(tab, server, "Mara Lindqvist")
    sign_in(other, server, "Jonas Weber")
    make_room(tab, "files", "Jonas Weber")
    plan = tmp_path / "plan of today.txt"
    plan.write_text("What we do: €豆腐")
    for one in (tab, other):
        one.open(f"{server.url}/r/files")
    tab.find("textarea#composer")
    tab.driver.find_element("css selector", "input[type=file]").send_keys(str(plan))
    tab.find(".attached [data-state=whole]", "plan of today.txt")
    tab.say("Read this")
    link = other.find("a.file", "plan of today.txt").get_attribute("href")
    assert other.call("async (address) => (await fetch(address)).text()", link) == "What we do: €豆腐"


def test_a_room_is_made_and_talked_in_by_keyboard(tab: Tab, server: ServerProcess) -> None:
    tab.find("textarea#composer")
    tab.press_to("Browse or create rooms")
    tab.press(Keys.ENTER)
    tab.expect_focus("input")
    tab.press(*"Mara Keys", Keys.ENTER)
    tab.expect_focus("input[placeholder='Find a room']")
    tab.press_to("New room")
    tab.press(Keys.ENTER)
    tab.expect_focus("input")
    tab.press(*"by keyboard", Keys.ENTER)
    tab.expect_focus("#composer")
    tab.press(*"Good morning", Keys.ENTER)
    tab.expect_texts(SAID, "Good morning")
    assert tab.evaluate("location.pathname") == "/r/by-keyboard"
    tab.press(Keys.ARROW_UP)
    tab.until(lambda: tab.evaluate("document.getElementById('composer').value") == "Good morning")
    tab.press(*"!", Keys.ENTER)
    tab.expect_texts(SAID, "Good morning!")
    tab.press_to("More", Keys.SHIFT + Keys.TAB)
