"""The built-in assistants. `configured(settings)` returns those that the settings ask for."""

from __future__ import annotations

from .catalog import ModelSettings, configured

__all__ = ["ModelSettings", "configured"]
