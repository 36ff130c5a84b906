"""nchan, an nginx module in C, where this machine has it (Debian: libnginx-mod-nchan)."""

from __future__ import annotations

import getpass
import re
import shutil
import subprocess
from pathlib import Path

CONFIGURATION = """
load_module {module};
user {user};
daemon off;
worker_processes 1;
worker_rlimit_nofile 20000;
pid {directory}/pid;
error_log stderr error;
events {{ worker_connections 19000; }}
http {{
    access_log off;
    keepalive_requests 100000000;
    nchan_shared_memory_size 512M;
    client_body_temp_path {directory}/body;
    proxy_temp_path {directory}/proxy;
    fastcgi_temp_path {directory}/fastcgi;
    uwsgi_temp_path {directory}/uwsgi;
    scgi_temp_path {directory}/scgi;
    server {{
        listen 127.0.0.1:{port} backlog=4096;
        location = /health {{ return 200 ok; }}
        location = /events {{
            nchan_subscriber eventsource;
            nchan_channel_id $arg_topic;
            nchan_subscriber_first_message newest;
            nchan_eventsource_ping_interval 15;
            nchan_eventsource_ping_event "";
            nchan_eventsource_ping_comment "ping";
        }}
        location ~ ^/topics/(?<topic>[^/]+)/events$ {{
            nchan_publisher http;
            nchan_channel_id $topic;
            nchan_message_buffer_length 1000000;
            nchan_message_timeout 10m;
        }}
    }}
}}
"""


def _program() -> str | None:
    return shutil.which("nginx", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin")  # sbin is rarely in PATH


def _module(nginx: str) -> Path | None:
    said = subprocess.run([nginx, "-V"], capture_output=True, text=True).stderr
    places = re.findall(r"--modules-path=(\S+)", said)
    return next((path for place in places if (path := Path(place, "ngx_nchan_module.so")).exists()), None)


def version() -> str | None:
    """Return the installed versions, or None where nginx or its module is missing."""
    nginx = _program()
    if nginx is None or _module(nginx) is None:
        return None
    server = subprocess.run([nginx, "-v"], capture_output=True, text=True).stderr.strip().rpartition("/")[2]
    query = ["dpkg-query", "-W", "-f", "${Version}", "libnginx-mod-nchan"]
    package = subprocess.run(query, capture_output=True, text=True).stdout if shutil.which("dpkg-query") else ""
    return f"{package or 'unknown version'} in nginx {server}"


def command(port: int, directory: Path) -> list[str]:
    """Write the configuration into `directory` and start one worker in the foreground."""
    nginx = _program()
    assert nginx, "offered only where version() found it"
    text = CONFIGURATION.format(module=_module(nginx), user=getpass.getuser(), directory=directory, port=port)
    (directory / "nginx.conf").write_text(text)
    return [nginx, "-p", str(directory), "-c", str(directory / "nginx.conf"), "-e", "stderr"]
