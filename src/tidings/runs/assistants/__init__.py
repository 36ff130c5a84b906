"""The built-in assistants: `configured(settings)` says which there are."""

from __future__ import annotations

from tidings.runs.assistants.catalog import Assistant, ModelSettings, configured

__all__ = ["Assistant", "ModelSettings", "configured"]
