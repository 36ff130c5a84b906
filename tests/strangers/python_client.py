"""Readers of event streams from PyPI, as their own pages say to use them.

`python -m tests.strangers.python_client NAME URL` prints `["event", data]` for each event of type `message`, and
`["ended", how]` when the library stops by itself: `returned`, or the name of the exception that it raised.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable, Iterator


def tell(kind: str, text: str) -> None:
    print(json.dumps([kind, text]), flush=True)


def tidings(url: str) -> Iterator[str]:
    from urllib.parse import parse_qs, urlsplit

    from tidings import Client

    parts = urlsplit(url)
    with Client(f"{parts.scheme}://{parts.netloc}") as client:
        for event in client.subscribe(parse_qs(parts.query)["topic"][0], after="earliest"):
            yield event.data


def httpx_sse(url: str) -> Iterator[str]:
    import httpx
    from httpx_sse import connect_sse

    with httpx.Client(timeout=None) as client, connect_sse(client, "GET", url) as source:
        for event in source.iter_sse():
            if event.event == "message":
                yield event.data


def sseclient_py(url: str) -> Iterator[str]:
    import requests
    import sseclient

    response = requests.get(url, stream=True, headers={"Accept": "text/event-stream"})
    for event in sseclient.SSEClient(response).events():
        if event.event == "message":
            yield event.data


def requests_sse(url: str) -> Iterator[str]:
    from requests_sse import EventSource

    with EventSource(url) as source:
        for event in source:
            if event.type == "message":
                yield event.data


def requests_alone(url: str) -> Iterator[str]:
    import requests

    type = "message"
    for line in requests.get(url, stream=True).iter_lines(decode_unicode=True):
        field, _, value = line.partition(": ")
        if field == "event":
            type = value
        elif field == "data" and type == "message":
            yield value
        elif not line:
            type = "message"


def launchdarkly(url: str) -> Iterator[str]:
    from ld_eventsource import SSEClient

    for event in SSEClient(url).events:
        if event.event == "message":
            yield event.data


def launchdarkly_continuing(url: str) -> Iterator[str]:
    from ld_eventsource import SSEClient
    from ld_eventsource.config import ErrorStrategy

    for event in SSEClient(url, error_strategy=ErrorStrategy.always_continue()).events:
        if event.event == "message":
            yield event.data


def aiohttp_sse_client2(url: str) -> Iterator[str]:
    from aiohttp_sse_client2.client import EventSource

    async def follow() -> None:
        async with EventSource(url) as source:
            async for event in source:
                if event.type in (None, "message"):
                    tell("event", event.data)

    asyncio.run(follow())
    return iter(())


CLIENTS: dict[str, Callable[[str], Iterator[str]]] = {
    "tidings": tidings,
    "httpx-sse": httpx_sse,
    "sseclient-py": sseclient_py,
    "requests-sse": requests_sse,
    "requests": requests_alone,
    "aiohttp-sse-client2": aiohttp_sse_client2,
    "launchdarkly-eventsource": launchdarkly,
    "launchdarkly-eventsource, continuing": launchdarkly_continuing,
}


def main(name: str, url: str) -> None:
    try:
        for data in CLIENTS[name](url):
            tell("event", data)
    except Exception as error:
        tell("ended", type(error).__name__)
    else:
        tell("ended", "returned")


if __name__ == "__main__":
    main(*sys.argv[1:])
