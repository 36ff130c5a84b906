"""Attachments: the files that people attach to their questions, and what an assistant is given of them."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Mapping, Sequence
from typing import Any

from tidings.apps.file import PICTURES, File
from tidings.errors import Gone, InvalidRequest, NotFound
from tidings.runs.assistant import Takes

from .files import Files, Whole

PICTURE_BYTES = 20_000_000
"""Bytes of the pictures that one run is given."""

TEXT_BYTES = 200_000
"""Bytes of the text files that one run is given: about 50,000 tokens."""

MOST = 20
"""Files of a conversation that one run is given, the last ones."""

CONVERSATIONS = "conversations."


class Attachments:
    """The files of a hub's conversations and rooms, as questions name them by their ids."""

    def __init__(self, files: Files) -> None:
        self._files = files

    async def own(self, topic: str, by: str | None, ids: Sequence[str]) -> list[File]:
        """Return the files that a person has uploaded to a conversation for a question.

        Raises InvalidRequest for a topic that is no conversation, or for a file that is named twice; NotFound.
        """
        if not topic.startswith(CONVERSATIONS):
            raise InvalidRequest(
                "Files are attached to the questions of a conversation: its topic is conversations.ID."
            )
        if len(set(ids)) < len(ids):
            raise InvalidRequest("A question has each of its files once.")
        return [await self._files.own(topic, by or "", id) for id in ids]

    async def keep(self, topic: str, files: Sequence[File]) -> None:
        """Keep the files of a question until the conversation is deleted. Idempotent."""
        for file in files:
            await self._files.keep(topic, file.id)

    async def give(self, topic: str, messages: Sequence[Mapping[str, Any]], takes: Takes) -> list[dict[str, Any]]:
        """Return messages whose `files`, ids of the topic's files, are replaced by what an assistant takes of them.

        A text file follows in the message's text. A picture is a content block, for assistants that take images. The
        assistant learns the name and the type of each other file. Of many or large files the last are given.
        """
        given = Giving(self._files, topic, takes)
        return [await given.message(message) for message in reversed(messages)][::-1]


class Giving:
    """The files of one conversation on their way to an assistant, the last message's first, while there is room."""

    def __init__(self, files: Files, topic: str, takes: Takes) -> None:
        self._files = files
        self._topic = topic
        self._takes = takes
        self._count = MOST
        self._pictures = PICTURE_BYTES
        self._texts = TEXT_BYTES

    async def message(self, message: Mapping[str, Any]) -> dict[str, Any]:
        """Return a message with its files in its content."""
        content: str = message["content"]
        ids: Sequence[str] = message.get("files", ()) if self._takes != "none" else ()
        blocks: list[dict[str, str]] = []
        for id in ids[: self._count]:
            try:
                whole = await self._files.whole(self._topic, id)
                block, text = await self._file(whole)
            except (NotFound, Gone):
                continue
            blocks += [block] if block else []
            content += f"\n\n{text}"
        self._count -= min(len(ids), self._count)
        content = content.strip() if ids else content
        role = message["role"]
        return {"role": role, "content": [{"type": "text", "text": content}, *blocks] if blocks else content}

    async def _file(self, whole: Whole) -> tuple[dict[str, str] | None, str]:
        """Return what is given of a file: a content block, and words for the message's text."""
        name, type, size = whole.file.name, whole.file.type, whole.file.size
        if type in PICTURES:
            if self._takes == "images" and size <= self._pictures:
                self._pictures -= size
                data = b64encode(await self._read(whole)).decode()
                return {"type": "image", "base64": data, "mime_type": type}, f"Attached picture: {name}"
        elif size <= self._texts and (text := _text(await self._read(whole))) is not None:
            self._texts -= size
            fence = "`" * max(3, 1 + max(map(len, re.findall("`+", text)), default=0))
            return None, f"Attached file: {name}\n\n{fence}\n{text}\n{fence}"
        return None, f"Attached file that you cannot read: {name} ({type}, {size:,} bytes)"

    async def _read(self, whole: Whole) -> bytes:
        return b"".join([part async for part in self._files.content(whole)])


def _text(content: bytes) -> str | None:
    """Return the text of a text file, whatever its uploader calls it; None for any other file."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return None
    return None if "\0" in text else text
