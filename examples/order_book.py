"""Keep a table up to date from a topic: each event takes effect once, whenever this script or the server dies.

    tidings serve
    python examples/publish_from_script.py
    python examples/order_book.py orders.db

The position is stored in the same transaction as the effect of the event, so that neither is there without the other.
"""

import os
import sqlite3
import sys
from contextlib import closing

from tidings import Client

SERVER = os.environ.get("TIDINGS_URL", "http://127.0.0.1:8000")
TOPIC = "examples.orders"


def open_book(path: str) -> sqlite3.Connection:
    book = sqlite3.connect(path)
    book.execute("CREATE TABLE IF NOT EXISTS orders (number INTEGER PRIMARY KEY, state TEXT, changes INTEGER)")
    book.execute("CREATE TABLE IF NOT EXISTS position (topic TEXT PRIMARY KEY, offset TEXT)")
    return book


def main() -> None:
    client = Client(SERVER, token=os.environ.get("TIDINGS_TOKEN"))
    with client, closing(open_book(sys.argv[1] if len(sys.argv) > 1 else "orders.db")) as book:
        row = book.execute("SELECT offset FROM position WHERE topic = ?", [TOPIC]).fetchone()
        for event in client.subscribe(TOPIC, row[0] if row else "earliest"):
            if event.type == "tidings.reset":
                print(event.data, file=sys.stderr)
                book.execute("DELETE FROM orders")
                continue
            order = event.json()
            with book:
                book.execute(
                    "INSERT INTO orders VALUES (?, ?, 1) ON CONFLICT DO UPDATE SET state = excluded.state, "
                    "changes = changes + 1",
                    [order["order"], order["state"]],
                )
                book.execute("REPLACE INTO position VALUES (?, ?)", [TOPIC, str(event.offset)])
            print(order["order"], order["state"], flush=True)


if __name__ == "__main__":
    main()
