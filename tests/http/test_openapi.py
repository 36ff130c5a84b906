"""The OpenAPI document is true: whatever it allows is answered as it says, whatever it forbids is refused."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import httpx
import msgspec
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings

from tests.serving import PATIENCE, ServerProcess
from tidings.server.app import create_app
from tidings.server.settings import Settings

DOCUMENT: dict[str, Any] = create_app(Settings(store="memory:")).openapi()
ANN = {"tidings_name": "Ann"}
TOPIC = re.compile(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*")
# A 400 is what breaks a rule that JSON Schema cannot say: of two fields, or of a topic's state.
ACCEPTED = ["2xx", "400", "404", "409", "410"]
REJECTED = ["400", "404", "405", "409", "410", "413", "415", "422", "431"]
CONFIG = schemathesis.Config.from_dict(
    {
        "checks": {
            "positive_data_acceptance": {"expected-statuses": ACCEPTED},
            "negative_data_rejection": {"expected-statuses": REJECTED},
        }
    }
)
schema = schemathesis.openapi.from_dict(DOCUMENT, config=CONFIG)


@schemathesis.serializer("application/x-ndjson")
def ndjson(context: object, value: Any) -> bytes:
    """A line for each value."""
    return b"\n".join(map(msgspec.json.encode, value if isinstance(value, list) else [value]))


@schemathesis.serializer("application/x-protobuf")
def protobuf(context: object, value: Any) -> bytes:
    """Any bytes: the document does not say which messages they are."""
    return str(value).encode()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """The server as it is run."""
    folder = tmp_path_factory.mktemp("openapi")
    with ServerProcess(f"sqlite:///{folder}/tidings.db") as made:
        # The room of the document's examples: much of what is asked of no room is answered alike.
        path = f"{made.url}/topics/rooms.lobby/events?type=room.created"
        assert httpx.post(path, json={"name": "Lobby"}, cookies=ANN, timeout=PATIENCE).status_code == 201
        yield made


@pytest.fixture(scope="module")
def client(server: ServerProcess) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.url, timeout=PATIENCE) as made:
        yield made


def end_topics(client: httpx.Client, names: object) -> None:
    """Close what a stream is asked of, or it would go on for ever."""
    for name in names if isinstance(names, list) else [names]:
        if isinstance(name, str) and TOPIC.fullmatch(name) and len(name) <= 200:
            client.post(f"/topics/{name}/events", content="x")
            assert client.post(f"/topics/{name}/close").status_code == 200


def checked(examples: int) -> Any:
    """The same examples each time: those that break something become tests of their own."""
    return settings(
        max_examples=examples,
        derandomize=True,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )


@schema.exclude(path="/stream").parametrize()
@checked(40)
def test_the_document_is_true(case: Any, server: ServerProcess, client: httpx.Client) -> None:
    if case.operation.path == "/events":
        end_topics(client, (case.query or {}).get("topic"))
    # Somebody with a name asks: what is a person's has no other answer than 403 to whoever has none.
    case.call_and_validate(base_url=server.url, timeout=PATIENCE, cookies=ANN)


@schema.include(path="/stream").parametrize()
@checked(5)
def test_the_document_is_true_of_answers(case: Any, server: ServerProcess) -> None:
    """Each of these reads a whole answer, as fast as it is spoken."""
    case.call_and_validate(base_url=server.url, timeout=PATIENCE)


def test_every_operation_says_what_it_answers() -> None:
    for path, operations in DOCUMENT["paths"].items():
        for method, operation in operations.items():
            assert operation["summary"], (method, path)
            for status, answer in operation["responses"].items():
                assert answer["description"] not in ("", "Successful Response"), (method, path, status)
                for kind, content in answer.get("content", {}).items():
                    assert content.get("schema") or content.get("itemSchema"), (method, path, status, kind)
