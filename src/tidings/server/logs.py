"""The log of the process: records as lines of text or of JSON, on standard error."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from typing import Any

import msgspec

from .settings import Settings

TEXT = "%(asctime)s %(levelname)s %(name)s: %(message)s"

OF_WORKER = "%%(asctime)s %%(levelname)s %%(name)s worker %d: %%(message)s"

ACCESS = "uvicorn.access"
"""The logger of requests. Its records have the client, the method, the path, the version and the status as `args`."""


class JsonLines(logging.Formatter):
    """Writes a record as a JSON object on a line of its own.

    Its members are `time` (ISO 8601, UTC), `level`, `logger`, `message` and, of an error, `traceback`; of a request
    also `client`, `method`, `path` and `status`; of a worker also `worker`, its number.
    """

    def __init__(self, worker: int = 0) -> None:
        super().__init__()
        self._about = {"worker": worker} if worker else {}

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **self._about,
        }
        if record.name == ACCESS and isinstance(record.args, tuple) and len(record.args) == 5:
            line |= dict(zip(("client", "method", "path", "http", "status"), record.args, strict=True))
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return msgspec.json.encode(line).decode()


def without_query(record: logging.LogRecord) -> bool:
    """Take the query off the path of a request: it may hold a question, or the code of a sign-in."""
    if isinstance(record.args, tuple) and len(record.args) == 5:
        client, method, path, *rest = record.args
        record.args = (client, method, str(path).partition("?")[0], *rest)
    return True


def configure(settings: Settings, worker: int = 0) -> None:
    """Write the records that the settings ask for, of this process and of the libraries in it.

    `worker`: the number of this process among the workers of a server, which each record then names.
    """
    logging.basicConfig(level=settings.log_level.upper(), format=OF_WORKER % worker if worker else TEXT)
    if settings.log_format == "json":
        for handler in logging.getLogger().handlers:
            handler.setFormatter(JsonLines(worker))
    for noisy in ("httpx", "httpcore"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    if settings.log_level == "info":
        logging.getLogger("uvicorn.error").setLevel(logging.WARNING)
    access = logging.getLogger(ACCESS)
    access.addFilter(without_query)
    access.setLevel(logging.INFO if settings.access_log else logging.WARNING)
