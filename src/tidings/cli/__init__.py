"""The command line."""

from __future__ import annotations

import sys

from tidings.errors import missing_package


def main() -> None:
    """Run the `tidings` command; without its packages, say which command installs them."""
    try:
        from .commands import main
    except ModuleNotFoundError as error:
        print(f"tidings: {missing_package(error, 'server')}", file=sys.stderr)
        raise SystemExit(1) from None
    main()
