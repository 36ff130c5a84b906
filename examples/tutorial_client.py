"""Ask the server a question and print the answer as it comes, also over lost connections.

    tidings serve
    python examples/tutorial_client.py "What is process mining?"

An EventSource does the same in a browser: it remembers the last event ID, and presents the ID when it reconnects.
"""

import os
import sys
import time

import httpx

from tidings import decode

SERVER = os.environ.get("TIDINGS_URL", "http://127.0.0.1:8000")


def main() -> None:
    question = " ".join(sys.argv[1:]) or "What is Tidings?"
    last = ""
    while True:
        headers = {"Accept": "text/event-stream"} | ({"Last-Event-ID": last} if last else {})
        try:
            with httpx.stream("GET", f"{SERVER}/stream", params={"q": question}, headers=headers, timeout=60) as answer:
                if answer.status_code == 204:
                    return
                answer.raise_for_status()
                for event in decode(answer.iter_bytes()):
                    last = event.id or last
                    if event.type == "error":
                        raise SystemExit(f"\n{event.data}")
                    if event.data == "[DONE]":
                        print()
                        return
                    print(event.data, end="", flush=True)
        except httpx.TransportError as error:
            print(f"\n({error}; coming back)", file=sys.stderr)
        time.sleep(1)


if __name__ == "__main__":
    main()
