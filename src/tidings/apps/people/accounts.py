"""Whose name is whose, where people come from an OpenID Connect provider: what it calls them is not unique and may be
changed there, so an account gets a name here once, and keeps it.

Both directions are topics: the first event of `accounts.ID` is the account's name, that of `names.SLUG` the account
that has it. Whoever may publish to these topics says who is who; a person's token does not cover them.
"""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Sequence
from typing import Any

import msgspec

from tidings.access.names import slug, valid_name
from tidings.delivery.hub import Hub
from tidings.errors import Conflict, InvalidRequest, NotFound
from tidings.events import Retention
from tidings.log.rules import NEW


async def name_of(hub: Hub, issuer: str, subject: str, names: Sequence[str]) -> str:
    """The name of the provider's account `subject`: the one it has, or the first of `names` that nobody else has.

    Two names that differ by case or by how their letters are composed count as one. Raises Conflict when all are
    another's, or are no names; Unavailable.
    """
    account = hashlib.sha256(f"{issuer}\0{subject}".encode()).hexdigest()[:40]
    named = await _first(hub, f"accounts.{account}")
    if named is not None:
        return str(named["name"])
    for name in names:
        try:
            place = slug(unicodedata.normalize("NFKC", valid_name(name)).casefold())
            holder = await _claim(hub, f"names.{place}", {"account": account})
        except InvalidRequest:
            continue
        if holder["account"] == account:
            # Another process may have named the account meanwhile: then that name it is.
            about = {"name": name, "issuer": issuer, "subject": subject}
            return str((await _claim(hub, f"accounts.{account}", about))["name"])
    raise Conflict("None of the names that the provider gives is free here.")


async def _claim(hub: Hub, topic: str, value: dict[str, str]) -> dict[str, Any]:
    """What the topic's first event says: `value`, unless it had one. Such a topic forgets nothing."""
    data = msgspec.json.encode(value).decode()
    try:
        await hub.log.append(topic, [("account.named", data)], expected=NEW, retention=Retention())
    except Conflict:
        return await _first(hub, topic) or value
    return value


async def _first(hub: Hub, topic: str) -> dict[str, Any] | None:
    try:
        page = await hub.read(topic, limit=1)
    except NotFound:
        return None
    return msgspec.json.decode(page.events[0].data, type=dict[str, Any])
