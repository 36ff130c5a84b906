"""A real Chromium that opens a room: milliseconds until its last message can be seen."""

from __future__ import annotations

import shutil

from playwright.sync_api import Error, sync_playwright

from bench.client import BenchError

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")

# Resolves in the frame after the one in which the message is within the window, that is when it has been painted.
_SEEN = """
async (text) => {
  const seen = () => Array.from(document.querySelectorAll("article.said")).some((said) => {
    const { top, bottom } = said.getBoundingClientRect();
    return top < innerHeight && bottom > 0 && said.textContent.includes(text);
  });
  const frame = () => new Promise((resolve) => requestAnimationFrame(resolve));
  while (!seen()) await frame();
  await frame();
  return performance.now();
}
"""

_CLICK = f"""
async ([link, text]) => {{
  const began = performance.now();
  document.querySelector(link).click();
  return (await ({_SEEN})(text)) - began;
}}
"""


def shown(url: str, name: str, room: str, text: str) -> dict[str, float]:
    """`shown`: from a click on the room in the side bar; `entered`: from entering its address, with all that the page
    loads first. The server has not opened the room before the first."""
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
            page = browser.new_page()
            page.request.post(f"{url}/session", data={"name": name})
            page.goto(url)
            link = f'.side a[href="/r/{room}"]'
            page.wait_for_selector(link)
            clicked = page.evaluate(_CLICK, [link, text])
            page.goto("about:blank")
            page.goto(f"{url}/r/{room}", wait_until="commit")
            entered = page.evaluate(_SEEN, text)
            browser.close()
    except Error as error:
        raise BenchError(f"Chromium did not show the room: {error.message.splitlines()[0]}") from error
    return {"shown": clicked, "entered": entered}
