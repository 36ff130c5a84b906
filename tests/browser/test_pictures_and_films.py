"""Pictures that are opened large, and films that are played, in a real browser."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, FilePayload, Locator, Response, expect

from tests.browser.conftest import OpenTab
from tests.browser.film import film
from tests.browser.people import Meet, RoomTab, meeting
from tests.browser.test_files import PLAN, choose, png, upload
from tests.browser.test_layout import AXE, PHONE, check, overflow, small_targets
from tests.serving import ServerProcess


@pytest.fixture
def meet(browser: Browser, open_tab: OpenTab, server: ServerProcess) -> Iterator[Meet]:
    yield from meeting(browser, open_tab, server.url)


def picture(name: str, width: int = 64, height: int = 40) -> FilePayload:
    return {"name": name, "mimeType": "image/png", "buffer": png(width, height)}


def large(tab: RoomTab) -> Locator:
    """The dialog with the picture, once the picture is there."""
    dialog = tab.page.get_by_role("dialog")
    tab.page.wait_for_function("() => document.querySelector('.lightbox img')?.naturalWidth > 0")
    return dialog


def test_pictures_open_large_and_the_arrow_keys_go_through_those_of_the_message(meet: Meet) -> None:
    mara = meet("Mara Lindqvist")
    mara.make("large-pictures")
    tab = mara.open("large-pictures")
    choose(tab, picture("one.png"), PLAN, picture("two.png"), picture("three.png"))
    expect(tab.page.locator(".attached [data-state=whole]")).to_have_count(4)
    tab.say("Look")
    tab.expect_said("Look")
    second = tab.page.get_by_role("link", name="two.png")
    second.focus()
    tab.page.keyboard.press("Enter")
    dialog = large(tab)
    expect(dialog).to_have_accessible_name("two.png")
    expect(dialog.get_by_role("status")).to_contain_text("2 of 3")
    expect(dialog.get_by_role("button", name="Close")).to_be_focused()
    for key, name, place in (
        ("ArrowRight", "three.png", 3),
        ("ArrowRight", "one.png", 1),
        ("ArrowLeft", "three.png", 3),
    ):
        tab.page.keyboard.press(key)
        expect(dialog).to_have_accessible_name(name)
        expect(dialog.get_by_role("status")).to_contain_text(f"{place} of 3")
    dialog.get_by_role("button", name="Previous picture").click()
    expect(dialog).to_have_accessible_name("two.png")
    with tab.page.expect_download() as download:
        dialog.get_by_role("link", name="Download two.png").click()
    assert download.value.path().read_bytes() == png(64, 40)
    tab.page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    expect(second).to_be_focused()
    with tab.page.context.expect_page() as opened:
        second.click(modifiers=["ControlOrMeta"])
    assert opened.value.evaluate("document.contentType") == "image/png"
    expect(dialog).to_have_count(0)


@pytest.mark.skipif(not AXE.exists(), reason="axe-core is not installed (scripts/node-modules)")
@pytest.mark.parametrize(("size", "scheme"), [("wide", "light"), ("phone", "dark")])
def test_axe_finds_no_fault_in_an_open_picture(meet: Meet, size: str, scheme: str) -> None:
    mara = meet("Mara Lindqvist", color_scheme=scheme, **(PHONE if size == "phone" else {}))
    room = f"axe-picture-{size}"
    mara.make(room)
    names = [f"{'A very long name of a picture ' * 6}.png", "b.png"]
    files = [upload(mara, room, name, "image/png", png(1600, 400))["id"] for name in names]
    mara.publish(f"rooms.{room}", "message.posted", text="", files=files)
    tab = mara.open(room)
    tab.page.locator("a.picture").first.click()
    box = large(tab).locator("img").bounding_box()
    assert box
    assert box["width"] > (300 if size == "phone" else 1200)
    check(tab, "picture")
    assert overflow(tab.page) == []
    if size == "phone":
        assert small_targets(tab.page) == []


def test_a_film_plays_and_goes_to_a_place_that_was_not_loaded(meet: Meet) -> None:
    mara = meet("Mara Lindqvist")
    mara.make("film")
    tab = mara.open("film")
    content = film(tab.page, seconds=20)
    assert 4 * 2**20 < len(content) < 10 * 2**20, "the browser must not have all of it before it is asked for more"
    file = upload(mara, "film", "tide.webm", "video/webm", content)
    answers: list[Response] = []
    tab.page.on("response", lambda answer: answers.append(answer) if file["id"] in answer.url else None)
    mara.publish("rooms.film", "message.posted", text="", files=[file["id"]])
    video = tab.page.locator("video")
    expect(video).to_have_accessible_name("tide.webm")
    expect(tab.page.get_by_role("link", name="tide.webm")).to_be_visible()
    assert answers == [], "a film is loaded when it is played"
    assert video.evaluate(
        """async (video) => {
            const event = (name) => new Promise((resolve) => video.addEventListener(name, resolve, { once: true }));
            video.muted = true;
            await video.play();
            video.pause();
            const sought = event("seeked");
            video.currentTime = 17.5;
            await sought;
            const canvas = document.createElement("canvas");
            const context = canvas.getContext("2d");
            context.drawImage(video, 0, 0);
            return [video.duration, video.videoWidth, Math.round(context.getImageData(9, 9, 1, 1).data[0] / 12)];
        }"""
    ) == [20, 480, 17]
    parts = [answer.header_value("content-range") or "" for answer in answers]
    assert {answer.status for answer in answers} == {206}
    starts = [int(match[1]) for part in parts if (match := re.match(r"bytes (\d+)-", part))]
    assert min(starts) == 0
    assert max(starts) > len(content) // 2


def test_a_file_that_is_no_film_is_saved(meet: Meet) -> None:
    mara = meet("Mara Lindqvist")
    mara.make("no-film")
    file = upload(mara, "no-film", "odd.mp4", "video/mp4", b"<script>fetch('/ran')</script>" * 100)
    mara.publish("rooms.no-film", "message.posted", text="", files=[file["id"]])
    tab = mara.open("no-film")
    requests: list[str] = []
    tab.page.context.on("request", lambda request: requests.append(request.url))
    tab.page.locator("video").evaluate("(video) => void video.play().catch(() => {})")
    expect(tab.page.locator("div.picture .file")).to_contain_text("odd.mp4")
    with tab.page.expect_download() as download:
        tab.page.get_by_role("link", name="odd.mp4").click()
    assert download.value.suggested_filename == "odd.mp4"
    assert [url for url in requests if url.endswith("/ran")] == []
