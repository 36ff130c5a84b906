"""The built-in assistants: `configured(settings)` says which there are."""

from __future__ import annotations

from .catalog import ModelSettings, configured

__all__ = ["ModelSettings", "configured"]
