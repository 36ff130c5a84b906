"""The fixture `tidings_app` of the pytest plugin: the server's app, which only an environment with the server has.

Every pytest run of an environment that has Tidings loads this file, so the fixture imports what it needs.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from tidings.testing.plugin import on_the_loop

if TYPE_CHECKING:
    from fastapi import FastAPI

    from tidings.api import Hub


@on_the_loop
async def tidings_app(tidings_hub: Hub) -> FastAPI:
    """The app that `tidings serve` serves, over `tidings_hub`, without a key. TIDINGS_… variables are ignored."""
    return await asyncio.to_thread(_app, tidings_hub)


def _app(hub: Hub) -> FastAPI:
    from .app import create_app
    from .settings import PREFIX, Settings

    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.upper().startswith(PREFIX)]:
            patch.delenv(name)
        app = create_app(Settings.load(), hub)
    app.router.lifespan_context = _opened_already
    return app


@asynccontextmanager
async def _opened_already(app: object) -> AsyncIterator[None]:
    yield
