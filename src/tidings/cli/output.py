"""The output of a command that is run for `tidings publish --every`."""

from __future__ import annotations

import os
import select
import subprocess
from time import monotonic
from typing import IO

from tidings.log.names import MAX_DATA

from .json_lines import REFUSED, WRONG, Failure


def output_of(command: list[str], timeout: float) -> str:
    """Run the command, and return its output without the last line end.

    Raises Failure if it cannot be run, fails, or writes nothing, more than an event holds, or bytes that are not UTF-8;
    and if it has not ended in time: then it is killed. Its errors go where ours go.
    """
    name = command[0]
    try:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
    except OSError as error:
        raise Failure(f"{name} cannot be run: {error.strerror}.", WRONG) from None
    assert process.stdout is not None
    with process.stdout as stream:
        try:
            output = _read(stream, name, monotonic() + timeout)
            code = process.wait(timeout)
        except subprocess.TimeoutExpired:
            raise Failure(f"{name} was stopped: it did not end within {timeout:g} seconds.", REFUSED) from None
        finally:
            process.kill()
            process.wait()
    if code:
        how = f"exit code {code}" if code > 0 else f"signal {-code}"
        raise Failure(f"{name} ended with {how}: its output is not published.", REFUSED)
    try:
        text = output.decode()
    except UnicodeDecodeError as error:
        raise Failure(f"{name} wrote something else than UTF-8, in byte {error.start}.", REFUSED) from None
    text = text.removesuffix("\n").removesuffix("\r")
    if not text:
        raise Failure(f"{name} wrote nothing.", REFUSED)
    return text


def _read(stream: IO[bytes], name: str, until: float) -> bytes:
    """Read to the end. A child of the command that holds the pipe open is not waited for longer than `until`."""
    output = b""
    while select.select([stream], [], [], max(0.0, until - monotonic()))[0]:
        part = os.read(stream.fileno(), 1 << 16)
        if not part:
            return output
        output += part
        if len(output) > MAX_DATA:
            raise Failure(f"{name} was stopped: it wrote more than {MAX_DATA:,} bytes.", REFUSED)
    raise subprocess.TimeoutExpired(name, 0)
