"""Take the pictures of docs/images: a server with an empty store, a real Chromium, the documentation assistant.

    python scripts/screenshots.py

The page's font is the system's, so the pictures depend on the machine; Inter is used where it is installed.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Browser, Page, expect, sync_playwright

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tests.serving import ServerProcess  # noqa: E402

IMAGES = ROOT / "docs" / "images"
FONTS = """<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig><dir>/usr/share/fonts</dir><match target="pattern"><test name="family"><string>system-ui</string></test>
<edit name="family" mode="prepend" binding="strong"><string>Inter</string></edit></match></fontconfig>"""
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
            server.kill()
            expect(page.get_by_text("Nothing is lost.")).to_be_visible()
            page.screenshot(path=IMAGES / "reconnecting.png")
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
    page.screenshot(path=IMAGES / f"{name}.png")


def ask(page: Page, question: str) -> None:
    page.get_by_label("Your question").fill(question)
    page.keyboard.press("Enter")


if __name__ == "__main__":
    main()
