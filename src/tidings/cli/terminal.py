"""The terminal: lines of output, sentences for the user, and the end of a command with its exit code."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn


def write(line: bytes, *, flush: bool = False) -> None:
    """Write a line to standard output."""
    sys.stdout.buffer.write(line + b"\n")
    if flush:
        sys.stdout.buffer.flush()


def say(sentence: str) -> None:
    """Write a sentence to standard error."""
    print(f"tidings: {sentence}", file=sys.stderr, flush=True)


def end(sentence: str, code: int) -> NoReturn:
    """End the command with a sentence and an exit code."""
    say(sentence)
    raise SystemExit(code)


@contextmanager
def sentences() -> Iterator[None]:
    """End with one sentence, or in silence, and an exit code for every error that is not a bug of ours."""
    from tidings.errors import TidingsError

    from .json_lines import Failure

    try:
        yield
    except BrokenPipeError:
        # Python flushes standard output again when it exits, and would report a failure.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(141) from None
    except TidingsError as error:
        end(str(error), 1)
    except Failure as failure:
        end(str(failure), failure.code)
