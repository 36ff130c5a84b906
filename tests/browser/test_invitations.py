"""Adding people to a room: known people from a list, and others by an invitation."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.conftest import OpenTab
from tests.browser.people import Meet, RoomTab, meeting
from tests.browser.test_layout import AXE
from tests.serving import ServerProcess
from tidings.access.names import topics_of
from tidings.access.tokens import sign

SECRET = "a secret of the tests, which is at least 32 bytes long"
PHONE: dict[str, Any] = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
MOVING = {"reduced_motion": "no-preference"}


@pytest.fixture
def meet(browser: Browser, open_tab: OpenTab, server: ServerProcess) -> Iterator[Meet]:
    yield from meeting(browser, open_tab, server.url)


@pytest.fixture(scope="module")
def locked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A server that asks for tokens, and has no model."""
    store = f"sqlite:///{tmp_path_factory.mktemp('invited')}/tidings.db"
    with ServerProcess(store, env={"TIDINGS_SECRET": SECRET}) as server:
        yield server


def signed_in(open_tab: OpenTab, server: ServerProcess, name: str) -> RoomTab:
    """A tab of a person who has signed in with a token."""
    tab = RoomTab(open_tab(url=server.url, **MOVING).page)
    tab.page.get_by_label("Token").fill(
        sign(SECRET, name, publish=topics_of(name), subscribe=topics_of(name), seconds=600)
    )
    tab.button("Continue").click()
    expect(tab.page.locator(".me .name")).to_have_text(name)
    return tab


def test_a_known_person_is_picked_by_the_keyboard_and_an_unknown_one_is_invited(meet: Meet) -> None:
    mara, jonas, ada = meet("Mara Picks", **MOVING), meet("Jonas Picked"), meet("Ada Unseen")
    mara.make("picking", private=True)
    jonas.make("abroad")
    tab = mara.open("picking")
    keys = tab.page.keyboard
    tab.log.get_by_role("button", name="Invite people").click()
    dialog = tab.page.get_by_role("dialog", name="Add a member")
    field = dialog.get_by_role("combobox", name="Person")
    expect(field).to_be_focused()
    keys.type("picked")
    option = dialog.get_by_role("option").first
    expect(option).to_contain_text("Jonas Picked")
    expect(option).to_have_attribute("aria-selected", "true")
    if AXE.exists():
        tab.page.evaluate(AXE.read_text(encoding="utf-8"))
        found = tab.page.evaluate("axe.run(document, {resultTypes: ['violations']})")["violations"]
        assert [(fault["id"], fault["nodes"][0]["html"]) for fault in found] == []
    keys.press("ArrowDown")
    expect(dialog.get_by_role("option", name="Invite picked")).to_have_attribute("aria-selected", "true")
    keys.press("ArrowUp")
    keys.press("Enter")
    expect(field).to_have_value("Jonas Picked")
    expect(dialog.get_by_role("listbox", name="People")).to_be_hidden()
    expect(dialog.get_by_role("button", name="Add Jonas Picked")).to_be_visible()
    keys.press("Enter")
    expect(dialog).to_have_count(0)
    expect(tab.member("Jonas Picked")).to_contain_text("away")

    tab.more("Add a member")
    keys.type("Ada Unseen")
    expect(dialog.get_by_role("option", name="Invite Ada Unseen")).to_be_visible()
    dialog.get_by_role("button", name="Invite Ada Unseen").click()
    expect(dialog).to_have_count(0)
    expect(tab.member("Ada Unseen")).to_contain_text("has not joined yet")
    expect(tab.log).to_contain_text("Mara Picks invited Ada Unseen")
    tab.more("Add a member")
    keys.type("ada unseen")
    dialog.get_by_role("button", name="Invite ada unseen").click()
    expect(tab.member("ada unseen")).to_have_count(2)  # another spelling is another name
    tab.aside.get_by_role("button", name="About ada unseen", exact=True).click()
    tab.page.get_by_role("menuitem", name="Revoke invitation").click()
    expect(tab.member("ada unseen")).to_have_count(1)

    guest = ada.open("picking")  # names prove nothing on this server
    expect(guest.page.get_by_role("heading", name="You can't open this room")).to_be_visible()
    expect(guest.item("picking")).to_have_count(0)
    expect(tab.member("Ada Unseen")).to_contain_text("here, not added yet")
    tab.aside.get_by_role("button", name="About Ada Unseen", exact=True).click()
    tab.page.get_by_role("menuitem", name="Add now").click()
    expect(guest.page.get_by_label("Write to #picking")).to_be_visible()
    expect(tab.aside.get_by_role("heading", name="Invited")).to_have_count(0)


def test_an_invited_person_is_in_the_room_after_the_first_sign_in(open_tab: OpenTab, locked: ServerProcess) -> None:
    mara = signed_in(open_tab, locked, "Mara")
    publish = f"{locked.url}/topics/rooms.harbour/events?type="
    for type, data in (
        ("room.created", {"name": "harbour", "private": True}),
        ("member.invited", {"member": "Ada", "role": "reader"}),
    ):
        assert mara.page.request.post(publish + type, data=data).ok
    mara.page.goto(f"{locked.url}/r/harbour")
    expect(mara.member("Ada")).to_contain_text("has not joined yet, reader")

    ada = signed_in(open_tab, locked, "Ada")
    ada.item("harbour").click()
    expect(ada.page.get_by_text("Read-only. Ask an owner for permission to post.")).to_be_visible()
    expect(mara.member("Ada")).to_contain_text("here, reader")
    expect(mara.aside.get_by_role("heading", name="Invited")).to_have_count(0)

    # A person who is signed in already joins at once.
    second = f"{locked.url}/topics/rooms.pier/events?type="
    assert mara.page.request.post(second + "room.created", data={"name": "pier", "private": True}).ok
    assert mara.page.request.post(second + "member.invited", data={"member": "Ada"}).ok
    expect(ada.item("pier")).to_be_visible()
    ada.page.locator(".bell").click()
    expect(ada.page.locator("#centre")).to_contain_text("Mara invited you to #pier")


def test_the_picker_fits_a_phone(meet: Meet) -> None:
    mara, jonas = meet("Mara Thumbs", **PHONE, color_scheme="dark"), meet("Jonas Thumbs")
    jonas.make("thumbs-abroad")
    mara.make("thumbs")
    tab = mara.open("thumbs")
    tab.button("Room details").click()
    tab.aside.get_by_role("button", name="Add a member").click()
    tab.page.get_by_role("combobox", name="Person").fill("thumb")
    option = tab.page.get_by_role("option").first
    expect(option).to_contain_text("Jonas Thumbs")
    box = option.bounding_box()
    assert box is not None
    assert box["height"] >= 44
    assert tab.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    option.tap()
    tab.button("Add Jonas Thumbs").tap()
    expect(tab.member("Jonas Thumbs")).to_be_visible()
