"""A stream of notifications for each user: those that came while the user was away, then new ones.

    uvicorn --app-dir examples notifications:app
    curl -N localhost:8000/inbox/ada
    curl -X POST localhost:8000/notify/ada -H 'content-type: application/json' -d '{"title": "Shipped"}'

The user must come from your own sign-in. Here the user is in the path, so that curl will do.
"""

import os
from typing import Any

from fastapi import Body, FastAPI

from tidings import EventStreamResponse, Hub, Retention

KEPT = Retention(max_age=30 * 86400, max_events=1000)

hub = Hub(os.environ.get("STORE", "sqlite:///notifications.db"), retention=KEPT)
app = FastAPI(lifespan=hub.lifespan)


@app.post("/notify/{user}")
async def notify(user: str, notification: dict[str, Any]) -> str:
    """Store a notification, whether or not the user is there."""
    return str(await hub.publish(f"users.{user}.inbox", notification, type="notification"))


@app.post("/read/{user}")
async def mark_read(user: str, up_to: str = Body()) -> None:
    """Publish a read marker, which is an event like the others: every tab and device of the user gets it."""
    await hub.publish(f"users.{user}.inbox", {"up_to": up_to}, type="read", key=f"read.{up_to}")


@app.get("/inbox/{user}")
async def inbox(user: str) -> EventStreamResponse:
    """Stream every notification that is kept, then every new one. A client that reconnects resumes by itself."""
    return EventStreamResponse(hub, f"users.{user}.inbox", after="earliest")
