"""Take the pictures of docs/images: a server with an empty store, a real Chromium, the documentation assistant.

    python scripts/screenshots.py

The page's font is the system's, so the pictures depend on the machine; Inter is used where it is installed.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Browser, Page, expect, sync_playwright

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from scripts.monitoring_pictures import monitoring_pictures  # noqa: E402
from scripts.room_pictures import room_pictures  # noqa: E402
from tests.serving import ServerProcess  # noqa: E402

IMAGES = ROOT / "docs" / "images"
FONTS = """<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig><dir>/usr/share/fonts</dir><match target="pattern"><test name="family"><string>system-ui</string></test>
<edit name="family" mode="prepend" binding="strong"><string>Inter</string><string>sans-serif</string></edit>
</match></fontconfig>"""
expect.set_options(timeout=60_000)
DESKTOP = {"viewport": {"width": 1440, "height": 900}}
PHONE = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True, "device_scale_factor": 2}


def main() -> None:
    IMAGES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        fonts = Path(folder, "fonts.conf")
        fonts.write_text(FONTS)
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"),
            args=["--no-sandbox", "--disable-gpu"],
            env={**os.environ, "FONTCONFIG_FILE": str(fonts)},
        )
        with ServerProcess(f"sqlite:///{folder}/tidings.db") as server:
            page = opened(browser, server.url, **DESKTOP)
            expect(page.get_by_role("button", name="What is process mining?")).to_be_visible()
            page.screenshot(path=IMAGES / "empty.png")
            sign_in(browser, server.url)
            for question in ("What does a publish promise on SQLite?", "How does a client resume after a deploy?"):
                ask(page, question)
                expect(page.locator(".answer").last).to_have_attribute("data-state", "finished")
                page.get_by_role("button", name="New conversation").click()
            page.mouse.move(720, 400)
            ask(page, "What is process mining?")
            expect(page.locator(".cite")).to_have_count(2)
            page.screenshot(path=IMAGES / "conversation.png")
            picture(browser, page.url, "conversation-dark", color_scheme="dark", **DESKTOP)
            picture(browser, page.url, "phone", **PHONE)
            notifications(page, server.url)
            expect(page.locator(".toast")).to_have_count(0)
            server.kill()
            expect(page.get_by_text("Nothing is lost.")).to_be_visible()
            page.screenshot(path=IMAGES / "reconnecting.png")
        agent = {"args": ("--assistant", "support_agent:support"), "env": {"PYTHONPATH": str(ROOT / "examples")}}
        with ServerProcess(f"sqlite:///{folder}/agent.db", **agent) as server:  # type: ignore[arg-type]
            page = opened(browser, server.url, **DESKTOP)
            ask(page, "Refund order 4711")
            expect(page.get_by_role("button", name="Approve")).to_be_visible()
            page.screenshot(path=IMAGES / "agent.png")
        room_pictures(browser, IMAGES)
        monitoring_pictures(browser, IMAGES)
        browser.close()


def opened(browser: Browser, url: str, **options: object) -> Page:
    """A page of a new visitor, who is called Mara."""
    context = browser.new_context(reduced_motion="reduce", **options)  # type: ignore[arg-type]
    context.request.post(f"{origin(url)}/session", data={"name": "Mara Lindqvist"})
    page = context.new_page()
    page.goto(url)
    return page


def origin(url: str) -> str:
    return "/".join(url.split("/", 3)[:3])


def picture(browser: Browser, url: str, name: str, **options: object) -> None:
    page = opened(browser, url, **options)
    expect(page.locator(".cite").first).to_be_visible()
    expect(page.get_by_text(re.compile("^Live")).or_(page.locator(".titles")).locator("visible=true")).to_have_count(1)
    page.screenshot(path=IMAGES / f"{name}.png")


def sign_in(browser: Browser, url: str) -> None:
    page = browser.new_context(**DESKTOP).new_page()  # type: ignore[arg-type]
    page.goto(url)
    page.get_by_label("Your question").fill("Did anybody lose a part of an answer?")
    page.get_by_role("button", name="Settings").click()
    page.get_by_role("button", name="Choose a name").click()
    page.get_by_label("Name").fill("Mara Lindqvist")
    page.screenshot(path=IMAGES / "sign-in.png")


TOLD = [
    ("invite", "Aiko joined #deploys", "Invited by Jonas"),
    ("failed", "Run failed", "The model refused the request: context too long."),
    ("answer", "Run finished", "Release notes 0.9, 1,204 tokens"),
    ("alert", "Delivery p99 above 60 ms for 2 min", "Operations, Delivery latency. Now 41 ms."),
    ("interrupted", "Run interrupted", "Weekly report stopped when web-2 went away. The text so far is kept."),
    ("mention", "Jonas mentioned you in #deploys", "can you confirm nobody lost part of an answer?"),
]


def notifications(page: Page, url: str) -> None:
    """The centre, of which the first three were read."""
    page.locator(".bell").click()
    for n, (kind, title, text) in enumerate(TOLD):
        fact = {"kind": kind, "title": title, "text": text, "topic": "rooms.deploys" if kind == "mention" else None}
        answer = page.request.post(f"{url}/topics/users.Mara_20Lindqvist/events?type=notification.created", data=fact)
        assert answer.ok, answer.text()
        expect(page.locator(".notice")).to_have_count(n + 1)
        if n == 2:
            page.get_by_role("button", name="Mark all as read").click()
    page.locator(".notice").first.hover()
    page.get_by_role("button", name="Mute", exact=True).click()
    expect(page.get_by_text("You still get mentions.")).to_be_visible()
    page.mouse.move(720, 400)
    page.screenshot(path=IMAGES / "notifications.png")
    page.get_by_role("button", name="Close notifications").click()


def ask(page: Page, question: str) -> None:
    page.get_by_label("Your question").fill(question)
    page.keyboard.press("Enter")


if __name__ == "__main__":
    main()
