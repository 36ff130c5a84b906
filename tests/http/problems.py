"""The check that every refusal is a problem document that names the fault."""

from __future__ import annotations

from typing import Any

import httpx


def problem(answer: httpx.Response, status: int, *words: str) -> dict[str, Any]:
    """Return the problem of an answer, after a check of its status and of the words in its detail."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    said: dict[str, Any] = answer.json()
    assert said["status"] == status
    assert said["title"]
    assert said["detail"]
    for word in words:
        assert word in said["detail"], said
    return said
