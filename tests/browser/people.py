"""People of a room, each with a browser of their own, in the words of someone who talks there."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

from tests.browser.conftest import PATIENCE, OpenTab
from tests.browser.tab import Tab


class RoomTab(Tab):
    """A tab that shows a room."""

    @property
    def messages(self) -> Locator:
        return self.page.locator("article.said")

    @property
    def writing(self) -> Locator:
        return self.page.locator("textarea#composer")

    @property
    def aside(self) -> Locator:
        return self.page.get_by_role("complementary", name="Room", exact=True)

    @property
    def since(self) -> Locator:
        """The line above what is new."""
        return self.page.locator("#since")

    def member(self, name: str) -> Locator:
        """Someone in the panel, with how they are here."""
        return self.aside.get_by_role("listitem").filter(has_text=name)

    def item(self, room: str) -> Locator:
        """The room in the side bar."""
        return self.page.locator(f'.side a[href="/r/{room}"]')

    def said(self, text: str) -> Locator:
        return self.messages.filter(has=self.page.locator(".asked", has_text=text))

    def say(self, text: str) -> None:
        """Write and send."""
        self.writing.fill(text)
        self.send()

    def texts(self) -> list[str]:
        """The texts of the messages on the screen, from top to bottom."""
        return self.page.locator("article.said .asked").all_inner_texts()

    def expect_said(self, *texts: str) -> None:
        """Wait until exactly this is shown as said, in this order, and all of it is in the log."""
        expect(self.page.locator("article.said .asked")).to_have_text(list(texts))
        expect(self.page.locator("article.said.pale")).to_have_count(0)

    def menu(self, message: Locator, label: str) -> None:
        """Choose from the menu of a message."""
        message.hover()
        message.get_by_role("button", name="Message actions").click()
        message.get_by_role("menuitem", name=label).click()

    def more(self, label: str) -> None:
        """Choose from the room's menu."""
        self.page.locator(".page-header").get_by_role("button", name="More", exact=True).click()
        menu = self.page.get_by_role("menu")
        menu.get_by_role("menuitem", name=label).or_(menu.get_by_role("menuitemradio", name=label)).click()


class Person:
    """Someone signed in by a name, with a context of their own."""

    def __init__(self, context: BrowserContext, open_tab: OpenTab, url: str, name: str) -> None:
        self.context, self._open_tab, self.url, self.name = context, open_tab, url, name
        self.request = context.request
        assert self.request.post(f"{url}/session", data={"name": name}).ok

    @property
    def topic(self) -> str:
        return "users." + re.sub(r"[^A-Za-z0-9-]", lambda c: "".join(f"_{b:02x}" for b in c[0].encode()), self.name)

    def open(self, room: str, query: str = "") -> RoomTab:
        return RoomTab(self._open_tab(f"/r/{room}{query}" if room else "/", url=self.url, context=self.context).page)

    def publish(self, topic: str, type: str, **data: Any) -> str:
        """An event, natively; its offset."""
        done = self.request.post(f"{self.url}/topics/{topic}/events?type={type}", data=json.dumps(data))
        assert done.ok, done.text()
        return str(done.json()["offset"])

    def say(self, room: str, *texts: str) -> str:
        """Messages, in one commit; the offset of the last."""
        lines = [json.dumps({"type": "message.posted", "data": {"text": text}}) for text in texts]
        done = self.request.post(
            f"{self.url}/topics/rooms.{room}/events",
            data="\n".join(lines),
            headers={"content-type": "application/x-ndjson"},
        )
        assert done.ok, done.text()
        return str(done.json()["last"])

    def make(self, room: str, *members: Person, private: bool = False) -> None:
        """A room, its name being its id, with members."""
        self.publish(f"rooms.{room}", "room.created", name=room, private=private)
        for member in members:
            self.publish(f"rooms.{room}", "member.joined", member=member.name)


Meet = Callable[..., Person]


def meeting(browser: Browser, open_tab: OpenTab, url: str) -> Iterator[Meet]:
    """`meet(name, url=…, **options of the context)`: a new person."""
    contexts: list[BrowserContext] = []

    def meet(name: str, *, url: str = url, **options: Any) -> Person:
        usual = {"viewport": {"width": 1440, "height": 900}, "reduced_motion": "reduce", "service_workers": "block"}
        options = usual | options
        context = browser.new_context(**options)
        context.set_default_timeout(PATIENCE)
        contexts.append(context)
        return Person(context, open_tab, url, name)

    yield meet
    for context in contexts:
        context.close()


def at_end(page: Page) -> bool:
    """Return whether the log is scrolled to its end."""
    return bool(
        page.evaluate(
            "(log => log.scrollHeight - log.clientHeight - log.scrollTop < 9)(document.getElementById('log'))"
        )
    )
