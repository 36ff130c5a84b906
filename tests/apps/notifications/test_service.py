"""Inboxes, and notifying people."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from tidings import Hub
from tidings.apps.notifications.facts import LINK, TEXT, TITLE
from tidings.apps.notifications.service import Notifications, shortened, topic_of
from tidings.events import Offset
from tidings.stores.sqlite.backup import back_up
from tidings.stores.sqlite.restore import restore


async def test_a_person_is_notified_once_for_each_key(hub: Hub) -> None:
    notifications = Notifications(hub)
    for _ in range(2):
        await notifications.notify(
            "Ann", "mention", "Bob mentioned you", key="1", text="Hello", link="/r/lobby", by="Bob"
        )
    await notifications.notify("Ann", "mention", "Bob mentioned you", key="2")
    inbox, offset = await notifications.inbox("Ann")
    assert [one.title for one in inbox.items] == ["Bob mentioned you"] * 2
    assert inbox.unread == 2
    assert (inbox.items[-1].text, inbox.items[-1].link, inbox.items[-1].by) == ("Hello", "/r/lobby", "Bob")
    assert offset == (await hub.read(topic_of("Ann"))).tail
    assert (await notifications.inbox("Bob"))[0].items == []


async def test_a_notification_that_is_too_long_is_cut(hub: Hub) -> None:
    notifications = Notifications(hub)
    await notifications.notify("Ann", "reply", "t" * 999, key="1", text="x\x1b" * 9999, link="/" + "x" * LINK)
    [one] = (await notifications.inbox("Ann"))[0].items
    assert one.title == "t" * (TITLE - 1) + "…"
    assert one.text is not None
    assert len(one.text) <= TEXT
    assert "\x1b" not in one.text
    assert one.link is None


async def test_read_markers_are_those_of_the_persons_rooms(hub: Hub) -> None:
    notifications = Notifications(hub)
    assert (await notifications.markers("Ann"))[0] == {}
    await hub.publish(topic_of("Ann"), {"room": "lobby", "offset": "E-4"}, "room.read")
    markers, offset = await notifications.markers("Ann")
    assert dict(markers) == {"lobby": "E-4"}
    assert offset.n == 1


async def test_a_topic_that_takes_no_notification_is_logged_and_refuses_nobody(
    hub: Hub, caplog: pytest.LogCaptureFixture
) -> None:
    """The publisher's message is stored already, so its request must succeed."""
    notifications = Notifications(hub)
    await hub.publish(topic_of("Ann"), {"until": None}, "dnd.set", close=True)
    with caplog.at_level(logging.WARNING, "tidings.notifications"):
        await notifications.notify("Ann", "mention", "Bob mentioned you", key="1")
        await notifications.notify("é" * 60, "mention", "Bob mentioned you", key="1")
    assert [topic_of("Ann") in record.getMessage() for record in caplog.records] == [True, False]


@pytest.mark.parametrize(
    ("text", "most", "shown"),
    [
        ("short", 5, "short"),
        ("too long", 5, "too…"),
        ("toolong", 5, "tool…"),
        ("a\x00b\u202ec", 9, "a b c"),
        ("a\n\tb", 9, "a\n\tb"),
    ],
)
def test_shortened_text_is_printable_and_ends_with_a_mark(text: str, most: int, shown: str) -> None:
    assert shortened(text, most) == shown


def test_no_more_of_a_text_is_read_than_is_shown() -> None:
    class Text(str):
        def __iter__(self) -> Iterator[str]:
            raise AssertionError("all of the text is read")

        def isprintable(self) -> bool:
            raise AssertionError("all of the text is read")

    assert shortened(Text("a\nb" * 1_000), 4) == "a\nb…"


async def test_a_read_marker_of_a_restored_room_covers_older_notifications(tmp_path: Path) -> None:
    """The marker is an offset of the room's new life, and the notification names one of the old life."""
    database, backup = str(tmp_path / "t.db"), str(tmp_path / "backup.db")
    async with Hub(f"sqlite:///{database}") as before:
        notifications = Notifications(before)
        events = [await before.publish("rooms.den", str(n)) for n in range(3)]
        for n, event in enumerate(events):
            await notifications.notify("Ann", "mention", str(n), key=str(n), topic="rooms.den", event=event)
        await notifications.notify("Ann", "mention", "odd", key="odd", topic="rooms.den", event="no offset")
        await before.publish("users.Ann", {"room": "den", "offset": str(events[0])}, "room.read")
    await asyncio.to_thread(back_up, database, backup)
    await asyncio.to_thread(restore, backup, database)
    async with Hub(f"sqlite:///{database}") as after:
        notifications = Notifications(after)
        tail = (await after.describe("rooms.den")).tail
        await after.publish("users.Ann", {"room": "den", "offset": str(tail._replace(n=2))}, "room.read")
        inbox, _ = await notifications.inbox("Ann")
        assert [(item.title, item.read) for item in inbox.items] == [
            ("odd", False),
            ("2", False),
            ("1", True),
            ("0", True),
        ]
        assert inbox.items[1].event == str(tail)
        assert inbox.unread == 2
        # A message of the old life that is deleted now takes its notification along.
        unread: list[int] = []

        async def instead(number: int) -> None:
            unread.append(number)

        two = Offset.parse(inbox.items[1].offset).n
        await notifications.withdraw("Ann", "rooms.den", tail, instead)
        assert unread == [two]
        assert [item.title for item in (await notifications.inbox("Ann"))[0].items] == ["odd", "1", "0"]
