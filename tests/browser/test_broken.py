"""Servers that die, networks that are cut, sessions that end: nothing is lost, doubled, or taken for complete."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Route, expect

from tests.browser.conftest import OpenTab
from tests.browser.model import Hold, ScriptedModel
from tests.browser.tab import until
from tests.proxy import Proxy
from tests.serving import ServerProcess

Serve = Callable[..., ServerProcess]

SECRET = "a secret of the tests, which is at least 32 bytes long"


@pytest.fixture
def proxy(server: ServerProcess) -> Iterator[Proxy]:
    with Proxy(server.port) as proxy:
        yield proxy


def test_a_killed_server_leaves_an_interrupted_answer_that_can_be_started_again(
    open_tab: OpenTab, serve_process: Serve, model: ScriptedModel, scripted: dict[str, str]
) -> None:
    model.script("kill me", "Half of an answer", Hold(), " that nobody reads.")
    model.script("kill me", "A whole answer.")
    server = serve_process(env=scripted)
    tab = open_tab(url=server.url)
    tab.ask("Now kill me")
    expect(tab.text).to_have_text("Half of an answer")

    server.kill()
    expect(tab.banner).to_contain_text("Reconnecting")
    expect(tab.banner).to_contain_text("Nothing is lost.")
    server.start()
    tab.expect_back()
    tab.expect_state("interrupted")
    expect(tab.text).to_have_text("Half of an answer")
    expect(tab.answer).to_contain_text("The text so far is kept; it is not complete.")

    tab.button("Start again").click()
    expect(tab.text).to_have_text("A whole answer.")
    tab.expect_state("finished")
    tab.button("Previous version").click()
    tab.expect_state("interrupted")
    tab.page.reload()
    expect(tab.text).to_have_text("A whole answer.")


def test_a_restarted_server_is_only_a_pause(open_tab: OpenTab, serve_process: Serve, scripted: dict[str, str]) -> None:
    server = serve_process(env=scripted)
    tab = open_tab(url=server.url)
    tab.answered("Before the deploy")
    server.terminate()
    server.start()
    tab.ask("After the deploy")
    expect(tab.answers).to_have_count(2)
    expect(tab.text).to_have_text("You asked: After the deploy")


def test_a_cut_network_loses_and_doubles_nothing(open_tab: OpenTab, proxy: Proxy, model: ScriptedModel) -> None:
    words = [f"w{n}" for n in range(300)]
    hold, last = Hold(), Hold()
    model.script(
        "cut me off", " ".join(words[:100]), hold, " " + " ".join(words[100:200]), last, " " + " ".join(words[200:])
    )
    tab = open_tab(url=proxy.url)
    tab.ask("Now cut me off")
    expect(tab.text).to_have_text(" ".join(words[:100]))
    proxy.cut()
    expect(tab.banner).to_contain_text(re.compile(r"Reconnecting( in \d+ s)?\."))
    expect(tab.page.locator(".connection")).to_contain_text("Reconnecting")
    hold.go()
    proxy.mend()
    tab.reconnect()
    tab.expect_back(r"Back online\. [1-9]\d* events? replayed\.")
    expect(tab.text).to_have_text(" ".join(words[:200]))
    last.go()
    tab.expect_state("finished")
    expect(tab.text).to_have_text(" ".join(words))
    expect(tab.banner).to_have_count(0)


def test_questions_wait_for_the_connection_and_are_sent_in_order(
    open_tab: OpenTab, proxy: Proxy, model: ScriptedModel
) -> None:
    tab = open_tab(url=proxy.url)
    tab.answered("Before the queue")
    proxy.cut()
    expect(tab.banner).to_contain_text("Reconnecting")
    for question in ("Queued one", "Queued two", "Queued three"):
        tab.ask(question)
    expect(tab.log.get_by_text("Waiting for connection (2nd in line)")).to_be_visible()
    expect(tab.banner).to_contain_text("3 waiting")
    tab.log.locator("article", has_text="Queued two").get_by_role("button", name="Delete").click()
    path, context = tab.path, tab.context
    tab.page.close()

    proxy.mend()
    tab = open_tab(path, url=proxy.url, context=context)
    expect(tab.answers).to_have_count(3)
    expect(tab.text).to_have_text("You asked: Queued three")
    tab.expect_state("finished")
    asked = [call[-1]["content"] for call in model.calls if "Queued" in call[-1]["content"]]
    assert asked == ["Queued one", "Queued three"]


def test_a_question_whose_answer_was_cut_off_is_not_asked_twice(
    open_tab: OpenTab, proxy: Proxy, model: ScriptedModel
) -> None:
    tab = open_tab(url=proxy.url)
    tab.answered("Before the lost answer")

    def lose(route: Route) -> None:
        """The server gets the request, and its answer never arrives."""
        route.fetch()
        route.abort()

    tab.page.route("**/runs", lose, times=1)
    tab.ask("Asked once only")
    expect(tab.answers).to_have_count(2)
    expect(tab.text).to_have_text("You asked: Asked once only")
    expect(tab.page.locator("article.question")).to_have_count(2)
    tab.answered("After the lost answer")
    assert sum(call[-1]["content"] == "Asked once only" for call in model.calls) == 1


def test_a_device_without_a_network_says_so(open_tab: OpenTab, proxy: Proxy) -> None:
    tab = open_tab(url=proxy.url)
    tab.answered("Before the tunnel")
    tab.context.set_offline(True)
    proxy.cut()
    expect(tab.banner).to_contain_text("You are offline.")
    tab.ask("In the tunnel")
    expect(tab.banner).to_contain_text("1 waits here.")
    proxy.mend()
    tab.context.set_offline(False)
    expect(tab.text).to_have_text("You asked: In the tunnel")


def test_a_refused_connection_says_why(open_tab: OpenTab) -> None:
    tab = open_tab(without=("SharedWorker",))  # Playwright can only answer for a page
    tab.answered("Before the refusal")
    problem = {"title": "Not allowed", "status": 403, "detail": "Your token does not allow this topic."}
    tab.page.route("**/events?topic=*", lambda route: route.fulfill(status=403, json=problem), times=1)
    tab.page.evaluate("dispatchEvent(new PageTransitionEvent('pageshow', {persisted: true}))")
    expect(tab.banner).to_contain_text("Not connected. Your token does not allow this topic.")
    tab.button("Reconnect now").click()
    expect(tab.banner).to_have_count(0)
    tab.answered("After the refusal")


def test_a_single_connection_follows_every_topic(
    open_tab: OpenTab, serve_process: Serve, model: ScriptedModel, scripted: dict[str, str]
) -> None:
    server = serve_process(env=scripted)
    holds = [Hold() for _ in range(4)]
    tab = open_tab(url=server.url)
    for n, hold in enumerate(holds):
        model.script(f"one connection, {n}", "It is", hold, " one.")
        tab.page.get_by_role("button", name="New conversation").click()
        tab.ask(f"Many topics over one connection, {n}")
        expect(tab.text).to_have_text("It is")
    # The list, who is here, this conversation, and four answers that are on their way.
    expect(tab.page.get_by_title("7 topics on 1 connection")).to_be_visible()
    # The server hears a moment later that its client has left the connection before, which had fewer topics.
    one = "async () => (await (await fetch('/metrics')).text()).includes('\\ntidings_streams_open 1.0\\n')"
    until(tab.page, one)
    for hold in holds:
        hold.go()
    expect(tab.page.get_by_title("3 topics on 1 connection")).to_be_visible()
    for n in range(4):
        tab.page.get_by_role("link", name=f"Many topics over one connection, {n}").click()
        expect(tab.text).to_have_text("It is one.")


@pytest.fixture
def locked(serve_process: Serve, scripted: dict[str, str]) -> ServerProcess:
    """A server that asks for tokens."""
    return serve_process(env={**scripted, "TIDINGS_SECRET": SECRET})


@pytest.fixture
def token() -> str:
    made = subprocess.run(
        [sys.executable, "-m", "tidings", "token", "mara", "--publish", "*", "--subscribe", "*"],
        env={"TIDINGS_SECRET": SECRET, "PATH": ""},
        capture_output=True,
        text=True,
        check=True,
    )
    return made.stdout.strip()


def test_a_session_that_ends_comes_back_with_the_draft(open_tab: OpenTab, locked: ServerProcess, token: str) -> None:
    tab = open_tab(url=locked.url)
    expect(tab.page.get_by_role("heading", name="Sign in")).to_be_visible()
    tab.page.get_by_label("Token").fill("not a token")
    tab.button("Continue").click()
    expect(tab.page.get_by_role("alert")).to_contain_text("token")
    tab.page.get_by_label("Token").fill(token)
    tab.button("Continue").click()
    expect(tab.page.get_by_text("mara")).to_be_visible()
    tab.answered("Signed in")
    tab.composer.fill("a draft that must survive")

    tab.context.clear_cookies()
    tab.page.evaluate("dispatchEvent(new PageTransitionEvent('pageshow', {persisted: true}))")
    expect(tab.banner).to_contain_text("Your session ended. Your draft is kept.")
    tab.button("Sign in").click()
    expect(tab.page.get_by_text("Your draft in Signed in is kept.")).to_be_visible()
    tab.page.get_by_label("Token").fill(token)
    tab.button("Continue").click()
    expect(tab.composer).to_have_value("a draft that must survive")
    expect(tab.text).to_have_text("You asked: Signed in")
    tab.composer.press("Enter")
    expect(tab.text).to_have_text("You asked: a draft that must survive")
    expect(tab.banner).to_have_count(0)
