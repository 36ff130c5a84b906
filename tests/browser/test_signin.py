"""Signing in: a name on an open server, a token elsewhere, and the draft that is kept meanwhile."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.conftest import OpenTab
from tests.browser.model import ScriptedModel
from tests.browser.tab import Tab
from tests.provider import CLIENT, Provider
from tests.provider import SECRET as CLIENT_SECRET
from tests.serving import ServerProcess
from tidings.access.tokens import sign

SECRET = "a secret of the tests, which is at least 32 bytes long"


def test_a_name_is_chosen_changed_and_forgotten(open_tab: OpenTab) -> None:
    tab = open_tab()
    other = open_tab(context=tab.context)
    tab.answered("Before I had a name")
    tab.composer.fill("half a thought")
    tab.page.get_by_role("button", name="Settings").click()
    tab.button("Choose a name").click()
    expect(tab.page.get_by_role("heading", name="Choose a name")).to_be_visible()
    expect(tab.page.get_by_label("Name")).to_be_focused()
    expect(tab.page.get_by_text("Your draft in Before I had a name is kept.")).to_be_visible()
    tab.button("Go back").click()
    expect(tab.composer).to_have_value("half a thought")

    tab.page.get_by_role("button", name="Settings").click()
    tab.button("Choose a name").click()
    tab.page.get_by_label("Name").fill("Mara\u200bLindqvist")
    tab.button("Continue").click()
    expect(tab.page.get_by_role("alert")).to_contain_text("invisible characters")
    expect(tab.page.get_by_label("Name")).to_be_focused()
    tab.page.get_by_label("Name").fill("Mara <b>Lindqvist</b>")
    tab.page.keyboard.press("Enter")
    for one in (tab, other):
        expect(one.page.locator(".me .name")).to_have_text("Mara <b>Lindqvist</b>")
    expect(tab.composer).to_have_value("half a thought")
    expect(tab.text).to_have_text("You asked: Before I had a name")
    expect(tab.page.get_by_role("link", name="Before I had a name")).to_have_attribute("aria-current", "page")
    tab.answered("Now I have a name")
    expect(tab.page.get_by_role("article", name="Question by Mara <b>Lindqvist</b>").last).to_be_visible()

    tab.page.get_by_role("button", name="Settings").click()
    tab.button("Sign out").click()
    for one in (tab, other):
        expect(one.page.locator(".me .name")).to_have_text("You")


@pytest.fixture(scope="module")
def locked(model: ScriptedModel, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A server that asks for tokens."""
    store = f"sqlite:///{tmp_path_factory.mktemp('locked')}/tidings.db"
    env = {"TIDINGS_MODEL_URL": model.url, "TIDINGS_MODEL": "scripted", "TIDINGS_SECRET": SECRET}
    with ServerProcess(store, env=env) as server:
        yield server


def token(secret: str = SECRET, seconds: float = 3600) -> str:
    return sign(secret, "mara", publish=["*"], subscribe=["*"], seconds=seconds)


def test_a_token_that_is_refused_is_told_kindly(open_tab: OpenTab, locked: ServerProcess) -> None:
    tab = open_tab(url=locked.url)
    expect(tab.page).to_have_title(re.compile("^Sign in"))
    expired, foreign = token(seconds=-60), token("another secret, of at least 32 bytes in all")
    for given in ("not a token", expired, foreign):
        tab.page.get_by_label("Token").fill(given)
        tab.button("Continue").click()
        expect(tab.page.get_by_role("alert")).to_contain_text(re.compile("token", re.IGNORECASE))
        expect(tab.page.get_by_label("Token")).to_be_focused()
        expect(tab.page.get_by_label("Token")).to_have_attribute("aria-invalid", "true")
    tab.page.get_by_label("Token").fill(token())
    tab.button("Continue").click()
    expect(tab.page.locator(".me .name")).to_have_text("mara")


def test_the_provider_brings_one_back_to_the_draft(
    browser: Browser, serve_process: Callable[..., ServerProcess], scripted: dict[str, str]
) -> None:
    with Provider() as provider:
        about = {
            "ISSUER": provider.url,
            "CLIENT_ID": CLIENT,
            "CLIENT_SECRET": CLIENT_SECRET,
            "TITLE": "The <b>Harbour</b>",
        }
        env = {**scripted, "TIDINGS_SECRET": SECRET, **{f"TIDINGS_OIDC_{name}": value for name, value in about.items()}}
        server = serve_process(env=env)
        page = browser.new_context().new_page()
        page.goto(server.url)
        tab = Tab(page)
        page.evaluate("""localStorage.setItem("tidings.drafts", JSON.stringify({"": "half a thought"}))""")
        page.reload()
        expect(page.get_by_text("Your draft in New conversation is kept.")).to_be_visible()
        page.get_by_role("link", name="Continue with The <b>Harbour</b>").click()
        expect(page.locator(".me .name")).not_to_have_text("You")
        expect(tab.composer).to_have_value("half a thought")
        tab.composer.press("Enter")
        expect(tab.text).to_have_text("You asked: half a thought")
        # The way back in is the way back to where one was.
        path = tab.path
        page.context.clear_cookies()
        page.reload()
        page.get_by_role("link", name="Continue with The <b>Harbour</b>").click()
        expect(tab.text).to_have_text("You asked: half a thought")
        assert tab.path == path
        page.context.close()


def test_a_failure_at_the_provider_is_explained_kindly(
    browser: Browser, serve_process: Callable[..., ServerProcess]
) -> None:
    with Provider() as provider:
        about = {"ISSUER": provider.url, "CLIENT_ID": CLIENT, "CLIENT_SECRET": CLIENT_SECRET}
        server = serve_process(env={"TIDINGS_SECRET": SECRET, **{f"TIDINGS_OIDC_{k}": v for k, v in about.items()}})
        page = browser.new_context().new_page()
        page.goto(f"{server.url}/?problem=constructor")
        way_in = page.get_by_role("link", name="Continue with 127.0.0.1")
        expect(way_in).to_be_visible()
        expect(page.get_by_role("alert")).to_have_count(0)
        provider.denies = "access_denied"
        way_in.click()
        expect(page.get_by_role("alert")).to_have_text("The provider denied access.")
        provider.denies, provider.lie = "", {"nonce": "another"}
        way_in.click()
        expect(page.get_by_role("alert")).to_contain_text("could not be verified")
        provider.lie = {}
        way_in.click()
        expect(page.locator(".me .name")).to_have_text("Mara Lindqvist")
        page.context.close()
