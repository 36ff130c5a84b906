"""Every error Tidings raises on purpose.

    TidingsError
    ├── InvalidRequest       400  a name, an offset, a type or a body breaks a rule; nothing was stored
    │   └── TooLarge         413  a body, an event or a batch is over its limit
    ├── Unauthenticated      401  no token, or one that is expired or forged
    ├── Forbidden            403  the token does not allow this topic or action
    ├── NotFound             404  there is no such topic, run or assistant
    ├── Conflict             409  the log is not in the state the append expected
    │   └── Closed           409  the topic is closed: no event will ever follow
    ├── Gone                 410  events after the offset asked for are trimmed, deleted, or of another life of the log
    ├── TooManyRequests      429  a rate or a number of connections is over its limit
    └── Unavailable          503  the store cannot be reached, or the process is going away; nothing was written
        └── OutcomeUnknown   503  the connection to the store died during a change: stored once, or not at all

Each knows its HTTP status and writes itself as `application/problem+json` (RFC 9457) by `problem()`. Their messages
are safe to show: they say what is wrong and what would be right, and never hold a secret or a path.
"""

from __future__ import annotations

from typing import Any, ClassVar


class TidingsError(Exception):
    """The root. `str(error)` is one sentence, safe to show to a user; `members` are further fields of the problem."""

    status: ClassVar[int] = 500
    title: ClassVar[str] = "Internal error"

    def __init__(self, detail: str = "", **members: Any) -> None:
        super().__init__(detail or self.title)
        self.members = members

    def problem(self) -> dict[str, Any]:
        """Return the error as a problem document of RFC 9457."""
        return {"title": self.title, "status": self.status, "detail": str(self), **self.members}


class InvalidRequest(TidingsError):
    status = 400
    title = "Invalid request"


class TooLarge(InvalidRequest):
    status = 413
    title = "Too large"


class Unauthenticated(TidingsError):
    status = 401
    title = "Not signed in"


class Forbidden(TidingsError):
    status = 403
    title = "Not allowed"


class NotFound(TidingsError):
    status = 404
    title = "Not found"


class Conflict(TidingsError):
    status = 409
    title = "Conflict"


class Closed(Conflict):
    title = "The topic is closed"


class Gone(TidingsError):
    status = 410
    title = "Events are gone"


class TooManyRequests(TidingsError):
    status = 429
    title = "Too many"


class Unavailable(TidingsError):
    status = 503
    title = "Unavailable"


class OutcomeUnknown(Unavailable):
    title = "Outcome unknown"


def missing_package(error: ModuleNotFoundError, extra: str) -> str:
    """The sentence for a package that is not installed, with the command that installs it.

    Raises `error` again when a module of Tidings itself is missing, which no command installs.
    """
    if error.name is None or error.name.partition(".")[0] == "tidings":
        raise error
    return f"The package {error.name} is not installed. Run: pip install 'tidings[{extra}]'"
