"""nginx, Caddy and HAProxy with the configurations of docs/deploy.md, before two servers of one store."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Self

import pytest

from tests.mounted.foreign import free_port
from tests.serving import PATIENCE, ServerProcess

DEPLOY = Path(__file__).parents[2] / "docs" / "deploy.md"

NAMES = ("nginx", "caddy", "haproxy")

REPEATING = ("nginx", "haproxy")
"""Proxies that send a POST with a key to another server, too."""

CUTTING = ("nginx",)
"""Proxies that pass on over HTTP/2 that a stream was cut."""

NGINX = """
daemon off; master_process off; pid nginx.pid; error_log stderr;
events {{ worker_connections 1024; }}
http {{
    access_log off;
    client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path f; uwsgi_temp_path u; scgi_temp_path s;
    {shown}
}}
"""
"""The file that includes what the page shows, as /etc/nginx/nginx.conf does."""

CADDY = "{{\n    admin off\n    auto_https disable_redirects\n}}\n{shown}"
"""The configuration of the page, kept from changing this machine."""


def program(name: str) -> str:
    """Return the path of a proxy's program. Skips the test where there is none."""
    path = shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin")  # sbin is rarely in PATH
    if path is None:
        pytest.skip(f"no {name} on this machine (Debian: apt-get install {name})")
    return path


def shown(name: str, changes: Mapping[str, str]) -> str:
    """Return the configuration on the page, with this test's addresses and files in place of the page's.

    Raises AssertionError if the page lacks a text that is to be replaced.
    """
    [text] = re.findall(rf"^```{name}\n(.*?)^```$", DEPLOY.read_text("utf-8"), re.S | re.M)
    for old, new in changes.items():
        assert old in text, f"the configuration of {name} lacks {old!r}"
        text = text.replace(old, new)
    return str(text)


class Deployment:
    """Two servers of one store and a proxy before them, which listens at `url`, https://localhost and a port."""

    def __init__(self, name: str, folder: Path) -> None:
        self.name, self.folder = name, folder
        path = program(name)
        self.certificate, self._key = self._make_certificate()
        store = f"sqlite:///{folder}/tidings.db"
        self.servers = [ServerProcess(store, env={"TIDINGS_DRAIN_WINDOW": "0.2"}) for _ in range(2)]
        self.port = free_port()
        self.url = f"https://localhost:{self.port}"
        self._log = (folder / "proxy.log").open("w+")
        self._process = subprocess.Popen(
            [path, *self._arguments()],
            cwd=folder,
            env={**os.environ, "HOME": str(folder), "XDG_DATA_HOME": str(folder), "XDG_CONFIG_HOME": str(folder)},
            stdout=self._log,
            stderr=self._log,
        )
        self._wait()

    def stop(self) -> None:
        """Have both servers leave, as at SIGTERM."""
        for server in self.servers:
            server.terminate()

    def start(self) -> None:
        """Start the servers that do not run."""
        for server in self.servers:
            if server.process is None:
                server.start()

    def _make_certificate(self) -> tuple[Path, Path]:
        """Make a certificate for localhost that is its own authority."""
        certificate, key = self.folder / "localhost.pem", self.folder / "localhost.key"
        kind = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
        names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
        files = ["-keyout", str(key), "-out", str(certificate)]
        subprocess.run(["openssl", "req", "-x509", *kind, *names, *files], check=True, capture_output=True)
        return certificate, key

    def _arguments(self) -> list[str]:
        one, two = (f"127.0.0.1:{server.port}" for server in self.servers)
        upstreams = {"127.0.0.1:8001": one, "127.0.0.1:8002": two}
        at = f"127.0.0.1:{self.port}"
        if self.name == "nginx":
            files = {"/etc/ssl/events.pem": str(self.certificate), "/etc/ssl/events.key": str(self._key)}
            text = shown("nginx", upstreams | files | {"events.example.com": "localhost", "listen 443": f"listen {at}"})
            return ["-p", str(self.folder), "-e", "stderr", "-c", str(self._written(NGINX.format(shown=text)))]
        if self.name == "caddy":
            tls = f"bind 127.0.0.1\n    tls {self.certificate} {self._key}\n"
            site = {"events.example.com {": f"{self.url} {{\n    {tls}"}
            text = CADDY.format(shown=shown("caddy", upstreams | site))
            return ["run", "--adapter", "caddyfile", "--config", str(self._written(text))]
        both = self.folder / "both.pem"
        both.write_text(self.certificate.read_text() + self._key.read_text())
        changes = {"bind :443": f"bind {at}", "/etc/haproxy/events.pem": str(both)}
        return ["-db", "-f", str(self._written(shown("haproxy", upstreams | changes)))]

    def _written(self, text: str) -> Path:
        path = self.folder / f"{self.name}.conf"
        path.write_text(text)
        return path

    def _wait(self) -> None:
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until and self._process.poll() is None:
            with suppress(OSError), socket.create_connection(("127.0.0.1", self.port)):
                return
            time.sleep(0.02)
        self.close()
        raise AssertionError(f"{self.name} did not start:\n{(self.folder / 'proxy.log').read_text()}")

    def close(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(PATIENCE)
        finally:
            self._process.kill()
            self._process.wait()
            self._log.close()
            for server in self.servers:
                server.kill()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Curl:
    """curl over HTTP/2, which trusts a deployment's certificate alone."""

    def __init__(self, deployment: Deployment) -> None:
        self._deployment = deployment
        self._base = ["curl", "--silent", "--show-error", "--http2", "--cacert", str(deployment.certificate)]

    def __call__(self, path: str, *arguments: str, body: bytes | None = None) -> Answer:
        """Make a request and return the answer. `body`: send it by POST."""
        sent = [] if body is None else ["--data-binary", "@-"]
        command = [*self._base, "--include", *sent, *arguments, self._deployment.url + path]
        done = subprocess.run(command, input=body, capture_output=True, timeout=PATIENCE, check=False)
        return Answer(done.returncode, done.stdout.decode(), done.stderr.decode())

    def follow(self, path: str) -> subprocess.Popen[str]:
        """Open an event stream, whose lines come on standard output as curl gets them."""
        accept = ["--no-buffer", "--include", "--header", "accept: text/event-stream"]
        command = [*self._base, *accept, self._deployment.url + path]
        return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)


class Answer:
    """The output of curl, with its exit status: 0 for a whole answer. `status` is 0 without an answer."""

    def __init__(self, code: int, output: str, errors: str) -> None:
        self.code, self.errors = code, errors
        output = re.sub(r"\AHTTP/\S+ 100 .*?\r\n\r\n", "", output, flags=re.S)
        self.head, _, self.body = output.partition("\r\n\r\n")
        first = re.match(r"HTTP/(\S+) (\d+)", self.head)
        self.version, self.status = (first[1], int(first[2])) if first else ("", 0)

    def __repr__(self) -> str:
        return f"{self.code} {self.head!r} {self.body[:200]!r} {self.errors!r}"
