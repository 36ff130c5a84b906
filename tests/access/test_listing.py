"""Lists: the topics that a subject may read, and how many rows of the store a list reads."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from tests.apps.members import SECRET, Member, room
from tests.http.conftest import serving
from tidings import Hub
from tidings.access.guards import Guard, Guards, Sealed
from tidings.access.listing import Listing
from tidings.access.subject import Patterns, Subject
from tidings.access.tokens import sign
from tidings.errors import Forbidden, InvalidRequest
from tidings.log.head import Head
from tidings.runs.run import announced_in
from tidings.runs.runs import new_id
from tidings.wire.run_events import RunStarted, to_item

ANN = Subject("Ann", Patterns(["*"]), Patterns(["*"]))


class Rows:
    """A store that counts the heads that it gives."""

    def __init__(self, store: Any) -> None:
        self._store = store
        self.count = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    async def topics(self, *args: Any, **options: Any) -> Any:
        found = await self._store.topics(*args, **options)
        self.count += len(found)
        return found

    async def labels(self, *args: Any) -> Any:
        found = await self._store.labels(*args)
        self.count += len(found)
        return found

    async def load(self, topic: str) -> Any:
        self.count += 1
        return await self._store.load(topic)


class Own(Guard):
    """A guard of topics that only those with the label of their reader may see, and of which `own.no` is refused."""

    async def labels(self, subject: Subject) -> Sequence[str]:
        return [f"for {subject.name}"]

    async def list(self, subject: Subject, topic: str, head: Head) -> None:
        if topic == "own":
            raise InvalidRequest("A topic of this kind has two segments.")
        if topic == "own.no":
            raise Forbidden("Not this one.")


NAMES = ["a", "own-x", "own.1", "own.2", "own.no", "ownx", "sealed", "sealed.x", "zoo"]


@pytest.fixture
async def rows(hub: Hub) -> Rows:
    for name in NAMES:
        await hub.log.append(name, [("m", "x")], labels={"for Ann": name.startswith("own.")})
    await hub.log.append("own", [("m", "x")])
    for n in range(500):
        await hub.log.append(f"own.hidden{n}", [("m", "x")])
    rows = Rows(hub._store)
    hub.log.store = rows  # type: ignore[assignment]
    return rows


async def listed(hub: Hub, subject: Subject = ANN, prefix: str = "", after: str = "", limit: int = 100) -> list[str]:
    listing = Listing(hub.log, Guards({"own": Own(), "sealed": Sealed()}), subject, limit)
    await listing.fill(prefix, after)
    return listing.names


VISIBLE = ["a", "own-x", "own.1", "own.2", "ownx", "zoo"]


@pytest.mark.parametrize("limit", [1, 2, 3, 5, 6, 100])
async def test_pages_have_every_topic_once_and_read_no_more_than_they_show(hub: Hub, rows: Rows, limit: int) -> None:
    found: list[str] = []
    while page := await listed(hub, after=found[-1] if found else "", limit=limit):
        assert len(page) == limit or page[-1] == VISIBLE[-1]
        found += page
        # A page reads on behind a segment with a guard, and once in the place of each topic that it must leave out.
        assert rows.count <= 4 * limit + 6
        rows.count = 0
    assert found == VISIBLE


@pytest.mark.parametrize(
    ("patterns", "prefix", "after", "names"),
    [
        (["own.*"], "", "", ["own.1", "own.2"]),
        (["*"], "own.", "own.1", ["own.2"]),
        (["*"], "own", "own-", ["own-x", "own.1", "own.2", "ownx"]),
        (["*"], "own.hidden", "", []),
        (["*"], "sealed.", "", []),
        (["zoo", "own.2", "own.no", "none", "sealed.x"], "", "", ["own.2", "zoo"]),
        (["zoo"], "", "zoo", []),
        ([], "", "", []),
    ],
)
async def test_a_list_of_a_prefix_and_of_a_token(
    hub: Hub, rows: Rows, patterns: list[str], prefix: str, after: str, names: list[str]
) -> None:
    subject = Subject("Ann", Patterns(patterns), Patterns(patterns))
    assert await listed(hub, subject, prefix, after) == names
    assert rows.count <= 110


async def test_a_full_page_reads_no_further_topic(hub: Hub, rows: Rows) -> None:
    subject = Subject("Ann", Patterns(["a", "own.1", "own.2"]), Patterns(["a", "own.1", "own.2"]))
    await listed(hub, subject, limit=100)
    reads, rows.count = rows.count, 0
    assert await listed(hub, subject, limit=2) == ["a", "own.1"]
    assert rows.count < reads


async def test_a_stranger_s_list_reads_none_of_what_is_hidden(hub: Hub, rows: Rows) -> None:
    eve = Subject("Eve", Patterns(["own.*"]), Patterns(["own.*"]))
    assert await listed(hub, eve, limit=1) == []
    assert rows.count == 0


async def start_run(hub: Hub, by: str | None, topic: str | None = None) -> str:
    """A run as `hub.runs.start` begins it; its topic."""
    id = new_id()
    labels = {announced_in(topic): True} if topic else {}
    started = to_item(RunStarted(run=id, turn=id, assistant="", attempt=1, by=by, topic=topic))
    await hub.log.append(f"runs.{id}", [started], owner=by or "", default=None, labels=labels)
    return f"runs.{id}"


async def test_rooms_runs_and_conversations_of_others_are_not_looked_at() -> None:
    """A list that looked at each took 1.7 s over 1,500 private rooms."""
    async with serving(secret=SECRET) as server:
        hub, ann, bob, eve = server.hub, Member(server, "Ann"), Member(server, "Bob"), Member(server, "Eve")
        hidden = set()
        for n in range(30):
            topic = await room(ann, f"private{n}", private=True)
            hidden |= {topic, await start_run(hub, "Ann", topic), await start_run(hub, "Ann")}
            assert (await ann.say(f"conversations.c{n}", "run.created", run="x")).status_code == 201
            hidden.add(f"conversations.c{n}")
        rows = Rows(hub._store)
        hub.log.store = rows  # type: ignore[assignment]
        assert (await eve.get("/topics?limit=1")).json() == {"topics": []}
        assert rows.count <= 5, "four topics that a token names whole, and one topic in which runs were announced"
        assert (await eve.get("/rooms")).json()["rooms"] == []
        assert rows.count <= 6, "and the head of Eve's own topic"
        answer = await ann.get("/topics?limit=1000")
        assert answer.status_code == 200, answer.text
        listed = answer.json()["topics"]
        assert hidden <= set(listed)
        assert listed == sorted(listed)
        assert len((await ann.get("/rooms")).json()["rooms"]) == 30

        # Bob sees what he is let into, and no more of it once he is not.
        await ann.said("rooms.private7", "member.joined", member="Bob")
        public = await room(ann, "public")
        open_run, free_run = await start_run(hub, "Ann", public), await start_run(hub, None)
        rows.count = 0
        seen = (await bob.get("/topics?limit=1000")).json()["topics"]
        [run] = [name for name in seen if name in hidden and name.startswith("runs.")]
        assert set(seen) == {"rooms.private7", public, run, open_run, free_run, "users.Bob"}
        assert rows.count <= 40
        assert (await bob.get(f"/topics/{run}")).status_code == 200
        assert [found["id"] for found in (await bob.get("/rooms")).json()["rooms"]] == ["private7", "public"]
        await ann.said("rooms.private7", "member.banned", member="Bob")
        assert set((await bob.get("/topics?limit=1000")).json()["topics"]) == {public, open_run, free_run, "users.Bob"}
        assert [found["id"] for found in (await bob.get("/rooms")).json()["rooms"]] == ["public"]


async def test_runs_announced_in_topics_without_a_guard_are_listed_to_their_readers() -> None:
    async with serving(secret=SECRET) as server:
        runs = {
            topic: await start_run(server.hub, "Ann", topic) for topic in ("team.a", "team.b", "other", "users.x.y")
        }
        await start_run(server.hub, "Ann", "conversations.c")
        eve = Member(server, "Eve")
        for patterns, seen in (
            (["runs.*"], []),
            (["runs.*", "team.*"], ["team.a", "team.b"]),
            (["runs.*", "team.b", "none"], ["team.b"]),
            (["*"], list(runs)),
        ):
            token = sign(SECRET, "Eve", publish=[], subscribe=patterns, seconds=60)
            eve.headers = {"authorization": f"Bearer {token}"}
            listed = (await eve.get("/topics?prefix=runs.")).json()["topics"]
            assert listed == sorted(runs[topic] for topic in seen), patterns
