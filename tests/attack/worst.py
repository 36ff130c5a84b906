"""The largest and most tedious requests of every route, and the statuses of their answers."""

from __future__ import annotations

import msgspec

from tests.attack.conftest import bearer
from tests.raw import request

JSON, NDJSON = "content-type: application/json", "content-type: application/x-ndjson"
MEGABYTE = 1 << 20


def members(count: int) -> bytes:
    """Return an object of many members that no route knows."""
    return msgspec.json.encode({f"k{n}": n for n in range(count)})


def worst(method: str, target: str, body: bytes = b"", *headers: str) -> bytes:
    return request(method, target, body, bearer(), *headers)


REFUSED = {
    "unknown members for signing in": (request("POST", "/session", members(80_000), JSON), 413),
    "unknown members that fit for signing in": (request("POST", "/session", members(1_000), JSON), 422),
    "a long name for signing in": (request("POST", "/session", b'{"name":"' + b"n" * 16_000 + b'"}', JSON), 422),
    "unknown members for a configuration": (worst("PUT", "/topics/events", members(550_000), JSON), 413),
    "unknown members that fit for a configuration": (worst("PUT", "/topics/events", members(1_000), JSON), 422),
    "a long member for a configuration": (worst("PUT", "/topics/a", b'{"' + b"m" * 16_000 + b'":1}', JSON), 422),
    "unknown members for a run": (worst("POST", "/runs", members(60_000), JSON), 413),
    "unknown members that fit for a run": (worst("POST", "/runs", members(19_999), JSON), 422),
    "many messages for a run": (worst("POST", "/runs", b'{"messages":[' + b"{}," * 349_000 + b"{}]}", JSON), 413),
    "wrong messages for a run": (worst("POST", "/runs", b'{"messages":[' + b"{}," * 9_998 + b"{}]}", JSON), 422),
    "empty messages for a run": (worst("POST", "/runs", b'{"messages":[' + b"[]," * 9_998 + b"[]]}", JSON), 422),
    "deep messages for a run": (worst("POST", "/runs", b'{"messages":' + b"[" * 19_990, JSON), 400),
    "numbers for a run": (worst("POST", "/runs", b'{"input":[' + b"1," * 520_000 + b"1]}", JSON), 413),
    "texts for a run": (worst("POST", "/runs", b'{"input":[' + b'"",' * 340_000 + b"1]}", JSON), 413),
    "commas in a text for a run": (worst("POST", "/runs", b'{"input":"' + b"," * 1_000_000 + b'"}', JSON), 422),
    "escapes in a text for a run": (worst("POST", "/runs", b'{"input":"' + rb"\"," * 340_000 + b'"}', JSON), 422),
    "short lines for a batch": (worst("POST", "/topics/a/events", b'{"data":1}\n' * 600_000, NDJSON), 413),
    "empty lines for a batch": (worst("POST", "/topics/a/events", b"\n" * 8_000_000, NDJSON), 413),
    "a line of members for a batch": (worst("POST", "/topics/a/events", members(500_000), NDJSON), 400),
    "a wrong last line for a batch": (worst("POST", "/topics/a/events", b'{"data":1}\n' * 9_999 + b"x", NDJSON), 400),
    "a batch of deep lines": (worst("POST", "/topics/a/events", b'{"data":' + b"[" * 4_000_000, NDJSON), 400),
    "a deep event": (worst("POST", "/topics/a/events", b"[" * MEGABYTE, JSON), 400),
    "parameters for a stream": (worst("GET", "/events?" + "a=1&" * 15_000), 422),
    "topics for a stream": (worst("GET", "/events?" + "&".join(f"topic=t{n}" for n in range(5_000))), 422),
    "offsets for a stream": (worst("GET", "/events?topic=a&last_event_id=" + "E-1~" * 15_000), 400),
    "parameters for a page": (worst("GET", "/topics/a/events?" + "a=1&" * 15_000), 422),
    "a long question": (worst("GET", "/stream?q=" + "q" * 60_000), 422),
    "a long name of an assistant": (worst("GET", "/stream?q=a&assistant=" + "q" * 60_000), 422),
    "a long id of a run": (worst("GET", f"/runs/{'R' * 60_000}/events"), 414),
    "a long topic": (worst("GET", f"/topics/{'a.' * 30_000}a"), 414),
    "a long name of a room": (worst("GET", f"/rooms/{'r' * 60_000}"), 414),
    "a long search": (worst("GET", "/search?q=" + "q" * 60_000), 422),
    "a long name of a file": (worst("POST", "/rooms/a/files?name=" + "n" * 60_000, b"x"), 422),
    "a long path": (worst("GET", "/" + "a/" * 30_000), 414),
    "the longest path": (worst("GET", "/" + "a/" * 2_000), 404),
    "a long token": (request("GET", "/topics", b"", "authorization: Bearer " + "t" * 60_000), 401),
    "many cookies": (request("GET", "/topics", b"", "cookie: " + "a=b;" * 15_000), 401),
    "many headers": (request("GET", "/topics", b"", *["a: b"] * 10_000), 401),
}


def lines(type: str, data: str, count: int) -> bytes:
    """Return a batch of equal events."""
    return (f'{{"type":"{type}","data":{data}}}\n' * count).encode()


ROOM = "/topics/rooms.worst/events"
TEXT = '"' + "x" * 700 + '"'
CALLS = '{"text":"' + "@z " * 1_000 + '"}'

BRACKETS = "[" + "[]," * (MEGABYTE // 3 - 2) + "[]]"

CALLED = 999
"""Members of the room. A message looks at 200 occurrences of `@`."""

JOINED = b"".join(b'{"type":"member.joined","data":{"member":"z%d"}}\n' % n for n in range(CALLED))
NAMES = '{"text":"' + " ".join(f"@z{n}" for n in range(CALLED)) + '"}'
NESTED = '{"text":"' + ">" * 2_000 + ' @z1"}'
LAZY = '{"text":"' + "> - " * 4 + "\\n" + "a\\n" * 7_900 + '@z1"}'
LISTS = '{"text":"' + "- a\\n\\n" * 3_000 + '@z1"}'

BEFORE = (
    worst("POST", f"{ROOM}?type=room.created", b'{"name":"worst"}', JSON),
    worst("POST", ROOM, JOINED, NDJSON),
)
"""The requests that make the room of `READ`."""

ACCEPTED = {
    "the largest batch of lines": (worst("POST", "/topics/worst/events", lines("a", "1", 10_000), NDJSON), 201),
    "the largest batch of bytes": (worst("POST", "/topics/worst/events", lines("a", TEXT, 10_000), NDJSON), 201),
    "the largest event": (worst("POST", "/topics/worst/events", b"x" * MEGABYTE), 201),
    "the largest events of brackets": (worst("POST", "/topics/worst/events", lines("a", BRACKETS, 7), NDJSON), 201),
    "a page of brackets": (worst("GET", "/topics/worst/events?after=-7"), 200),
    "transient events": (worst("POST", "/topics/worst/events?transient=true", lines("a", "1", 10_000), NDJSON), 202),
    "the largest page": (worst("GET", "/topics/worst/events?limit=1000"), 200),
    "messages in a room": (worst("POST", ROOM, lines("message.posted", '{"text":"x"}', 1_000), NDJSON), 201),
    "calls of nobody in a room": (worst("POST", ROOM, lines("message.posted", CALLS, 1_000), NDJSON), 201),
    "calls of everybody in a room": (worst("POST", ROOM, lines("message.posted", NAMES, 40), NDJSON), 201),
    "nested quotes in a room": (worst("POST", ROOM, lines("message.posted", NESTED, 400), NDJSON), 201),
    "lines that go on a quote in a room": (worst("POST", ROOM, lines("message.posted", LAZY, 40), NDJSON), 201),
    "long lists in a room": (worst("POST", ROOM, lines("message.posted", LISTS, 40), NDJSON), 201),
    "people who type in a room": (worst("POST", f"{ROOM}?transient=true", lines("typing", "{}", 10_000), NDJSON), 202),
    "all of a room": (worst("GET", "/rooms/worst"), 200),
}
"""The largest requests that are accepted, and their statuses. Their events go to the readers of `READ`."""

READ = request("GET", "/events?topic=worst&topic=rooms.worst", b"", bearer())
