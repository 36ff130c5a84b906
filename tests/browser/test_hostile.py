"""Text of a model, a person or a log stays text on the page, whatever it looks like."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.conftest import OpenTab
from tests.browser.model import Hold, ScriptedModel
from tests.browser.people import Meet, meeting
from tests.serving import ServerProcess

HOSTILE = """\
<script>window.pwned = 1</script>
<img src=x onerror="window.pwned = 2">

A [bad link](javascript:window.pwned=3), a [good link](https://example.com/a?b=1&c=2), [relative](../../metrics),
[data](data:text/html,<script>window.pwned=4</script>), <https://example.com/auto>, ![a picture](https://example.com/p.png).

| <b>cell</b> | x |
|---|---|
| <svg onload=alert(1)> | `<i>` |

```html
<script>window.pwned = 5</script>
```

- [ ] a task <iframe src="https://example.com"></iframe>

<style>body { display: none }</style> [9] &lt;u&gt; <a href="javascript:window.pwned=6" onclick="window.pwned=7">raw</a>
"""

FORBIDDEN = (
    "script, style, img, iframe, svg[onload], b, i:not(.run-line), form, object, embed, [onclick], [onerror], [style]"
)


DEPTH = """root => Math.max(0, ...[...root.querySelectorAll("*")].map(inner => {
    let depth = 0;
    for (let at = inner; at !== root; at = at.parentElement) depth += 1;
    return depth;
}))"""


@pytest.fixture
def meet(browser: Browser, open_tab: OpenTab, server: ServerProcess) -> Iterator[Meet]:
    yield from meeting(browser, open_tab, server.url)


def test_hostile_text_stays_text_while_it_streams_and_after(open_tab: OpenTab, model: ScriptedModel) -> None:
    hold = Hold()
    model.script("be hostile", HOSTILE, hold, "\nThe end.")
    tab = open_tab()
    tab.ask("<img src=x onerror=window.pwned=8> be hostile")
    expect(tab.text).to_contain_text("raw")
    for state in ("streaming", "finished"):
        tab.expect_state(state)
        expect(tab.text).to_contain_text("<script>window.pwned = 1</script>")
        expect(tab.text).to_contain_text('<img src=x onerror="window.pwned = 2">')
        assert tab.text.locator(FORBIDDEN).count() == 0
        links = tab.text.locator("a").evaluate_all("all => all.map(a => a.href)")
        assert all(link.startswith("https://example.com/") for link in links)
        assert "https://example.com/a?b=1&c=2" in links
        assert set(tab.text.locator("a").evaluate_all("all => all.map(a => a.rel)")) == {"noopener noreferrer nofollow"}
        expect(tab.text).to_contain_text("[9]")
        hold.go()
    for tab_ in (tab, open_tab(tab.path)):
        expect(tab_.page.get_by_role("heading", level=1)).to_have_text("<img src=x onerror=window.pwned=8> be hostile")
        expect(tab_.log).to_contain_text("<img src=x onerror=window.pwned=8> be hostile")
        assert tab_.page.evaluate("window.pwned") is None


@pytest.mark.parametrize(
    "nested",
    [">" * 2000, "- " * 2000, "> - " * 1000, "*_" * 2000],
    ids=lambda nested: nested[:4].strip(),
)
def test_an_answer_that_nests_without_end_is_shown(open_tab: OpenTab, model: ScriptedModel, nested: str) -> None:
    hold = Hold()
    question = f"nest {nested[:4].strip()}"  # the model is shared: each test has a question of its own
    model.script(question, f"Before.\n\n{nested}inside", hold, "\n\nAfter.")
    tab = open_tab()
    tab.ask(question)
    for state in ("streaming", "finished"):
        tab.expect_state(state)
        expect(tab.text).to_contain_text("Before.")
        expect(tab.text).to_contain_text("inside")
        assert tab.text.evaluate(DEPTH) < 64
        hold.go()
    expect(tab.text).to_contain_text("After.")


@pytest.mark.parametrize("mark", "*_~`>[")
def test_an_answer_of_100_000_marks_is_shown(open_tab: OpenTab, model: ScriptedModel, mark: str) -> None:
    """The tab shows the marks while they stream, and is not held up: it took up to 10 s for as many quote marks."""
    hold = Hold()
    model.script(f"marks {mark}", "Before.\n\n", *[mark * 20_000] * 5, hold, f"{mark}\n\nAfter.")
    tab = open_tab()
    tab.ask(f"marks {mark}")
    for state in ("streaming", "finished"):
        tab.expect_state(state)
        expect(tab.text).to_contain_text("Before.")
        expect(tab.text).to_contain_text(mark * 5_000)
        hold.go()
    expect(tab.text).to_contain_text("After.")
    assert tab.text.locator("*").count() < 100


def test_code_that_takes_too_long_to_highlight_is_shown_without(open_tab: OpenTab, model: ScriptedModel) -> None:
    """The grammar of Markdown would hold the tab for 42 s."""
    model.script("hold the tab", f"```markdown\n{'[a](' * 5_000}\n```\n\n```js\nlet a;\n```\n\nAfter.")
    tab = open_tab()
    tab.ask("hold the tab")
    tab.expect_state("finished")
    expect(tab.text.locator("pre").first).to_contain_text("[a]([a](")
    expect(tab.text.locator("pre").nth(1).locator("span").first).to_have_text("let")
    assert tab.text.locator("pre").first.locator("span").count() == 0


@pytest.mark.parametrize(
    "nested",
    [">" * 2000, "> " * 2000, "- " * 2000, "[" * 2000, "**_" * 2000],
    ids=lambda nested: nested[:4].strip(),
)
def test_a_message_that_nests_without_end_is_shown(meet: Meet, nested: str) -> None:
    mara = meet("Mara Nested")
    room = f"nested-{sum(map(ord, nested))}"
    mara.make(room)
    mara.say(room, f"{nested}inside")
    tab = mara.open(room)
    expect(tab.messages.locator(".asked")).to_contain_text("inside")
    assert tab.messages.locator(".asked").evaluate(DEPTH) < 64
    tab.say("The tab answers.")
    expect(tab.said("The tab answers.")).to_be_visible()


def test_formulas_that_are_hostile_do_no_harm(open_tab: OpenTab, model: ScriptedModel) -> None:
    """The library may load no picture, set no class and draw nothing outside the formula."""
    macros = r"\def\a{\a\a}\a"
    link = r"\href{javascript:window.pwned=9}{x} \includegraphics{https://example.com/p.png} \htmlClass{side}{x}"
    over = r"\kern{-900em}\rule{900em}{900em}"
    texts = [
        macros,
        link,
        over,
        "{" * 1_900,
        r"\frac{" * 300,
        "^" * 1_900,
        r"\left(" * 300,
        "<img src=x onerror=alert(1)>",
    ]
    model.script("draw hostile formulas", *[f"\\({text}\\)\n\n" for text in texts], "The end.")
    tab = open_tab()
    tab.ask("draw hostile formulas")
    tab.expect_state("finished")
    expect(tab.text.locator(".math .katex").first).to_be_visible()
    assert tab.page.locator(f":is({FORBIDDEN.replace(', [style]', '')}, .side *):is(.math *)").count() == 0
    assert tab.text.locator(".math a").count() == 0
    boxes = tab.text.locator(".math").evaluate_all("all => all.map(one => getComputedStyle(one).contain)")
    assert set(boxes) == {"paint"}
    tab.answered("And still here?")


def test_a_log_that_others_write_to_cannot_break_the_page(open_tab: OpenTab) -> None:
    tab = open_tab()
    tab.answered("Write to my log")
    conversation = tab.path.removeprefix("/c/")
    publish = """async ([topic, type, data]) => {
        const body = JSON.stringify({type, data}) + "\\n";
        const headers = {"Content-Type": "application/x-ndjson"};
        return (await fetch(`/topics/${topic}/events`, {method: "POST", headers, body})).status;
    }"""
    for data in (None, 7, "text", [], {"run": 5}, {"run": "nobody", "input": {"x": 1}, "parent": 9}):
        assert tab.page.evaluate(publish, [f"conversations.{conversation}", "run.created", data]) == 201
        assert tab.page.evaluate(publish, ["users.local.conversations", "conversation.created", data]) == 201
    evil = {"id": "<script>", "title": "<script>window.pwned = 1</script>"}
    assert tab.page.evaluate(publish, ["users.local.conversations", "conversation.created", evil]) == 201
    expect(tab.page.get_by_text("<script>window.pwned = 1</script>")).to_be_visible()
    expect(tab.answer).to_contain_text("This answer is no longer stored.")
    tab.page.reload()
    expect(tab.page.get_by_text("You asked: Write to my log")).to_be_visible()
    assert tab.page.evaluate("window.pwned") is None
    assert tab.page.evaluate(publish, ["users.local.conversations", "conversation.deleted", evil]) == 201
    expect(tab.page.get_by_text("<script>window.pwned = 1</script>")).to_have_count(0)
