"""Search: what is found, in which order, by whom, and what a query may be."""

from __future__ import annotations

import asyncio
import sqlite3
from typing import Any

import pytest

from tests.apps.members import Member, room
from tests.http.conftest import Server, serving
from tests.http.problems import problem
from tidings import Hub
from tidings.apps.search import index
from tidings.apps.search.index import Search
from tidings.apps.search.query import parse
from tidings.errors import Unavailable

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.fixture
def ann(server: Server) -> Member:
    return Member(server, "Ann")


async def found(who: Member, q: str, **more: str) -> list[dict[str, Any]]:
    answer = await who.server.client.get("/search", params={"q": q, **more}, headers=who.headers)
    assert answer.status_code == 200, answer.text
    hits: list[dict[str, Any]] = answer.json()["hits"]
    return hits


async def texts(who: Member, q: str, **more: str) -> list[str]:
    return [hit["text"] for hit in await found(who, q, **more)]


async def test_the_newest_come_first_in_all_rooms_that_one_may_read(server: Server, ann: Member, id: str) -> None:
    eve = Member(server, "Eve")
    rooms = [await room(ann, f"{id}-{n}", private=n == 1) for n in range(3)]
    offsets = [await ann.said(rooms[n % 3], "message.posted", text=f"lanternfish number {n}") for n in range(6)]
    hits = await found(ann, "lanternfish")
    assert [hit["offset"] for hit in hits] == offsets[::-1]
    assert hits[0] == {
        "room": f"{id}-2", "conversation": None, "offset": offsets[5], "run": None, "by": "Ann", "assistant": None,
        "time": hits[0]["time"], "text": "lanternfish number 5", "marks": [[0, 11]], "files": [],
        "previous": {"by": "Ann", "assistant": None, "text": "lanternfish number 2"}, "following": None,
    }  # fmt: skip
    assert [hit["offset"] for hit in await found(ann, "lanternfish", room=f"{id}-1")] == [offsets[4], offsets[1]]
    assert [hit["offset"] for hit in await found(eve, "lanternfish")] == [offsets[n] for n in (5, 3, 2, 0)]
    problem(await eve.get(f"/search?q=lanternfish&room={id}-1"), 403, "private")
    problem(await eve.get("/search?q=lanternfish&room=nowhere"), 404, "nowhere")


async def test_edits_and_deletes_count(server: Server, ann: Member, id: str) -> None:
    topic = await room(ann, id)
    said = [await ann.said(topic, "message.posted", text=text) for text in ("ocelot one", "ocelot two", "ocelot three")]
    assert len(await texts(ann, "ocelot")) == 3
    await ann.said(topic, "message.edited", message=said[0], text="a zebra now")
    await ann.said(topic, "message.deleted", message=said[1])
    assert await texts(ann, "ocelot") == ["ocelot three"]
    assert await texts(ann, "zebra", room=id) == ["a zebra now"]


async def test_the_edit_of_another_changes_nothing(server: Server, ann: Member, id: str) -> None:
    topic = await room(ann, id)
    said = await ann.said(topic, "message.posted", text="quokka")
    # As a program could that publishes past the guard, in Python.
    await server.hub.publish(topic, {"by": "Eve", "message": said, "text": "mongoose"}, "message.edited")
    assert await texts(ann, "mongoose", room=id) == []
    assert await texts(ann, "quokka", room=id) == ["quokka"]


async def test_answers_are_found(server: Server, ann: Member, id: str) -> None:
    topic = await room(ann, id)
    await server.hub.publish(topic, {"run": "R1", "assistant": "docs"}, "run.created")
    await server.hub.publish(topic, {"run": "R1", "assistant": "docs", "text": "The axolotl"}, "answer.posted")
    [hit] = await found(ann, "axolotl")
    assert (hit["by"], hit["assistant"]) == ("", "docs")


async def test_a_room_that_is_made_anew_forgets_what_was_said(server: Server, ann: Member, id: str) -> None:
    topic = await room(ann, id)
    await ann.said(topic, "message.posted", text="pangolin old")
    assert await texts(ann, "pangolin") == ["pangolin old"]
    await server.hub.delete(topic)
    assert await texts(ann, "pangolin") == []
    await room(ann, id)
    await ann.said(topic, "message.posted", text="pangolin new")
    assert await texts(ann, "pangolin") == ["pangolin new"]


async def test_pages_join_without_gap_or_double(server: Server, ann: Member, id: str) -> None:
    topic = await room(ann, id)
    lines = "\n".join(f'{{"type":"message.posted","data":{{"text":"wombat {n}"}}}}' for n in range(50))
    headers = {**ann.headers, "content-type": "application/x-ndjson"}
    assert (await server.client.post(f"/topics/{topic}/events", content=lines, headers=headers)).status_code == 201
    seen: list[str] = []
    before = ""
    while before is not None:
        page = (await ann.get(f"/search?q=wombat&before={before}")).json()
        assert 0 < len(page["hits"]) <= 20
        seen += [hit["text"] for hit in page["hits"]]
        before = page["next"]
    assert seen == [f"wombat {n}" for n in reversed(range(50))]


@pytest.mark.parametrize(
    ("q", "hits"),
    [
        ("deploy", True), ("dep", True), ("DEPLOY", True), ("friday deploy", True), ("deploy monday", False),
        ('"deploy on friday"', True), ('"deploy friday"', False), ('"deploy on', True), ("ploy", False),
        ("cafe", True), ("café", True), ("naïve", False), ("deploy)", True), ("deploy*", True), ("-deploy", True),
        ("text:deploy", False), ("deploy NEAR friday", False), ("deploy OR monday", False), ("NOT deploy", False),
        ("'; DROP TABLE said; --", False), ("^deploy", True), ("{deploy}", True), ("c++", True), ("\u0000deploy", True),
        ("f_o", True),
    ],
)  # fmt: skip
async def test_a_query_is_words(server: Server, ann: Member, q: str, hits: bool) -> None:
    if await server.hub.log.describe("rooms.words") is None:
        topic = await room(ann, "words")
        await ann.said(topic, "message.posted", text="We deploy on Friday, from the Café, in C++, f_o_o.")
    assert bool(await texts(ann, q, room="words")) is hits


@pytest.mark.parametrize("q", ["*", '"', '""', "()", "  ", "-", " ".join("abcdefghijklmnopq")])
async def test_a_query_without_a_word_is_refused(ann: Member, q: str) -> None:
    problem(await ann.server.client.get("/search", params={"q": q}, headers=ann.headers), 400, "word")


async def test_a_query_is_bounded(ann: Member) -> None:
    for params in ({"q": "x" * 201}, {"q": ""}, {}, {"q": "x", "before": "-1"}, {"q": "x", "before": "y"}):
        answer = await ann.server.client.get("/search", params=params, headers=ann.headers)
        assert answer.status_code == 422
    assert (await ann.get(f"/search?q=x&before={'9' * 19}")).status_code == 200


async def test_conditions_choose_the_author_the_room_and_the_files(server: Server, ann: Member, id: str) -> None:
    bob = Member(server, "Bob Marsh")
    topics = [await room(ann, f"{id}-{n}", bob) for n in range(2)]
    for member in (ann, bob):
        for topic in topics:
            await member.said(topic, "message.posted", text=f"kelpie by {member.name}")
    headers = {**bob.headers, "content-type": "image/png"}
    stored = await server.client.post(f"/rooms/{id}-0/files?name=kelpie.png", content=b"x", headers=headers)
    file = stored.json()
    await bob.said(topics[0], "message.posted", text="see https://tidings.example", files=[file["id"]])
    for q, count in (
        ("kelpie", 5), ("kelpie from:bob", 3), ("kelpie from:marsh", 3), ("kelpie from:arsh", 0), ("kelpie from:me", 2),
        (f"kelpie in:{id}-1", 2), (f'kelpie in:"#{id}-1"', 2), ("kelpie in:nowhere", 0), ("kelpie in:conversations", 0),
        ("has:file kelpie", 1), ("has:image kelpie", 1), ("has:link from:bob kelpie", 1), ("has:link from:me", 0),
        ("kelpie before:2020-01-01", 0), ("kelpie before:9999-12-31", 5),
    ):  # fmt: skip
        assert len(await found(ann, q)) == count, q
    (hit,) = await found(ann, f"in:{id}-0 has:file")
    assert hit["files"] == [file]
    assert hit["marks"] == []


async def ask(who: Member, id: str, question: str) -> str:
    answer = await who.post("/runs", {"input": question, "topic": f"conversations.{id}"})
    assert answer.status_code == 201, answer.text
    run: str = answer.json()["run"]
    await (await who.server.hub.runs.get(run)).wait()
    return run


async def test_questions_and_answers_are_found_by_their_asker_alone(server: Server, ann: Member, id: str) -> None:
    eve = Member(server, "Eve")
    first = await ask(ann, id, "What is a narwhal?|A narwhal is a whale.")
    second = await ask(ann, id, "Where?|In the Arctic.")
    answer, question = await found(ann, "narwhal")
    assert (answer["conversation"], answer["room"], answer["run"]) == (id, None, first)
    assert (answer["by"], answer["assistant"], answer["text"]) == (
        "",
        "echo",
        "What is a narwhal?A narwhal is a whale.",
    )
    assert (question["by"], question["assistant"], question["run"]) == ("Ann", None, first)
    assert question["offset"] == answer["offset"]
    assert answer["previous"]["text"] == "What is a narwhal?|A narwhal is a whale."
    assert answer["following"]["text"] == "Where?|In the Arctic."
    assert len(await found(ann, "in:conversations from:echo arctic")) == 1
    assert [hit["run"] for hit in await found(ann, "in:conversations arctic from:me")] == [second]
    for q in ("narwhal", "from:ann", "arctic", "in:conversations from:ann"):
        assert [hit for hit in await found(eve, q) if hit["conversation"] == id] == []


async def test_an_answer_is_found_once_its_run_has_ended(server: Server, ann: Member, id: str) -> None:
    server.script.go.clear()
    body = {"input": "ibex now|!wait|ibex later", "topic": f"conversations.{id}"}
    run = (await ann.post("/runs", body)).json()["run"]
    assert [hit["by"] for hit in await found(ann, "ibex")] == ["Ann"]
    server.script.go.set()
    await (await server.hub.runs.get(run)).wait()
    assert [hit["by"] for hit in await found(ann, "ibex")] == ["", "Ann"]


async def test_deleted_and_redacted_conversations_are_not_found(server: Server, ann: Member, id: str) -> None:
    runs = [await ask(ann, f"{id}-{n}", f"tapir {n}") for n in range(3)]
    assert len(await found(ann, "tapir")) == 6
    for topic in (f"conversations.{id}-0", f"runs.{runs[1]}"):
        assert (await server.client.delete(f"/topics/{topic}", headers=ann.headers)).status_code == 204
    event = (await server.hub.read(f"conversations.{id}-2")).events[0]
    assert event.offset is not None
    await server.hub.redact(f"conversations.{id}-2", event.offset)
    assert await found(ann, "tapir") == []
    await ask(ann, f"{id}-0", "tapir in another life")
    assert len(await found(ann, "tapir")) == 2


async def test_a_conversation_says_nothing_of_runs_that_belong_elsewhere(server: Server, ann: Member, id: str) -> None:
    """The owner of a conversation can publish any `run.created` there."""
    eve = Member(server, "Eve")
    secret = await ask(ann, f"{id}-anns", "the secret okapi")
    topic = f"conversations.{id}"
    for run in (secret, "../x", "", 7, None):
        await eve.said(topic, "run.created", run=run, input="mine", by="Eve")
    assert await found(eve, "okapi") == []
    assert await found(eve, "from:echo") == []


async def test_a_guest_without_a_name_searches_what_guests_have_asked() -> None:
    async with serving() as open_server:
        client = open_server.client
        run = (await client.post("/runs", json={"input": "quagga", "topic": "conversations.c"})).json()["run"]
        await (await open_server.hub.runs.get(run)).wait()
        assert len((await client.get("/search?q=quagga")).json()["hits"]) == 2
        assert (await client.post("/session", json={"name": "Ann"})).status_code == 200
        assert (await client.get("/search?q=quagga")).json()["hits"] == []


@pytest.mark.parametrize("q", ["from:", "in: x", "has:cheese", "before:friday", "from:a from:b"])
async def test_a_condition_that_cannot_be_read_is_refused(ann: Member, q: str) -> None:
    problem(await ann.server.client.get("/search", params={"q": q}, headers=ann.headers), 400)


async def test_a_long_room_is_searched() -> None:
    async with Hub("memory:") as hub:
        for start in range(0, 30_000, 5_000):
            said = [
                ("message.posted", f'{{"by":"x","text":"w{n % 977} w{n % 89}"}}') for n in range(start, start + 5_000)
            ]
            await hub.log.append("rooms.big", said)
        tail = (await hub.log.append("rooms.big", [("message.posted", '{"by":"x","text":"the needle"}')])).last
        searching = Search(hub)
        hits = await searching.find(parse("needl"), {"rooms.big": tail})
        assert [(hit.n, hit.text) for hit in hits] == [(30_001, "the needle")]
        found = [hit.n for hit in await searching.find(parse("w976"), {"rooms.big": tail})]
        assert found == [n for n in range(30_000, 0, -1) if (n - 1) % 977 == 976][: index.HITS + 1]
        await searching.close()


async def test_an_index_without_room_for_its_file_is_unavailable_until_there_is_room(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A folder of temporary files that is full: the engine refuses pages beyond a limit as it does then."""
    files: list[sqlite3.Connection] = []

    def opened() -> sqlite3.Connection:
        files.append(search_opened())
        files[-1].execute("PRAGMA max_page_count = 30")
        return files[-1]

    search_opened = index.opened
    monkeypatch.setattr(index, "opened", opened)
    async with Hub("memory:") as hub:
        said = [("message.posted", '{"by":"x","text":"needle %d"}' % n) for n in range(5_000)]  # noqa: UP031
        tail = (await hub.log.append("rooms.r", said)).last
        searching = Search(hub)
        for _ in range(2):
            with pytest.raises(Unavailable, match="temporary file"):
                await searching.find(parse("needle"), {"rooms.r": tail})
        await asyncio.to_thread(files[0].execute, "PRAGMA max_page_count = 100000")
        assert [hit.n for hit in await searching.find(parse("needle"), {"rooms.r": tail})] == list(
            range(5_000, 4_979, -1)
        )
        await searching.close()
    assert len(files) == 1


async def test_closing_waits_for_a_search_and_leaves_no_file_open() -> None:
    async with Hub("memory:") as hub:
        tail = (await hub.log.append("rooms.r", [("message.posted", '{"by":"x","text":"needle"}')])).last
        searching = Search(hub)
        for _ in range(2):  # a closed search opens anew
            task = asyncio.create_task(searching.find(parse("needle"), {"rooms.r": tail}))
            await asyncio.sleep(0)  # the search has begun
            await searching.close()
            assert [hit.text for hit in await task] == ["needle"]
            assert searching._file is None
