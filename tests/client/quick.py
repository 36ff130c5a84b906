"""`tidings`, whose streams ask their clients to be back within 20 ms: the usual 1 to 4 s would only be waited for."""

from functools import partial

from tidings import Hub
from tidings.cli import commands as cli
from tidings.server import app

if __name__ == "__main__":
    app.Hub = partial(Hub, retry=(0.0, 0.02))  # type: ignore[misc,assignment]
    cli.main()
