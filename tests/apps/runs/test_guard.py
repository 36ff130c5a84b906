"""The rights to follow, describe and stop a run and to read a conversation, by every way there is."""

from __future__ import annotations

import msgspec
import pytest

from tests.apps.members import SECRET, Member, facts, room
from tests.asgi import asking
from tests.http.conftest import Server, serving
from tests.http.problems import problem
from tidings.access.tokens import sign
from tidings.http.request import client_key
from tidings.runs.runs import _derived_id, new_id

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def reads(member: Member, run: str) -> set[int]:
    """The statuses of all the ways to read a run."""
    app, found = member.server.app, set()
    for path in (f"/runs/{run}", f"/topics/runs.{run}", f"/topics/runs.{run}/events"):
        found.add((await member.get(path)).status_code)
    streams = [f"/runs/{run}/events?from=earliest", f"/events?topic=runs.{run}&from=earliest"]
    for path in streams:
        async with asking(app, path, headers=member.headers) as stream:
            found.add(stream.status)
    resumed = {**member.headers, "last-event-id": f"{run}.AbCdEf-0", "accept": "text/event-stream"}
    async with asking(app, "/stream?q=x", headers=resumed) as stream:
        found.add(stream.status)
    listed = (await member.get(f"/topics?prefix=runs.{run}")).json()["topics"]
    found.add(200 if listed == [f"runs.{run}"] else 403)
    return found


async def test_a_run_of_a_private_room_is_its_members(server: Server, mara: Member, tom: Member) -> None:
    topic = await room(mara, "private", tom, private=True)
    await tom.said(topic, "message.posted", text="@assistant hello")
    [created] = await facts(server, topic, "run.created")
    run = created["run"]
    assert await reads(mara, run) == await reads(tom, run) == {200}
    olga = Member(server, "Olga")
    assert await reads(olga, run) == {403}
    problem(await olga.post(f"/runs/{run}/stop"), 403)
    problem(await olga.post("/runs", {"input": "x", "topic": topic}), 403)
    problem(await olga.post("/runs", {"input": "x", "parent": run}), 404)
    await mara.said(topic, "member.left", member="Tom")
    assert await reads(tom, run) == {403}


async def test_a_token_without_a_room_does_not_read_the_runs_of_the_room(
    server: Server, mara: Member, tom: Member
) -> None:
    """Tom is a member, but this program of his may read runs alone."""
    topic = await room(mara, "narrow", tom, private=True)
    await mara.said(topic, "message.posted", text="@assistant hello")
    [created] = await facts(server, topic, "run.created")
    assert await reads(tom, created["run"]) == {200}
    narrow = Member(server, "Tom")
    narrow.headers = {"authorization": f"Bearer {sign(SECRET, 'Tom', publish=[], subscribe=['runs.*'], seconds=60)}"}
    assert await reads(narrow, created["run"]) == {403}


async def test_a_stream_of_a_run_ends_for_who_is_no_member_any_more(server: Server, mara: Member, tom: Member) -> None:
    topic = await room(mara, "leaving", tom, private=True)
    server.script.go.clear()
    await mara.said(topic, "message.posted", text="@assistant So far|!wait|!")
    [created] = await facts(server, topic, "run.created")
    async with asking(server.app, f"/runs/{created['run']}/events", headers=tom.headers) as stream:
        await stream.until("block.delta")
        await mara.said(topic, "member.left", member="Tom")
        await stream.end()
    server.script.go.set()


async def test_a_run_of_a_public_room_is_everybody_s_to_read(server: Server, mara: Member, tom: Member) -> None:
    topic = await room(mara, "public")
    await mara.said(topic, "message.posted", text="@assistant hello")
    [created] = await facts(server, topic, "run.created")
    assert await reads(tom, created["run"]) == {200}
    problem(await tom.post(f"/runs/{created['run']}/stop"), 403)


async def test_a_run_that_was_announced_nowhere_is_its_asker_s(server: Server, mara: Member, tom: Member) -> None:
    run = (await mara.post("/runs", {"input": "hello"})).json()["run"]
    assert await reads(mara, run) == {200}
    assert await reads(tom, run) == {403}
    problem(await tom.post(f"/runs/{run}/stop"), 403)
    problem(await server.client.delete(f"/topics/runs.{run}", headers=tom.headers), 403)
    assert (await mara.post(f"/runs/{run}/stop")).status_code == 202
    assert (await server.client.delete(f"/topics/runs.{run}", headers=mara.headers)).status_code == 204


async def test_a_conversation_and_its_runs_are_their_owner_s(server: Server, mara: Member, tom: Member) -> None:
    topic = "conversations.c0ffee"
    run = (await mara.post("/runs", {"input": "hello", "topic": topic})).json()["run"]
    assert await reads(mara, run) == {200}
    assert await reads(tom, run) == {403}
    for path in (f"/topics/{topic}", f"/topics/{topic}/events", f"/topics/{topic}/events?before=tail"):
        assert (await mara.get(path)).status_code == 200
        problem(await tom.get(path), 403)
    async with asking(server.app, f"/events?topic={topic}", headers=tom.headers) as stream:
        assert stream.status == 403
    assert (await tom.get("/topics?prefix=conversations.c0ffee")).json() == {"topics": []}
    problem(await tom.post("/runs", {"input": "x", "topic": topic}), 403)
    problem(await tom.say(topic, "run.created", run="x"), 403)
    problem(await server.client.delete(f"/topics/{topic}", headers=tom.headers), 403)
    assert (await server.client.delete(f"/topics/{topic}", headers=mara.headers)).status_code == 204
    assert await reads(tom, run) == await reads(mara, run) == {403, 404}, "it is gone with the conversation"


async def test_a_conversation_that_was_deleted_may_be_begun_by_another(
    server: Server, mara: Member, tom: Member
) -> None:
    topic = "conversations.again"
    assert (await mara.post("/runs", {"input": "hello", "topic": topic})).status_code == 201
    problem(await tom.get(f"/topics/{topic}"), 403)
    await server.client.delete(f"/topics/{topic}", headers=mara.headers)
    assert (await tom.post("/runs", {"input": "hello", "topic": topic})).status_code == 201
    assert (await tom.get(f"/topics/{topic}")).status_code == 200
    problem(await mara.get(f"/topics/{topic}"), 403)


async def test_nobody_waits_for_a_conversation_to_begin(server: Server, mara: Member, tom: Member) -> None:
    topic = "conversations.later"
    problem(await tom.get(f"/topics/{topic}/events"), 404)
    async with asking(server.app, f"/events?topic={topic}", headers=tom.headers) as stream:
        assert stream.status == 404
    assert (await mara.post("/runs", {"input": "hello", "topic": topic})).status_code == 201


async def test_nobody_waits_for_a_run_whose_id_can_be_guessed(server: Server, mara: Member, tom: Member) -> None:
    """A keyed run's id follows from who asks and the key."""
    run = _derived_id("Mara Lindqvist", client_key("Mara Lindqvist", "key"))
    assert await reads(tom, run) <= {404, 403}
    problem(await tom.say(f"runs.{run}", "run.started", run=run), 404)
    answer = await mara.post("/runs", {"input": "hello"}, key="key")
    assert answer.json()["run"] == run
    assert await reads(tom, run) == {403}


async def test_commands_to_a_run_are_stamped_with_their_author(server: Server, mara: Member) -> None:
    server.script.go.clear()
    run = (await mara.post("/runs", {"input": "So far|!wait|!"})).json()["run"]
    topic, end = f"runs.{run}", {"run": run, "outcome": "success", "finish": "stop", "usage": []}
    problem(await mara.post(f"/topics/{topic}/events?type=run.finished", {"type": "run.finished", **end}), 400)
    problem(await mara.post(f"/topics/{topic}/events?type=block.delta&transient=true", {}), 400)
    stop = {"type": "stop.requested", "run": run}
    path = f"/topics/{topic}/events?type=stop.requested"
    problem(await mara.post(path, {**stop, "run": new_id()}), 400)
    problem(await mara.post(path, {**stop, "by": "Tom"}), 403)
    assert (await mara.post(path, stop)).status_code == 201
    end = await (await server.hub.runs.get(run)).wait()
    assert msgspec.json.decode(end.data)["outcome"] == "cancelled"
    assert [said["by"] for said in await facts(server, topic, "stop.requested")] == ["Mara Lindqvist"]


async def test_a_run_in_a_topic_that_no_app_speaks_for_is_that_topic_s_readers(server: Server) -> None:
    """Such as a program's that starts runs for those who use it."""

    def bearer(name: str, publish: list[str], subscribe: list[str]) -> dict[str, str]:
        made = sign(SECRET, name, publish=publish, subscribe=subscribe, seconds=60)
        return {"authorization": f"Bearer {made}"}

    service, ann = bearer("service", ["runs.*", "chat.*"], []), bearer("ann", [], ["runs.*", "chat.ann"])
    bob = bearer("bob", ["runs.*"], ["runs.*", "chat.bob"])
    started = await server.client.post("/runs", json={"input": "hello", "topic": "chat.ann"}, headers=service)
    path = f"/runs/{started.json()['run']}"
    assert (await server.client.get(path, headers=ann)).status_code == 200
    problem(await server.client.get(path, headers=bob), 403)
    problem(await server.client.post(f"{path}/stop", headers=bob), 403)
    assert (await server.client.post(f"{path}/stop", headers=service)).status_code == 202


async def test_on_a_server_without_names_runs_and_conversations_are_anybody_s() -> None:
    async with serving() as server:
        client = server.client
        started = await client.post("/runs", json={"input": "hello", "topic": "conversations.c1"})
        run = started.json()["run"]
        for path in (f"/runs/{run}", f"/topics/runs.{run}", "/topics/conversations.c1/events"):
            assert (await client.get(path)).status_code == 200
        assert (await client.post(f"/runs/{run}/stop")).status_code == 202
        assert (await client.delete("/topics/conversations.c1")).status_code == 204


async def test_a_run_that_is_started_again_has_no_readers_of_its_earlier_life(
    server: Server, mara: Member, tom: Member
) -> None:
    """The same key gives the same id: once in a public room, and then in private."""
    topic = await room(mara, "once-public")
    server.script.go.clear()
    run = (await mara.post("/runs", {"input": "x|!wait|!", "topic": topic}, key="again")).json()["run"]
    assert await reads(tom, run) == {200}
    async with asking(server.app, f"/events?topic=runs.{run}&from=earliest", headers=tom.headers) as stream:
        await stream.until("block.delta")
        await server.hub.delete(f"runs.{run}")
        server.script.go.set()
        again = await mara.post("/runs", {"input": "secret"}, key="again")
        assert (again.status_code, again.json()["run"]) == (201, run)
        await stream.end()
    assert "secret" not in stream.body.decode()
    assert await reads(tom, run) == {403}
    assert await reads(mara, run) == {200}
