"""A tab of Firefox or WebKit, in the words of somebody who uses it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Self

from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webdriver import WebDriver
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.wait import WebDriverWait

PATIENCE = 120.0
"""Seconds. A browser that shares two cores with 40 other processes takes more than half of them for a page."""

CALL = """
const done = arguments[arguments.length - 1];
(FUNCTION)(...[...arguments].slice(0, -1)).then((value) => done([value, null]), (error) => done([null, String(error)]));
"""

SHOWN = """
const [css, text] = arguments;
return [...document.querySelectorAll(css)].findLast((one) => one.checkVisibility() && one.textContent.includes(text));
"""

FOCUS = """
const one = document.activeElement;
if (one === document.body) return "";
return (one.ariaLabel || one.labels?.[0]?.textContent || one.textContent || one.tagName).trim().replace(/\\s+/g, " ");
"""

MOST = 80
"""Stops of the focus on the way to anything."""


class Tab:
    """A tab. Its methods wait for what they name, at most PATIENCE seconds, so that no test sleeps."""

    def __init__(self, driver: WebDriver) -> None:
        self._driver = driver
        self._handle = driver.current_window_handle

    @property
    def driver(self) -> WebDriver:
        """The driver, turned to this tab."""
        self._driver.switch_to.window(self._handle)
        return self._driver

    def open(self, url: str) -> Self:
        self.driver.get(url)
        return self

    def beside(self) -> Tab:
        """A new tab of the same browser."""
        self.driver.switch_to.new_window("tab")
        return Tab(self._driver)

    def close(self) -> None:
        self.driver.close()

    def call(self, function: str, *values: Any) -> Any:
        """Call an asynchronous JavaScript function and return its result. Raises AssertionError if it fails."""
        value, error = self.driver.execute_async_script(CALL.replace("FUNCTION", function), *values)
        assert error is None, error
        return value

    def evaluate(self, expression: str) -> Any:
        return self.driver.execute_script(f"return {expression}")

    def until(self, condition: Callable[[], Any]) -> Any:
        """Wait until a condition holds, and return what it returned. Show the page if it does not hold in time."""
        waiting = WebDriverWait(self.driver, PATIENCE, poll_frequency=0.05)
        return waiting.until(lambda _: condition(), message=self.evaluate("document.body?.innerText"))

    def find(self, css: str, text: str = "") -> WebElement:
        """The last visible element that matches and holds the text."""
        found: WebElement = self.until(lambda: self.driver.execute_script(SHOWN, css, text))
        return found

    def texts(self, css: str) -> list[str]:
        """The texts of all elements that match, from top to bottom."""
        found: list[str] = self.driver.execute_script(
            "return [...document.querySelectorAll(arguments[0])].map((one) => one.innerText.trim())", css
        )
        return found

    def expect_texts(self, css: str, *texts: str) -> None:
        """Wait until exactly these texts are shown."""
        self.until(lambda: self.texts(css) == list(texts))

    def say(self, text: str) -> None:
        """Write into the composer and send."""
        self.find("textarea#composer").send_keys(text, Keys.ENTER)

    def expect_answer(self, text: str, state: str) -> None:
        """Wait until the last answer has this text and is in this state."""
        script = "const last = [...document.querySelectorAll('article.answer')].at(-1);"
        script += "return last && [last.querySelector('.prose')?.innerText.trim(), last.dataset.state]"
        self.until(lambda: self.driver.execute_script(script) == [text, state])

    def expect_focus(self, css: str) -> None:
        """Wait until a matching element has the focus. Without a window manager `:focus` matches nothing."""
        self.until(lambda: self.driver.execute_script("return document.activeElement.matches(arguments[0])", css))

    def press(self, *keys: str) -> None:
        """Type on the keyboard, wherever the focus is."""
        for key in keys:
            ActionChains(self.driver).send_keys(key).perform()

    def press_to(self, name: str, key: str = Keys.TAB) -> None:
        """Press a key until the element of this name has the focus."""
        way: list[str] = []
        while name not in way:
            assert len(way) < MOST, f"no {name} on the way: {way}"
            self.press(key)
            way.append(self.driver.execute_script(FOCUS))
