"""Publish from a script, exactly once, over a network that may fail.

    tidings serve
    python examples/publish_from_script.py

The key makes a retry safe: of all attempts with one key, the server stores one. `tidings.Client` does this for you.
"""

import os
import sys
import time
import uuid

import httpx

SERVER = os.environ.get("TIDINGS_URL", "http://127.0.0.1:8000")
HEADERS = {"Authorization": f"Bearer {token}"} if (token := os.environ.get("TIDINGS_TOKEN")) else {}


def publish(client: httpx.Client, topic: str, data: object, type: str, attempts: int = 10) -> str:
    """Publish an event, and return its offset when it is stored."""
    key = {"Idempotency-Key": str(uuid.uuid4())}
    for attempt in range(attempts):
        try:
            answer = client.post(f"/topics/{topic}/events", params={"type": type}, json=data, headers=key)
            if answer.status_code < 500:
                return str(answer.raise_for_status().json()["offset"])
        except httpx.TransportError as error:
            print(f"{error}; trying again", file=sys.stderr)
        time.sleep(min(0.1 * 2**attempt, 5))
    raise SystemExit("The server cannot be reached.")


def main() -> None:
    with httpx.Client(base_url=SERVER, headers=HEADERS) as client:
        for order in range(4711, 4714):
            print(order, publish(client, "examples.orders", {"order": order, "state": "paid"}, "order.paid"))


if __name__ == "__main__":
    main()
