"""The bell, toasts and the centre: right on every tab and device, and quiet when they shall be."""

from __future__ import annotations

import json
import re
import urllib.request
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, expect

from tests.browser.conftest import PATIENCE, WITHOUT, OpenTab, browsing
from tests.browser.model import ScriptedModel
from tests.browser.tab import Tab, until
from tests.serving import ServerProcess
from tidings.access.names import slug

Serve = Callable[..., ServerProcess]
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    """A whole Chromium: its headless shell gives no permission for notifications."""
    with browsing(chromium) as browser:
        yield browser


@pytest.fixture(scope="module")
def own(model: ScriptedModel, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A server of this module, in which each test is somebody else."""
    store = f"sqlite:///{tmp_path_factory.mktemp('notifications')}/tidings.db"
    with ServerProcess(store, env={"TIDINGS_MODEL_URL": model.url, "TIDINGS_MODEL": "scripted"}) as server:
        yield server


@pytest.fixture
def lan(serve_process: Serve) -> ServerProcess:
    """A server that is known by a name of the local network, too."""
    return serve_process(env={"TIDINGS_HOSTS": "lan.test"})


class Person:
    """Somebody with a browser, and with programs that tell them things."""

    def __init__(self, name: str, server: ServerProcess, browser: Browser, open_tab: OpenTab) -> None:
        self.name, self.server, self._browser, self._open_tab = name, server, browser, open_tab
        self.devices: list[BrowserContext] = []

    def tab(self, path: str = "/", *, context: BrowserContext | None = None, **options: Any) -> Tab:
        """A tab of a new device, or of one they have. What is told from now on is news to it."""
        context = context or self.device(**options)
        with context.expect_event("response", lambda response: response.url.endswith("/notifications")):
            return self._open_tab(path, url=self.server.url, context=context)

    def device(self, **options: Any) -> BrowserContext:
        """A browser that knows the name."""
        options = {"viewport": {"width": 1440, "height": 900}, "reduced_motion": "reduce"} | options
        context = self._browser.new_context(**options)
        context.set_default_timeout(PATIENCE)
        self.devices.append(context)
        assert context.request.post(f"{self.server.url}/session", data={"name": self.name}).ok
        return context

    def tell(self, title: str, **fact: Any) -> None:
        """Publish a notification to this person, as any program may."""
        url = f"{self.server.url}/topics/users.{slug(self.name)}/events?type=notification.created"
        body = json.dumps({"title": title, **fact}).encode()
        urllib.request.urlopen(urllib.request.Request(url, body)).close()


@pytest.fixture
def someone(
    own: ServerProcess, browser: Browser, open_tab: OpenTab, request: pytest.FixtureRequest
) -> Iterator[Person]:
    person = Person(f"Mara {request.node.name[5:40]}", own, browser, open_tab)
    yield person
    for device in person.devices:
        device.close()


def bell(tab: Tab) -> Locator:
    return tab.page.locator(".bell:visible")


def toasts(tab: Tab) -> Locator:
    return tab.page.locator(".toast")


def centre(tab: Tab) -> Locator:
    """The centre, which is opened if it is not."""
    if tab.page.locator("#centre").count() == 0:
        bell(tab).click()
    return tab.page.get_by_role("complementary", name="Notifications")


def notice(tab: Tab, title: str) -> Locator:
    return centre(tab).get_by_role("listitem").filter(has_text=title)


def test_24_the_badge_is_equal_in_all_tabs_in_titles_and_in_icons(someone: Person) -> None:
    one = someone.tab()
    tabs = [one, someone.tab(context=one.context), someone.tab()]
    for tab in tabs:
        expect(tab.page).to_have_title("New conversation · Tidings")
        expect(bell(tab)).to_have_accessible_name("Notifications")
    for n in range(3):
        someone.tell(f"Told {n}")
    for tab in tabs:
        expect(bell(tab)).to_have_accessible_name("Notifications, 3 unread")
        expect(tab.page).to_have_title("(3) New conversation · Tidings")
        expect(tab.page.locator("link[rel=icon]")).to_have_attribute("href", re.compile("^blob:"))
    red = """async () => {
        const icon = new Image();
        icon.src = document.querySelector("link[rel=icon]").href;
        await icon.decode();
        const draw = Object.assign(document.createElement("canvas"), {width: 32, height: 32}).getContext("2d");
        draw.drawImage(icon, 0, 0, 32, 32);
        return [[25, 7], [4, 14]].map(([x, y]) => [...draw.getImageData(x, y, 1, 1).data].slice(0, 3));
    }"""
    dot, tile = one.page.evaluate(red)
    assert dot == [0xB3, 0x26, 0x1E]
    assert tile == [0x0B, 0x68, 0x6E]
    late = someone.tab()
    expect(bell(late)).to_have_text("3")
    centre(one)
    one.button("Mark all as read").click()
    for tab in (*tabs, late):
        expect(bell(tab)).to_have_accessible_name("Notifications")
        expect(tab.page).to_have_title("New conversation · Tidings")
        expect(tab.page.locator("link[rel=icon]")).to_have_attribute("href", re.compile(r"/favicon[-\w]*\.svg$"))


def test_25_toasts_are_three_at_most_and_wait_for_who_points_at_them(someone: Person) -> None:
    context = someone.tab().context
    tab = someone.tab(context=context)
    tab.page.clock.install()
    with tab.page.expect_response("**/notifications"):
        tab.page.reload()
    for n in range(4):
        someone.tell(f"Told {n}", text="<b>What</b> there is to tell")
        expect(toasts(tab).first).to_contain_text(f"Told {n}")
    expect(toasts(tab)).to_have_count(3)
    expect(toasts(tab).last).to_contain_text("Told 1")
    expect(toasts(tab).last).to_contain_text("<b>What</b>")
    expect(tab.page.locator(".toasts")).to_have_attribute("role", "status")

    toasts(tab).first.hover()
    tab.page.clock.run_for(20_000)
    expect(toasts(tab)).to_have_count(3)
    toasts(tab).first.get_by_role("button", name="Close").click()
    expect(toasts(tab)).to_have_count(2)
    toasts(tab).last.get_by_role("button", name="Mark as read").focus()
    tab.page.mouse.move(0, 0)
    tab.page.clock.run_for(20_000)
    expect(toasts(tab)).to_have_count(2)
    tab.composer.focus()
    tab.page.clock.run_for(7000)
    expect(toasts(tab)).to_have_count(0)
    expect(bell(tab)).to_have_text("4")


@pytest.mark.parametrize("low", [False, True], ids=["phone", "phone on its side"])
def test_25_toasts_are_never_over_the_composer(someone: Person, low: bool) -> None:
    tab = someone.tab(**PHONE | ({"viewport": {"width": 844, "height": 390}} if low else {}))
    expect(bell(tab)).to_be_visible()
    for n in range(3):
        someone.tell(f"Told {n}", text="word " * 60)
        expect(toasts(tab).first).to_contain_text(f"Told {n}")
    over = """() => {
        const top = document.querySelector(".composer-frame").getBoundingClientRect().top;
        return [...document.querySelectorAll(".toast")].filter((one) => one.checkVisibility({visibilityProperty: true}))
            .map((one) => one.getBoundingClientRect().bottom < top);
    }"""
    shown = tab.page.evaluate(over)
    assert len(shown) == (1 if low else 3)
    assert all(shown)
    if not low:
        header = tab.page.locator(".page-header").bounding_box()
        first = toasts(tab).first.bounding_box()
        assert header
        assert first
        assert first["y"] > header["y"] + header["height"]
        assert first["width"] > 370


def test_26_the_centre_is_by_day_filtered_and_marked_read_everywhere(someone: Person) -> None:
    someone.tell("Run finished", kind="answer", text="Release notes", topic="runs.x")
    someone.tell("Jonas mentioned you in #deploys", kind="mention", text="can you <i>confirm</i>?", by=None)
    tab, device = someone.tab(), someone.tab()
    expect(centre(tab).get_by_role("heading", name="Today")).to_be_visible()
    expect(centre(tab).get_by_role("listitem")).to_have_count(2)
    expect(notice(tab, "Jonas mentioned you")).to_contain_text("can you <i>confirm</i>?")
    expect(tab.button("Unread 2")).to_be_visible()

    # What comes while it is open is there, and is no toast.
    someone.tell("And one more")
    expect(centre(tab).get_by_role("listitem").first).to_contain_text("And one more")
    expect(toasts(tab)).to_have_count(0)
    expect(toasts(device)).to_have_count(1)

    tab.button("Mentions 1").click()
    expect(centre(tab).get_by_role("listitem")).to_have_count(1)
    notice(tab, "Jonas").hover()
    notice(tab, "Jonas").get_by_role("button", name="Mark as read").click()
    for one in (tab, device):
        expect(bell(one)).to_have_text("2")
    expect(toasts(device)).to_have_count(1)
    tab.button("Unread 2").click()
    expect(centre(tab).get_by_role("listitem")).to_have_count(2)
    tab.button("Mark all as read").click()
    expect(centre(tab).get_by_text("No unread notifications.")).to_be_visible()
    expect(bell(device)).to_have_accessible_name("Notifications")

    tab.page.reload()
    expect(bell(tab)).to_have_accessible_name("Notifications")
    expect(centre(tab).get_by_role("listitem")).to_have_count(3)
    tab.page.keyboard.press("Escape")


def test_28_a_muted_topic_keeps_still_and_undo_brings_it_back(someone: Person) -> None:
    tab = someone.tab()
    someone.tell("First", topic="orders.late")
    expect(toasts(tab)).to_have_count(1)
    notice(tab, "First").hover()
    notice(tab, "First").get_by_role("button", name="Mute", exact=True).click()
    expect(toasts(tab).first).to_contain_text("You still get mentions.")
    toasts(tab).first.get_by_role("button", name="Undo").click()
    tab.button("Close notifications").click()
    someone.tell("Second", topic="orders.late")
    expect(toasts(tab).first).to_contain_text("Second")
    expect(bell(tab)).to_have_text("2")

    notice(tab, "First").hover()
    notice(tab, "First").get_by_role("button", name="Mute", exact=True).click()
    expect(toasts(tab).first).to_contain_text("Muted orders.late")
    someone.tell("Third", topic="orders.late")
    someone.tell("Fourth, of another topic")
    expect(notice(tab, "Third")).to_be_visible()
    expect(notice(tab, "Fourth")).to_be_visible()
    expect(bell(tab)).to_have_text("3")
    device = someone.tab()
    expect(bell(device)).to_have_text("3")
    centre(device).get_by_role("button", name="Do not disturb").click()
    device.button("Unmute orders.late").click()
    expect(device.page.get_by_text("Nothing is muted.")).to_be_visible()
    device.page.keyboard.press("Escape")
    device.button("Close notifications").click()
    someone.tell("Fifth", topic="orders.late")
    expect(toasts(device).first).to_contain_text("Fifth")


def test_28_do_not_disturb_shows_no_toast_and_still_counts(someone: Person) -> None:
    tab, device = someone.tab(), someone.tab()
    centre(tab).get_by_role("button", name="Do not disturb").click()
    tab.button("For an hour").click()
    expect(tab.page.get_by_text("Unread counts still update.")).to_be_visible()
    expect(bell(device).locator("use")).to_have_attribute("href", re.compile("#bell-off$"))
    someone.tell("Quietly")
    expect(bell(device)).to_have_text("1")
    expect(toasts(device)).to_have_count(0)
    tab.button("Turn off").click()
    expect(bell(device).locator("use")).to_have_attribute("href", re.compile("#bell$"))
    someone.tell("Aloud")
    expect(toasts(device)).to_have_count(1)
    expect(toasts(device)).to_contain_text("Aloud")


def test_29_a_click_goes_to_the_item_and_marks_it_read(someone: Person) -> None:
    tab = someone.tab()
    tab.answered("To come back to")
    path = tab.path
    tab.page.get_by_role("button", name="New conversation").click()
    someone.tell("An answer", kind="answer", link=path)
    toasts(tab).get_by_role("button", name="Open").click()
    expect(tab.text).to_have_text("You asked: To come back to")
    assert tab.path == path
    expect(toasts(tab)).to_have_count(0)
    expect(bell(tab)).to_have_accessible_name("Notifications")

    # What is looked at is not told.
    someone.tell("The same answer", kind="answer", link=path)
    expect(notice(tab, "The same answer")).not_to_have_class(re.compile("unread"))
    expect(toasts(tab)).to_have_count(0)
    tab.page.get_by_role("button", name="New conversation").click()
    notice(tab, "The same answer").get_by_role("link").click()
    expect(tab.text).to_have_text("You asked: To come back to")
    tab.page.go_back()
    expect(tab.page).to_have_title(re.compile("^New conversation"))


def test_29_a_mention_leads_to_its_message_and_is_read_where_the_room_is_read(someone: Person) -> None:
    tab, device = someone.tab(), someone.tab()
    jonas = someone.device()
    room = f"{someone.server.url}/topics/rooms.mentions/events"
    assert tab.page.request.post(f"{room}?type=room.created", data={"name": "mentions", "private": False}).ok
    assert jonas.request.post(f"{someone.server.url}/session", data={"name": "Jonas"}).ok
    assert jonas.request.post(f"{room}?type=member.joined", data={"member": "Jonas", "role": "member"}).ok

    def say(text: str) -> None:
        assert jonas.request.post(f"{room}?type=message.posted", data={"text": text}).ok

    say("@Mara first")
    expect(toasts(tab)).to_contain_text("@Mara first")
    toasts(tab).get_by_role("button", name="Reply").click()
    expect(tab.page.get_by_role("log")).to_contain_text("first")
    for one in (tab, device):
        expect(bell(one)).to_have_accessible_name("Notifications")
    # The room is looked at here, so nothing is told: neither here nor there.
    say("@Mara second")
    expect(tab.page.get_by_role("log")).to_contain_text("second")
    expect(notice(device, "second")).not_to_have_class(re.compile("unread"))
    expect(toasts(tab)).to_have_count(0)
    tab.page.get_by_role("link", name="Tidings", exact=True).click()
    say("@Mara third")
    expect(bell(device)).to_have_accessible_name("Notifications, 1 unread")


def test_a_program_s_notification_stays_text_and_links_only_inside(someone: Person) -> None:
    someone.tell("<img src=x onerror=window.pwned=1>", text="<script>window.pwned=2</script>", kind="constructor")
    someone.tell("Elsewhere", link="https://example.com/a?b=1&c=2")
    tab = someone.tab()
    expect(notice(tab, "<img src=x")).to_contain_text("<script>window.pwned=2</script>")
    link = notice(tab, "Elsewhere").get_by_role("link")
    expect(link).to_have_attribute("href", "https://example.com/a?b=1&c=2")
    expect(link).to_have_attribute("rel", re.compile("noopener"))
    assert tab.page.locator("#centre a").count() == 1
    assert tab.page.evaluate("window.pwned") is None


SHOWN = """
window.told = [];
window.mine = 0;
const all = new BroadcastChannel("told");
all.onmessage = ({data}) => told.push(data);
window.Notification = new Proxy(Notification, {construct(target, given) {
    mine += 1;
    told.push(given[0]);
    all.postMessage(given[0]);
    return window.last = new target(...given);
}});
"""
"""Writes down in every tab what the browser was told to show, and lets it."""

TURN = """(hidden) => {
    Object.defineProperty(Document.prototype, "hidden", {configurable: true, get: () => hidden});
    document.dispatchEvent(new Event("visibilitychange"));
}"""
NOBODY = "async () => !(await navigator.locks.query()).held.some(({name}) => name === 'tidings.seen')"
CHOSEN = "async () => (await navigator.locks.query()).held.some(({name}) => name === 'tidings.desktop')"
TOLD = "(all) => JSON.stringify(told) === JSON.stringify(all)"


def test_27_29_desktop_notifications_are_turned_on_by_a_click_and_shown_by_one_tab(someone: Person) -> None:
    context = someone.device(permissions=["notifications"])
    context.add_init_script(SHOWN)
    tabs = [someone.tab(context=context) for _ in range(3)]
    first = tabs[0]
    expect(centre(first).get_by_text("Desktop notifications are off.")).to_be_visible()
    first.button("Turn on").click()
    for tab in tabs:
        expect(centre(tab).get_by_text("Desktop notifications are on.")).to_be_visible()
        tab.button("Close notifications").click()

    someone.tell("While one looks")
    for tab in tabs:
        expect(bell(tab)).to_have_text("1")
        expect(toasts(tab)).to_have_count(1)
        tab.page.evaluate(TURN, True)
    until(first.page, NOBODY)
    someone.tell("While nobody looks")
    for tab in tabs:
        tab.page.wait_for_function(TOLD, arg=["While nobody looks"])

    # The next one takes over when it goes.
    shows = next(tab for tab in tabs if tab.page.evaluate("mine"))
    tabs.remove(shows)
    shows.page.close()
    until(tabs[0].page, CHOSEN)
    someone.tell("To who is left")
    for tab in tabs:
        tab.page.wait_for_function(TOLD, arg=["While nobody looks", "To who is left"])

    # A click on it goes to the tab, and it is read.
    shows = next(tab for tab in tabs if tab.page.evaluate("mine"))
    shows.page.evaluate("last.onclick()")
    expect(bell(shows)).to_have_text("2")


def test_27_nothing_is_asked_before_a_click_and_a_no_is_explained(someone: Person) -> None:
    context = someone.device()
    context.add_init_script(
        "Notification.requestPermission = async () => (window.asked = true, 'denied');"
        "Object.defineProperty(Notification, 'permission', {get: () => 'default'})"
    )
    tab = someone.tab(context=context)
    expect(centre(tab).get_by_text("Desktop notifications are off.")).to_be_visible()
    assert tab.page.evaluate("window.asked") is None
    tab.button("Turn on").click()
    expect(tab.page.get_by_text("Desktop notifications are blocked.")).to_be_visible()
    expect(tab.button("Turn on")).to_have_count(0)


def test_27_a_page_without_https_says_why_they_stay_off(open_tab: OpenTab, lan: ServerProcess) -> None:
    tab = open_tab(url=f"http://lan.test:{lan.port}")
    assert tab.page.evaluate("isSecureContext") is False
    expect(
        centre(tab).get_by_text("Desktop notifications need https or this machine. Here they stay off.")
    ).to_be_visible()
    expect(tab.button("Turn on")).to_have_count(0)


def test_27_without_locks_to_choose_a_tab_by_they_stay_off_and_the_page_says_so(someone: Person) -> None:
    context = someone.device(permissions=["notifications"])
    # They were on, with locks. Without any, each tab has a connection of its own, and only while it is looked at.
    on = "localStorage.setItem('tidings.desktop', 'true')"
    context.add_init_script(";".join((WITHOUT["SharedWorker"], WITHOUT["locks"], on, SHOWN)))
    tabs = [someone.tab(context=context) for _ in range(3)]
    for tab in tabs:
        assert tab.page.evaluate("[isSecureContext, Notification.permission]") == [True, "granted"]
        expect(centre(tab).get_by_text("Desktop notifications need a newer browser.")).to_be_visible()
        expect(tab.button("Turn on")).to_have_count(0)
        tab.button("Close notifications").click()
    tabs[0].page.evaluate(TURN, True)
    someone.tell("To two who look and one who does not")
    for tab in tabs[1:]:
        expect(bell(tab)).to_have_text("1")
    tabs[0].page.evaluate(TURN, False)
    expect(bell(tabs[0])).to_have_text("1")
    assert [tab.page.evaluate("told") for tab in tabs] == [[], [], []]
