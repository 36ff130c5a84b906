"""Alerts over HTTP: rules, their states and history, acknowledgements and silences. The states can be followed, too, in
the topics `alerts.ID`."""

from __future__ import annotations

import secrets
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Path, Query, Request
from starlette.responses import Response

from tidings.access.subject import Subject
from tidings.clock import unix_time
from tidings.errors import InvalidRequest
from tidings.events import shown
from tidings.http.openapi import problems, shape
from tidings.http.request import address, idempotency_key, strict
from tidings.http.response import json_response

from .facts import Condition
from .fold import Entry, State
from .guard import check_may_change
from .preview import Preview, preview
from .rights import Rights
from .rule import Rule, parse, shown_error
from .service import SILENCES, topic_of
from .silences import Silence, SilenceBegan

RuleId = Annotated[str, Path(pattern="^[A-Za-z0-9_-]{1,64}$", description="A rule's id.", examples=["4f2a9c01be77"])]
SilenceId = Annotated[str, Path(pattern="^[A-Za-z0-9]{1,64}$", description="A silence's id.", examples=["1b9d6bcd"])]

NOTE = 500
"""Characters of the note of an acknowledgement."""

BODY = 32 * 1024
"""Bytes of a body: the ids of as many episodes as one request acknowledges, and a note."""

MANY = 1_000
"""Episodes that one request acknowledges, and instances that a rule's state lists."""


LONGEST = 8_000
"""Characters of the topics by which rules are listed."""


class InstanceState(msgspec.Struct):
    """An instance that is not normal. Times are Unix seconds. `acknowledged`: the name of the person who acknowledged
    the episode, or null. `silent`: the end of the silence that holds the notices back, or null."""

    instance: str
    state: Condition
    since: float
    value: float | None
    episode: str | None
    began: float | None
    offset: str | None
    acknowledged: str | None
    note: str
    silent: float | None


class RuleSummary(msgspec.Struct):
    """A rule and its present state. `state`: the worst state of its instances; `bad`: the number of events without a
    value since the condition was saved, and `bad_at` the time of the last one; `follow`: the topic to follow after
    `offset`."""

    id: str
    rule: Rule
    author: str
    saved: float
    saved_by: str
    state: Condition
    instances: list[InstanceState]
    more: int
    bad: int
    bad_at: float | None
    follow: str
    offset: str


class RuleDetails(RuleSummary):
    """`history`: the last 100 transitions, notices, acknowledgements and edits, oldest first."""

    history: list[Entry]


class AlertList(msgspec.Struct):
    """The rules that watch what the sender may read, and their states. `firing`: the firing instances; `may_change`:
    the sender may change rules."""

    rules: list[RuleSummary]
    firing: int
    may_change: bool


class SavedRule(msgspec.Struct):
    """The id of a rule, and its topic."""

    id: str
    topic: str


class AcknowledgedEpisodes(msgspec.Struct):
    """The ids of the acknowledged episodes."""

    episodes: list[str]


class SilenceList(msgspec.Struct):
    """The silences, oldest first. `now` in Unix seconds: a silence holds until its `until`."""

    silences: list[Silence]
    now: float


class Acknowledge(msgspec.Struct, forbid_unknown_fields=True):
    """The body of an acknowledgement. `episodes`: the ids; by default all open episodes of the rule."""

    episodes: list[str] | None = None
    note: str = ""


class Silencing(msgspec.Struct, forbid_unknown_fields=True):
    """The body of a silence, which ends at `until`, or after `seconds`."""

    until: float | None = None
    seconds: float | None = None
    why: str = ""
    rules: list[str] | None = None
    instances: list[str] | None = None


def body_of(kind: type[Any], text: str) -> dict[str, Any]:
    """Describe a JSON body for OpenAPI."""
    schema = shape(kind, text)["content"]
    return {"requestBody": {"required": True, "description": text, "content": schema}}


def routes(rights: Rights) -> APIRouter:
    """Return the router of alerts."""
    alerts, access = rights.alerts, rights.access
    router = APIRouter(tags=["alerts"], route_class=strict(access, BODY))
    hub = alerts.hub

    async def changer(request: Request, topic: str) -> Subject:
        subject = await access.publisher(request.scope["headers"], topic)
        check_may_change(subject)
        return subject

    async def rule_changer(request: Request, id: str) -> Subject:
        """Return the sender, who may change a rule. Raises NotFound unless the sender may read what it watches."""
        subject = await changer(request, topic_of(id))
        await rights.check(subject, id)
        return subject

    async def given_rule(request: Request) -> Rule:
        """Read the rule of a body. Raises Forbidden unless the sender may read the topic that the rule watches."""
        rule = parse(await body(request))
        await access.reader(request.scope["headers"], rule.topic)
        return rule

    async def summary(id: str, state: State, offset: str, kind: type[RuleSummary], **more: Any) -> RuleSummary:
        silences, _ = await alerts.silences()
        now = unix_time()
        assert state.rule is not None
        found = [
            InstanceState(
                instance=name,
                state=one.state,
                since=one.since,
                value=one.value,
                episode=one.episode or None,
                began=one.began if one.episode else None,
                offset=one.offset,
                acknowledged=one.acknowledged,
                note=one.note,
                silent=silences.until(id, name, now),
            )
            for name, one in [*state.instances.items(), *([("", state.broken)] if state.broken else [])]
        ]
        return kind(
            id=id,
            rule=state.rule,
            author=state.author,
            saved=state.saved,
            saved_by=state.by,
            state=state.condition(),
            instances=found[:MANY],
            more=max(0, len(found) - MANY),
            bad=state.bad,
            bad_at=state.bad_at or None,
            follow=topic_of(id),
            offset=offset,
            **more,
        )

    @router.get("/alerts", summary="List alerts", responses={200: shape(AlertList, "The rules"), **problems()})
    async def listed(
        request: Request,
        topics: Annotated[
            str | None,
            Query(description="Only the rules that watch one of these topics, joined by commas.", max_length=LONGEST),
        ] = None,
    ) -> Response:
        subject = await access.reader(request.scope["headers"])
        wanted = None if topics is None else topics.split(",")
        known: dict[str, bool] = {}
        rules = [
            await summary(id, found.state, str(found.offset), RuleSummary)
            async for id, found in alerts.rules()
            if (wanted is None or (found.state.rule and found.state.rule.topic in wanted))
            and subject.may_subscribe(topic_of(id))
            and await rights.may_see(subject, found.state, known)
        ]
        firing = sum(one.state == "firing" for rule in rules for one in rule.instances)
        may_change = subject.may_publish(topic_of("new")) and (subject.admin or subject.limits != "person")
        return json_response(AlertList(rules, firing, may_change))

    @router.post(
        "/alerts/rules",
        summary="Make an alert rule",
        status_code=201,
        openapi_extra=body_of(Rule, "The rule"),
        responses={201: shape(SavedRule, "The rule is judged from now on"), **problems(409, 413)},
    )
    async def made(request: Request) -> Response:
        subject = await changer(request, topic_of("new"))
        rule = await given_rule(request)
        id = await alerts.create(rule, subject.name, idempotency_key(request, subject))
        place = address(request, f"/alerts/rules/{id}")
        return json_response(SavedRule(id, topic_of(id)), 201, {"location": place})

    @router.post(
        "/alerts/preview",
        summary="Preview an alert rule",
        description="Judge a rule over the last 24 hours of its topic. The rule is not saved, and no notice is sent.",
        openapi_extra=body_of(Rule, "The rule"),
        responses={200: shape(Preview, "The transitions and notices that the rule would have made"), **problems(413)},
    )
    async def previewed(request: Request) -> Response:
        await access.reader(request.scope["headers"])
        return json_response(await preview(hub, await given_rule(request)))

    @router.get(
        "/alerts/rules/{id}",
        summary="Get an alert rule",
        responses={200: shape(RuleDetails, "The rule, its state and its history"), **problems(404)},
    )
    async def one(request: Request, id: RuleId) -> Response:
        await access.reader(request.scope["headers"], topic_of(id))
        found = await alerts.rule(id)
        return json_response(
            await summary(id, found.state, str(found.offset), RuleDetails, history=found.state.history)
        )

    @router.get(
        "/alerts/rules/{id}/preview",
        summary="Preview a saved alert rule",
        responses={200: shape(Preview, "The transitions and notices of the rule, judged again"), **problems(404)},
    )
    async def previewed_one(request: Request, id: RuleId) -> Response:
        await access.reader(request.scope["headers"], topic_of(id))
        rule = (await alerts.rule(id)).state.rule
        assert rule is not None
        await access.reader(request.scope["headers"], rule.topic)
        return json_response(await preview(hub, rule, id))

    @router.put(
        "/alerts/rules/{id}",
        summary="Change an alert rule",
        status_code=204,
        openapi_extra=body_of(Rule, "The whole rule"),
        responses={204: {"description": "The rule is saved"}, **problems(404, 413)},
    )
    async def saved(request: Request, id: RuleId) -> Response:
        subject = await rule_changer(request, id)
        await alerts.save(id, await given_rule(request), subject.name)
        return Response(status_code=204)

    @router.delete(
        "/alerts/rules/{id}",
        summary="Delete an alert rule",
        status_code=204,
        responses={204: {"description": "The rule is deleted, and its episodes have ended"}, **problems(404)},
    )
    async def deleted(request: Request, id: RuleId) -> Response:
        subject = await rule_changer(request, id)
        await alerts.delete(id, subject.name)
        return Response(status_code=204)

    @router.post(
        "/alerts/rules/{id}/acknowledge",
        summary="Acknowledge firing episodes",
        openapi_extra=body_of(Acknowledge, "The episodes and a note"),
        responses={200: shape(AcknowledgedEpisodes, "The episodes"), **problems(404, 413)},
    )
    async def acknowledged(request: Request, id: RuleId) -> Response:
        subject = await rule_changer(request, id)
        given = await read(request, Acknowledge)
        if len(given.note) > NOTE or len(given.episodes or ()) > MANY:
            raise InvalidRequest(f"A note has at most {NOTE} characters, and a request at most {MANY} episodes.")
        done = await alerts.acknowledge(id, given.episodes, subject.name, given.note)
        return json_response(AcknowledgedEpisodes(done))

    @router.get(
        "/alerts/silences", summary="List silences", responses={200: shape(SilenceList, "The silences"), **problems()}
    )
    async def silences(request: Request) -> Response:
        await access.reader(request.scope["headers"], SILENCES)
        return json_response(SilenceList((await alerts.silences())[0].all, unix_time()))

    @router.post(
        "/alerts/silences",
        summary="Begin a silence",
        status_code=201,
        openapi_extra=body_of(Silencing, "The end, the reason and the scope of the silence"),
        responses={201: shape(SilenceBegan, "The silence"), **problems(413)},
    )
    async def silenced(request: Request) -> Response:
        subject = await changer(request, SILENCES)
        given = await read(request, Silencing)
        if (given.until is None) == (given.seconds is None):
            raise InvalidRequest(
                "`until`: Give the end of the silence, either as `until`, in Unix seconds, or as `seconds` from now."
            )
        until = given.until if given.until is not None else unix_time() + (given.seconds or 0.0)
        about = {"why": given.why, "by": subject.name or "", "rules": given.rules, "instances": given.instances}
        silence = SilenceBegan(id=secrets.token_hex(6), until=until, **about)
        await alerts.silence(silence)
        return json_response(silence, 201)

    @router.delete(
        "/alerts/silences/{id}",
        summary="End a silence",
        status_code=204,
        responses={204: {"description": "The silence has ended"}, **problems(404)},
    )
    async def unsilenced(request: Request, id: SilenceId) -> Response:
        subject = await changer(request, SILENCES)
        await alerts.unsilence(id, subject.name)
        return Response(status_code=204)

    return router


async def body(request: Request) -> Any:
    """Return the JSON of a body. Raises InvalidRequest."""
    try:
        return await request.json()
    except (ValueError, RecursionError) as error:
        raise InvalidRequest(f"The body is not JSON: {shown(str(error))}.") from None


async def read(request: Request, kind: type[Any]) -> Any:
    """Return a body of a shape. Raises InvalidRequest, which names the field."""
    try:
        return msgspec.convert(await body(request), kind, strict=True)
    except msgspec.ValidationError as error:
        raise InvalidRequest(f"The body is wrong: {shown_error(error)}.") from None
