"""A tab of the web UI, in the words of someone who uses it."""

from __future__ import annotations

import re

from playwright.sync_api import BrowserContext, Locator, Page, expect


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

    def reconnect(self) -> None:
        """Reconnect now, unless it has by itself: a network that is mended may be found before the button is hit."""
        self.button("Reconnect now").or_(self.page.get_by_text(re.compile("^Live"))).first.click()

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
