"""PURE: the facts of a rule's topic `alerts.ID`: the rule, what was judged of it, and the notices that were sent."""

from __future__ import annotations

from hashlib import blake2b
from typing import Any, ClassVar, Literal

import msgspec

from tidings.errors import InvalidRequest
from tidings.events import check_nesting

from .rule import Rule

Condition = Literal["normal", "pending", "firing", "recovering", "no_data", "broken"]
"""The states of an instance."""

NoticeKind = Literal["fired", "again", "resolved", "no_data", "broken"]

LISTED = 10
"""Instances that a notice lists. It counts the others."""


class Fact(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An event of a rule's topic."""

    type: ClassVar[str]


class RuleSaved(Fact, frozen=True, kw_only=True):
    """The rule from now on; the first one creates it. `by`: the name of who saved it, empty where nobody has a name."""

    type = "rule.saved"
    rule: Rule
    by: str = ""


class RuleDeleted(Fact, frozen=True, kw_only=True):
    """The deletion of the rule."""

    type = "rule.deleted"
    by: str = ""


class Changed(Fact, frozen=True, kw_only=True):
    """A transition of an instance from the state `was` to `state`, at a time of the log.

    `since`: where the clock of `for` or `keep` began, `at` unless it is given. `episode` and `began`: the id and the
    beginning of the episode that goes on or has just ended. `offset`: the event that was judged; a transition at a
    second has none. `reason`: the cause of a transition that no value caused.
    """

    type = "alert.changed"
    instance: str = ""
    was: Condition
    state: Condition
    at: float
    since: float | None = None
    value: float | None = None
    limit: float | None = None
    episode: str | None = None
    offset: str | None = None
    reason: str | None = None


class Told(msgspec.Struct, frozen=True, omit_defaults=True):
    """An instance in a notice: its value, since when its episode lasts, and the offset of the event that began it."""

    instance: str
    episode: str
    value: float | None
    since: float
    offset: str | None = None
    reason: str | None = None


class Notice(Fact, frozen=True, kw_only=True):
    """A notice of one kind about one or more episodes.

    `id`: equal for the same notice whichever process works it out. `episodes`: all of them; `instances`: the first 10;
    `more`: the number of others. `others`: one of the instances stands for all beyond the first 1,000.
    """

    type = "alert.notice"
    id: str
    kind: NoticeKind
    title: str
    topic: str
    at: float
    limit: float | None = None
    episodes: list[str]
    instances: list[Told]
    more: int = 0
    others: bool = False
    link: str


class Acknowledged(Fact, frozen=True, kw_only=True):
    """The acknowledgement of episodes, whose notices are not repeated afterwards."""

    type = "alert.acknowledged"
    episodes: list[str]
    by: str = ""
    note: str = ""


class BadValues(Fact, frozen=True, kw_only=True):
    """Events without a value: their `count` since the condition was saved, and the last of them."""

    type = "alert.bad"
    count: int
    at: float
    offset: str | None = None


class HandedOn(Fact, frozen=True, kw_only=True):
    """The notices with these ids have reached people's topics and the queues of webhooks."""

    type = "alert.handed_on"
    notices: list[str]


FACTS: dict[str, type[Fact]] = {
    fact.type: fact for fact in (RuleSaved, RuleDeleted, Changed, Notice, Acknowledged, BadValues, HandedOn)
}
_DECODERS: dict[str, msgspec.json.Decoder[Any]] = {type: msgspec.json.Decoder(fact) for type, fact in FACTS.items()}
_encode = msgspec.json.Encoder().encode


def episode_id(rule: str, instance: str, state: str, mark: str) -> str:
    """Make the id of an episode of a rule and an instance: `mark` is the offset, or the second, that began it.

    Every process that works out the episode makes the same id. It has no dot: a signature of webhooks is over texts
    that are joined by dots.
    """
    return blake2b("\0".join((rule, instance, state, mark)).encode(), digest_size=10).hexdigest()


def read(type: str, data: str) -> Fact:
    """Return the fact that an event says. Raises InvalidRequest for an event that says none."""
    decoder = _DECODERS.get(type)
    try:
        check_nesting(data)
        if decoder is not None:
            fact: Fact = decoder.decode(data)
            return fact
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        pass
    raise InvalidRequest("A rule's topic holds the facts of alerts only.")


def to_item(fact: Fact) -> tuple[str, str]:
    """Return the type and the data of the event that says the fact."""
    return fact.type, _encode(fact).decode()
