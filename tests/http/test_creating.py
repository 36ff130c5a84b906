"""Topics that people create count before they are there: requests at once create no more than the limit allows."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable

import httpx
import pytest

from tests.apps.members import SECRET
from tests.http.conftest import Server, serving
from tidings import Hub
from tidings.access.limits import Limits
from tidings.access.names import topics_of
from tidings.access.subject import PERSON, Subject
from tidings.access.tokens import sign
from tidings.errors import TooManyRequests
from tidings.http.creating import creating

ANN = Subject("Ann", (), (), None, PERSON)


async def test_a_place_is_given_back_when_no_topic_came() -> None:
    async with Hub("memory:") as hub:
        limits = Limits({"topics": 1})
        async with creating(hub, limits, ANN, "a"):
            with pytest.raises(TooManyRequests):
                async with creating(hub, limits, ANN, "b"):
                    pytest.fail("the only place is taken")
        async with creating(hub, limits, ANN, "a") as created:
            await hub.publish("a", "x")
            created()
        with pytest.raises(TooManyRequests, match="create 1 topics in a day"):
            async with creating(hub, limits, ANN, "b"):
                pytest.fail("there is no place")
        async with creating(hub, limits, ANN, "a"):
            pass  # the topic exists


WAYS: dict[str, Callable[[Server, str, dict[str, str]], Awaitable[httpx.Response]]] = {
    "publishing": lambda server, topic, ann: server.client.post(f"/topics/{topic}/events", content="x", headers=ann),
    "configuring": lambda server, topic, ann: server.client.put(f"/topics/{topic}", json={"ttl": 60}, headers=ann),
    "a run": lambda server, topic, ann: server.client.post("/runs", json={"input": "x", "topic": topic}, headers=ann),
}


@pytest.mark.parametrize("way", WAYS)
async def test_requests_at_once_create_no_more_topics_than_the_limit_allows(way: str) -> None:
    topics = topics_of("Ann")
    limited = {"topics": 5, "runs": 9}
    ann = {
        "authorization": f"Bearer {sign(SECRET, 'Ann', publish=topics, subscribe=topics, limits=limited, seconds=600)}"
    }
    async with serving(secret=SECRET) as server:
        answers = await asyncio.gather(*[WAYS[way](server, f"conversations.c{n}", ann) for n in range(40)])
        found = Counter(answer.status_code for answer in answers)
        assert found[429] == 35, found
        assert len(await server.hub.log.topics("conversations.")) == 5
        assert (await WAYS[way](server, "conversations.d", ann)).status_code == 429


async def test_requests_at_once_that_create_one_topic_count_once() -> None:
    topics = topics_of("Ann")
    signed = sign(SECRET, "Ann", publish=topics, subscribe=topics, limits={"topics": 2}, seconds=600)
    ann = {"authorization": f"Bearer {signed}"}
    async with serving(secret=SECRET) as server:
        for topic in ("conversations.a", "conversations.b"):
            answers = await asyncio.gather(*[WAYS["publishing"](server, topic, ann) for _ in range(20)])
            assert {answer.status_code for answer in answers} == {201}
        assert (await WAYS["publishing"](server, "conversations.c", ann)).status_code == 429
