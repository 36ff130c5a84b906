"""The document of a dashboard: its cards and their series. A document is exported and imported as it is stored."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, model_validator

from tidings.errors import InvalidRequest
from tidings.http.openapi import TOPIC
from tidings.http.request import WHOLE, Body
from tidings.log.names import valid_topic

VERSION: Literal[1] = 1
"""The version of the documents that this server writes, and the newest that it reads."""

CARDS = 40
"""Cards of a dashboard."""

LONGEST_RANGE = 90 * 86_400

Kind = Literal["line", "area", "bar", "gauge", "number", "table", "events", "text"]
Aggregation = Literal["rate", "count", "sum", "mean", "min", "max", "last", "p50", "p99"]
Path = Annotated[str, Field(pattern=r"^([^.]+(\.[^.]+){0,7})?$", max_length=200)]
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9-]{1,40}$")]
Title = Annotated[str, Field(min_length=1, max_length=100)]
Width = Annotated[Literal[3, 4, 5, 6, 8, 12], WHOLE]
Number = Annotated[float, Field(ge=-1e150, le=1e150)]


def _topic(value: str) -> str:
    try:
        return valid_topic(value)
    except InvalidRequest as error:
        raise ValueError(str(error)) from None


class Series(Body):
    """A line of a card: the aggregated values at the path `field` in the events of `topic`, by the groups of `by`."""

    topic: Annotated[str, Field(json_schema_extra=TOPIC), AfterValidator(_topic)]
    field: Path = ""
    agg: Aggregation = "mean"
    by: Path = ""
    label: Annotated[str, Field(max_length=100)] = ""


class Card(Body):
    """A card. `width`: columns of 12. `thresholds`: values with lines of their own. `min`, `max`: ends of the axis.

    `text`: the text of a card of the kind text, which has no series; every other card has at least one series.
    """

    id: Name
    kind: Kind
    title: Title
    width: Width = 6
    series: Annotated[list[Series], Field(max_length=5)] = Field(default_factory=list)
    unit: Annotated[str, Field(max_length=20)] = ""
    thresholds: Annotated[list[Number], Field(max_length=5)] = Field(default_factory=list)
    min: Number | None = None
    max: Number | None = None
    text: Annotated[str, Field(max_length=4000)] = ""


class Dashboard(Body):
    """A dashboard. `range`: the seconds that its charts show at first."""

    version: Annotated[Literal[1], WHOLE]
    title: Title
    range: Annotated[int, Field(ge=60, le=LONGEST_RANGE), WHOLE] = 300
    cards: Annotated[list[Card], Field(max_length=CARDS)]

    @model_validator(mode="before")
    @classmethod
    def _readable(cls, value: Any) -> Any:
        """Refuse another version first: the other members of a newer one may be new as well."""
        version = value.get("version") if isinstance(value, dict) else VERSION
        if isinstance(version, int | float) and version > VERSION:
            raise ValueError(
                f"a `version` up to {VERSION}: this dashboard is of version {version}, so update the server"
            )
        if isinstance(version, bool):
            raise ValueError(f"the `version` {VERSION}")
        return value


def check(dashboard: Dashboard) -> None:
    """Check the rules between members of a document. Raises InvalidRequest, which names the member."""
    ids = set()
    for n, card in enumerate(dashboard.cards):
        at = f"cards.{n}"
        if card.id in ids:
            raise InvalidRequest(f"{at}.id: another card has the same `id`.")
        ids.add(card.id)
        if (card.kind == "text") == bool(card.series):
            raise InvalidRequest(f"{at}.series: a card has series, unless its kind is text.")
        if card.min is not None and card.max is not None and card.min >= card.max:
            raise InvalidRequest(f"{at}.min: `min` is below `max`.")
        for m, series in enumerate(card.series):
            if not series.field and series.agg not in ("rate", "count"):
                raise InvalidRequest(f"{at}.series.{m}.field: `agg` {series.agg} needs a field.")


def _card(id: str, title: str, unit: str, *series: tuple[str, str], kind: Kind = "line", width: Width = 4) -> Card:
    lines = [Series(topic="metrics.server", field=field, label=label) for field, label in series]
    return Card(id=id, kind=kind, title=title, unit=unit, width=width, series=lines)


BUILT_IN = {
    "server": Dashboard(
        version=VERSION,
        title="Server",
        cards=[
            _card("events", "Events", "events/s", ("published", "published"), ("delivered", "delivered"), width=6),
            _card("latency", "Publish latency", "s", ("publish_p50", "p50"), ("publish_p99", "p99"), width=6),
            _card("streams", "Open streams", "", ("streams", "open"), ("behind", "catching up")),
            _card("commits", "Commit time", "s", ("commit_p50", "p50"), ("commit_p99", "p99")),
            _card("lag", "Lag of the event loop", "s", ("lag_max", "longest")),
            _card("store", "Store", "bytes", ("store_bytes", "size"), kind="area"),
            _card("memory", "Memory", "bytes", ("memory", "process"), ("window_bytes", "recent events")),
            _card("cpu", "CPU", "cores", ("cpu", "process"), kind="area"),
            _card("runs", "Runs under way", "", ("runs", "runs")),
            _card("first", "Time to first token", "s", ("first_token_p50", "p50"), ("first_token_p99", "p99")),
            _card("tokens", "Tokens", "tokens/s", ("tokens", "tokens"), kind="area"),
        ],
    )
}
"""Dashboards that every server has, until a person saves another one under the same id."""
