from __future__ import annotations

from tidings.assistants.corpus import docs_folder, passages, read_docs

PAGE = """# Topics

A topic is a *name*
over two lines, see [concepts](concepts.md).

## How do I make one?

Publish to it:

```sh
# not a heading
publish rooms.lobby hello
```

It is there now.

- one
- two,
  which goes on

| a | b |
|---|---|
| 1 | 2 |

<!-- not for readers -->

## Empty

## Steps:

1. first

2. second
"""


def test_a_page_becomes_passages_with_their_lines() -> None:
    found = [(p.heading, p.kind, p.lines, p.text) for p in passages("topics.md", PAGE)]
    assert found == [
        ("Topics", "prose", (3, 4), "A topic is a *name* over two lines, see concepts."),
        (
            "How do I make one?",
            "code",
            (8, 13),
            "Publish to it:\n\n```sh\n# not a heading\npublish rooms.lobby hello\n```",
        ),
        ("How do I make one?", "prose", (15, 15), "It is there now."),
        ("How do I make one?", "list", (17, 19), "- one\n- two,\n  which goes on"),
        ("How do I make one?", "table", (21, 23), "| a | b |\n|---|---|\n| 1 | 2 |"),
        ("Steps:", "list", (31, 33), "1. first\n2. second"),
    ]


def test_the_title_is_the_first_heading_and_else_the_path() -> None:
    assert {p.title for p in passages("topics.md", PAGE)} == {"Topics"}
    assert [(p.title, p.heading) for p in passages("bare.md", "Text.")] == [("bare.md", "bare.md")]


def test_a_table_is_a_passage_and_a_list_of_tests_is_none() -> None:
    rows = "\n".join(f"| {'word ' * 20}| {number} |" for number in range(20))
    (table,) = passages("a.md", f"# A\n\n| a | b |\n|---|---|\n{rows}")
    assert table.text.endswith("| 19 |")
    tests = "| claim | test |\n|---|---|\n| one | `tests/a/test_one.py` |\n| two | `tests/a/test_two.py` |"
    assert passages("a.md", f"# A\n\nThe tests:\n\n{tests}\n\nEnd.")[-1].text == "End."
    assert not any("test_limits.py" in passage.text for passage in read_docs())


def test_an_unclosed_fence_ends_with_the_page() -> None:
    assert [p.text for p in passages("a.md", "```\ncode")] == ["```\ncode"]


def test_lines_point_at_what_is_quoted_in_every_bundled_page() -> None:
    found = read_docs()
    assert len(found) > 100
    for passage in found:
        lines = (docs_folder() / passage.path).read_text("utf-8").splitlines()
        first, last = passage.lines
        assert 1 <= first <= last <= len(lines)
        quoted = "\n".join(lines[first - 1 : last])
        assert passage.text.split()[-1].strip("`.:|*") in quoted
        assert "](" not in passage.text
