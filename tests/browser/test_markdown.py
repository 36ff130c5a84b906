"""Texts of people and of models, drawn by one renderer: what streams looks like what has ended."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import OpenTab
from tests.browser.model import Hold, ScriptedModel
from tests.browser.people import Meet, meeting
from tests.serving import ServerProcess

CORPUS = [
    "5~10 minutes and 20~30 euros, ~~gone~~",
    "这是**重点：**后面。*「強調」*です。**마크다운(Markdown)**은",
    "| a | b |\n|---|--:|\n| x<br>y | `|` |\n| **z** | 1 |\n\nafter",
    "# One\n\nTwo\n===\n\ntext\n- a\n- b\n\n  more\n  1. c\n  2. d\n\n---\n\n> quote\n> > deeper\n\nlazy",
    "```py\ndef f(x):\n    return x  # **no**\n```\n\n~~~\nplain\n~~~\n\n    indented\n\n```\nunclosed\n*",
    "A [link](https://a.test/b?c=d&e), <https://b.test>, https://c.test/d_e_f, [x](javascript:alert(1)), ![p](https://d.test)",
    "Inline \\(a_b\\), \\[ x_1 \\] and $$y$$.\n\n$$\na\n+ b\n= c\n$$\n\n\\[\nz\n\\]\n\n$5 and $6",
    "- [ ] to do\n- [x] done\n\n1) one\n2) two\n\n5. five",
    "[a] and [b]\n\n[a]: https://a.test\n[b]: https://b.test 'title'\n\nstill [a]",
    "See this[1] and that [2][3]. [4](https://a.test) word[5]",
    "**bold *both*** `code` ``a ` b`` &amp; &lt;b&gt; <b>raw</b> \\*no\\* snake_case_word 2 * 3 * 4",
    "مرحبا **بالعالم**\n\nשלום\n\nHello",
    "line one\nline two  \nline three\\\nline four\r\nfive\0",
    ">" * 40 + " deep\n\n" + "- " * 40 + "deep\n\n" + "*" * 300 + "\n\nafter",
    "👩‍👩‍👧 **👍🏽** _é_ \U0001d7d8",
    "2026\n\n12. twelve\n\n- \n- x\n\n*\n\n<br>x",
]
"""Texts that were drawn differently while they were being written, and others like them."""

COMPARE = """async ([corpus, sizes]) => {
    const base = document.querySelector('script[src$="/ui/main.js"]').src.replace("/ui/main.js", "");
    const { Prose } = await import(`${base}/ui/text/prose.js`);
    const sources = [1, 3, 5].map((n) => ({ n, title: "S", path: null, url: null, lines: null, passage: "" }));
    const styles = [{ sources }, { breaks: true, mentions: { names: ["Mara"], me: "Mara" } }];
    const bare = (root) => {
        const copy = root.cloneNode(true);
        copy.querySelector(".caret")?.remove();
        for (const math of copy.querySelectorAll(".math")) math.textContent = math.dataset.tex;
        for (const code of copy.querySelectorAll("pre > code")) code.textContent = code.textContent;
        copy.normalize();
        return copy.innerHTML;
    };
    const different = [];
    for (const text of corpus) for (const style of styles) {
        const whole = document.createElement("div");
        new Prose(whole).show(text, style);
        for (const size of sizes) {
            const root = document.createElement("div");
            const prose = new Prose(root);
            const open = { ...style, open: true };
            for (let end = size; end < text.length + size; end += size) prose.show(text.slice(0, end), open);
            const before = bare(root);
            prose.show(text, style);
            if (bare(root) !== bare(whole)) different.push([text, size, bare(root), bare(whole)]);
            // Only marks at the very end, which the next character would explain, are drawn when the text has ended.
            if (/[\\p{L}.)]$/u.test(text) && before !== bare(whole)) different.push([text, size, before, bare(whole)]);
        }
    }
    return different;
}"""


@pytest.fixture
def meet(browser: Browser, open_tab: OpenTab, server: ServerProcess) -> Iterator[Meet]:
    yield from meeting(browser, open_tab, server.url)


def test_a_text_looks_the_same_while_it_is_written_and_after(open_tab: OpenTab, sources: ServerProcess) -> None:
    tab = open_tab(url=sources.url)
    expect(tab.composer).to_be_visible()
    assert tab.page.evaluate(COMPARE, [CORPUS, [1, 2, 7, 40]]) == []


def test_selected_text_stays_selected_while_more_is_written(open_tab: OpenTab, model: ScriptedModel) -> None:
    holds = [Hold(), Hold()]
    model.script("select me", "The **first** words", holds[0], " and more of them", holds[1], ".\n\nThe end.")
    tab = open_tab()
    tab.ask("select me")
    expect(tab.text).to_have_text("The first words")
    tab.page.evaluate("getSelection().selectAllChildren(document.querySelector('.answer strong'))")
    for hold, text in zip(holds, ("The first words and more of them", "The end."), strict=True):
        hold.go()
        expect(tab.text).to_contain_text(text)
        assert tab.page.evaluate("String(getSelection())") == "first"
    tab.expect_state("finished")
    assert tab.page.evaluate("String(getSelection())") == "first"


def test_formulas_are_typeset(open_tab: OpenTab, model: ScriptedModel) -> None:
    hold = Hold()
    model.script("what is e", "It is \\(e_1^{x}\\), and\n\n$$\n\\frac{a}{b}\n$$\n\n", hold, "not \\(\\nope{\\)")
    tab = open_tab()
    tab.ask("what is e")
    expect(tab.text.locator("span.math .katex-html")).to_be_visible()
    expect(tab.text.locator("div.math .katex-display .mfrac")).to_be_visible()
    fonts = "(async () => [...await document.fonts.ready].filter((font) => font.status === 'loaded').length)()"
    assert tab.page.evaluate(fonts) > 0
    hold.go()
    tab.expect_state("finished")
    expect(tab.text.locator(".math").last).to_have_text("\\(\\nope{\\)")
    expect(tab.text.locator(".math")).to_have_count(3)


def test_reasoning_inside_a_text_is_folded(open_tab: OpenTab, model: ScriptedModel) -> None:
    hold = Hold()
    model.script("think aloud", "<think>\nFirst, the **sea**.", hold, "\n</think>\n\nIt is blue.")
    tab = open_tab()
    tab.ask("think aloud")
    reasoning = tab.answer.get_by_role("button", name=re.compile("^Reason"))
    expect(reasoning).to_contain_text("Reasoning")
    hold.go()
    tab.expect_state("finished")
    expect(reasoning).to_contain_text("Reasoned")
    expect(tab.text).to_have_text("It is blue.")
    reasoning.click()
    expect(tab.answer.locator(".reasoning")).to_have_text("First, the **sea**.")


def test_questions_and_messages_are_markdown_with_code_to_copy(
    open_tab: OpenTab, meet: Meet, model: ScriptedModel
) -> None:
    text = "**Look:**\n- `a`\n- b\n\n```py\ndef f(): pass\n```\nlast\nline"
    tab = open_tab()
    tab.composer.fill(text)
    tab.composer.press("Enter")
    mara = meet("Mara Marks", permissions=["clipboard-read", "clipboard-write"])
    mara.make("marks")
    mara.say("marks", text)
    room = mara.open("marks")
    for shown in (tab.page.locator("article.question .prose"), room.messages.locator(".prose")):
        expect(shown.locator("strong")).to_have_text("Look:")
        expect(shown.locator("li")).to_have_text(["a", "b"])
        expect(shown.locator("pre .hljs-keyword")).to_have_text(["def", "pass"])
        expect(shown.locator("p").last).to_have_text("last line", use_inner_text=False)
        assert shown.locator("p").last.inner_text() == "last\nline"
    room.messages.get_by_role("button", name="Copy", exact=True).click()
    expect(room.messages.get_by_role("button", name="Copied")).to_be_visible()
    assert room.page.evaluate("navigator.clipboard.readText()") == "def f(): pass"


def test_the_calls_that_the_server_has_stamped_are_shown(meet: Meet) -> None:
    mara, tom = meet("Mara Stamped"), meet("Tom Stamped")
    mara.make("stamped", tom)
    mara.say("stamped", "@tom, not `@tom`, https://a.test/@tom\n\n> @tom\n\n@mara @nobody")
    mara.say("stamped", "only `@tom` and @assistants")
    tab = tom.open("stamped")
    expect(tab.messages.first.locator(".mention")).to_have_text(["@tom", "@mara"])
    expect(tab.messages.first.locator(".mention.mine")).to_have_text(["@tom"])
    expect(tab.messages.last.locator(".mention")).to_have_count(0)


def direction(page: Page, selector: str) -> list[str]:
    found: list[str] = page.locator(selector).evaluate_all("all => all.map(one => getComputedStyle(one).direction)")
    return found


def test_text_runs_in_the_direction_of_its_language(meet: Meet) -> None:
    mara = meet("Mara Arabic")
    mara.make("arabic")
    mara.say("arabic", "مرحبا\n\n- واحد\n\nHello\n\n```\nשלום\n```")
    tab = mara.open("arabic")
    expect(tab.messages.locator(".prose > *")).to_have_count(4)
    assert direction(tab.page, ".said .prose > *") == ["rtl", "rtl", "ltr", "ltr"]
    tab.writing.fill("שלום")
    assert direction(tab.page, "textarea#composer") == ["rtl"]
