"""The words of the page: one name for each thing, and none of the phrases that people did not understand."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest

from tidings import web

ROOT = Path(web.__file__).parents[1]
SHOWN = ("web/ui", "apps", "assistants", "http", "access")
"""The folders whose texts people read."""

OLD = """
You change a message
Leave it
You change a question that was asked
What it is about
Make it
Only those whom you add may read it
Rooms: browse, or make one
None yet
There is no room yet
No room is called so
Nothing was said here yet
What is written here stays in the log
as a guest
You may read here
An owner of the room may let you write
As they sign in
Who is here is offered
Nothing more can be said in it
What was said stays
It is gone for everyone
It cannot be brought back
the address is not whole
somebody else's
Waits until the answer above has ended
Waits a moment
Waits for the connection
Files are kept until this page is left
Send waits
It is larger than
Files wait in this page
Words that were said here
What is in quotes
Change the last question
From message to message
Go to the newest notification
Add a line
This list
Nothing yet
come here
Notifications are a person's
notifications are a person's
The version before
The next version
^Answer again$
Run and sources
not known
Whoever runs it makes one
leads nowhere on this server
Your name there is taken
Ask whoever runs this server
No model is configured, so answers
The documentation says nothing about this
I quote Tidings' own documentation
All of it
oops
sorry
log in
logged in
log out
"""
"""Regular expressions of phrases that are nowhere in the texts of the page and in the sentences of the server."""


@cache
def texts() -> dict[str, list[str]]:
    """The texts of each source: its strings and, in modules of the page, what stands between tags."""
    found: dict[str, list[str]] = {}
    for folder in SHOWN:
        for path in sorted((ROOT / folder).rglob("*.*")):
            if path.suffix == ".js":
                found[path.relative_to(ROOT).as_posix()] = of_page(path.read_text("utf-8"))
            elif path.suffix == ".py":
                found[path.relative_to(ROOT).as_posix()] = of_server(path.read_text("utf-8"))
    return found


def of_page(source: str) -> list[str]:
    bare = re.sub(r"/\*.*?\*/|(?<!:)//[^\n]*", "", source, flags=re.S)
    between = [" ".join(text.split()) for text in re.findall(r">([^<>{}=]*[a-z][^<>{}=]*)(?=[<$])", bare)]
    return re.findall(r'"([^"\n]*)"', bare) + re.findall(r"`([^`]*)`", bare) + between


def of_server(source: str) -> list[str]:
    bare = re.sub(r'""".*?"""|#[^\n]*', "", source, flags=re.S)
    return re.findall(r'"([^"\n]*)"', bare)


@pytest.mark.parametrize("phrase", [line for line in OLD.splitlines() if line])
def test_a_phrase_that_people_did_not_understand_is_gone(phrase: str) -> None:
    found = [
        (name, text) for name, all in texts().items() for text in all if re.search(rf"(?<!\w){phrase}(?!\w)", text)
    ]
    assert found == []


def test_labels_and_sentences_neither_shout_nor_beg() -> None:
    for name, all in texts().items():
        for text in all:
            words = re.fullmatch(r"[A-Z][\w\u2019', -]+[!.?]?", text)
            assert not (words and text.endswith("!")), (name, text)
            assert not (words and re.search(r"\b[Pp]lease\b", text)), (name, text)


def test_the_rules_read_the_texts_of_the_page_and_the_server() -> None:
    all = {text for some in texts().values() for text in some}
    assert {
        "Create room",
        "Invite people",
        "Do not disturb",
        "Editing message",
        "Choose a name to get notifications.",
    } <= {text.strip() for text in all}
    assert of_page('html`<b>Leave it</b>` // gone\nx = "Make it"') == ["Make it", "<b>Leave it</b>", "Leave it"]
