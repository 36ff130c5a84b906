"""Files in conversations: attached to a question, given to the model, shown again, deleted with the conversation."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.conftest import OpenTab
from tests.browser.model import ScriptedModel
from tests.browser.people import Meet, RoomTab, meeting
from tests.browser.test_files import PICTURE, choose, drag
from tests.browser.test_layout import AXE, PHONE, check, overflow, small_targets
from tests.serving import ServerProcess

NOTES: Any = {"name": "tides.md", "mimeType": "text/markdown", "buffer": b"The moon makes tides."}


@pytest.fixture(scope="module")
def seeing(model: ScriptedModel, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A server whose model takes pictures."""
    store = f"sqlite:///{tmp_path_factory.mktemp('seeing')}/tidings.db"
    env = {"TIDINGS_MODEL_URL": model.url, "TIDINGS_MODEL": "scripted", "TIDINGS_MODEL_IMAGES": "true"}
    with ServerProcess(store, env=env) as server:
        yield server


@pytest.fixture
def meet(browser: Browser, open_tab: OpenTab, seeing: ServerProcess) -> Iterator[Meet]:
    yield from meeting(browser, open_tab, seeing.url)


def attached(tab: RoomTab) -> Any:
    return tab.page.locator(".attached [data-state=whole]")


def test_a_question_with_files_is_given_to_the_model_and_shown_with_them(
    meet: Meet, model: ScriptedModel, tmp_path: Path
) -> None:
    mara, jonas = meet("Mara of files"), meet("Jonas of files")
    tab = mara.open("")
    dropped = tmp_path / "table.csv"
    dropped.write_text("hour,level\n1,2\n")
    choose(tab, PICTURE)
    drop = drag(tab.page, dropped, over=".empty-frame")
    for step in ("dragEnter", "dragOver", "drop"):
        drop(step)
    expect(attached(tab)).to_have_count(2)
    tab.ask("What do these files show?")
    tab.expect_state("finished")
    question = tab.page.locator("article.question").last
    expect(question.locator(".files li")).to_have_count(2)
    expect(attached(tab)).to_have_count(0)
    text, image = model.calls[-1][-1]["content"]
    assert text["text"].startswith("What do these files show?\n\nAttached picture: drain.png")
    assert "hour,level\n1,2" in text["text"]
    encoded = base64.b64encode(PICTURE["buffer"]).decode()
    assert image == {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{encoded}"}}

    question.get_by_role("link", name="drain.png").click()
    expect(tab.page.get_by_role("dialog", name="drain.png")).to_be_visible()
    tab.page.keyboard.press("Escape")
    tab.answered("And now?")
    assert [block["type"] for block in model.calls[-1][1]["content"]] == ["text", "image_url"], "files stay in the talk"
    assert model.calls[-1][-1]["content"] == "And now?"

    tab.page.reload()
    first = tab.page.locator("article.question").first
    tab.page.wait_for_function("() => document.querySelector('.files img')?.naturalWidth")
    address = f"{mara.url}{first.locator('a.picture').get_attribute('href')}"
    assert mara.request.get(address).ok
    assert jonas.request.get(address).status == 403
    tab.more("Delete")
    tab.page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(tab.page.get_by_role("heading", level=1)).to_have_text("New conversation")
    assert mara.request.get(address).status == 404


def test_a_question_of_files_alone_waits_for_their_upload(meet: Meet, model: ScriptedModel) -> None:
    tab = meet("Tove Holm").open("")
    choose(tab, {**NOTES, "buffer": b""})
    tab.composer.press("Enter")
    expect(tab.page.get_by_role("status").last).to_have_text("Remove tides.md to send.")
    tab.button("Remove tides.md").click()
    choose(tab, NOTES)
    expect(attached(tab)).to_have_count(1)
    expect(tab.page.get_by_text("Attachments are lost if you leave this page")).to_be_visible()
    tab.composer.press("Enter")
    tab.expect_state("finished")
    assert "The moon makes tides." in model.calls[-1][-1]["content"]
    expect(tab.page.locator("article.question .files")).to_contain_text("tides.md")


def test_an_edited_question_keeps_its_files_and_an_assistant_without_files_has_no_paperclip(
    meet: Meet, model: ScriptedModel
) -> None:
    tab = meet("Ida Berg").open("")
    choose(tab, NOTES)
    expect(attached(tab)).to_have_count(1)
    tab.ask("What makes tides?")
    tab.expect_state("finished")
    tab.composer.press("ArrowUp")
    expect(tab.button("Attach files")).to_have_count(0)
    tab.ask("What makes the tides?")
    expect(tab.page.locator("article.question:not(.pale)")).to_contain_text("What makes the tides?")
    tab.expect_state("finished")
    assert model.calls[-1][-1]["content"].startswith("What makes the tides?\n\nAttached file: tides.md")
    expect(tab.page.locator("article.question .files li")).to_have_count(1)
    tab.page.get_by_label("Assistant").select_option("docs")
    expect(tab.button("Attach files")).to_have_count(0)


def test_a_visitor_without_a_name_chooses_one_first(open_tab: OpenTab, seeing: ServerProcess) -> None:
    tab = RoomTab(open_tab(url=seeing.url).page)
    choose(tab, NOTES)
    expect(tab.page.get_by_role("heading", name="Choose a name")).to_be_visible()


def test_files_are_attached_and_seen_on_a_phone(meet: Meet, model: ScriptedModel) -> None:
    tab = meet("Mara on a phone", **PHONE).open("")
    choose(tab, PICTURE, NOTES)
    expect(attached(tab)).to_have_count(2)
    expect(tab.composer).not_to_be_focused()  # the keyboard would cover what was attached
    tab.button("Remove tides.md").tap()
    expect(attached(tab)).to_have_count(1)
    tab.button("Send").tap()
    tab.expect_state("finished")
    assert model.calls[-1][-1]["content"][1]["type"] == "image_url"
    tab.page.get_by_role("link", name="drain.png").tap()
    picture = tab.page.get_by_role("dialog", name="drain.png")
    expect(picture).to_be_visible()
    assert small_targets(tab.page) == []
    picture.get_by_role("button", name="Close").tap()
    expect(picture).to_have_count(0)
    assert overflow(tab.page) == []


@pytest.mark.skipif(not AXE.exists(), reason="axe-core is not installed (scripts/node-modules)")
@pytest.mark.parametrize(("size", "scheme"), [("wide", "dark"), ("phone", "light")])
def test_axe_finds_no_serious_fault_in_a_question_with_files(meet: Meet, size: str, scheme: str) -> None:
    mara = meet(f"Mara {size}", color_scheme=scheme, **(PHONE if size == "phone" else {}))
    tab = mara.open("")
    choose(tab, PICTURE, NOTES)
    expect(attached(tab)).to_have_count(2)
    check(tab, "attached")
    tab.composer.fill("Look")
    tab.send()
    tab.expect_state("finished")
    check(tab, "asked")
    assert overflow(tab.page) == []
    if size == "phone":
        assert small_targets(tab.page) == []
