"""Names of the accounts of an OpenID Connect provider. A provider's names are not unique and change, so an account gets
a name here once, and keeps that name.

Both directions are topics. The first event of `accounts.ID` is the name of the account, and the first event of
`names.SLUG` is the account with that name. Whatever publishes there decides the names, so the tokens of people
do not cover them.
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
    """Return the name of the provider's account `subject`: its name here, or else the first of `names` that is free.

    Names that differ only by case, or by how their letters are composed, count as the same name. Raises Conflict when
    every name is invalid or belongs to another account; Unavailable.
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
            # Another process may have named the account meanwhile: that name then holds.
            about = {"name": name, "issuer": issuer, "subject": subject}
            return str((await _claim(hub, f"accounts.{account}", about))["name"])
    raise Conflict("No name that the provider gives for you is both valid and free here.")


async def _claim(hub: Hub, topic: str, value: dict[str, str]) -> dict[str, Any]:
    """Return the value of the topic's first event: `value`, unless the topic had one. The topic keeps all events."""
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
