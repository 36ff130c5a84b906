"""Ask the server a question and print the answer as it comes, over as many cuts of the connection as there are.

    tidings serve
    python examples/tutorial_client.py "What is process mining?"

This is what an EventSource does in a browser: remember the last event ID, and present it when coming back.
"""

import os
import sys
import time

import httpx

from tidings.wire.sse import Decoder

SERVER = os.environ.get("TIDINGS_URL", "http://127.0.0.1:8000")


def main() -> None:
    question = " ".join(sys.argv[1:]) or "What is Tidings?"
    last = ""
    while True:
        decoder = Decoder()
        headers = {"Accept": "text/event-stream"} | ({"Last-Event-ID": last} if last else {})
        try:
            with httpx.stream("GET", f"{SERVER}/stream", params={"q": question}, headers=headers, timeout=60) as answer:
                if answer.status_code == 204:
                    return
                answer.raise_for_status()
                for chunk in answer.iter_bytes():
                    for event in decoder.feed(chunk):
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
