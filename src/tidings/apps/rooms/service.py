"""The rooms, as other apps know them: who may read which, and what their events say."""

from __future__ import annotations

from . import facts
from .facts import AnswerPosted, MessageDeleted, MessageEdited, MessagePosted
from .index import Index
from .rooms import Rooms

__all__ = ["AnswerPosted", "Index", "MessageDeleted", "MessageEdited", "MessagePosted", "Rooms", "facts"]
