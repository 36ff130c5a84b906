"""Files of questions: who may attach them, what an assistant is given of them, and how long they are there."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from langchain_core.messages import HumanMessage, convert_to_messages, convert_to_openai_messages

from tests.apps.files import looking
from tests.apps.members import SECRET, Member, room
from tests.http.conftest import Server, serving
from tests.http.problems import problem
from tidings.apps.files import attachments
from tidings.apps.files.attachments import Attachments
from tidings.apps.files.files import Files

pytestmark = pytest.mark.asyncio(loop_scope="module")

PNG = b"\x89PNG\r\n\x1a\n picture"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server() -> AsyncIterator[Server]:
    async with serving(secret=SECRET, limit_kept_bytes="1 MB") as made:
        yield made


async def upload(
    who: Member,
    id: str,
    content: bytes = b"x",
    name: str = "a.txt",
    type: str = "text/plain",
    of: str = "conversations",
) -> str:
    headers = {**who.headers, "content-type": type}
    answer = await who.server.client.post(f"/{of}/{id}/files", params={"name": name}, content=content, headers=headers)
    assert answer.status_code == 201, answer.text
    file: str = answer.json()["id"]
    return file


async def ask(who: Member, id: str, *messages: tuple[str, list[str]], **more: Any) -> dict[str, Any]:
    """Ask with files, after earlier questions with theirs, and wait for the answer."""
    turns = [{"role": "user", "content": text, "files": files} for text, files in messages]
    answer = await who.post("/runs", {"messages": turns, "topic": f"conversations.{id}", **more})
    assert answer.status_code == 201, answer.text
    run: dict[str, Any] = answer.json()
    await (await who.server.hub.runs.get(run["run"])).wait()
    return run


async def give(server: Server, id: str, takes: Any, *messages: dict[str, Any]) -> list[dict[str, Any]]:
    return await Attachments(Files(server.hub)).give(f"conversations.{id}", messages, takes)


async def test_the_files_of_a_question_are_in_its_conversation_and_given_to_the_assistant(
    server: Server, id: str, mara: Member
) -> None:
    file = await upload(mara, id, b"Tides rise. ```x```", "tides.md", "text/markdown")
    run = await ask(mara, id, ("What rises?", [file]))
    described = {"id": file, "name": "tides.md", "type": "text/markdown", "size": 19}
    (created,) = (await server.hub.read(f"conversations.{id}")).events
    started = (await server.hub.read(run["topic"], limit=1)).events[0]
    assert (created.json()["files"], started.json()["files"]) == ([described], [described])
    assert (created.json()["input"], started.json()["input"]) == ("What rises?", "What rises?")
    page = await mara.get(f"/runs/{run['run']}/events")
    assert "Attached file: tides.md" in page.text, "the test's assistant says what it is asked"
    assert "````\\nTides rise. ```x```\\n````" in page.text
    head = await server.hub.log.describe(f"files.conversations.{id}.{file}")
    assert head is not None
    assert head.ttl is None, "the file is there as long as its conversation"


async def test_a_question_may_consist_of_files_alone(server: Server, id: str, mara: Member) -> None:
    await ask(mara, id, ("", [await upload(mara, id, b"What rises?")]))
    problem(await mara.post("/runs", {"messages": [{"role": "user", "content": ""}]}), 400, "not empty")


async def test_only_the_owner_of_a_conversation_uploads_and_downloads(
    server: Server, id: str, mara: Member, tom: Member
) -> None:
    file = await upload(mara, id)
    path = f"/conversations/{id}/files"
    problem(await tom.get(f"{path}/{file}"), 404)
    await ask(mara, id, ("Look", [file]))
    assert (await mara.get(f"{path}/{file}")).content == b"x"
    part = {**mara.headers, "range": "bytes=0-0"}
    assert (await server.client.get(f"{path}/{file}", headers=part)).status_code == 206
    problem(await tom.get(f"{path}/{file}"), 403)
    headers = {**tom.headers, "content-type": "text/plain"}
    problem(await server.client.post(f"{path}?name=a", content=b"x", headers=headers), 403, "belongs to someone else")
    problem(await mara.get(f"/topics/files.conversations.{id}.{file}/events"), 403)


async def test_a_guest_without_a_name_uploads_nothing() -> None:
    async with serving() as open_server:
        headers = {"content-type": "text/plain"}
        answer = await open_server.client.post("/conversations/c/files?name=a", content=b"x", headers=headers)
        problem(answer, 403, "Choose a name")


async def test_nobody_is_given_files_of_others(server: Server, id: str, mara: Member, tom: Member) -> None:
    """A question names files of its own conversation only, each uploaded by the person who asks."""
    private, other = await upload(mara, f"{id}-maras"), await upload(tom, id)
    await room(mara, id)
    shared = await upload(mara, id, of="rooms")
    for file in (private, other, shared, "0" * 26, "x"):
        body = {"messages": [{"role": "user", "content": "x", "files": [file]}], "topic": f"conversations.{id}"}
        problem(await mara.post("/runs", body), 404)
    mine = await upload(mara, id)
    for files, topic, status in (
        ([mine, mine], f"conversations.{id}", 400),
        ([mine], None, 400),
        ([shared], f"rooms.{id}", 400),
        ([mine] * 11, f"conversations.{id}", 422),
    ):
        body = {"messages": [{"role": "user", "content": "x", "files": files}], "topic": topic}
        problem(await mara.post("/runs", body), status)
    assert await server.hub.log.describe(f"conversations.{id}") is None, "a refused question begins no conversation"
    # A file of another conversation, in the place of an earlier question's, is nothing.
    taken = await give(server, id, "text", {"role": "user", "content": "x", "files": [private]})
    assert taken == [{"role": "user", "content": "x"}]


async def test_the_files_of_a_conversation_are_deleted_with_it(server: Server, id: str, mara: Member) -> None:
    named, unnamed = await upload(mara, id), await upload(mara, id)
    other = await upload(mara, f"{id}-b")
    await ask(mara, id, ("Look", [named]))
    answer = await server.client.delete(f"/topics/conversations.{id}", headers=mara.headers)
    assert answer.status_code == 204
    assert await server.hub.topics(f"files.conversations.{id}.") == []
    assert await server.hub.topics(f"files.conversations.{id}-b.") == [f"files.conversations.{id}-b.{other}"]
    assert unnamed != named


async def test_a_question_that_is_repeated_with_its_key_is_asked_once(server: Server, id: str, mara: Member) -> None:
    file = await upload(mara, id)
    body = {"messages": [{"role": "user", "content": "x", "files": [file]}], "topic": f"conversations.{id}"}
    answers = [await mara.post("/runs", body, key="k") for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 200]
    assert answers[0].json() == answers[1].json()


async def test_pictures_are_content_blocks_in_the_standard_form(server: Server, id: str, mara: Member) -> None:
    files = [await upload(mara, id, PNG, "tide.png", "image/png"), await upload(mara, id, b"Tides", "a.txt")]
    asked = {"role": "user", "content": "What is it?", "files": files}
    (message,) = await give(server, id, "images", asked)
    text = "What is it?\n\nAttached picture: tide.png\n\nAttached file: a.txt\n\n```\nTides\n```"
    data = base64.b64encode(PNG).decode()
    assert message == {
        "role": "user",
        "content": [
            {"type": "text", "text": text},
            {"type": "image", "base64": data, "mime_type": "image/png"},
        ],
    }
    (human,) = convert_to_messages([message])
    assert isinstance(human, HumanMessage)
    assert [block["type"] for block in human.content_blocks] == ["text", "image"]
    (sent,) = convert_to_openai_messages([human])
    assert sent["content"][1] == {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{data}"}}


async def test_an_assistant_that_takes_no_images_or_no_files_is_given_less(
    server: Server, id: str, mara: Member
) -> None:
    files = [
        await upload(mara, id, PNG, "tide.png", "image/png"),
        await upload(mara, id, b"\xff\xfe\x00", "data.bin", "application/octet-stream"),
        await upload(mara, id, b"print()", "a.py", "application/octet-stream"),
    ]
    asked = {"role": "user", "content": "What?", "files": files}
    (message,) = await give(server, id, "text", asked)
    assert message["content"] == (
        "What?\n\nAttached file that you cannot read: tide.png (image/png, 16 bytes)"
        "\n\nAttached file that you cannot read: data.bin (application/octet-stream, 3 bytes)"
        "\n\nAttached file: a.py\n\n```\nprint()\n```"
    )
    assert await give(server, id, "none", asked) == [{"role": "user", "content": "What?"}]
    assert await give(server, id, "images", {"role": "assistant", "content": " No. "}) == [
        {"role": "assistant", "content": " No. "}
    ]


async def test_the_last_of_many_or_large_files_are_attached(
    server: Server, id: str, mara: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attachments, "TEXT_BYTES", 10)
    monkeypatch.setattr(attachments, "PICTURE_BYTES", len(PNG))
    monkeypatch.setattr(attachments, "MOST", 4)
    turns = [
        {
            "role": "user",
            "content": f"{n}",
            "files": [await upload(mara, id, b"123456"), await upload(mara, id, PNG, "p.png", "image/png")],
        }
        for n in range(3)
    ]
    first, second, third = await give(server, id, "images", *turns)
    assert first == {"role": "user", "content": "0"}
    assert second["content"].count("that you cannot read") == 2
    assert [block["type"] for block in third["content"]] == ["text", "image"]
    assert "123456" in third["content"][0]["text"]


async def test_a_question_in_a_room_comes_with_its_files(id: str) -> None:
    async with serving(secret=SECRET, assistant=("tests.apps.files.looking:assistants",)) as served:
        ann = Member(served, "Ann")
        topic = await room(ann, id)
        file = await upload(ann, id, PNG, "tide.png", "image/png", of="rooms")
        await ann.said(topic, "message.posted", text="@looking what is it?", files=[file])
        async for event in served.hub.subscribe(topic, "earliest"):
            if event.type == "answer.posted":
                break
    ((*_, question),) = looking.GIVEN
    assert [block["type"] for block in question["content"]] == ["text", "image"]
    looking.GIVEN.clear()


async def test_an_assistant_that_takes_no_files_refuses_a_question_with_some(id: str) -> None:
    async with serving(secret=SECRET, assistant=("tests.apps.files.looking:assistants",)) as served:
        mara = Member(served, "Mara")
        listed = (await mara.get("/assistants")).json()["assistants"]
        assert [(one["name"], one["files"]) for one in listed] == [
            ("echo", "text"),
            ("looking", "images"),
            ("hearing", "none"),
        ]
        question = {"role": "user", "content": "x", "files": [await upload(mara, id)]}
        body = {"messages": [question], "topic": f"conversations.{id}", "assistant": "hearing"}
        problem(await mara.post("/runs", body), 400, "takes no files")
