"""The people and the assistants that a message calls."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tidings.apps.rooms.mentions import CALLS, Mentions, mentions, spoken


def mentioned(text: str, names: list[str]) -> list[str]:
    return mentions([text], names, [])[text].members


MARA, TOM, TOMAS, ANNA = "Mara Lindqvist", "Tom", "Tomás Pérez", "Anna Berg"
NAMES = [MARA, TOM, TOMAS, ANNA, "Anna Holm", "周杰", "O'Neil Ø", "d-j x_y"]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("nobody", []),
        ("@", []),
        ("@Mara", [MARA]),
        ("@mara, look", [MARA]),
        ("see @MARA LINDQVIST!", [MARA]),
        ("(@mara)", [MARA]),
        ("@maraca", []),
        ("@mara_l", []),
        ("mara@mara.example", []),
        ("mail tom@mara", []),
        ("@tom @TOM tom", [TOM]),
        ("@Tomás", [TOMAS]),
        ("@Tom Pérez", [TOM]),
        ("@Anna", []),
        ("@anna holm", ["Anna Holm"]),
        ("@Anna Holmes", []),
        ("@周杰 你好", ["周杰"]),
        ("@o'neil", ["O'Neil Ø"]),
        ("@O'Neil ø?", ["O'Neil Ø"]),
        ("@d-j", ["d-j x_y"]),
        ("@anna berg @tom\n@mara", [MARA, TOM, ANNA]),
        ("@@tom", [TOM]),
        ("<b>@tom</b>", [TOM]),
        ("**@tom** and *@mara*", [MARA, TOM]),
        ("- a list\n  - of @tom", [TOM]),
        ("\\`@tom\\`", [TOM]),
        ("`code` @tom", [TOM]),
        ("> quoted\n\n@tom", [TOM]),
        ("请@tom看", [TOM]),
        ("@tomさん", [TOM]),
        ("@周杰伦", []),
        ("see a/b.c @tom", [TOM]),
    ],
)
def test_mentions_are_found_in_the_text(text: str, names: list[str]) -> None:
    assert mentioned(text, NAMES) == names


def test_the_longest_name_is_meant() -> None:
    assert mentioned("@Ann Lee", ["Ann", "Ann Lee"]) == ["Ann Lee"]
    assert mentioned("@Ann", ["Ann", "Ann Lee"]) == ["Ann"]


def test_the_number_of_signs_that_are_read_is_bounded() -> None:
    assert mentioned("@x " * (CALLS - 1) + "@tom", NAMES) == [TOM]
    assert mentioned("@x " * CALLS + "@tom", NAMES) == []


@pytest.mark.parametrize(
    "text",
    [
        "`@tom`",
        "``x ` @tom``",
        "```\n@tom\n```",
        "~~~py\n@tom",
        "text\n\n    @tom",
        "- a\n\n      @tom",
        "> @tom",
        "> quoted,\n@tom goes on",
        "- > @tom",
        ">" * 2_000 + " @tom",
        "https://example.com/@tom",
        "[tom](https://example.com/@tom)",
        "(https://example.com/@tom)",
        "<https://example.com/a/@tom>",
        "example.com/@tom",
        "www.example.com@tom",
        "mailto:a@tom",
    ],
)
def test_nobody_is_called_in_code_quotes_and_addresses(text: str) -> None:
    assert mentioned(text, NAMES) == []


def test_assistants_are_named_apart_from_members() -> None:
    text = "@Tom, ask @docs, not `@assistant`"
    assert mentions([text], ["docs lover", TOM], ["assistant", "docs"]) == {
        text: Mentions(["docs lover", TOM], ["docs"], False)
    }


@given(st.text(alphabet="@tom >`*-_~\n\t[]()<&!\\1.#|:/会", max_size=400))
def test_any_text_is_read(text: str) -> None:
    mentioned(text, NAMES)


@given(st.text(alphabet="tom @,.!?\n", max_size=80))
def test_plain_text_is_taken_as_it_is(text: str) -> None:
    words = spoken(text).split()
    assert words == (text.split() if "@" in text else [])


@given(st.text(alphabet="@tom \n-*#1.:/", max_size=60))
def test_a_text_without_code_and_quotes_names_whom_its_markdown_names(text: str) -> None:
    assume("   " not in text)
    assume(sum(map(text.count, "-*1")) <= 8)  # the parser leaves out what nests deeper
    assert mentioned(text, NAMES) == mentioned(f"{text}\n\n`code`", NAMES)


def test_a_text_without_code_and_quotes_is_not_parsed() -> None:
    assert spoken("1. a\n" * 3_000 + "@tom") == "1. a\n" * 3_000 + "@tom"
