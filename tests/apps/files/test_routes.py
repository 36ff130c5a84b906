"""Tests of uploading and downloading files: limits, headers and names."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from tests.apps.members import SECRET, Member, room
from tests.asgi import asking
from tests.http.conftest import Server, serving
from tests.http.problems import problem
from tidings.access.names import topics_of
from tidings.access.subject import PERSON
from tidings.access.tokens import sign
from tidings.apps.files.files import CHUNK, Files
from tidings.delivery.hub import Hub
from tidings.errors import Gone

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def upload(
    member: Member, id: str, content: bytes | AsyncIterator[bytes], name: str = "a.txt", type: str = "text/plain"
) -> httpx.Response:
    headers = {**member.headers, "content-type": type}
    path = f"/rooms/{id}/files"
    return await member.server.client.post(path, params={"name": name}, content=content, headers=headers)


async def test_an_upload_is_downloaded_as_it_was(id: str, mara: Member) -> None:
    await room(mara, id)
    stored = await upload(mara, id, b"<script>1</script>", "ä b.html", "text/html; charset=utf-8")
    assert (stored.status_code, stored.json()["type"], stored.json()["size"]) == (201, "text/html", 18)
    got = await mara.get(stored.headers["location"])
    assert got.content == b"<script>1</script>"
    assert got.headers["content-type"] == "application/octet-stream", "no script of an upload runs on this origin"
    assert got.headers["content-disposition"] == "attachment; filename*=UTF-8''%C3%A4%20b.html"
    assert got.headers["content-security-policy"] == "default-src 'none'; sandbox"
    again = {**mara.headers, "if-none-match": got.headers["etag"]}
    assert (await mara.server.client.get(stored.headers["location"], headers=again)).status_code == 304


async def test_a_picture_is_shown(id: str, mara: Member) -> None:
    await room(mara, id)
    got = await mara.get((await upload(mara, id, b"x", "a.png", "image/png")).headers["location"])
    assert got.headers["content-type"] == "image/png"
    assert got.headers["content-disposition"].startswith("inline;")


@pytest.mark.parametrize("type", ["video/mp4", "video/webm"])
async def test_a_film_is_played_and_runs_nothing(id: str, mara: Member, type: str) -> None:
    await room(mara, id)
    got = await mara.get((await upload(mara, id, b"<script>1</script>", "a.mp4", type)).headers["location"])
    assert (got.headers["content-type"], got.headers["x-content-type-options"]) == (type, "nosniff")
    assert got.headers["accept-ranges"] == "bytes"
    assert got.headers["content-security-policy"].endswith("; sandbox")


async def test_a_part_of_a_file_is_read_from_its_chunks_alone(
    id: str, mara: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A browser that seeks in a film must not cost the server the whole film."""
    await room(mara, id)
    content = b"".join(n.to_bytes(4) for n in range(5 * CHUNK // 4)) + b"the end"
    location = (await upload(mara, id, content)).headers["location"]
    hub, chunks = mara.server.hub, list[int]()
    read = type(hub).read

    async def counted(self: Hub, topic: str, after: Any = "earliest", limit: int = 1000) -> Any:
        page = await read(self, topic, after, limit)
        chunks.extend(event.offset.n for event in page.events if event.offset and event.type == "file.chunk")
        return page

    monkeypatch.setattr(Hub, "read", counted)

    async def part(range: str, **more: str) -> httpx.Response:
        chunks.clear()
        headers = {**mara.headers, "range": range, **more}
        return await mara.server.client.get(location, headers=headers)

    size = len(content)
    for asked, start, end, read_from in (
        ("bytes=0-0", 0, 1, [2]),
        (f"bytes={CHUNK - 1}-{CHUNK}", CHUNK - 1, CHUNK + 1, [2, 3]),
        (f"bytes={3 * CHUNK}-{3 * CHUNK + 9}", 3 * CHUNK, 3 * CHUNK + 10, [5]),
        ("bytes=-7", size - 7, size, [7]),
        (f"bytes={4 * CHUNK}-", 4 * CHUNK, size, [6, 7]),
        ("bytes=0-", 0, size, [2, 3, 4, 5, 6, 7]),
    ):
        got = await part(asked)
        assert (got.status_code, got.content) == (206, content[start:end]), asked
        assert got.headers["content-range"] == f"bytes {start}-{end - 1}/{size}"
        assert chunks == read_from, asked
    refused = await part(f"bytes={size}-")
    problem(refused, 416)
    assert (refused.headers["content-range"], chunks) == (f"bytes */{size}", [])
    etag = got.headers["etag"]
    for whole in (await part("bytes=0-1,5-6"), await part("bytes=0-1", **{"if-range": '"other"'})):
        assert (whole.status_code, whole.content) == (200, content)
    assert (await part("bytes=0-1", **{"if-range": etag})).content == content[:2]
    assert (await part("bytes=0-1", **{"if-none-match": etag})).status_code == 304


@pytest.mark.parametrize(
    ("content", "name", "type", "status"),
    [(b"", "a", "text/plain", 422), (b"x", "a/b", "text/plain", 400), (b"x", "a", "text", 400)],
)
async def test_an_upload_that_breaks_a_rule_is_refused(
    id: str, mara: Member, content: bytes, name: str, type: str, status: int
) -> None:
    await room(mara, id)
    problem(await upload(mara, id, content, name, type), status)


async def test_only_members_upload_and_uploads_are_limited(server: Server, id: str, mara: Member, tom: Member) -> None:
    await room(mara, id)
    problem(await upload(tom, id, b"x"), 403)
    topics = topics_of(mara.name)
    limited = Member(server, mara.name)
    token = sign(SECRET, mara.name, publish=topics, subscribe=topics, seconds=60, limits={"upload_bytes": 10})
    limited.headers = {"authorization": f"Bearer {token}"}
    assert (await upload(limited, id, b"12345678")).status_code == 201
    problem(await upload(limited, id, b"12345678"), 429)
    problem(await upload(limited, id, b"12345678901"), 413)


async def test_an_upload_over_the_bytes_of_a_day_is_refused_with_the_limit(id: str) -> None:
    """The length of a body in chunks is not known: it counts as the largest file."""

    async def chunks() -> AsyncIterator[bytes]:
        yield b"x"

    async with serving(secret=SECRET, limit_upload_bytes="1 MiB", max_file="2 MiB") as server:
        mara, topics = Member(server, "Mara"), topics_of("Mara")
        await room(mara, id)
        token = sign(SECRET, "Mara", publish=topics, subscribe=topics, seconds=60, limits=PERSON)
        headers = {"authorization": f"Bearer {token}", "content-type": "text/plain"}
        contents: list[bytes | AsyncIterator[bytes]] = [chunks(), b"x" * (1 << 20 | 1)]
        for content in contents:
            answer = await server.client.post(f"/rooms/{id}/files?name=a", content=content, headers=headers)
            assert problem(answer, 413, "1,048,576 bytes")["limit"] == 1 << 20
        stored = await server.client.post(f"/rooms/{id}/files?name=a", content=b"x" * (1 << 20), headers=headers)
        assert stored.status_code == 201
        answer = await server.client.post(f"/rooms/{id}/files?name=a", content=b"x", headers=headers)
        problem(answer, 429, "1,048,576 bytes")


async def test_a_download_that_is_cut_elsewhere_ends_without_its_last_byte(
    id: str, mara: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a server that gives no access to its connection, the response is not completed."""
    await room(mara, id)
    location = (await upload(mara, id, b"x" * 100)).headers["location"]

    async def gone(*_: object) -> AsyncIterator[bytes]:
        yield b"x" * 10
        raise Gone("The file was deleted.")

    monkeypatch.setattr(Files, "content", gone)
    async with asking(mara.server.app, location, headers=mara.headers) as client:
        await client.end()
        assert (client.status, client.body, client.clean) == (200, b"x" * 10, False)


async def chunks(*parts: bytes) -> AsyncIterator[bytes]:
    for part in parts:
        yield part


async def test_an_upload_of_unknown_length_counts_in_the_end_as_what_came(id: str) -> None:
    async with serving(secret=SECRET, limit_upload_bytes="1 MiB", max_file="512 KiB") as server:
        mara = person(server, "Mara")
        await room(mara, id)
        for _ in range(3):
            assert (await upload(mara, id, chunks(b"x" * 1000))).status_code == 201
        problem(await upload(mara, id, chunks(b"")), 422)
        for size in (1 << 19, 500_000):
            assert (await upload(mara, id, b"x" * size)).status_code == 201
        problem(await upload(mara, id, b"x" * 100_000), 429, "1,048,576 bytes in a day")


def person(server: Server, name: str) -> Member:
    """Somebody whom the limits for people hold for."""
    member, topics = Member(server, name), topics_of(name)
    token = sign(SECRET, name, publish=topics, subscribe=topics, seconds=60, limits=PERSON)
    member.headers = {"authorization": f"Bearer {token}"}
    return member


async def test_a_person_keeps_so_many_bytes_until_messages_are_deleted(id: str) -> None:
    async with serving(secret=SECRET, limit_kept_bytes="100 kB") as server:
        mara, tom = person(server, "Mara"), person(server, "Tom")
        topic = await room(mara, id, tom)
        messages = []
        for _ in range(3):
            stored = await upload(mara, id, b"x" * 30_000)
            assert stored.status_code == 201
            messages.append(await mara.said(topic, "message.posted", text="", files=[stored.json()["id"]]))
        refusal = problem(await upload(mara, id, b"x" * 30_000), 429, "keep 100,000 bytes of files at a time")
        assert "Delete messages with files" in refusal["detail"]
        assert refusal["limit"] == 100_000
        # The length is known in the end only: the file is not kept.
        problem(await upload(mara, id, chunks(b"x" * 30_000)), 429, "100,000 bytes")
        assert len(await server.hub.topics("files.")) == 3
        assert (await upload(tom, id, b"x" * 90_000)).status_code == 201, "each person has a limit of their own"
        await mara.said(topic, "message.deleted", message=messages[1])
        assert (await upload(mara, id, b"x" * 30_000)).status_code == 201
        problem(await upload(mara, id, b"x" * 30_000), 429)


async def test_a_program_keeps_what_its_claim_allows_and_a_guest_what_a_person_may(id: str) -> None:
    async with serving(secret=SECRET, limit_kept_bytes="1 kB") as server:
        bot = Member(server, "bot")
        await room(bot, id)
        assert (await upload(bot, id, b"x" * 5_000)).status_code == 201
        topics = topics_of("bot")
        token = sign(SECRET, "bot", publish=topics, subscribe=topics, seconds=60, limits={"kept_bytes": 8_000})
        bot.headers = {"authorization": f"Bearer {token}"}
        problem(await upload(bot, id, b"x" * 5_000), 429, "8,000 bytes")
        assert (await upload(bot, id, b"x" * 1_000)).status_code == 201
    async with serving(limit_kept_bytes="1 kB") as server:
        assert (await server.client.post("/session", json={"name": "Ann"})).status_code == 200
        await server.client.post(f"/topics/rooms.{id}/events?type=room.created", json={"name": "Room"})
        headers = {"content-type": "text/plain"}
        answer = await server.client.post(f"/rooms/{id}/files?name=a", content=b"x" * 1001, headers=headers)
        problem(answer, 429, "1,000 bytes")


async def test_uploads_at_the_same_time_do_not_go_over_the_limit_together(id: str) -> None:
    async with serving(secret=SECRET, limit_kept_bytes="100 kB") as server:
        mara = person(server, "Mara")
        await room(mara, id)
        answers = await asyncio.gather(*[upload(mara, id, chunks(*[b"x" * 5_000] * 8)) for _ in range(5)])
        assert {answer.status_code for answer in answers} <= {201, 429}
        kept = sum(answer.json()["size"] for answer in answers if answer.status_code == 201)
        assert kept <= 100_000
        assert len(await server.hub.topics("files.")) * 40_000 == kept
