"""Files of rooms: what was uploaded comes back byte for byte to those who may read the room, and runs nowhere."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Iterable
from itertools import count
from typing import Any
from urllib.parse import quote, unquote

import httpx
import pytest
import pytest_asyncio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.apps.members import SECRET, Member, room
from tests.http.conftest import Server, serving
from tests.http.problems import problem
from tidings.access.tokens import sign
from tidings.apps.files.files import CHUNK, Files

pytestmark = pytest.mark.asyncio(loop_scope="module")

LIMIT = 3 * CHUNK
PDF = "application/pdf"
NUMBERS = count()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server() -> AsyncIterator[Server]:
    async with serving(secret=SECRET, max_file=LIMIT) as made:
        yield made


@pytest.fixture
def id() -> str:
    """The id of a room that no other test has, nor this test with other parameters."""
    return f"files-{next(NUMBERS)}"


async def upload(
    who: Member, room: str, content: Any = b"%PDF-1.7", name: str = "plan.pdf", type: str | None = PDF
) -> httpx.Response:
    kind = {} if type is None else {"content-type": type.encode("latin-1")}
    path = f"/rooms/{room}/files?name={quote(name, safe='')}"
    return await who.server.client.post(path, content=content, headers={**who.headers, **kind})


async def uploaded(who: Member, room: str, content: Any = b"%PDF-1.7", name: str = "plan.pdf", type: str = PDF) -> str:
    answer = await upload(who, room, content, name, type)
    assert answer.status_code == 201, answer.text
    id: str = answer.json()["id"]
    return id


async def parts(content: bytes, at: Iterable[int]) -> AsyncIterator[bytes]:
    """The content, cut in places."""
    begin = 0
    for end in [*sorted(at), len(content)]:
        yield content[begin:end]
        begin = end


class TestAFile:
    async def test_comes_back_as_it_was_sent(self, ann: Member, bob: Member, id: str) -> None:
        await room(ann, id, bob)
        content = bytes(range(256)) * 2000
        answer = await upload(ann, id, content, "Pläne für 2027.pdf", "Application/PDF; version=1.7")
        file = answer.json()
        assert file == {"id": file["id"], "name": "Pläne für 2027.pdf", "type": PDF, "size": len(content)}
        assert answer.headers["location"] == f"/rooms/{id}/files/{file['id']}"
        for who in (ann, bob):
            found = await who.get(answer.headers["location"])
            assert (found.status_code, found.content) == (200, content)
            assert found.headers["etag"] == f'"{hashlib.sha256(content).hexdigest()}"'
            assert found.headers["content-length"] == str(len(content))

    async def test_an_unchanged_file_is_not_sent_again(self, server: Server, ann: Member, id: str) -> None:
        await room(ann, id)
        path = f"/rooms/{id}/files/{await uploaded(ann, id)}"
        tag = (await ann.get(path)).headers["etag"]
        for given_tag, status in ((tag, 304), (f'"other", W/{tag}', 304), ('"other"', 200)):
            found = await server.client.get(path, headers={**ann.headers, "if-none-match": given_tag})
            assert found.status_code == status
            assert found.headers["etag"] == tag
            assert (found.content == b"") is (status == 304)

    async def test_content_of_any_size_and_in_any_pieces_stays_the_same(self, ann: Member, id: str) -> None:
        await room(ann, id)
        sizes = st.sampled_from([1, 2, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, LIMIT]) | st.integers(1, LIMIT)

        async def same(size: int, cuts: list[int], seed: int) -> None:
            content = (hashlib.sha256(bytes([seed])).digest() * (size // 32 + 1))[:size]
            file = await uploaded(ann, id, parts(content, [cut % (size + 1) for cut in cuts]))
            found = await ann.get(f"/rooms/{id}/files/{file}")
            assert found.content == content

        loop = asyncio.get_running_loop()

        @settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
        @given(sizes, st.lists(st.integers(0, LIMIT), max_size=5), st.integers(0, 255))
        def check(size: int, cuts: list[int], seed: int) -> None:
            asyncio.run_coroutine_threadsafe(same(size, cuts, seed), loop).result(60)

        await asyncio.to_thread(check)

    async def test_chunks_are_stored_as_they_arrive_and_read_singly(self, server: Server, ann: Member, id: str) -> None:
        await room(ann, id)

        async def content() -> AsyncIterator[bytes]:
            yield b"x" * CHUNK
            yield b"y"  # this is asked for once the chunk before it is stored
            (topic,) = await server.hub.topics(f"files.{id}.")
            page = await server.hub.read(topic)
            assert [event.type for event in page.events] == ["file.started", "file.chunk"]
            problem(await ann.get(f"/rooms/{id}/files/{topic.rpartition('.')[2]}"), 404, "no such file")

        file = await uploaded(ann, id, content())
        store = Files(server.hub)
        read = [len(part) async for part in store.content(await store.whole(id, file))]
        assert read == [CHUNK, 1]

    @pytest.mark.parametrize(
        ("type", "shown"),
        [
            *[(f"image/{kind}", True) for kind in ("png", "jpeg", "gif", "webp", "avif")],
            *[(type, False) for type in ("image/svg+xml", "text/html", "application/xhtml+xml", "text/xml", PDF)],
            *[(type, False) for type in ("text/javascript", "text/plain", "multipart/form-data", "x/y")],
        ],
    )
    async def test_scripts_never_run_on_our_origin(self, ann: Member, id: str, type: str, shown: bool) -> None:
        """A file that claims to be a picture may hold a script; `nosniff` keeps browsers from running it."""
        await room(ann, id)
        script = b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>"
        found = await ann.get(f"/rooms/{id}/files/{await uploaded(ann, id, script, 'a.html', type)}")
        assert found.content == script
        assert found.headers["content-type"] == (type if shown else "application/octet-stream")
        how = "inline" if shown else "attachment"
        assert found.headers["content-disposition"] == f"{how}; filename*=UTF-8''a.html"
        assert found.headers["x-content-type-options"] == "nosniff"
        assert found.headers["content-security-policy"] == "default-src 'none'; sandbox"
        assert found.headers["cross-origin-resource-policy"] == "same-origin"
        assert found.headers["cache-control"] == "private, max-age=31536000, immutable"

    @pytest.mark.parametrize(
        "name",
        [
            "a",
            "x" * 200,
            "q\"uo'te;=%.txt",
            "..",
            ".bashrc",
            "计划 📎.pdf",
            "e\u0301.txt",
            "Shot 3.45\u202fPM.png",
            "<b>.svg",
        ],
    )
    async def test_any_name_of_one_line_is_kept(self, ann: Member, id: str, name: str) -> None:
        await room(ann, id)
        file = await uploaded(ann, id, name=name)
        disposition = (await ann.get(f"/rooms/{id}/files/{file}")).headers["content-disposition"]
        shown = disposition.removeprefix("attachment; filename*=UTF-8''")
        assert unquote(shown) == name
        assert shown.isascii()
        assert not set(shown) & set("\"';=/ \r\n")

    @pytest.mark.parametrize(
        "name",
        [
            *["", " ", "x" * 201, "../x", "a/b", "a\\b", "a\nb", "a\r\nSet-Cookie: x=1", "a\0", "a\x7f", "a\u2028b"],
            *["gnp.\u202eexe.png", "\u2066x"],
        ],
    )
    async def test_an_invalid_name_is_refused(self, server: Server, ann: Member, id: str, name: str) -> None:
        await room(ann, id)
        answer = await upload(ann, id, name=name)
        problem(answer, 422 if len(name) in (0, 201) else 400)
        assert await server.hub.topics(f"files.{id}.") == []

    @pytest.mark.parametrize(
        "type",
        [None, "", "pdf", "a/", "/b", "a/b/c", "a b/c", "text/html\x7f", "é/x", f"a/{'x' * 200}", "*/*", ";a=b"],
    )
    async def test_an_invalid_media_type_is_refused(
        self, server: Server, ann: Member, id: str, type: str | None
    ) -> None:
        await room(ann, id)
        problem(await upload(ann, id, type=type), 400, "media type")
        assert await server.hub.topics(f"files.{id}.") == []


class TestTheLimits:
    async def test_a_file_is_as_large_as_it_may_be(self, server: Server, ann: Member, id: str) -> None:
        await room(ann, id)
        assert (await upload(ann, id, b"x" * LIMIT)).json()["size"] == LIMIT
        taken: list[bytes] = []

        async def endless() -> AsyncIterator[bytes]:
            while len(taken) < 100:
                taken.append(b"x" * CHUNK)
                yield taken[-1]

        for content in (b"x" * (LIMIT + 1), parts(b"x" * (LIMIT + 1), [CHUNK, LIMIT]), endless()):
            assert problem(await upload(ann, id, content), 413, f"{LIMIT:,} bytes")["limit"] == LIMIT
        assert len(taken) == 4
        # The whole one, and what has come of those that say no size: it expires.
        assert len(await server.hub.topics(f"files.{id}.")) == 3

    async def test_a_declared_length_above_the_limit_is_refused_unread(
        self, server: Server, ann: Member, id: str
    ) -> None:
        await room(ann, id)
        headers = [(b"content-length", b"99999999"), (b"content-type", b"x/y"), (b"host", b"localhost")]
        headers += [(b"authorization", ann.headers["authorization"].encode())]
        scope = {
            "type": "http", "method": "POST", "path": f"/rooms/{id}/files", "query_string": b"name=x",
            "headers": headers, "http_version": "1.1", "scheme": "http", "server": ("localhost", 80),
        }  # fmt: skip
        sent: list[Any] = []

        async def receive() -> Any:
            raise AssertionError("the body was read")

        async def send(message: Any) -> None:
            sent.append(message)

        await server.app(scope, receive, send)
        assert sent[0]["status"] == 413

    async def test_an_empty_file_is_none(self, server: Server, ann: Member, id: str) -> None:
        await room(ann, id)
        for content in (b"", parts(b"", [])):
            problem(await upload(ann, id, content), 422, "one byte")
        assert await server.hub.topics(f"files.{id}.") == []

    async def test_uploads_have_a_limit_for_each_person(self) -> None:
        async with serving(limit_uploads=8) as server:
            ann, bob = Member(server, "Ann"), Member(server, "Bob")
            for guest in (ann, bob):
                guest.headers = {"cookie": f"tidings_name={guest.name}"}
            await room(ann, "den", bob)
            answers = [(await upload(ann, "den")).status_code for _ in range(8)]
            assert answers == [201] * 8
            answer = await upload(ann, "den")
            problem(answer, 429, "8 files in an hour")
            assert 0 < int(answer.headers["retry-after"]) <= 450
            assert (await upload(bob, "den")).status_code == 201


class TestPermissions:
    async def test_upload_is_who_may_post(self, server: Server, ann: Member, bob: Member, id: str) -> None:
        topic = await room(ann, id, bob, private=True)
        await ann.said(topic, "member.joined", member="Cleo", role="reader")
        cleo, eve = Member(server, "Cleo"), Member(server, "Eve")
        problem(await upload(cleo, id), 403, "only read")
        problem(await upload(eve, id), 403, "not a member")
        problem(await upload(ann, id + "x"), 404, "no room")
        nobody = await server.client.post(f"/rooms/{id}/files?name=x", content=b"x", headers={"content-type": PDF})
        problem(nobody, 401)
        # A token that may read rooms and not publish to them.
        reading = Member(server, "Ann")
        token = sign(SECRET, "Ann", publish=[], subscribe=["rooms.*"], seconds=600)
        reading.headers = {"authorization": f"Bearer {token}"}
        problem(await upload(reading, id), 403, "publishing")
        await ann.said(topic, "room.archived")
        problem(await upload(ann, id), 409, "archived")
        assert await server.hub.topics(f"files.{id}.") == []

    async def test_download_is_who_may_read(self, server: Server, ann: Member, bob: Member, id: str) -> None:
        topic = await room(ann, id, bob, private=True)
        await room(bob, id + "-2", private=True)
        file = await uploaded(ann, id)
        path = f"/rooms/{id}/files/{file}"
        eve = Member(server, "Eve")
        problem(await eve.get(path), 403, "private")
        problem(await server.client.get(path), 401)
        # By way of a room that one may read.
        problem(await bob.get(f"/rooms/{id}-2/files/{file}"), 404, "no such file")
        problem(await bob.get(f"/rooms/{id}-3/files/{file}"), 404, "no room")
        assert (await bob.get(path)).status_code == 200
        await ann.said(topic, "member.left", member="Bob")
        problem(await bob.get(path), 403, "private")
        await ann.said(topic, "room.archived")
        assert (await ann.get(path)).status_code == 200

    @pytest.mark.parametrize("file", ["x", "0" * 26, "01j" + "0" * 23, "%2e%2e", "0" * 25 + "U", "0" * 26 + "%0A"])
    async def test_an_unknown_file_is_not_found(self, ann: Member, id: str, file: str) -> None:
        await room(ann, id)
        problem(await ann.get(f"/rooms/{id}/files/{file}"), 404)

    async def test_nobody_has_its_chunks_natively(self, server: Server, ann: Member, id: str) -> None:
        await room(ann, id)
        topic = f"files.{id}.{await uploaded(ann, id)}"
        token = sign(SECRET, "Ann", publish=["*"], subscribe=["*"], seconds=600)
        headers = {"authorization": f"Bearer {token}"}

        async def ask(method: str, path: str, **options: Any) -> httpx.Response:
            return await server.client.request(method, path, headers=headers, **options)

        for answer in [
            await ask("GET", f"/topics/{topic}"),
            await ask("GET", f"/topics/{topic}/events"),
            await ask("GET", f"/topics/{topic}/events?before=tail"),
            await ask("GET", f"/events?topic={topic}&from=earliest"),
            await ask("GET", f"/events?topic=rooms.{id}&topic={topic}&from=earliest"),
            await ask("POST", f"/topics/{topic}/events", content="x"),
            await ask("POST", f"/topics/{topic}/events?transient=true", content="x"),
            await ask("POST", f"/topics/files.{id}.x/events?type=file.started", content="{}"),
            await ask("PUT", f"/topics/{topic}", json={}),
            await ask("POST", f"/topics/{topic}/close"),
            await ask("DELETE", f"/topics/{topic}"),
            await ask("POST", "/runs", json={"assistant": "echo", "input": "x", "topic": topic}),
        ]:
            problem(answer, 403, "Only the server itself")
        assert (await ask("GET", f"/topics?prefix=files.{id}.")).json() == {"topics": []}
        assert (await ann.get(f"/rooms/{id}/files/{topic.rpartition('.')[2]}")).status_code == 200
