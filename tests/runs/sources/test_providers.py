"""The clients of OpenAI and Anthropic over real HTTP: what ends well, what does not, and what each failure says."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain_anthropic import ChatAnthropic
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI

from tests.model_server import FINISH, TOOLS, USAGE, Answer, delta, refuse, stand_in, stream, typed
from tests.runs.scripted import Said, only, sound, text, told
from tidings import Hub

HELLO = delta(role="assistant", content="Hel"), delta(content="lo")


@pytest.fixture
async def hub() -> AsyncIterator[Hub]:
    async with Hub("memory:") as hub:
        yield hub


def openai(url: str, **options: Any) -> Any:
    return ChatOpenAI(base_url=url, api_key="sk-secret", model="gpt", max_retries=0, stream_usage=True, **options)


def anthropic(url: str) -> Any:
    return ChatAnthropic(
        base_url=url.removesuffix("/v1"), api_key="sk-secret", model_name="claude", max_retries=0, stop=None, timeout=20
    )


def responses(url: str) -> Any:
    return openai(url, use_responses_api=True)


async def asked(hub: Hub, model: Any, *answers: Answer) -> list[Said]:
    """The story of a run of a model whose server gives these answers."""
    async with stand_in(*answers) as server:
        said = await told(hub, model(server.url), "Hello?")
    sound(said)
    assert "secret" not in json.dumps(said)
    return said


def reason(word: str) -> dict[str, Any]:
    return {"choices": [{"index": 0, "delta": {}, "finish_reason": word}]}


def claude(*middle: dict[str, Any], why: str | None = "end_turn") -> Answer:
    usage = {"input_tokens": 3, "output_tokens": 1}
    message = {"id": "msg_1", "type": "message", "role": "assistant", "content": [], "model": "claude", "usage": usage}
    message |= {"stop_reason": None, "stop_sequence": None}
    end: list[dict[str, Any]] = []
    if why:
        changed = {"stop_reason": why, "stop_sequence": None}
        end = [{"type": "message_delta", "delta": changed, "usage": {"output_tokens": 5}}, {"type": "message_stop"}]
    return typed({"type": "message_start", "message": message}, *middle, *end)


def spoken(words: str) -> list[dict[str, Any]]:
    return [
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": words}},
        {"type": "content_block_stop", "index": 0},
    ]


def response(status: str, **facts: Any) -> dict[str, Any]:
    return {
        "id": "resp_1", "object": "response", "created_at": 1, "status": status, "model": "gpt", "output": [],
        "parallel_tool_calls": True, "tool_choice": "auto", "tools": [], "error": None, "incomplete_details": None,
        **facts,
    }  # fmt: skip


def responded(end: dict[str, Any], words: str = "Hello") -> Answer:
    item = {"id": "msg_1", "type": "message", "role": "assistant", "status": "in_progress", "content": []}
    place = {"item_id": "msg_1", "output_index": 0, "content_index": 0}
    events: list[dict[str, Any]] = [
        {"type": "response.created", "response": response("in_progress")},
        {"type": "response.output_item.added", "output_index": 0, "item": item},
        {"type": "response.output_text.delta", "delta": words, "logprobs": [], **place},
        end,
    ]
    return typed(*[{**event, "sequence_number": n} for n, event in enumerate(events)])


def ended(status: str = "completed", **facts: Any) -> dict[str, Any]:
    usage = {"input_tokens": 3, "output_tokens": 2, "total_tokens": 5}
    details: Any = {"input_tokens_details": {"cached_tokens": 0}, "output_tokens_details": {"reasoning_tokens": 0}}
    return {"type": f"response.{status}", "response": response(status, usage={**usage, **details}, **facts)}


@pytest.mark.parametrize(
    ("model", "answer", "finish"),
    [
        (openai, stream(*HELLO, FINISH, USAGE), "stop"),
        (openai, stream(*HELLO, reason("length")), "length"),
        (anthropic, claude(*spoken("Hello")), "stop"),
        (anthropic, claude(*spoken("Hello"), why="max_tokens"), "length"),
        (anthropic, claude(*spoken("Hello"), why="pause_turn"), "length"),
        (anthropic, claude(*spoken("Hello"), why="refusal"), "content_filter"),
        (responses, responded(ended()), "stop"),
        (responses, responded(ended("incomplete", incomplete_details={"reason": "max_output_tokens"})), "length"),
        (responses, responded(ended("incomplete", incomplete_details={"reason": "content_filter"})), "content_filter"),
    ],
)
async def test_an_answer_and_why_it_ended(hub: Hub, model: Any, answer: Answer, finish: str) -> None:
    said = await asked(hub, model, answer)
    assert text(said) == "Hello"
    assert (said[-1]["outcome"], said[-1]["finish"]) == ("success", finish)


@pytest.mark.parametrize(
    ("model", "answer"),
    [
        (openai, stream(*HELLO, done=False)),
        (anthropic, claude(*spoken("Hello"), why=None)),
        (responses, responded({"type": "response.in_progress", "response": response("in_progress")})),
    ],
)
async def test_an_answer_without_an_end_is_not_finished(hub: Hub, model: Any, answer: Answer) -> None:
    said = await asked(hub, model, answer)
    assert text(said) == "Hello"
    assert (said[-1]["type"], said[-1]["code"], said[-1]["retryable"]) == ("run.failed", "broken_off", True)


def fault(**body: Any) -> dict[str, Any]:
    return {"error": {"message": "the key is sk-secret", **body}}


@pytest.mark.parametrize(
    ("model", "answer", "code", "retryable"),
    [
        (openai, stream(*HELLO, fault(type="server_error", code=None), done=False), "provider", True),
        (openai, stream(*HELLO, fault(type="overloaded_error", code=None), done=False), "overloaded", True),
        (openai, stream(*HELLO, fault(code=502), done=False), "provider", True),
        (openai, stream(*HELLO, fault(code="rate_limit_exceeded", type="requests"), done=False), "rate_limit", True),
        (openai, refuse(429, json.dumps(fault(type="insufficient_quota", code="insufficient_quota"))), "quota", False),
        (openai, refuse(400, json.dumps(fault(code="context_length_exceeded"))), "too_long", False),
        (openai, refuse(401, json.dumps(fault(code="invalid_api_key"))), "credentials", False),
        (
            anthropic,
            claude(*spoken("Hello"), {"type": "error", "error": {"type": "overloaded_error", "message": "sk-secret"}}),
            "overloaded",
            True,
        ),
        (anthropic, refuse(529, '{"type": "error", "error": {"type": "overloaded_error"}}'), "overloaded", True),
        (
            responses,
            responded({"type": "error", "code": "server_error", "message": "sk-secret", "param": None}),
            "provider",
            True,
        ),
        (
            responses,
            responded(ended("failed", error={"code": "rate_limit_exceeded", "message": "sk-secret"})),
            "rate_limit",
            True,
        ),
        (responses, responded(ended("failed", error={"code": "invalid_prompt", "message": "x"})), "rejected", False),
    ],
)
async def test_a_failure_says_what_it_was(hub: Hub, model: Any, answer: Answer, code: str, retryable: bool) -> None:
    said = await asked(hub, model, answer)
    assert (said[-1]["type"], said[-1]["code"], said[-1]["retryable"]) == ("run.failed", code, retryable)
    assert text(said) in ("", "Hello")


@pytest.mark.parametrize(
    ("model", "headers", "wait"),
    [
        (openai, "retry-after: 20\r\n", 20),
        (openai, "retry-after-ms: 1500\r\nretry-after: 2\r\n", 1.5),
        (anthropic, "retry-after: 7\r\n", 7),
        (openai, "retry-after: Fri, 31 Dec 2027 23:59:59 GMT\r\n", None),
        (openai, "retry-after: 1e9\r\n", None),
    ],
)
async def test_a_rate_limit_says_how_long_to_wait(hub: Hub, model: Any, headers: str, wait: float | None) -> None:
    said = await asked(hub, model, refuse(429, "{}", headers))
    assert (said[-1]["code"], said[-1]["retryable"], said[-1].get("retry_after")) == ("rate_limit", True, wait)


@pytest.mark.parametrize(
    ("model", "answer"),
    [
        (anthropic, claude(why="refusal")),
        (
            openai,
            stream(delta(role="assistant"), reason("content_filter")),
        ),
        (openai, refuse(400, json.dumps(fault(code="content_policy_violation", type="invalid_request_error")))),
    ],
)
async def test_a_refusal_without_words_is_no_success(hub: Hub, model: Any, answer: Answer) -> None:
    said = await asked(hub, model, answer)
    assert (said[-1]["type"], said[-1]["code"], said[-1]["retryable"]) == ("run.failed", "refused", False)
    assert said[-1]["message"] == "The model refused to answer this."


async def test_the_words_of_a_refusal_are_shown(hub: Hub) -> None:
    place = {"item_id": "msg_1", "output_index": 0, "content_index": 0}
    end = ended(output=[{
        "id": "msg_1", "type": "message", "role": "assistant", "status": "completed",
        "content": [{"type": "refusal", "refusal": "I will not."}],
    }])  # fmt: skip
    refusal = {"type": "response.refusal.done", "refusal": "I will not.", "sequence_number": 1, **place}
    created = {"type": "response.created", "response": response("in_progress"), "sequence_number": 0}
    said = await asked(hub, responses, typed(created, refusal, {**end, "sequence_number": 2}))
    assert text(said) == "I will not."
    assert (said[-1]["outcome"], said[-1]["finish"]) == ("success", "content_filter")


async def test_an_agent_over_the_wire(hub: Hub) -> None:
    @tool
    async def add(a: int, b: int) -> int:
        """Add."""
        return a + b

    call = {"index": 0, "id": "c1", "type": "function", "function": {"name": "add", "arguments": '{"a": 1,'}}
    rest = {"index": 0, "function": {"arguments": '"b": 2}'}}
    first = stream(delta(role="assistant", content=None, tool_calls=[call]), delta(tool_calls=[rest]), TOOLS, USAGE)
    async with stand_in(first, stream(delta(content="It is 3."), FINISH, USAGE)) as server:
        said = await told(
            hub, create_agent(openai(server.url), [add]), {"messages": [{"role": "user", "content": "?"}]}
        )
    sound(said)
    assert [(tool["call"], tool["output"]) for tool in only(said, "tool.finished")] == [("c1", "3")]
    assert text(said) == "It is 3."
    assert said[-1]["usage"][0]["output_tokens"] == 6
