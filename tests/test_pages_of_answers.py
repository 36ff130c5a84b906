"""The pages that the README, the tutorial and the chat example give to a reader of answers, in a real browser."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.async_api import Page, async_playwright, expect

from tests.mounted.foreign import ForeignServer

ROOT = Path(__file__).parent.parent

MODEL = '''
import asyncio
import langchain.chat_models

async def echo(question):
    """Repeat the question; `Broken` fails after its third word, and `Endless` does not end."""
    for word in range(30):
        yield question + " "
        await asyncio.sleep(0.05)
        if word == 2 and question == "Broken":
            raise ValueError("this text is not for readers")
    if question == "Endless":
        await asyncio.Event().wait()
'''


def in_readme() -> str:
    source = re.findall(r"^```python\n(.*?)^```$", (ROOT / "README.md").read_text("utf-8"), re.S | re.M)[0]
    return f"{MODEL}\nlangchain.chat_models.init_chat_model = lambda name: echo\n{source}"


def in_tutorial() -> str:
    sources = re.findall(r"^```python\n(.*?)^```$", (ROOT / "docs" / "tutorial.md").read_text("utf-8"), re.S | re.M)
    (source,) = (source for source in sources if "async def parrot" in source)
    return f"{source}\n{MODEL}\nparrot = echo\n"


def in_example() -> str:
    return f"{(ROOT / 'examples' / 'fastapi_chat.py').read_text('utf-8')}\n{MODEL}\nmodel = lambda: echo\n"


@pytest.fixture(params=[in_readme, in_tutorial, in_example], ids=["readme", "tutorial", "example"])
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[ForeignServer]:
    """The app of a page on a real server, with a model that repeats the question."""
    source: Callable[[], str] = request.param
    store = f"sqlite:///{tmp_path}/app.db"  # the example takes it from STORE
    (tmp_path / "app.py").write_text(re.sub(r"sqlite:///\w+\.db", store, source()), "utf-8")
    server = ForeignServer("uvicorn", "app:app", store, {"PYTHONPATH": str(tmp_path)})
    yield server
    server.kill()


async def ask(page: Page, question: str) -> None:
    await page.fill("input", question)
    await page.press("input", "Enter")


@pytest.mark.browser
@pytest.mark.slow
async def test_a_page_shows_the_newest_answer_alone_and_the_end_of_each(server: ForeignServer, chromium: str) -> None:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = await browser.new_page()
        page.set_default_timeout(60_000)
        errors: list[str] = []
        page.on("pageerror", lambda error: errors.append(str(error)))
        await page.goto(server.url)
        answer = page.locator("p, pre")
        await page.evaluate(
            "window.texts = []; new MutationObserver(() => texts.push(document.querySelector('p, pre').textContent))"
            ".observe(document.body, { childList: true, characterData: true, subtree: true })"
        )

        await ask(page, "Older")
        await expect(answer).to_contain_text("Older Older")
        await ask(page, "Newer")
        await expect(answer).to_have_text(" ".join(["Newer"] * 30), timeout=60_000)
        assert [text for text in await page.evaluate("texts") if "Older" in text and "Newer" in text] == []

        await ask(page, "Broken")
        await expect(answer).to_have_text("Broken Broken Broken (Something went wrong on this server.)", timeout=60_000)

        await ask(page, "Endless")
        await expect(answer).to_contain_text("Endless Endless")
        await asyncio.to_thread(server.kill)
        await asyncio.to_thread(server.start)
        interrupted = re.compile(r"^(Endless )+ ?\(interrupted\)$")
        await expect(answer).to_have_text(interrupted, timeout=60_000)
        await page.reload()
        await expect(answer).to_have_text(interrupted, timeout=60_000)
        assert errors == []
        await browser.close()
