"""The tutorial's endpoint, read by a parser that conforms, by an EventSource and by the tutorial's own client."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from urllib.parse import quote

import pytest

from tests.asgi import Client, asking
from tests.http.conftest import Server, serving
from tests.http.problems import problem
from tidings.events import Event, Offset
from tidings.wire.sse import decode
from tidings.wire.tokens import DONE, TokenFormat, tokens

pytestmark = pytest.mark.asyncio(loop_scope="module")

SSE = {"accept": "text/event-stream"}
ANSWERS = ["Hello|, |world|!", "one", " leading| spaces |  kept  ", "é|豆|腐|🎉", "data: |: |id: 3|retry: 5|event: x"]
HARD = [
    "a|\n|b",
    "two\nlines|\n\n|three",
    "|".join(["x\r\ny", "\n"]),
    "[DONE]",
    "no [DONE] yet|[DO|NE]|[DONE][DONE]",
    "\x00|\ttab",
]


def said(question: str) -> str:
    return question.replace("|", "")


def naive(reads: Iterable[bytes], *, prints_all: bool) -> str:
    """The client of many tutorials, with all that is wrong in it."""
    printed = ""
    for read in reads:
        for part in read.decode(errors="replace").split("\n\n"):
            if not prints_all and not part.startswith("data: "):
                continue
            text = part.replace("data: ", "", 1)
            if text == DONE:
                return printed
            printed += text
    raise AssertionError("it waits for ever: there was no [DONE]")


async def ask(server: Server, question: str, headers: dict[str, str] | None = None) -> Client:
    """All of an answer."""
    async with asking(server.app, f"/stream?q={quote(question)}", headers=headers) as client:
        await client.end()
    return client


@pytest.mark.parametrize("question", ANSWERS + HARD)
@pytest.mark.parametrize("headers", [SSE, {}], ids=["EventSource", "fetch"])
async def test_a_conforming_parser_reads_every_answer(server: Server, question: str, headers: dict[str, str]) -> None:
    client = await ask(server, question, headers)
    assert client.status == 200
    assert client.clean
    *parts, done = decode([client.body])
    assert {part.type for part in parts} <= {"message"}
    # An event stream knows one line end.
    assert "".join(part.data for part in parts) == said(question).replace("\r\n", "\n")
    assert done.data == DONE
    assert not any(part.data == DONE for part in parts)


@pytest.mark.parametrize("question", ANSWERS)
@pytest.mark.parametrize("prints_all", [False, True])
async def test_the_naive_client_reads_plain_answers(server: Server, question: str, prints_all: bool) -> None:
    writes = (await ask(server, question)).connection.writes
    assert naive(writes, prints_all=prints_all) == said(question)
    # However the network puts its reads together.
    assert naive([b"".join(writes)], prints_all=prints_all) == said(question)


async def test_each_event_has_an_id_for_clients_that_resume(server: Server) -> None:
    client = await ask(server, "a|b", SSE)
    assert client.body.startswith(b":\nretry: ")
    ids = [event.id for event in client.events]
    assert len(set(ids)) == len(ids)
    assert all(id.isascii() and "." in id for id in ids)
    bare = await ask(server, "a|b")
    assert bare.body == b"data: ab\n\ndata: [DONE]\n\n"


async def test_the_same_key_is_the_same_answer(server: Server) -> None:
    """For who lost the connection before the first id."""
    before = server.script.calls
    first, again = [await ask(server, "a|b", {**SSE, "idempotency-key": "k"}) for _ in range(2)]
    assert [event.id for event in again.events] == [event.id for event in first.events] != []
    assert server.script.calls == before + 1


@pytest.mark.parametrize("seen", range(4))
async def test_a_client_that_comes_back_gets_the_same_answer(server: Server, seen: int) -> None:
    """The model is called once, whenever the connection is lost: even before the first word, and after the last."""
    server.script.go.clear()
    before = server.script.calls
    path = f"/stream?q={quote('one |!wait|two |three')}"
    async with asking(server.app, path, headers=SSE) as client:
        await client.reach(lambda: len(client.events) >= 2)
        if seen >= 2:
            server.script.go.set()
        events = await client.take(seen + 1)
    text = "".join(event.data for event in events)
    server.script.go.set()
    async with asking(server.app, path, headers={**SSE, "last-event-id": events[-1].id}) as back:
        await back.end()
    if text.endswith(DONE):
        assert (back.status, back.body) == (204, b"")
    else:
        assert text + "".join(event.data for event in back.events) == f"one two three{DONE}"
    assert server.script.calls == before + 1
    async with asking(server.app, path, headers={**SSE, "last-event-id": (back.last_event_id or events[-1].id)}) as end:
        await end.end()
    assert (end.status, end.body) == (204, b"")


async def test_an_answer_cut_within_one_of_its_events_goes_on_there(server: Server) -> None:
    question = "x|a[DONE]b[DONE]c|y"
    whole = (await ask(server, question, SSE)).events
    data = [event.data for event in whole]
    assert data == ["", "xa", "[DO", "NE]b", "[DO", "NE]cy", DONE]
    for i, event in enumerate(whole[:-1]):
        back = await ask(server, question, {**SSE, "last-event-id": event.id})
        assert [event.data for event in back.events] == data[i + 1 :], event.id
        assert back.last_event_id == whole[-1].id


async def test_two_askers_get_two_runs(server: Server) -> None:
    before = server.script.calls
    await ask(server, "x", SSE)
    await ask(server, "x", SSE)
    assert server.script.calls == before + 2


@pytest.mark.parametrize("headers", [SSE, {}], ids=["EventSource", "fetch"])
async def test_an_error_is_an_error_event(server: Server, headers: dict[str, str]) -> None:
    client = await ask(server, "some |words|!fail", headers)
    assert "".join(event.data for event in client.events if event.type == "message") == "some words"
    error = client.events[-1]
    assert error.type == "error"
    assert error.data
    assert "secret" not in client.body.decode()
    assert DONE not in client.body.decode()
    if headers:
        back = await ask(server, "some |words|!fail", {**headers, "last-event-id": error.id})
        assert back.status == 204


async def test_a_run_that_is_stopped_does_not_look_finished(server: Server) -> None:
    server.script.go.clear()
    async with asking(server.app, "/stream?q=one|!wait|two", headers=SSE) as client:
        events = await client.take(2)
        run = events[-1].id.partition(".")[0]
        assert (await server.client.post(f"/runs/{run}/stop")).status_code == 202
        await client.end()
    assert (client.events[-1].type, client.events[-1].data) == ("error", "The answer was cancelled before its end.")


async def test_a_client_of_a_run_that_was_closed_by_hand_is_told_not_to_come_back(server: Server) -> None:
    server.script.go.clear()
    async with asking(server.app, "/stream?q=one|!wait|two", headers=SSE) as client:
        last = (await client.take(2))[-1].id
        await server.hub.close_topic(f"runs.{last.partition('.')[0]}")
        await client.end()
    assert (client.clean, client.last_event_id) == (True, last)
    assert (await ask(server, "one", {**SSE, "last-event-id": last})).status == 204
    server.script.go.set()


async def test_leaving_cancels_nothing(server: Server) -> None:
    server.script.go.clear()
    async with asking(server.app, "/stream?q=one|!wait|two", headers=SSE) as client:
        run = (await client.take(2))[-1].id.partition(".")[0]
    server.script.go.set()
    async with asking(server.app, f"/runs/{run}/events") as reader:
        await reader.end()
    assert "two" in reader.body.decode()
    assert (await server.client.get(f"/runs/{run}")).json()["state"] == "finished"


async def test_an_answer_that_a_drain_cuts_does_not_look_finished() -> None:
    async with serving() as server:
        async with asking(server.app, "/stream?q=one|!wait|two", headers=SSE) as client:
            await client.take(2)
            server.hub.drain()
            await client.end()
        assert not client.clean
        assert DONE not in client.body.decode()
        server.script.go.set()


async def test_an_answer_that_is_lost_says_so(server: Server) -> None:
    client = await ask(server, "a|b|c", SSE)
    run = client.events[0].id.partition(".")[0]
    first = (await server.hub.read(f"runs.{run}")).events[0].offset
    assert first is not None
    foreign = await ask(server, "a|b|c", {**SSE, "last-event-id": f"{run}.Foreign-2"})
    assert foreign.events[0][:2] == ("error", "Some of this answer is gone.")
    await server.hub.delete(f"runs.{run}")
    problem((await server.client.get("/stream?q=a", headers={"last-event-id": client.last_event_id})), 404)


@pytest.mark.parametrize(
    ("path", "headers", "status", "word"),
    [
        ("/stream", {}, 422, "q"),
        ("/stream?q=", {}, 422, "q"),
        ("/stream?q=" + "x" * 8001, {}, 422, "q"),
        ("/stream?q=a%FF", {}, 400, "UTF-8"),
        ("/stream?q=a&assistant=nobody", {}, 404, "nobody"),
        ("/stream?q=a", {"last-event-id": "E-1"}, 400, "RUN"),
        ("/stream?q=a", {"last-event-id": "no.good"}, 404, "run"),
        ("/stream?q=a", {"last-event-id": "01JD9W3K5T8Q2R7V4X6Y9Z0ABC.E-1"}, 404, "run"),
        ("/stream?q=a", {"last-event-id": "a b.E-1"}, 400, "RUN"),
        ("/stream?q=a", {"last-event-id": "../x.E-1"}, 400, "RUN"),
    ],
)
async def test_a_request_that_is_wrong_calls_no_model(
    server: Server, path: str, headers: dict[str, str], status: int, word: str
) -> None:
    before = server.script.calls
    problem(await server.client.get(path, headers=headers), status, word)
    assert server.script.calls == before


async def test_an_id_whose_offset_is_wrong(server: Server) -> None:
    run = (await ask(server, "a", SSE)).events[0].id.partition(".")[0]
    for offset in ("E", "E-x", "-", "E-1.0", "E-1.x", "E-1.2.3"):
        problem(await server.client.get("/stream?q=a", headers={"last-event-id": f"{run}.{offset}"}), 400)


@pytest.mark.parametrize("text", ["", "plain", DONE, f"{DONE}{DONE}", f"a{DONE}b", "[DO[DONE]NE]", "[DONE"])
async def test_tokens_are_the_text_and_never_the_end(text: str) -> None:
    parts = tokens(text)
    assert "".join(parts) == text
    assert DONE not in parts
    assert "" not in parts


async def test_only_text_is_shown() -> None:
    def delta(n: int, kind: str) -> Event:
        return Event("t", Offset("E", n), "block.delta", f'{{"kind":"{kind}","delta":"{kind}"}}', 0.0)

    events: Sequence[Event] = [delta(1, "reasoning"), delta(2, "text"), delta(3, "tool_call")]
    assert TokenFormat(run="R").encode("runs.R", events) == b"data: text\nid: R.E-2\n\n"
