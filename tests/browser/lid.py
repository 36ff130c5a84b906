"""A laptop whose lid is closed: all processes of its browser stop, and the clock on the wall goes on."""

from __future__ import annotations

import mmap
import os
import signal
import struct
import subprocess
from contextlib import suppress
from pathlib import Path
from typing import Self

import psutil
from playwright.sync_api import Browser, BrowserType

from tests.browser.conftest import FLAGS


class Wall:
    """The clock on the wall of every process that was started with `env`. It can be moved, and no other clock is."""

    def __init__(self, directory: Path) -> None:
        library, slept = directory / "lid.so", directory / "slept"
        subprocess.run(["gcc", "-O2", "-shared", "-fPIC", "-o", library, Path(__file__).with_name("lid.c")], check=True)
        slept.write_bytes(bytes(8))
        with slept.open("r+b") as file:
            self._slept = mmap.mmap(file.fileno(), 8)
        self.env = {"LD_PRELOAD": str(library), "LID_SLEPT": str(slept)}

    def move(self, seconds: int) -> None:
        (before,) = struct.unpack("q", self._slept)
        self._slept[:] = struct.pack("q", before + seconds)


class Laptop:
    """A browser of its own, which ends with the context."""

    def __init__(self, browsers: BrowserType, chromium: str, wall: Wall) -> None:
        self.browser: Browser = browsers.launch(
            executable_path=chromium, args=FLAGS.split(), env={**os.environ, **wall.env}
        )
        processes = self.browser.new_browser_cdp_session().send("SystemInfo.getProcessInfo")["processInfo"]
        (self._process,) = [psutil.Process(one["id"]) for one in processes if one["type"] == "browser"]

    def close_lid(self) -> None:
        self._all(signal.SIGSTOP)

    def open_lid(self) -> None:
        self._all(signal.SIGCONT)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.open_lid()
        self.browser.close()

    def _all(self, number: signal.Signals) -> None:
        self._process.send_signal(number)
        for process in self._process.children(recursive=True):
            with suppress(psutil.NoSuchProcess):
                process.send_signal(number)
