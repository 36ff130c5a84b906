"""What every refusal is: a problem document that says what is wrong."""

from __future__ import annotations

from typing import Any

import httpx


def problem(answer: httpx.Response, status: int, *words: str) -> dict[str, Any]:
    """The problem, with these words in what it says."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    said: dict[str, Any] = answer.json()
    assert said["status"] == status
    assert said["title"]
    assert said["detail"]
    for word in words:
        assert word in said["detail"], said
    return said
