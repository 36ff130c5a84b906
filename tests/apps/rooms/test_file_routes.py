"""Tests of uploading and downloading files: limits, headers and names."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest

from tests.apps.members import SECRET, Member, room
from tests.asgi import asking
from tests.http.conftest import Server, serving
from tests.http.problems import problem
from tidings.access.names import topics_of
from tidings.access.subject import PERSON
from tidings.access.tokens import sign
from tidings.apps.rooms.files import Files
from tidings.errors import Gone

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def upload(
    member: Member, id: str, content: bytes, name: str = "a.txt", type: str = "text/plain"
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
