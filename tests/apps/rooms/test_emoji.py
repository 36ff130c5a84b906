"""The texts that are one emoji."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tidings import web
from tidings.apps.rooms.emoji import MOST, is_emoji


@pytest.mark.parametrize(
    "text",
    [
        "👍",
        "👍🏽",
        "❤",
        "❤️",
        "✅",
        "☕",
        "🇩🇪",
        "3️⃣",
        "#⃣",
        "👩‍👩‍👧‍👦",
        "👩🏽‍❤️‍💋‍👨🏿",
        "🏳️‍🌈",
        "🏴‍☠️",
        "\N{WAVING BLACK FLAG}\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
        "👁️‍🗨️",
        "🫠",
        "\U0001faea",
        "🧑‍🚀",
        "©️",
    ],
)
def test_an_emoji(text: str) -> None:
    assert is_emoji(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a",
        "+1",
        "3",
        ":-)",
        " 👍",
        "👍 ",
        "👍\n",
        "👍👍",
        "🇩",
        "🇩🇪🇫🇷",
        "👍‍",
        "‍👍",
        "\N{VARIATION SELECTOR-16}",
        "👍🏽🏽",
        "<b>",
        "é",
        "漢",
        "→",
        "\u202e👍",
        "‍".join("👩" * (MOST // 2 + 1)),
    ],
)
def test_other_texts_are_no_emoji(text: str) -> None:
    assert not is_emoji(text)


def test_every_emoji_that_the_page_offers_is_one() -> None:
    text = (Path(web.__file__).parent / "vendor" / "emoji.mjs").read_text(encoding="utf-8")
    offered = re.findall(r'": "(.+)"', text)
    assert len(offered) > 1_500
    assert [text for text in offered if not is_emoji(text)] == []
