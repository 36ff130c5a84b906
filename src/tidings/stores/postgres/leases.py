"""The deadlines of a PostgreSQL store, by the engine's clock, which all processes share."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from .connection import Connections
from .statement import NOW

CLOCK = f"coalesce($1::float8, {NOW})"


class EngineLeases:
    """The port's leases. `clock`: a test's clock in the place of the engine's."""

    def __init__(self, connections: Connections, clock: Callable[[], float] | None) -> None:
        self._connections = connections
        self._clock = clock

    async def lease(self, topic: str, seconds: float, *, renew: bool) -> bool:
        if renew:
            text = f"UPDATE tidings.leases SET deadline = {CLOCK} + $3 WHERE topic = $2 RETURNING true"
        else:
            text = f"""INSERT INTO tidings.leases (topic, deadline) VALUES ($2, {CLOCK} + $3)
                       ON CONFLICT (topic) DO UPDATE SET deadline = excluded.deadline RETURNING true"""
        now = self._now()
        held = await self._connections.run(lambda connection: connection.fetchval(text, now, topic, seconds))
        return bool(held)

    async def release(self, topic: str, *, lapsed: bool = False) -> None:
        text = f"DELETE FROM tidings.leases WHERE topic = $2 AND (NOT $3 OR deadline <= {CLOCK})"
        now = self._now()
        await self._connections.run(lambda connection: connection.execute(text, now, topic, lapsed))

    async def lapsed(self, limit: int = 100, within: float = 0.0) -> Sequence[str]:
        text = f"SELECT topic FROM tidings.leases WHERE deadline <= {CLOCK} + $3 ORDER BY deadline LIMIT $2"
        now = self._now()
        rows = await self._connections.run(lambda connection: connection.fetch(text, now, limit, within))
        return [topic for (topic,) in rows]

    def _now(self) -> float | None:
        return self._clock() if self._clock else None
