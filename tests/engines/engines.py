"""Firefox and WebKit as Debian has them, driven by WebDriver."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from glob import glob
from pathlib import Path
from typing import Self

import pytest
from selenium import webdriver
from selenium.webdriver.firefox.service import Service as FirefoxService
from selenium.webdriver.remote.client_config import ClientConfig
from selenium.webdriver.remote.file_detector import UselessFileDetector
from selenium.webdriver.remote.remote_connection import RemoteConnection
from selenium.webdriver.remote.webdriver import WebDriver
from selenium.webdriver.webkitgtk.service import Service as WebKitService

from tests.engines.tab import PATIENCE, Tab

Start = Callable[[ExitStack], WebDriver]
"""Starts a browser that ends with the stack."""


class Engine:
    """Firefox or WebKit. A context manager that ends every browser that it has started."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._stack = ExitStack()

    def browser(self) -> Tab:
        """Start a browser with nothing in it, for a person of its own, and return its first tab."""
        driver = self._start(self._stack)
        self._stack.callback(driver.quit)
        driver.set_script_timeout(PATIENCE)
        driver.set_window_size(1440, 900)
        return Tab(driver)

    def __enter__(self) -> Self:
        self._start = self._stack.enter_context(STARTS[self.name]())
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()


@contextmanager
def firefox() -> Iterator[Start]:
    options = webdriver.FirefoxOptions()
    options.binary_location = needed("firefox-esr", "Debian: apt-get install firefox-esr")
    options.add_argument("-headless")
    driver = needed("geckodriver", "scripts/geckodriver compiles it")
    yield lambda _: webdriver.Firefox(options, FirefoxService(driver))


@contextmanager
def webkit() -> Iterator[Start]:
    options = webdriver.WebKitGTKOptions()
    driver = needed("WebKitWebDriver", "Debian: apt-get install webkit2gtk-driver")
    options.binary_location = next(iter(glob("/usr/lib/*/webkit2gtk-4.1/MiniBrowser")), "")
    options.add_argument("--automation")
    with display() as name:

        def start(stack: ExitStack) -> WebDriver:
            # Selenium's class for WebKitGTK calls an interface of Selenium that is deprecated.
            service = WebKitService(driver, env=os.environ | {"DISPLAY": name})
            service.start()
            stack.callback(service.stop)
            connection = RemoteConnection(client_config=ClientConfig(service.service_url))
            return webdriver.Remote(connection, options=options, file_detector=UselessFileDetector())

        yield start


STARTS = {"firefox": firefox, "webkit": webkit}


@contextmanager
def display() -> Iterator[str]:
    """Serve a screen in memory. WebKit's browser has no mode without a screen."""
    program = needed("Xvfb", "Debian: apt-get install xvfb")
    reading, writing = os.pipe()
    command = [program, "-displayfd", str(writing), "-screen", "0", "1440x900x24", "-nolisten", "tcp"]
    with subprocess.Popen(command, pass_fds=[writing], stderr=subprocess.DEVNULL) as process:
        os.close(writing)
        with os.fdopen(reading) as printed:
            number = printed.readline().strip()  # the first that is free, printed when it can be used
        assert number, "the screen did not start"
        yield f":{number}"
        process.terminate()


def needed(program: str, source: str) -> str:
    """The path of a program. Without it the test is skipped, for a reason that names its source."""
    path = shutil.which(program, path=os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]))
    if path is None:
        pytest.skip(f"no {program} ({source})")
    return path
