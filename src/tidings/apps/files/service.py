"""The files of rooms and conversations, as other apps know them."""

from __future__ import annotations

from .attachments import Attachments
from .files import Files

__all__ = ["Attachments", "Files"]
