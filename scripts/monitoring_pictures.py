"""The pictures of a process map and of a dashboard, for scripts/screenshots.py, from orders that are made up here."""

from __future__ import annotations

import json
import math
import random
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from playwright.sync_api import APIRequestContext, Browser, expect

from tests.cli.command import tidings
from tests.serving import ServerProcess

DESKTOP = {"viewport": {"width": 1440, "height": 900}}

PATHS = {
    "Order received, Payment checked, Packed, Shipped, Delivered": 118,
    "Order received, Payment checked, Back-ordered, Packed, Shipped, Delivered": 41,
    "Order received, Payment checked, Packed, Shipped, Returned, Refunded": 19,
    "Order received, Cancelled": 14,
    "Order received, Payment checked, Payment refused, Cancelled": 9,
    "Order received, Payment checked, Packed, Shipped": 12,
    "Order received, Payment checked, Back-ordered": 7,
}
"""Variants of the orders, with their cases."""

HOURS = {"Packed": 6.0, "Back-ordered": 2.0, "Shipped": 9.0, "Delivered": 40.0, "Returned": 120.0, "Refunded": 30.0}
"""The usual hours before an activity; of every other, a quarter of an hour."""

PUBLISHED = 58.0
"""Seconds in which the dashboard's events are published: nearly the minute that it shows."""


def monitoring_pictures(browser: Browser, images: Path) -> None:
    """process-map.png and dashboard.png, of a server of their own."""
    with tempfile.TemporaryDirectory() as folder, ServerProcess(f"sqlite:///{folder}/tidings.db") as server:
        log = Path(folder, "orders.csv")
        write_orders(log)
        done = tidings("process", "import", str(log), "--topic", "process.orders", to=server.url)
        assert done.returncode == 0, done.stderr
        context = browser.new_context(reduced_motion="reduce", **DESKTOP)  # type: ignore[arg-type]
        assert context.request.post(f"{server.url}/session", data={"name": "Mara Lindqvist"}).ok
        page = context.new_page()
        page.goto(f"{server.url}/p/orders")
        expect(page.locator(".process-map .node").first).to_be_visible()
        page.locator('.process-map .edge[aria-label^="Payment checked to Back-ordered,"]').press("Enter")
        expect(page.get_by_role("complementary").get_by_role("listitem").first).to_be_visible()
        page.mouse.move(0, 0)
        page.screenshot(path=images / "process-map.png")
        put_dashboard(context.request, server.url)
        page.goto(f"{server.url}/d/shop")
        publish_orders(context.request, server.url)
        page.screenshot(path=images / "dashboard.png")
        context.close()


def write_orders(path: Path) -> None:
    """Write the orders as CSV."""
    chance, lines = random.Random(14), ["case,activity,timestamp"]
    cases = [activities for activities, count in PATHS.items() for _ in range(count)]
    chance.shuffle(cases)
    for number, activities in enumerate(cases):
        at = 1_763_000_000 + number * 4100.0
        for activity in activities.split(", "):
            lines.append(f"SO-{20_100 + number},{activity},{datetime.fromtimestamp(at, UTC):%Y-%m-%dT%H:%M:%SZ}")
            at += 3600 * HOURS.get(activity, 0.25) * chance.lognormvariate(0, 0.5)
    path.write_text("\n".join(lines) + "\n", "utf-8")


def put_dashboard(request: APIRequestContext, url: str) -> None:
    """Save a dashboard of six cards over the topics of the shop."""
    orders, latency = "shop.orders", "shop.latency"

    def card(id: str, kind: str, title: str, width: int, *series: dict[str, str], **members: object) -> object:
        return {"id": id, "kind": kind, "title": title, "width": width, "series": list(series)} | members

    rate = {"topic": orders, "agg": "rate", "by": "country"}
    p50, p99 = ({"topic": latency, "field": "seconds", "agg": agg, "label": agg} for agg in ("p50", "p99"))
    total = {"topic": orders, "field": "amount", "agg": "sum"}
    cards = [
        card("rate", "area", "Paid orders by country", 8, rate, unit="orders/s"),
        card("sum", "number", "Paid in this minute", 4, total, unit="€"),
        card("latency", "line", "Checkout latency", 8, p50, p99, unit="s", thresholds=[0.6]),
        card("p99", "gauge", "Checkout p99", 4, p99, unit="s", min=0, max=1, thresholds=[0.6]),
        card("countries", "table", "Mean order by country", 4, total | {"agg": "mean", "by": "country"}, unit="€"),
        card("last", "events", "Last orders", 8, {"topic": orders, "agg": "count"}),
    ]
    document = {"version": 1, "title": "Shop", "range": 60, "cards": cards}
    done = request.put(f"{url}/dashboards/shop?expected=new", data=document)
    assert done.ok, done.text()


def publish_orders(request: APIRequestContext, url: str) -> None:
    """Publish orders and latencies for a minute, so that the charts have a history."""
    chance, began, number = random.Random(13), time.monotonic(), 4711
    while (now := time.monotonic() - began) < PUBLISHED:
        wave = 1 + 0.6 * math.sin(now / 9)
        slow = 2.4 if 30 < now < 36 else 1.0
        number += 1
        country = chance.choices(("NO", "DE", "JP", "CA"), (5, 4, 2, 1))[0]
        order = {"order": number, "country": country, "amount": round(chance.lognormvariate(3.6, 0.5), 2)}
        latencies = [{"seconds": round(chance.lognormvariate(-1.6, 0.35) * slow, 3)} for _ in range(4)]
        for topic, events in (("shop.orders", [order]), ("shop.latency", latencies)):
            done = request.post(
                f"{url}/topics/{topic}/events",
                data="\n".join(json.dumps({"data": event}) for event in events),
                headers={"content-type": "application/x-ndjson"},
            )
            assert done.ok, done.text()
        time.sleep(0.12 / wave)
