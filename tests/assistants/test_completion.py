"""Chat completions as servers write them: what their variety means, over real HTTP."""

from __future__ import annotations

import json
from typing import Any

import pytest
from langchain_core.messages import AIMessageChunk, HumanMessage
from langchain_core.tools import tool

from tests.model_server import FINISH, TOOLS, USAGE, Answer, delta, named, refuse, stand_in, stream
from tidings.assistants.endpoint import EndpointModel
from tidings.runs.failures import BrokenOff, explain


async def answer(reply: Answer, given: Any = "Hi", tools: Any = ()) -> AIMessageChunk:
    async with stand_in(reply) as server:
        model: Any = EndpointModel(url=server.url)
        whole = None
        async for piece in (model.bind_tools(tools) if tools else model).astream(given):
            whole = piece if whole is None else whole + piece
    assert isinstance(whole, AIMessageChunk)
    return whole


def parts(message: AIMessageChunk) -> list[tuple[str, str]]:
    return [(block["type"], str(block.get("text", block.get("reasoning")))) for block in message.content_blocks]


def usage(**numbers: Any) -> dict[str, Any]:
    return {"choices": [], "usage": numbers}


NULL: Any = {"choices": [{"index": 0, "delta": None, "finish_reason": None}]}


@pytest.mark.parametrize(
    "chunks",
    [
        [delta(content="Hello")],  # no reason of the end, but [DONE]
        [delta(content="Hello"), FINISH],
        [NULL, delta(content="Hel"), {"choices": None}, {}, delta(content="lo", role=None), FINISH],
        [delta(content="Hello"), FINISH, FINISH, {"choices": [], "usage": None}],
        [delta(content="Hello", tool_calls=None, function_call=None, refusal=None), FINISH],
        [delta(content=[{"type": "text", "text": "Hello"}]), FINISH],
        [{"choices": [{"delta": {"content": "Hello"}}], "error": None, "system_fingerprint": 1}, FINISH],
    ],
    ids=["done", "plain", "nulls", "twice", "null parts", "list", "extras"],
)
async def test_an_answer_is_whole(chunks: list[dict[str, Any]]) -> None:
    message = await answer(stream(*chunks))
    assert message.text == "Hello"
    assert message.response_metadata.get("finish_reason") in ("stop", None)


WHOLE = {"choices": [{"message": {"role": "assistant", "content": "Hello"}, "finish_reason": "stop"}]}


@pytest.mark.parametrize("type", ["application/json", "text/event-stream", "text/plain"])
@pytest.mark.parametrize(
    "body",
    [
        f"\n{json.dumps(WHOLE)}\n",
        f": hello\n\ndata: {json.dumps(delta(content='Hello'))}\n\ndata:\n\ndata:  [DONE] \n\n",
    ],
    ids=["whole", "streamed"],
)
async def test_a_server_may_mix_up_content_types(body: str, type: str) -> None:
    assert (await answer(refuse(200, body, f"content-type: {type}\r\n"))).text == "Hello"


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ([USAGE], (7, 3)),
        ([usage(prompt_tokens=7.0, completion_tokens=3.0)], (7, 3)),
        ([usage(prompt_tokens=7, completion_tokens=n) for n in (1, 2, 3)], (7, 3)),
        ([usage(prompt_tokens=7, completion_tokens=3), {"choices": [], "usage": None}], (7, 3)),
        ([usage(prompt_tokens=7, completion_tokens=None)], (7, 0)),
        ([usage(prompt_tokens=None, completion_tokens=None)], None),
        ([{"choices": [], "usage": "many"}], None),
    ],
    ids=["plain", "floats", "every chunk", "null at last", "half", "nulls", "nonsense"],
)
async def test_the_usage_is_told_once(told: list[dict[str, Any]], expected: tuple[int, int] | None) -> None:
    found = (await answer(stream(delta(content="Hello"), *told, FINISH))).usage_metadata
    assert (found and (found["input_tokens"], found["output_tokens"])) == expected


@pytest.mark.parametrize(
    ("deltas", "expected"),
    [
        ([{"reasoning_content": "Hm."}, {"content": "So"}], [("reasoning", "Hm."), ("text", "So")]),
        ([{"reasoning": "Hm."}, {"content": "So"}], [("reasoning", "Hm."), ("text", "So")]),
        ([{"content": "<think>Hm.</think>\n\nSo"}], [("reasoning", "Hm."), ("text", "So")]),
        (
            [{"content": piece} for piece in ("\n<", "thi", "nk>H", "m.</th", "e></", "think", ">", "So")],
            [("reasoning", "Hm.</the>"), ("text", "So")],
        ),
        ([{"content": "<think>"}, {"content": "Hm."}], [("reasoning", "Hm.")]),
        ([{"content": "<think>Hm.</th"}], [("reasoning", "Hm.</th")]),
        ([{"content": "<th"}, {"content": "ree>"}], [("text", "<three>")]),
        ([{"content": "<"}], [("text", "<")]),
        ([{"content": "a <think>b</think>"}], [("text", "a <think>b</think>")]),
        (
            [{"content": [{"type": "thinking", "thinking": "Hm."}]}, {"content": "So"}],
            [("reasoning", "Hm."), ("text", "So")],
        ),
    ],
)
async def test_thoughts_are_told_from_text(deltas: list[dict[str, Any]], expected: list[tuple[str, str]]) -> None:
    message = await answer(stream(*[delta(**fields) for fields in deltas], FINISH))
    assert parts(message) == expected


@tool
def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


async def test_tools_are_offered_and_called() -> None:
    def call(index: int | None, arguments: Any, **more: Any) -> dict[str, Any]:
        function = {"arguments": arguments, **({"name": "add"} if more else {})}
        return delta(tool_calls=[{"index": index, "type": "function", "function": function, **more}])

    reply = stream(
        call(0, '{"a": 1,', id="c1"), call(0, '"b": 2}'), call(1, {"a": 3, "b": 4}, id="c2"), TOOLS
    )  # fmt: skip
    async with stand_in(reply) as server:
        message = await EndpointModel(url=server.url).bind_tools([add], tool_choice="any").ainvoke("1 + 2?")
    assert [(call["id"], call["args"]) for call in message.tool_calls] == [
        ("c1", {"a": 1, "b": 2}), ("c2", {"a": 3, "b": 4}),
    ]  # fmt: skip
    ((_, _, request),) = server.requests
    assert request["tools"][0]["function"]["name"] == "add"
    assert request["tool_choice"] == "required"


async def test_pictures_reach_the_server() -> None:
    picture: Any = {"type": "image", "base64": "aGk=", "mime_type": "image/png"}
    async with stand_in(stream(delta(content="Nice."), FINISH)) as server:
        await EndpointModel(url=server.url).ainvoke([HumanMessage(content=["See: ", picture])])
    content = server.requests[0][2]["messages"][0]["content"]
    assert content[1] == {"type": "image_url", "image_url": {"url": "data:image/png;base64,aGk="}}


async def test_a_refusal_is_text_with_its_reason() -> None:
    message = await answer(stream(delta(refusal="I will "), delta(refusal="not."), FINISH))
    assert message.text == "I will not."
    assert message.response_metadata["finish_reason"] == "refusal"


@pytest.mark.parametrize(
    ("chunks", "code"),
    [
        ([delta(content="Half an ans")], "broken_off"),
        ([delta(content="Half"), {"error": {"message": "out of memory"}}], "broken_off"),
        ([delta(content="Half"), {"error": "out of memory"}], "broken_off"),
        ([delta(content="Half"), {"error": {"type": "overloaded_error"}}], "overloaded"),
        ([delta(content="Half"), {"error": {"code": 429, "message": "slow"}}], "rate_limit"),
        ([delta(content="Half"), {"object": "error", "code": 429, "message": "slow"}], "rate_limit"),
        ([delta(content="Half"), {"text": "out of memory", "error_code": 50002}], "broken_off"),
        ([delta(content="Half"), {"choices": "what?"}], "broken_off"),
    ],
    ids=["cut", "error", "text", "overloaded", "number", "object", "error code", "nonsense"],
)
async def test_half_an_answer_is_an_error_and_never_an_answer(chunks: list[dict[str, Any]], code: str) -> None:
    with pytest.raises(BrokenOff) as caught:
        await answer(stream(*chunks, done=len(chunks) > 1))
    assert explain(caught.value).code == code


async def test_an_event_named_error_is_an_error() -> None:
    reply = named(
        ("message", delta(content="Half")), ("error", {"code": 503, "message": "secret"}), ("message", FINISH)
    )
    with pytest.raises(BrokenOff) as caught:
        await answer(reply)
    assert explain(caught.value).code == "provider"
    assert "secret" not in str(caught.value)
