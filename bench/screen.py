"""A real Chromium that opens a room, or in which two people talk: milliseconds until a message can be seen."""

from __future__ import annotations

import json
import shutil
import time

from playwright.sync_api import Browser, Error, Page, sync_playwright

from bench.client import BenchError

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")

PAUSE = 60
"""Milliseconds between the last key of a message and Enter. People take longer; Playwright types a message in 10 ms."""

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


# When each message was sent, by the time of its Enter key, and when the frame was done that shows it within the window:
# that is when an IntersectionObserver tells of it. The clock is the machine's, so that two pages can be compared.
_WATCH = """
() => {
  window.sent = {};
  window.seen = {};
  const clock = (time) => performance.timeOrigin + time;
  const composer = document.getElementById("composer");
  const press = ({ key, timeStamp }) => key === "Enter" && (sent[composer.value] = clock(timeStamp));
  composer.addEventListener("keydown", press, true);
  const frames = new IntersectionObserver((entries) => {
    for (const { isIntersecting, target } of entries) {
      if (!isIntersecting) continue;
      seen[target.textContent] = clock(performance.now());
      frames.unobserve(target);
    }
  });
  new MutationObserver((changes) => {
    for (const { addedNodes } of changes)
      for (const node of addedNodes)
        for (const said of node.querySelectorAll?.("article.said .asked") ?? []) frames.observe(said);
  }).observe(document.getElementById("log"), { subtree: true, childList: true });
}
"""


def talked(url: str, room: str, count: int, pace: float) -> list[float]:
    """Measure the way of each message from the Enter key of a room's one person to the screen of the other.

    The first person writes `count` messages, key by key, `pace` a second. Both pages are visible and focused, as on
    two machines."""
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
            author, other = (_enter(browser, url, name, room) for name in ("Ada", "Ben"))
            began = time.perf_counter()
            for n in range(count):
                author.wait_for_timeout(max(0.0, began + n / pace - time.perf_counter()) * 1000)
                author.keyboard.type(f"said {n}")
                author.wait_for_timeout(PAUSE)
                author.keyboard.press("Enter")
            other.wait_for_function("(count) => Object.keys(seen).length >= count", arg=count)
            sent, seen = author.evaluate("sent"), other.evaluate("seen")
            browser.close()
    except Error as error:
        raise BenchError(f"Chromium did not show what was said: {error.message.splitlines()[0]}") from error
    return [seen[text] - sent[text] for text in (f"said {n}" for n in range(count))]


# The times of all frames from now on.
_FRAMES = """
() => {
  window.drawn = [];
  const draw = (time) => {
    drawn.push(time);
    requestAnimationFrame(draw);
  };
  requestAnimationFrame(draw);
}
"""


def frames(url: str, room: str, seconds: int, pace: float) -> list[int]:
    """Count the frames of a page in each second, while the other person of its room says `pace` messages a second."""
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
            page = _enter(browser, url, "Ben", room)
            with browser.new_context() as other:
                other.request.post(f"{url}/session", data={"name": "Ada"})
                page.evaluate(_FRAMES)
                began, count = time.perf_counter(), int(seconds * pace)
                for n in range(count):
                    page.wait_for_timeout(max(0.0, began + n / pace - time.perf_counter()) * 1000)
                    text = json.dumps({"text": f"said {n}: what people say to each other is about as long as this."})
                    done = other.request.post(f"{url}/topics/rooms.{room}/events?type=message.posted", data=text)
                    if not done.ok:
                        raise BenchError(f"A message was refused: {done.text()[:200]}")
                drawn = page.evaluate("drawn")
                page.wait_for_function("(count) => Object.keys(seen).length >= count", arg=count)
            browser.close()
    except Error as error:
        raise BenchError(f"Chromium did not show what was said: {error.message.splitlines()[0]}") from error
    whole = [int((at - drawn[0]) // 1000) for at in drawn]
    return [whole.count(second) for second in range(whole[-1])]  # the last second is not over


def _enter(browser: Browser, url: str, name: str, room: str) -> Page:
    page = browser.new_context().new_page()
    page.request.post(f"{url}/session", data={"name": name})
    page.goto(f"{url}/r/{room}")
    page.get_by_text("Live").wait_for()
    page.locator("#composer").focus()
    page.evaluate(_WATCH)
    return page


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
