"""Rules of rooms: each fact, and the roles that may publish it."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import msgspec
import pytest
from hypothesis import given

from tests.apps.rooms.histories import EPOCH, events, histories
from tidings.apps.rooms import facts, fold, rules
from tidings.apps.rooms.room import Room
from tidings.errors import Conflict, Forbidden, InvalidRequest, NotFound, TidingsError, TooLarge

OWNER, MEMBER, READER, STRANGER = "Ann", "Bob", "Cleo", "Dan"
WHO = (OWNER, MEMBER, READER, STRANGER)
HELLO = {"text": "Hello"}
AT = {"message": f"{EPOCH}-5"}
LIKE = {**AT, "emoji": "👍"}


def file(n: int) -> dict[str, Any]:
    return {"id": f"01J{n:023}", "name": f"plan {n}.pdf", "type": "application/pdf", "size": n}


FILE = file(1)


def history(*more: tuple[str, str, dict[str, Any]], private: bool = False) -> list[tuple[str, dict[str, Any]]]:
    """Return the history of a room with one person of each role, and a message of the member, number 4."""
    said = [
        ("room.created", OWNER, {"name": "Lobby", "private": private}),
        ("member.joined", OWNER, {"member": MEMBER}),
        ("member.joined", OWNER, {"member": READER, "role": "reader"}),
        ("message.posted", MEMBER, HELLO),
        *more,
    ]
    return [(type, {**data, "by": by}) for type, by, data in said]


def room(*more: tuple[str, str, dict[str, Any]], private: bool = False) -> Room:
    state = Room()
    for event in events(history(*more, private=private)):
        fold.apply(state, event)
    return state


def refused(state: Room, type: str, by: str, **data: Any) -> type[TidingsError] | None:
    """The kind of the refusal; None: it is taken."""
    try:
        rules.check(state, facts.read(type, msgspec.json.encode({"by": by, **data}).decode()))
    except TidingsError as error:
        return error.__class__
    return None


@pytest.mark.parametrize(
    ("type", "data", "public", "private"),
    [
        ("message.posted", HELLO, "ym--", "ym--"),
        ("message.edited", {**AT, **HELLO}, "ym--", "ym--"),
        ("message.deleted", AT, "ym--", "ym--"),
        ("reaction.added", LIKE, "ym--", "ym--"),
        ("reaction.removed", LIKE, "ym--", "ym--"),
        ("room.renamed", {"name": "Hall"}, "y---", "y---"),
        ("room.archived", {}, "y---", "y---"),
        ("member.joined", {"member": "Eve"}, "y---", "y---"),
        ("member.joined", {"member": "Eve", "role": "owner"}, "y---", "y---"),
        ("member.role", {"member": MEMBER, "role": "owner"}, "y---", "y---"),
        ("member.invited", {"member": "Eve", "role": "owner"}, "y---", "y---"),
        ("member.joined", {"member": STRANGER, "invited": True}, "----", "----"),
        ("member.banned", {"member": READER}, "y---", "y---"),
        ("member.banned", {"member": STRANGER}, "y---", "y---"),
        ("member.left", {"member": READER}, "y-y-", "y-y-"),
        ("member.left", {"member": MEMBER}, "ym--", "ym--"),
        ("member.joined", {"member": STRANGER}, "y--y", "y---"),
        ("member.joined", {"member": STRANGER, "role": "reader"}, "y---", "y---"),
        ("member.joined", {"member": STRANGER, "role": "owner"}, "y---", "y---"),
    ],
)
def test_permissions_follow_the_role_and_the_privacy(
    type: str, data: dict[str, Any], public: str, private: str
) -> None:
    for is_private, allowed in ((False, public), (True, private)):
        for who, may in zip(WHO, allowed, strict=True):
            said = refused(room(private=is_private), type, who, **data)
            assert said is (Forbidden if may == "-" else None), (who, is_private)


LEAVES = "member.left", READER, {"member": READER}
BAN = "member.banned", OWNER, {"member": READER}
UNBAN = "member.unbanned", OWNER, {"member": READER}


def joining(state: Room, name: str, role: str = "member") -> facts.Fact:
    """The fact of a person who joins, as the server stamps it."""
    data = msgspec.json.encode({"by": name, "member": name, "role": role}).decode()
    return rules.stamped(state, facts.read("member.joined", data))


def test_a_reader_who_left_comes_back_as_a_reader() -> None:
    left = room(LEAVES)
    assert joining(left, READER) == facts.MemberJoined(by=READER, member=READER, role="reader")
    assert refused(left, "member.joined", READER, member=READER) is Forbidden, "unless the server stamps the role"
    rules.check(left, joining(left, READER))
    back = room(LEAVES, ("member.joined", READER, {"member": READER, "role": "reader"}))
    assert refused(back, "message.posted", READER, **HELLO) is Forbidden
    assert joining(room(BAN, UNBAN), READER) == facts.MemberJoined(by=READER, member=READER, role="reader")


def test_an_owner_changes_the_role_of_a_reader_who_left() -> None:
    back = room(LEAVES, ("member.joined", OWNER, {"member": READER}))
    assert refused(back, "message.posted", READER, **HELLO) is None
    again = room(LEAVES, ("member.joined", OWNER, {"member": READER}), LEAVES)
    assert joining(again, READER) == facts.MemberJoined(by=READER, member=READER, role="member")


@pytest.mark.parametrize("private", [False, True])
def test_a_banned_person_is_no_member_until_the_ban_is_lifted(private: bool) -> None:
    banned = room(BAN, private=private)
    assert banned.role(READER) is None
    assert refused(banned, "member.joined", READER, member=READER, role="reader") is Forbidden
    assert refused(banned, "member.joined", OWNER, member=READER) is Conflict
    assert refused(banned, "member.banned", OWNER, member=READER) is Conflict
    assert refused(banned, "message.posted", READER, **HELLO) is Forbidden
    assert refused(banned, "member.unbanned", READER, member=READER) is Forbidden
    assert refused(banned, "member.unbanned", OWNER, member=STRANGER) is NotFound
    assert refused(room(BAN, UNBAN, private=private), "member.joined", OWNER, member=READER) is None


def test_a_banned_person_is_added_and_invited_after_the_ban_is_lifted() -> None:
    for type in ("member.joined", "member.invited"):
        assert refused(room(BAN), type, OWNER, member=READER) is Conflict
        assert refused(room(BAN, UNBAN), type, OWNER, member=READER) is None


@pytest.mark.parametrize(("by", "sentence"), [(MEMBER, "You are a member already."), (OWNER, "Bob is a member")])
def test_a_member_who_is_added_again_is_told_as_whoever_adds(by: str, sentence: str) -> None:
    with pytest.raises(Conflict, match=sentence):
        rules.check(room(), facts.MemberJoined(by=by, member=MEMBER))


def test_a_person_whose_invitation_was_revoked_joins_as_anybody() -> None:
    data = msgspec.json.encode({"by": STRANGER, "member": STRANGER, "invited": True}).decode()
    fact = facts.read("member.joined", data)
    invited = room(("member.invited", OWNER, {"member": STRANGER, "role": "reader"}))
    assert rules.stamped(invited, fact) == facts.MemberJoined(by=STRANGER, member=STRANGER, role="reader", invited=True)
    assert rules.stamped(room(), fact) == facts.MemberJoined(by=STRANGER, member=STRANGER)
    alone = facts.MemberJoined(by=STRANGER, member=STRANGER)
    assert rules.stamped(invited, alone) == alone, "unless the person accepts, the invitation stays"


def test_labels_say_who_is_invited_and_who_is_in_a_private_room() -> None:
    def labels(*said: tuple[str, dict[str, Any]], state: Room) -> dict[str, bool]:
        read = [facts.read(type, msgspec.json.encode({"by": OWNER, **data}).decode()) for type, data in said]
        return rules.labels(state, read)

    eve = {"member": "Eve"}
    invited = room(("member.invited", OWNER, eve), private=True)
    asks, joins = ("member.invited", eve), ("member.joined", eve)
    assert labels(asks, state=room(private=True)) == {"invited Eve": True}
    assert labels(asks, ("member.uninvited", eve), state=room(private=True)) == {"invited Eve": False}
    assert labels(joins, state=invited) == {rules.member_label("Eve"): True, "invited Eve": False}
    assert labels(joins, state=room(private=True)) == {rules.member_label("Eve"): True}
    assert labels(joins, state=room()) == {}


def test_nobody_bans_themself() -> None:
    assert refused(room(), "member.banned", OWNER, member=OWNER) is Conflict


def test_a_ban_says_which_role_it_took() -> None:
    for name, role in ((READER, "reader"), (STRANGER, None)):
        ban = rules.stamped(room(), facts.MemberBanned(by=OWNER, member=name))
        assert ban == facts.MemberBanned(by=OWNER, member=name, role=role)


def test_an_outsider_of_a_private_room_does_not_learn_who_its_members_are() -> None:
    for type in ("member.left", "member.role", "member.banned", "member.unbanned"):
        role = {"role": "reader"} if type == "member.role" else {}
        for member in (MEMBER, "Nobody"):
            assert refused(room(private=True), type, STRANGER, member=member, **role) is Forbidden, (type, member)


def test_nobody_reacts_to_a_deleted_message() -> None:
    deleted = room(("message.deleted", MEMBER, {"message": f"{EPOCH}-4"}))
    for type in ("reaction.added", "reaction.removed"):
        assert refused(deleted, type, OWNER, message=f"{EPOCH}-4", emoji="👍") is Conflict
    for type, data in (("message.edited", HELLO), ("message.deleted", {})):
        assert refused(deleted, type, MEMBER, message=f"{EPOCH}-4", **data) is Conflict
    assert refused(deleted, "message.posted", OWNER, reply=f"{EPOCH}-4", **HELLO) is Conflict


@pytest.mark.parametrize("state", [room(private=True), room(("room.archived", OWNER, {}), private=True)])
@pytest.mark.parametrize("member", [OWNER, MEMBER, READER, "Eve"])
@pytest.mark.parametrize("type", ["joined", "role", "left", "banned", "unbanned"])
def test_an_outsider_of_a_private_room_does_not_learn_who_is_in_it(state: Room, type: str, member: str) -> None:
    data = {"by": STRANGER, "member": member, **({"role": "owner"} if type == "role" else {})}
    with pytest.raises(Forbidden, match=r"^This room is private\. Ask an owner to add you\.$"):
        rules.check(state, facts.read(f"member.{type}", msgspec.json.encode(data).decode()))


@pytest.mark.parametrize(("type", "data"), [("room.restored", {}), ("message.posted", HELLO), ("reaction.added", LIKE)])
def test_an_outsider_of_a_private_room_does_not_learn_its_state(type: str, data: dict[str, Any]) -> None:
    for state in (room(private=True), room(("room.archived", OWNER, {}), private=True)):
        assert refused(state, type, STRANGER, **data) is Forbidden


def test_a_public_room_says_who_is_no_member() -> None:
    assert refused(room(), "member.left", OWNER, member="Eve") is NotFound
    assert refused(room(), "member.role", OWNER, member="Eve", role="owner") is NotFound


def test_a_deleted_message_takes_no_reaction_and_no_change() -> None:
    gone = room(("message.deleted", MEMBER, {"message": f"{EPOCH}-4"}))
    four, three = {"message": f"{EPOCH}-4"}, {"message": f"{EPOCH}-3"}
    assert refused(gone, "reaction.added", READER, **four, emoji="👍") is Forbidden
    for type, data in (
        ("reaction.added", {**four, "emoji": "👍"}),
        ("reaction.removed", {**four, "emoji": "👍"}),
        ("message.edited", {**four, **HELLO}),
        ("message.deleted", four),
        ("message.posted", {**HELLO, "reply": four["message"]}),
    ):
        assert refused(gone, type, MEMBER, **data) is Conflict, type
        if "message" in data:
            assert refused(gone, type, MEMBER, **{**data, **three}) is None, type


def test_a_message_takes_fifty_different_reactions() -> None:
    pictures = [chr(0x1F400 + n) for n in range(rules.MAX_REACTIONS)]
    full = room(*[("reaction.added", OWNER, {**LIKE, "message": f"{EPOCH}-4", "emoji": each}) for each in pictures])
    more = {"message": f"{EPOCH}-4", "emoji": "👍"}
    assert refused(full, "reaction.added", MEMBER, **more) is Conflict
    assert refused(full, "reaction.added", MEMBER, **{**more, "emoji": pictures[0]}) is None
    assert refused(full, "reaction.added", MEMBER, **LIKE) is None, "another message"
    assert refused(full, "reaction.removed", MEMBER, **more) is None


def test_the_last_owner_neither_leaves_nor_steps_down() -> None:
    assert refused(room(), "member.left", OWNER, member=OWNER) is Conflict
    assert refused(room(), "member.role", OWNER, member=OWNER, role="reader") is Conflict
    assert refused(room(), "member.role", OWNER, member=OWNER, role="owner") is None
    two = room(("member.role", OWNER, {"member": MEMBER, "role": "owner"}))
    assert refused(two, "member.left", OWNER, member=OWNER) is None
    assert refused(two, "member.role", MEMBER, member=OWNER, role="reader") is None


def test_in_an_archived_room_nothing_happens_until_it_is_restored() -> None:
    archived = room(("room.archived", OWNER, {}))
    for type, data in (
        ("message.posted", HELLO),
        ("room.renamed", {"name": "Hall"}),
        ("member.left", {"member": MEMBER}),
        ("room.archived", {}),
        ("reaction.added", LIKE),
    ):
        assert refused(archived, type, OWNER, **data) is Conflict
    assert refused(archived, "room.restored", MEMBER) is Forbidden
    assert refused(archived, "room.restored", OWNER) is None
    assert refused(room(), "room.restored", OWNER) is Conflict
    assert (
        refused(room(("room.archived", OWNER, {}), ("room.restored", OWNER, {})), "message.posted", MEMBER, **HELLO)
        is None
    )


def test_a_run_that_began_before_the_room_was_archived_may_answer() -> None:
    asked = room(("run.created", MEMBER, {"run": "R1"}), ("room.archived", OWNER, {}))
    assert refused(asked, "answer.posted", "", run="R1", text="42") is None
    assert refused(asked, "answer.posted", "", run="R2", text="42") is Conflict
    assert refused(asked, "run.created", OWNER, run="R1") is Conflict


@pytest.mark.parametrize(
    ("type", "data", "kind"),
    [
        ("message.posted", {"text": " \n"}, InvalidRequest),
        ("message.posted", {"text": "x" * 16_000}, None),
        ("message.posted", {"text": "x" * 16_001}, TooLarge),
        ("message.posted", {}, InvalidRequest),
        ("message.posted", {"text": "x", "bold": True}, InvalidRequest),
        ("message.posted", {"text": "x", "reply": "yesterday"}, InvalidRequest),
        ("message.posted", {"text": "x", "reply": ""}, InvalidRequest),
        ("message.posted", {"text": "x\n\ty\u202f\u200d"}, None),
        *[("message.posted", {"text": f"x{c}y"}, InvalidRequest) for c in "\0\r\x0b\x1b\x7f\x85\x9f"],
        ("message.edited", {"message": "abc123-4", "text": "x\x1b[31m"}, InvalidRequest),
        ("message.posted", {"text": "x", "key": "Ab3_-" + "x" * 59}, None),
        *[
            ("message.posted", {"text": "x", "key": key}, InvalidRequest) for key in ("", "x" * 65, "a b", "a\n", "é",
            1)
        ],
        ("message.posted", {"text": "", "files": [FILE]}, None),
        ("message.posted", {"text": "", "files": [file(n) for n in range(10)]}, None),
        ("message.posted", {"text": "x", "files": []}, None),
        ("message.posted", {"text": " ", "files": []}, InvalidRequest),
        ("message.posted", {"text": "x", "files": [file(n) for n in range(11)]}, InvalidRequest),
        ("message.posted", {"text": "x", "files": [FILE, FILE]}, InvalidRequest),
        ("message.posted", {"text": "x", "files": [FILE["id"], FILE]}, InvalidRequest),
        ("message.posted", {"text": "x", "files": [FILE["id"] + "\n"]}, InvalidRequest),
        ("message.posted", {"text": "x", "files": ["../" * 9]}, InvalidRequest),
        ("message.posted", {"text": "x", "files": [{**FILE, "id": "x"}]}, InvalidRequest),
        ("message.posted", {"text": "x", "files": [{**FILE, "href": "x"}]}, InvalidRequest),
        ("message.posted", {"text": "x", "files": FILE["id"]}, InvalidRequest),
        ("message.edited", {"message": "abc123-4", "text": ""}, InvalidRequest),
        ("message.edited", {"message": "abc123-4", "text": "x" * 16_001}, TooLarge),
        ("reaction.added", {"message": "abc123-4", "emoji": ""}, InvalidRequest),
        ("reaction.added", {"message": "abc123-4", "emoji": "👍👍"}, InvalidRequest),
        ("reaction.added", {"message": "abc123-4", "emoji": "<img>"}, InvalidRequest),
        ("reaction.added", {"message": "abc123-4", "emoji": "👩‍👩‍👧‍👦"}, None),
        ("room.renamed", {"name": ""}, InvalidRequest),
        ("room.renamed", {"name": " Hall"}, InvalidRequest),
        ("room.renamed", {"name": "Ha\nll"}, InvalidRequest),
        ("room.renamed", {"name": "Ha\u202ell"}, InvalidRequest),
        ("room.renamed", {"name": "x" * 81}, InvalidRequest),
        ("room.renamed", {"name": "<script>alert(1)</script>"}, None),
        ("room.renamed", {"name": "Hall", "about": "x" * 501}, InvalidRequest),
        ("room.renamed", {"name": "Hall", "about": ""}, None),
        ("member.joined", {"member": "x" * 61}, InvalidRequest),
        ("member.joined", {"member": "Eve", "role": "king"}, InvalidRequest),
        ("member.joined", {"member": MEMBER}, Conflict),
        ("member.left", {"member": "Eve"}, NotFound),
        ("member.role", {"member": "Eve", "role": "reader"}, NotFound),
        ("room.created", {"name": "Lobby"}, Conflict),
        ("room.painted", {}, InvalidRequest),
        ("typing", {}, InvalidRequest),
        ("message", {}, InvalidRequest),
    ],
)  # fmt: skip
def test_a_fact_has_valid_fields(type: str, data: dict[str, Any], kind: type[TidingsError] | None) -> None:
    assert refused(room(), type, OWNER, **data) is kind


@pytest.mark.parametrize("data", ["", "null", "[]", "1", "{", '{"text": 1}', '{"text": "x", "text2": 1}', "[" * 10_000])
def test_invalid_json_is_refused(data: str) -> None:
    with pytest.raises(InvalidRequest):
        facts.read("message.posted", data)


def test_a_room_that_is_not_created_is_not_found() -> None:
    for type, data in (("message.posted", HELLO), ("member.joined", {"member": OWNER}), ("room.restored", {})):
        assert refused(Room(), type, OWNER, **data) is NotFound
    assert not rules.may_read(Room(), OWNER)


def test_only_its_author_edits_a_message_and_an_owner_deletes_any() -> None:
    target = rules.Target("message.posted", MEMBER, "Hello")
    state = room(("member.joined", OWNER, {"member": "Eve"}))
    for by, edits, deletes in ((MEMBER, True, True), (OWNER, False, True), ("Eve", False, False)):
        for fact, may in (
            (facts.MessageEdited(by=by, message="abc123-4", text="x"), edits),
            (facts.MessageDeleted(by=by, message="abc123-4"), deletes),
        ):
            if may:
                rules.check_target(state, fact, target)
            else:
                with pytest.raises(Forbidden):
                    rules.check_target(state, fact, target)
    with pytest.raises(NotFound):
        rules.check_target(state, facts.MessageDeleted(by=OWNER, message="abc123-1"), None)
    answer = rules.Target("answer.posted", "", "42")
    rules.check_target(state, facts.MessageDeleted(by=OWNER, message="abc123-9"), answer)
    with pytest.raises(Forbidden):
        rules.check_target(state, facts.MessageEdited(by="", message="abc123-9", text="43"), answer)


def test_a_deleted_message_refuses_changes() -> None:
    state = room(("message.deleted", MEMBER, {"message": "abc123-4"}))
    for type, data in (
        ("message.edited", {"text": "x"}),
        ("message.deleted", {}),
        ("reaction.added", {"emoji": "👍"}),
    ):
        assert refused(state, type, MEMBER, message="abc123-4", **data) is Conflict
    assert refused(state, "message.posted", MEMBER, text="x", reply="abc123-4") is Conflict


@given(histories)
def test_the_guard_refuses_exactly_what_the_fold_ignores(said: list[tuple[str, dict[str, Any]]]) -> None:
    folded, guarded = Room(), Room()
    for event in events(said):
        assert event.offset is not None
        fold.apply(folded, event)
        try:
            fact = facts.read(event.type, event.data)
            rules.check(guarded, fact)
        except TidingsError:
            guarded.ignored.append(event.offset.n)
        else:
            fold.follow(guarded, fact, event.offset.n, event.time)
        assert folded == guarded


@given(histories)
def test_invariants_hold_after_any_sequence_of_facts(said: list[tuple[str, dict[str, Any]]]) -> None:
    state = Room()
    for event in events(said):
        before = deepcopy(state)
        fold.apply(state, event)
        if state.created:
            assert any(member.role == "owner" for member in state.members.values()) is not state.direct
        assert state.private == before.private or not before.created
        for name in state.members.keys() - before.members.keys():
            by = msgspec.json.decode(event.data)["by"]
            accepts = name in before.invited and (by == name or before.role(by) is not None)
            assert (
                by == name or state.direct
                if not before.created
                else accepts or before.role(by) == "owner" or (by == name and not state.private)
            )
        for name in before.members.keys() - state.members.keys():
            by = msgspec.json.decode(event.data)["by"]
            assert name == by or before.role(by) == "owner"
        if before.archived and event.type not in ("room.restored", "answer.posted", "run.created"):
            assert msgspec.structs.replace(state, ignored=[]) == msgspec.structs.replace(before, ignored=[])
