"""A tab of the web UI, in the words of someone who uses it."""

from __future__ import annotations

import re

from playwright.sync_api import BrowserContext, Locator, Page, Route, expect

SETTLED = """async (before) => {
    const log = document.querySelector("[role=log]");
    const frame = () => new Promise((resolve) => {
        requestAnimationFrame(() => requestAnimationFrame(resolve));
        setTimeout(resolve, 250); // a page in the background has no frames
    });
    for (const end = Date.now() + 60_000; Date.now() < end; ) {
        const at = log.scrollTop;
        await frame();
        if (at !== before && log.scrollTop === at) return;
    }
    throw new Error("for a minute the log did not come to rest elsewhere");
}"""


def until(page: Page, predicate: str) -> None:
    """Wait until an asynchronous predicate holds. Playwright's `wait_for_function` takes its promise for an answer."""
    page.evaluate(
        f"""async () => {{
            for (const end = Date.now() + 60_000; !(await ({predicate})()); ) {{
                if (Date.now() > end) throw new Error("for a minute it did not hold");
                await new Promise((resolve) => setTimeout(resolve, 20));
            }}
        }}"""
    )


class Held:
    """Requests of a page to addresses that match a pattern, held back until they are let go."""

    def __init__(self, page: Page, pattern: str) -> None:
        self._page = page
        self._routes: list[Route] = []
        page.route(pattern, lambda route: self._routes.append(route))

    def let_go(self) -> None:
        """Let the first request go on, once the page has made it: what the page shows may come before the request."""
        while not self._routes:
            self._page.wait_for_timeout(20)
        self._routes.pop(0).continue_()


class Tab:
    """A tab with the page. Its locators wait for what they name, so that no method sleeps."""

    def __init__(self, page: Page) -> None:
        self.page = page

    @property
    def context(self) -> BrowserContext:
        return self.page.context

    @property
    def composer(self) -> Locator:
        return self.page.get_by_label("Your question")

    @property
    def log(self) -> Locator:
        return self.page.get_by_role("log")

    @property
    def answers(self) -> Locator:
        return self.page.locator("article.answer")

    @property
    def answer(self) -> Locator:
        """The last answer."""
        return self.answers.last

    @property
    def text(self) -> Locator:
        """The text of the last answer."""
        return self.answer.locator(".prose")

    @property
    def banner(self) -> Locator:
        return self.page.locator(".banner")

    @property
    def path(self) -> str:
        return self.page.evaluate("location.pathname")

    def button(self, name: str) -> Locator:
        return self.page.get_by_role("button", name=name, exact=True)

    def expect_back(self, pattern: str = r"Back online\.") -> None:
        """Wait until the banner has shown a text that matches, now or before."""
        self.page.wait_for_function("pattern => banners.some((text) => text.match(pattern))", arg=pattern)

    def reconnect(self) -> None:
        """Reconnect now, unless it has by itself: a network that is mended may be found before the button is hit."""
        self.button("Reconnect now").or_(self.page.get_by_text(re.compile("^Live"))).first.click()

    def wheel(self, pixels: int) -> None:
        """Turn the mouse wheel over the log, and wait until the log has moved and stands still."""
        self.log.hover()
        before = self.log.evaluate("log => log.scrollTop")
        self.page.mouse.wheel(0, pixels)
        self.page.evaluate(SETTLED, before)

    def ask(self, question: str) -> None:
        """Write a question and send it."""
        self.composer.fill(question)
        self.send()

    def send(self) -> None:
        """Send what is written. On a phone Enter adds a line."""
        if self.page.evaluate("matchMedia('(hover: none) and (pointer: coarse)').matches"):
            self.button("Send").click()
        else:
            self.page.locator("textarea#composer").press("Enter")

    def expect_state(self, state: str) -> None:
        """Wait until the last answer is in a state."""
        expect(self.answer).to_have_attribute("data-state", state)

    def answered(self, question: str) -> None:
        """Ask, and wait for the end of the answer."""
        before = self.answers.count()
        self.ask(question)
        expect(self.answers).to_have_count(before + 1)
        self.expect_state("finished")
