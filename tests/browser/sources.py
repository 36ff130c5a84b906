"""A server whose page is served from its sources, although there may be a bundle.

`python -m tests.browser.sources serve …` is the command line of Tidings with such a page.
"""

from __future__ import annotations

from pathlib import Path

from tests.serving import ServerProcess

ROOT = Path(__file__).parents[2]


class SourcesServer(ServerProcess):
    """Also another version of the page than that of a ServerProcess, as after a deploy."""

    def command(self) -> list[str]:
        self.env["PYTHONPATH"] = str(ROOT)
        python, module, name, *rest = super().command()
        assert (module, name) == ("-m", "tidings")
        return [python, module, __name__, *rest]


def main() -> None:
    from tidings import web
    from tidings.cli import main as command_line
    from tidings.web import site

    site._is_bundled = lambda *_: False
    web._site, web.bundled = site.load(Path(web.__file__).parent), False
    command_line()


if __name__ == "__main__":
    main()
