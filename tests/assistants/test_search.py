from __future__ import annotations

import asyncio

import pytest

from tidings.assistants.corpus import Passage, read_docs
from tidings.assistants.search import Index


@pytest.fixture(scope="module")
def index() -> Index:
    return Index(read_docs)


ANSWERED = [
    ("What is Tidings?", "index.md"),
    ("What is process mining?", "process-mining.md"),
    ("what's an event log in process mining", "process-mining.md"),
    ("directly-follows graph", "process-mining.md"),
    ("Who invented process mining?", "process-mining.md"),
    ("What is conformance checking?", "process-mining.md"),
    ("How does a client resume after a deploy?", "concepts.md"),
    ("Why does a closed topic answer 204?", "concepts.md"),
    ("What is an offset?", "concepts.md"),
    ("What is a run?", "concepts.md"),
    ("How does a run end?", "concepts.md"),
    ("what does the tail mean?", "concepts.md"),
    ("What does a publish promise on SQLite?", "stores.md"),
    ("What does durability=normal give up?", "stores.md"),
    ("How do I back up the database?", "stores.md"),
    ("Can several processes share one SQLite file?", "stores.md"),
    ("How do I stop a run?", "concepts.md"),
    ("How do I publish from Python?", "how-to/publish.md"),
    ("How do I retry a publish without storing it twice?", "how-to/idempotent-publish.md"),
    ("How do I use an OpenAI-compatible server?", "how-to/langchain.md"),
    ("How do I put nginx in front?", "deploy.md"),
    ("How do I run it with systemd?", "deploy.md"),
    ("Why does the seventh tab hang?", "deploy.md"),
    ("Why TCP_NOTSENT_LOWAT?", "deploy.md"),
    ("What is in a token?", "how-to/auth.md"),
    ("What does TIDINGS_KEEP_ALIVE mean?", "reference/settings.md"),
    ("What is the fuzzy miner?", "process-mining.md"),
    ("how to install", "questions.md"),
    ("do I need docker", "questions.md"),
    ("Can I use Redis?", "questions.md"),
    ("Does it support WebSockets?", "questions.md"),
    ("what happens if the server crashes", "questions.md"),
    ("what's the maximum event size", "questions.md"),
    ("how do I change the port", "questions.md"),
    ("which browsers are supported", "questions.md"),
    ("what license is it", "questions.md"),
    ("how do I delete a topic", "questions.md"),
    ("proxy_buffering", "deploy.md"),
    ("what happens to my stream when the token expires", "how-to/auth.md"),
    ("How can a page continue after a reload?", "how-to/resume.md"),
    ("can two tabs share the same answer", "questions.md"),
    ("how do I use Ollama", "how-to/langchain.md"),
    ("what is the difference between discovery and enhancement", "process-mining.md"),
    ("who is Wil van der Aalst", "process-mining.md"),
    ("what does XES mean", "process-mining.md"),
]

UNANSWERED = [
    "What is the capital of France?",
    "Who is the president of the United States?",
    "Write a poem about the sea",
    "How do I bake bread?",
    "What is the weather like today?",
    "What time is it?",
    "Who won the world cup in 2014?",
    "How do I sort a list in Python?",
    "Translate good morning into Spanish",
    "What is the meaning of life?",
    "How tall is the Eiffel tower?",
    "What is quantum computing?",
    "Does it work with Kafka?",
    "Where can I buy a car?",
    "What happens if I drink bleach?",
    "how do I publish a book",
    "what is the token economy in football",
    "How do I run a marathon?",
    "what is the process of photosynthesis",
    "how to mine bitcoin",
    "tail of a comet",
    "history of Rome",
    "what is machine learning",
    "who is the CEO of Celonis",
    "write python code to reverse a string",
    "Is my order 4711 paid?",
    "How do I cancel my subscription to Netflix?",
    "Who wrote the log of the Santa Maria?",
    "How do I install photoshop?",
    "how are you",
    "how do I learn python",
    "how do I pay for it",
    "What time is the meeting?",
    "hello",
    "thanks!",
    "?",
    "",
    '" OR NEAR(abc, 5) * text:',
    "ᚠᚢᚦ 東京 \N{PILE OF POO}",
]


@pytest.mark.parametrize(("question", "page"), ANSWERED)
def test_a_question_the_pages_answer_finds_the_right_page_first(index: Index, question: str, page: str) -> None:
    assert [hit.passage.path for hit in index.search(question)][:1] == [page]


@pytest.mark.parametrize("question", UNANSWERED)
def test_a_question_about_something_else_finds_nothing(index: Index, question: str) -> None:
    assert [(hit.passage.path, hit.passage.heading) for hit in index.search(question)] == []


def test_the_exact_heading_comes_before_a_longer_one() -> None:
    pages = [Passage("a.md", "A", heading, (1, 1), "prose", "It mines.") for heading in ("What is a live run?", "Run")]
    assert Index(lambda: pages).search("What is a run?")[0].passage.heading == "Run"


def test_a_long_text_is_searched_in_a_moment_by_its_first_words(index: Index) -> None:
    assert index.search("What is a run? " + " ".join(f"word{n}" for n in range(5000)) + " offset")[
        0
    ].passage.heading == ("What is a run?")


def test_the_last_paragraph_is_the_question(index: Index) -> None:
    talk = "What is a topic?\n\nNever mind, Tom. What is an offset?"
    assert index.search(talk)[0].passage.heading == "What is an offset?"
    assert index.search("What is an offset?\n\nI have a dog.")[0].passage.heading == "What is an offset?"


def test_without_pages_nothing_is_found() -> None:
    assert Index(list).search("What is a run?") == []


async def test_the_pages_are_read_once_however_many_ask_at_once() -> None:
    loads: list[int] = []

    def load() -> list[Passage]:
        loads.append(1)
        return read_docs()

    index = Index(load)
    found = await asyncio.gather(*(asyncio.to_thread(index.search, "What is a run?") for _ in range(20)))
    assert len(loads) == 1
    assert all(hits and hits[0].passage.path == "concepts.md" for hits in found)
