"""The command `tidings scrape`."""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .publish import PATIENCE
from .server import LOCAL, Token, Url, connected
from .terminal import say, sentences, write

if TYPE_CHECKING:
    from collections.abc import Callable

    from tidings.client import Client

TIMEOUT = 10.0
"""Seconds for which an exporter may be silent."""

LONGEST = 16 << 20
"""Bytes of the largest answer that is read."""

ACCEPT = "text/plain;version=0.0.4"


def scrape(
    exporter: Annotated[str, typer.Argument(metavar="URL", help="The URL of the exporter's figures.")],
    every: Annotated[
        str | None, typer.Option(metavar="TIME", help="Scrape now and each 5s, 1m or 1h. Default: once.")
    ] = None,
    url: Url = LOCAL,
    token: Token = None,
) -> None:
    """Publish the figures of a Prometheus exporter.

    Each sample is an event {"value", "labels"} of the topic figures.NAME; `rate` is the growth a second of a sample
    that only grows, from the second scrape on. The label `instance` is the host and the port of URL. Values that are no
    numbers are not published, and a scrape that fails is told on standard error, with the reason. If the first scrape
    fails, the command ends. After each scrape the command writes the number of its events as a JSON line.

    \b
    Examples:
      tidings scrape http://localhost:9100/metrics --every 15s
      tidings scrape http://127.0.0.1:8000/metrics
    """
    with sentences():
        from .repeating import period_of, repeat

        period = None if every is None else period_of(every)
        with connected(url, token, min(period or 0.0, PATIENCE)) as client:
            work = _scraper(client, exporter)
            if period is None:
                work()
            else:
                repeat(work, period)


def _scraper(client: Client, url: str) -> Callable[[], None]:
    """Return what scrapes the exporter once each time that it is called."""
    import httpx
    import msgspec

    from tidings.apps.figures.prometheus import Exporter

    from .json_lines import WRONG, Failure

    try:
        parsed = httpx.URL(url)
    except httpx.InvalidURL:
        parsed = httpx.URL("")
    if parsed.scheme not in ("http", "https") or not parsed.host:
        raise Failure(f"{url!r} is not the URL of an exporter, such as http://localhost:9100/metrics.", WRONG)
    exporter = Exporter({"instance": parsed.netloc.decode()})
    told = ""

    def work() -> None:
        nonlocal told
        figures = exporter.take(_fetch(url), monotonic())
        for topic, events in figures.topics.items():
            client.publish_many(topic, events)
        published = sum(map(len, figures.topics.values()))
        write(msgspec.json.encode({"figures": published, "refused": figures.refused}), flush=True)
        if figures.reason and figures.reason != told:
            say(f"Figures that are not published: {figures.refused:,}. {figures.reason}")
        told = figures.reason

    return work


def _fetch(url: str) -> str:
    """Return the text of the exporter. Raises Failure."""
    import httpx

    from tidings.access.origins import is_loopback

    from .json_lines import REFUSED, UNREACHABLE, Failure

    # A proxy cannot reach the loopback address of this machine.
    options: dict[str, Any] = {
        "timeout": TIMEOUT,
        "follow_redirects": True,
        "trust_env": not is_loopback(httpx.URL(url).host),
    }
    try:
        with httpx.stream("GET", url, headers={"accept": ACCEPT}, **options) as answer:
            if answer.status_code != 200:
                raise Failure(f"The exporter answered {answer.status_code} {answer.reason_phrase}.", REFUSED)
            body = bytearray()  # `bytes` would be copied whole for each part
            for part in answer.iter_bytes():
                body += part
                if len(body) > LONGEST:
                    raise Failure(f"The exporter answered with more than {LONGEST:,} bytes.", REFUSED)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise Failure(f"The exporter cannot be read: {error}.", UNREACHABLE) from None
    try:
        return body.decode()
    except UnicodeDecodeError:
        raise Failure("The exporter answered with something else than UTF-8.", REFUSED) from None
