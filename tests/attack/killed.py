"""The server with a seam at which it is killed: in the middle of the erasure of a deleted message.

`python -m tests.attack.killed STEP serve …` serves as `python -m tidings serve …` does. Once the first deletion of a
message is stored, it kills itself before its STEP-th step on the logs of rooms and people that follows.
"""

from __future__ import annotations

import os
import signal
import sys
from typing import Any

from tidings.cli import main
from tidings.log.journal import Journal

step = int(sys.argv.pop(1))
armed = False


def counted(name: str) -> None:
    """Have a method of the journal count as a step."""
    method = getattr(Journal, name)

    async def act(journal: Journal, topic: str, *args: Any, **settings: Any) -> Any:
        global armed, step
        if armed and topic.startswith(("rooms.", "users.", "files.")):
            step -= 1
            if step == 0:
                os.kill(os.getpid(), signal.SIGKILL)
        done = await method(journal, topic, *args, **settings)
        armed = armed or (name == "append" and args[0][0][0] == "message.deleted")
        return done

    setattr(Journal, name, act)


if __name__ == "__main__":
    for name in ("append", "redact_all", "delete"):
        counted(name)
    main()
