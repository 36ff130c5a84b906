"""Run the web platform tests for `eventsource` in a real Chromium, with our EventSource and with the browser's own.

    scripts/wpt DIR [--only TEXT] [--verbose]

DIR is a checkout of web-platform-tests, or the folder testing/web-platform/tests of Firefox's source; `eventsource`,
`common`, `resources`, `interfaces` and `tools` are all that is needed of it. Its own server serves the tests, in
windows, dedicated workers and shared workers; service workers need HTTPS, and are left out. Ours is put in front of
every page and worker as one classic script, under the name EventSource. The server itself changes these files: if
Playwright intercepted requests, it would answer CORS preflights in the server's place, and three tests would pass that
fail in a browser.

Prints a line for each page: tests passed and run, ours and native, and with --verbose why ours failed. Ends with
status 1 if ours fails a test that is not in EXPECTED or passes one that is, and if docs/clients/eventsource.md shows
other sums.
"""

from __future__ import annotations

import argparse
import fnmatch
import logging
import re
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Error, Page, sync_playwright

ROOT = Path(__file__).resolve().parents[1]
CLIENT = ROOT / "src" / "tidings" / "web" / "client"
PAGE = ROOT / "docs" / "clients" / "eventsource.md"
FLAGS = ["--no-sandbox", "--disable-gpu", "--host-resolver-rules=MAP *.test 127.0.0.1"]
PATIENCE = 60_000
"""Milliseconds for a page. The tests' own harness gives up after ten seconds."""

AT_ONCE = 3
"""Pages that are open together: many of their tests do nothing but wait."""

REPORTER = "/resources/testharnessreport.js"
"""The script of the tests that is there to be replaced by whoever runs them."""

REPORT = """
add_completion_callback((tests, harness) => {
  window.outcome = {
    harness: harness.status === 0 ? "" : `${harness.status} ${harness.message}`,
    tests: tests.map(({ name, status, message }) => ({ name, passed: status === 0, message })),
  };
});
"""

EXPECTED = {
    "*/eventsource-onmessage-trusted.*": "only events that the browser itself makes are trusted",
    "*/eventsource-cross-origin.*should fail": "fetch does not tell a refusal by CORS from a lost network",
    "*/eventsource-request-cancellation.*": "fetch does not tell window.stop() from a lost network",
    "*/request-credentials.*": "fetch asks about Last-Event-ID by a preflight, which the tests' server does not allow",
    "*/eventsource-constructor-url-bogus.*": "Chromium takes the URL for a good one; its own fails as well",
}
"""The tests that ours fails, by page and name with wildcards, and why."""


def bundle() -> bytes:
    """The client's modules that EventSource needs, as one classic script."""
    parts: list[str] = []
    seen: set[str] = set()

    def add(name: str) -> None:
        if name in seen:
            return
        seen.add(name)
        text = (CLIENT / name).read_text(encoding="utf-8")
        for other in re.findall(r'^import .* from "\./(.+)";$', text, re.MULTILINE):
            add(other)
        text = re.sub(r"^import .*;$", "", text, flags=re.MULTILINE)
        parts.append(re.sub(r"^export ", "", text, flags=re.MULTILINE))

    add("eventsource.js")
    define = 'Object.defineProperty(self, "EventSource", {value: EventSource, writable: true, configurable: true});'
    return "\n".join(["(() => {", *parts, define, "})();"]).encode()


def is_worker(path: str) -> bool:
    """Recognize a worker's script by the names that the tests give theirs."""
    return path.endswith(".worker.js") or (
        fnmatch.fnmatch(path, "/eventsource/*-worker/*.js") and not path.endswith((".any.js", ".window.js"))
    )


@contextmanager
def served(checkout: Path, script: bytes) -> Iterator[tuple[str, list[str]]]:
    """The checkout's server, with a script put in front of pages and workers: its address, and the pages' paths."""
    for folder in (checkout / "tools", checkout):
        sys.path.insert(0, str(folder))
    import localpaths  # noqa: F401  makes the checkout's own packages importable
    from manifest.sourcefile import SourceFile
    from serve import serve
    from wptserve import server as wptserve

    logging.getLogger("web-platform-tests").setLevel(logging.CRITICAL)
    logger = logging.getLogger("wpt")
    builder = serve.build_config(logger, h2=False)
    builder.update({"ports": {"http": ["auto", "auto"]}, "check_subdomains": False, "ssl": {"type": "none"}})
    with builder as config:
        routes = serve.get_route_builder(logger, config.aliases, config).get_routes()
        [port, _] = config.ports["http"]
        httpd = wptserve.WebTestHttpd(
            host="127.0.0.1",
            port=port,
            doc_root=config.paths["doc_root"],
            routes=[(method, path, fronted(handler, script, serve.inject_script)) for method, path, handler in routes],
            rewrites=serve.rewrites,
            config=config,
            bind_address=True,
        )
        httpd.start()
        files = sorted(path for path in (checkout / "eventsource").rglob("*") if path.is_file())
        pages = [
            item.url
            for file in files
            for kind, items in [SourceFile(str(checkout), str(file.relative_to(checkout)), "/").manifest_items()]
            if kind == "testharness"
            for item in items
            if "serviceworker" not in item.url
        ]
        try:
            yield f"http://{config['browser_host']}:{port}", pages
        finally:
            httpd.stop()


def fronted(handler: Callable[..., Any], script: bytes, inject: Callable[[bytes, bytes], bytes]) -> Callable[..., Any]:
    """Return a route that puts the script before each page and worker, and answers with our REPORT."""

    def answer(request: Any, response: Any) -> Any:
        result = handler(request, response)
        path = request.url_parts.path
        if path == REPORTER:
            response.content = REPORT.encode()
        elif script and path.endswith((".html", ".htm")):
            page = b"".join(response.iter_content(read_file=True))
            response.content = inject(page, b"<script>" + script + b"</script>")
        elif script and is_worker(path):
            response.content = script + b"\n" + b"".join(response.iter_content(read_file=True))
        return result

    return answer


def opened(browser: Browser, url: str) -> Page:
    """The page, which loads and runs by itself."""
    page = browser.new_context().new_page()
    page.goto(url, timeout=PATIENCE, wait_until="commit")
    return page


def outcome(page: Page) -> dict[str, str | None]:
    """Each test of a page by its name: None when it passed, else why not."""
    try:
        outcome = page.wait_for_function("window.outcome", timeout=PATIENCE).json_value()
    except Error as error:
        return {"(the page)": str(error)}
    finally:
        page.context.close()
    results = {test["name"]: None if test["passed"] else str(test["message"]) for test in outcome["tests"]}
    return results | ({"(the harness)": outcome["harness"]} if outcome["harness"] and not results else {})


def every(browser: Browser, checkout: Path, script: bytes, only: str) -> dict[str, dict[str, str | None]]:
    """Each page's tests."""
    results = {}
    with served(checkout, script) as (address, paths):
        for some in batched([path for path in paths if only in path], AT_ONCE):
            pages = [opened(browser, address + path) for path in some]
            results |= dict(zip(some, map(outcome, pages), strict=True))
    return results


def batched(paths: list[str], size: int) -> Iterator[list[str]]:
    for at in range(0, len(paths), size):
        yield paths[at : at + size]


def reason(page: str, test: str) -> str | None:
    return next((why for names, why in EXPECTED.items() if fnmatch.fnmatch(f"{page} {test}", names)), None)


def passed(results: dict[str, str | None]) -> str:
    return f"{sum(why is None for why in results.values())}/{len(results)}"


def main() -> int:
    parser = argparse.ArgumentParser(description="The web platform tests for eventsource, ours and native.")
    parser.add_argument("checkout", type=Path)
    parser.add_argument("--only", default="", help="pages whose path holds this text")
    parser.add_argument("--verbose", action="store_true", help="say why tests fail")
    asked = parser.parse_args()
    if not (asked.checkout / "eventsource").is_dir():
        parser.error(f"{asked.checkout} holds no web platform tests for eventsource")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        print(f"Chromium {browser.version}")
        native = every(browser, asked.checkout.resolve(), b"", asked.only)
        ours = every(browser, asked.checkout.resolve(), bundle(), asked.only)
        browser.close()
    print(f"{'':70} {'ours':>7} {'native':>7}")
    surprises = []
    for page, results in ours.items():
        print(f"{page:70} {passed(results):>7} {passed(native[page]):>7}")
        for test, why in results.items():
            if why is not None and asked.verbose:
                print(f"    {test}: {why}")
            if (why is None) != (reason(page, test) is None):
                surprises.append(f"{page}: {test}: {why or 'passes, though it is expected to fail'}")
    totals = [passed({f"{page} {test}": why for page in of for test, why in of[page].items()}) for of in (ours, native)]
    print(f"{'all':70} {totals[0]:>7} {totals[1]:>7}")
    [ours_passed, all_run], [native_passed, _] = (total.split("/") for total in totals)
    shown = f"**{ours_passed} of {all_run}** pass; with Chromium's own `EventSource`, {native_passed}."
    if not asked.only and shown not in PAGE.read_text("utf-8").replace("\n", " "):
        surprises.append(f"{PAGE.name} does not say: {shown}")
    for surprise in surprises:
        print(f"unexpected: {surprise}")
    return int(bool(surprises))


if __name__ == "__main__":
    sys.exit(main())
