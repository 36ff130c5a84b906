"""PURE: direct messages, which are private rooms of a few people, without a name.

The room's id follows from the people. So the same people have one direct message, also when two of them begin it at the
same time: the second finds that the room exists.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable

from tidings.access.names import valid_name
from tidings.errors import Forbidden, InvalidRequest

from .facts import Fact, RoomCreated

MOST = 10
"""People of a direct message. A room has a name, an owner who adds people, and any number of them."""

KEEPS = "A direct message keeps its people and has no name. Mute it, or create a room."

_ID = re.compile(r"direct_[0-9a-f]{32}")


def id_of(people: Iterable[str]) -> str:
    """The id of the direct message of these people."""
    names = "\n".join(sorted(set(people)))
    return f"direct_{hashlib.sha256(names.encode()).hexdigest()[:32]}"


def check_id(id: str, fact: Fact) -> None:
    """Raise Forbidden unless a room may be created under this id.

    Otherwise a stranger could create a room in the place of two others' direct message, and be its owner.
    """
    if isinstance(fact, RoomCreated) and (fact.people or _ID.fullmatch(id)) and id != id_of(fact.people or ()):
        raise Forbidden("The id of a direct message follows from its people. Ask `GET /people/direct` for it.")


def check_form(fact: RoomCreated) -> None:
    """Raise InvalidRequest unless the fact can create a direct message."""
    if fact.name or fact.about or not fact.private:
        raise InvalidRequest("A direct message is private and has neither a name nor a topic of conversation.")
    people, invited = check_people(fact.people or []), fact.invited or []
    if fact.by not in people:
        raise InvalidRequest("You are one of the people of a direct message that you begin: give your own name, too.")
    if fact.by in invited or len(set(invited)) < len(invited) or not people.issuperset(invited):
        raise InvalidRequest("`invited` are some of the other `people`, each of them once.")


def check_people(people: list[str]) -> set[str]:
    """Return the people of a direct message. Raises InvalidRequest for other than 2 to 10 different names."""
    names = {valid_name(name) for name in people}
    if len(names) < len(people) or not 2 <= len(names) <= MOST:
        raise InvalidRequest(f"A direct message has 2 to {MOST} people, each of them once.")
    return names
