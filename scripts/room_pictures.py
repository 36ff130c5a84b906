"""The pictures of a room, for scripts/screenshots.py: three people, what one of them has not read, an answer."""

from __future__ import annotations

import json
import re
import tempfile
from pathlib import Path

from playwright.sync_api import Browser, BrowserContext, FilePayload, Page, expect

from tests.serving import ServerProcess

ABOUT = "Releases, drains and what they did to open streams"
MARA, JONAS, AIKO = "Mara Lindqvist", "Jonas Weber", "Aiko Tanaka"
DESKTOP = {"viewport": {"width": 1440, "height": 900}}
PHONE = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True, "device_scale_factor": 2}


def room_pictures(browser: Browser, images: Path) -> None:
    """room.png, room-dark.png, room-phone.png and room-files.png, of a server of their own."""
    with tempfile.TemporaryDirectory() as folder, ServerProcess(f"sqlite:///{folder}/tidings.db") as server:
        mara, jonas, aiko = (person(browser, server.url, name) for name in (MARA, JONAS, AIKO))
        talk(server.url, mara, jonas, aiko)
        others = [shown(context, server.url) for context in (jonas, aiko)]
        for name, options in (
            ("room", {**DESKTOP, "color_scheme": "light"}),
            ("room-dark", {**DESKTOP, "color_scheme": "dark"}),
            ("room-phone", {**PHONE, "color_scheme": "dark"}),
        ):
            page = shown(
                browser.new_context(reduced_motion="reduce", storage_state=mara.storage_state(), **options), server.url
            )
            page.mouse.move(0, 0)
            people = page.get_by_role("button", name=re.compile("^3 here: ")).or_(page.get_by_text("3 people here"))
            expect(people.locator("visible=true")).to_have_count(1)
            # What is transient reaches who is connected at that moment: it is said until it is seen.
            while not page.get_by_text("Aiko is typing").is_visible():
                others[1].get_by_label("Write to #deploys").press_sequentially("s")
                page.wait_for_timeout(500)
            page.screenshot(path=images / f"{name}.png")
            page.context.close()
        files_picture(mara.new_page(), server.url, images)


def files_picture(page: Page, url: str, images: Path) -> None:
    """Files that were sent, of which one is the picture of the room; and those of a message that is being written."""
    page.goto(f"{url}/r/support")
    writing = page.get_by_label("Write to #support")
    expect(writing).to_be_visible()
    attach = page.locator("input[type=file]")
    plan: FilePayload = {"name": "Drain plan for web-2.pdf", "mimeType": "application/pdf", "buffer": b"%PDF" * 10_300}
    for sent in ("The room before the drain, and the plan.", ""):
        attach.set_input_files(images / "room.png")
        attach.set_input_files(plan)
        expect(page.locator(".attached [data-state=whole]")).to_have_count(2)
        if sent:
            writing.fill(sent)
            writing.press("Enter")
            expect(page.locator(".files li")).to_have_count(2)
            expect(page.locator(".pale")).to_have_count(0)
    page.screenshot(path=images / "room-files.png")


def person(browser: Browser, url: str, name: str) -> BrowserContext:
    context = browser.new_context(reduced_motion="reduce", **DESKTOP)  # type: ignore[arg-type]
    assert context.request.post(f"{url}/session", data={"name": name}).ok
    return context


def shown(context: BrowserContext, url: str) -> Page:
    """A page of the room, with its people and its answer."""
    page = context.new_page()
    page.goto(f"{url}/r/deploys")
    expect(page.locator(".answer")).to_have_attribute("data-state", "finished")
    expect(page.locator(".answer .cite").first).to_be_visible()
    return page


def talk(url: str, mara: BrowserContext, jonas: BrowserContext, aiko: BrowserContext) -> None:
    def say(who: BrowserContext, topic: str, type: str, **data: object) -> str:
        answer = who.request.post(f"{url}/topics/{topic}/events?type={type}", data=json.dumps(data))
        assert answer.ok, answer.text()
        return str(answer.json()["offset"])

    for room, about in (("deploys", ABOUT), ("lobby", ""), ("support", "")):
        say(mara, f"rooms.{room}", "room.created", name=room, about=about)
        for who, name in ((jonas, JONAS), (aiko, AIKO)):
            say(who, f"rooms.{room}", "member.joined", member=name)
    deploys = "rooms.deploys"
    say(jonas, deploys, "message.posted", text="Rolling web-2 now. Drain window is 20 s.")
    told = "Operations dipped for 4 s and caught up by itself: 212 events replayed, none lost."
    dipped = say(aiko, deploys, "message.posted", text=told)
    say(mara, deploys, "reaction.added", message=dipped, emoji="\N{THUMBS UP SIGN}")
    say(jonas, deploys, "reaction.added", message=dipped, emoji="\N{THUMBS UP SIGN}")
    read = say(aiko, deploys, "reaction.added", message=dipped, emoji="\N{EYES}")
    say(mara, "users.Mara_20Lindqvist", "room.read", room="deploys", offset=read)
    for n in range(5):
        say(aiko, "rooms.lobby", "message.posted", text=f"{5 - n} minutes to the coffee")
    say(jonas, deploys, "message.posted", text="@Mara can you confirm that nobody lost a part of an answer?")
    say(jonas, deploys, "message.posted", text="@assistant What is process mining?")
