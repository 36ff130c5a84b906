"""A LangChain tool that reads process maps, so that an assistant answers with the figures that the map shows."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Literal
from urllib.parse import quote

import httpx
import msgspec
from langchain_core.tools import BaseTool, tool

ROWS = 10
"""Rows that an answer of the tool lists. It says how many there are in all."""

TIME_OUT = 30.0
"""Seconds for which the tool waits for the server."""

_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")

View = Literal["processes", "overview", "waiting", "slowest", "frequent", "variants", "cases", "case", "conformance"]

Json = dict[str, Any]


class _Refused(Exception):
    """A reason for which the figures cannot be read, as the tool tells the model."""


def process_map_tool(
    url: str = "http://127.0.0.1:8000", token: str | None = None, *, client: httpx.AsyncClient | None = None
) -> BaseTool:
    """Make the tool, which reads the process maps of a server with the rights of a token.

    `client`: the client that sends the requests; it has the server's URL and the token then. The result is JSON text
    with the figures of `GET /processes/NAME`, durations in seconds, at most 10 rows of each list and the number of all;
    what cannot be read is a sentence. The artifact is the whole answer of the server.
    """
    headers = {"authorization": f"Bearer {token}"} if token else {}

    async def get(path: str, params: Mapping[str, Any] | None = None) -> Json:
        try:
            if client is not None:
                answer = await client.get(path, params=params)
            else:
                async with httpx.AsyncClient(base_url=url, headers=headers, timeout=TIME_OUT) as own:
                    answer = await own.get(path, params=params)
            found: Json = answer.json()
        except (httpx.HTTPError, ValueError):
            raise _Refused("The server does not answer.") from None
        if answer.status_code != 200:
            raise _Refused(str(found.get("detail", f"The server answers {answer.status_code}.")))
        return found

    @tool(response_format="content_and_artifact")
    async def read_process_map(
        view: View,
        process: str = "",
        case: str = "",
        from_activity: str = "",
        to_activity: str = "",
    ) -> tuple[str, Json]:
        """Read figures of a process map, which shows how the cases of a process really go. Durations are in seconds.

        Views: `processes` lists the processes. Of one process: `overview` has counts, activities, starts and ends;
        `waiting` the activities at which cases are now, with the longest wait; `slowest` the steps between two
        activities that take longest; `frequent` the most frequent steps; `variants` the most frequent ways of a
        case; `cases` the slowest cases of the step from `from_activity` to `to_activity`, or those that wait at
        `to_activity` if there is no `from_activity`; `case` the events of the case `case`; `conformance` how many
        cases follow the reference, and the deviations. Tell only figures that this tool has given.
        """
        try:
            path, params = _request(view, process, case, from_activity, to_activity)
            found = await get(path, params)
        except _Refused as refusal:
            return str(refusal), {}
        return msgspec.json.encode(shown(view, found)).decode(), found

    return read_process_map


def _request(view: View, process: str, case: str, source: str, target: str) -> tuple[str, Json]:
    if view == "processes":
        return "/processes", {}
    name = process.removeprefix("process.")
    if not _NAME.fullmatch(name):
        raise _Refused("Name a process. The view `processes` lists them.")
    if view == "cases":
        if not target:
            raise _Refused("Name the activity at which cases wait, or both activities of a step.")
        return f"/processes/{name}/cases", {"from": source, "to": target} if source else {"at": target}
    if view == "case":
        if not case:
            raise _Refused("Name the case.")
        return f"/processes/{name}/cases/{quote(case, safe='')}", {}
    if view == "conformance":
        return f"/processes/{name}/conformance", {}
    return f"/processes/{name}", {"variants": ROWS}


def shown(view: View, found: Json) -> Json:
    """Return what a model is given of the server's answer."""
    if view == "processes":
        return {"processes": [one["name"] for one in found["processes"]]}
    if view == "cases":
        return {"cases": found["cases"][:ROWS], "of": found["total"]}
    if view == "case":
        steps = [{"activity": step["activity"], "time": step["time"]} for step in found["events"]]
        return {"case": found["case"], "events": steps[:ROWS], "of": found["total"]}
    if view == "conformance":
        named = ("cases", "conforming", "share")
        return {name: found[name] for name in named} | _rows("deviations", found["deviations"])
    counts = {name: found[name] for name in ("events", "cases", "variants")}
    activities, edges = found["activities"], found["edges"]
    if view == "overview":
        by_name = [{key: one[key] for key in ("activity", "events", "cases")} for one in activities]
        ends = {"start": found["start"], "end": found["end"], "first": found["first"], "last": found["last"]}
        return counts | _rows("activities", sorted(by_name, key=lambda one: -one["events"])) | ends
    if view == "waiting":
        open_at = [
            {"activity": one["activity"], "open_cases": one["open"], "oldest_seconds": one["oldest"]}
            for one in activities
            if one["open"]
        ]
        return counts | _rows("waiting", sorted(open_at, key=lambda one: -one["oldest_seconds"]))
    if view == "variants":
        ways = [{"trace": one["trace"], "cases": one["cases"]} for one in found["top_variants"]]
        return counts | {"top_variants": ways[:ROWS], "of": found["variants"]}
    key = "mean" if view == "slowest" else "events"
    return counts | _rows("steps", sorted(edges, key=lambda edge: -edge[key]))


def _rows(name: str, rows: list[Json]) -> Json:
    return {name: rows[:ROWS], "of": len(rows)}
