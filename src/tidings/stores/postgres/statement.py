"""The one statement that writes a group of drafts: it compares each topic's row, and writes those that are as known.

It is one statement, committed by itself, so that the engine finishes it whatever becomes of this process: a process
that is frozen holds no lock. Rows are locked in the order of their names, new ones inserted after that, also in order:
two such statements never wait for each other in a circle.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from tidings.log.head import encode_head
from tidings.log.retention import due

from .draft import APPENDED, Draft
from .eras import TIMELINE, Eras

NOW = "extract(epoch FROM clock_timestamp())::float8"
"""The engine's clock, in Unix seconds."""

BASE = f"""
WITH asked AS MATERIALIZED (
    SELECT * FROM unnest($1::text[], $2::bigint[], $3::int[], $4::bytea[], $5::float8[], $6::int[])
        WITH ORDINALITY AS a (name, changed, era, head, due, kind, n)
), valid AS MATERIALIZED (
    SELECT $7::int = (SELECT max(era) FROM tidings.eras) AND $8::text = {TIMELINE} AS ok
), this AS MATERIALIZED (
    SELECT pg_current_xact_id()::text::bigint AS id, coalesce($9::float8, {NOW}) AS time
), here AS MATERIALIZED (
    SELECT a.n, t.log FROM tidings.topics t JOIN asked a ON t.name = a.name AND t.changed = a.changed AND t.era = a.era
    WHERE (SELECT ok FROM valid) ORDER BY t.name FOR UPDATE OF t
), kept AS (
    UPDATE tidings.topics t SET head = a.head, due = a.due, era = $7, changed = this.id,
        altered = CASE WHEN a.kind = 0 THEN t.altered ELSE this.id END,
        log = CASE WHEN a.kind = 2 THEN nextval('tidings.logs') ELSE t.log END
    FROM here JOIN asked a USING (n), this WHERE t.name = a.name AND a.kind < 3 RETURNING a.n, t.log
), made AS (
    INSERT INTO tidings.topics (name, log, changed, altered, era, head, due)
    SELECT a.name, nextval('tidings.logs'), this.id, CASE WHEN a.kind = 0 THEN 0 ELSE this.id END, $7, a.head, a.due
    FROM asked a, this
    WHERE a.changed = 0 AND (SELECT ok FROM valid) AND (SELECT count(*) FROM here) IS NOT NULL
    ORDER BY a.name ON CONFLICT (name) DO NOTHING RETURNING name, log
), removed AS (
    DELETE FROM tidings.topics t USING here JOIN asked a USING (n) WHERE t.name = a.name AND a.kind = 3 RETURNING a.n
), placed AS MATERIALIZED (
    SELECT n, log FROM kept UNION ALL SELECT a.n, made.log FROM made JOIN asked a USING (name)
)"""

PARTS = {
    "dead": """, dead AS (
    INSERT INTO tidings.dead (log, topic, changed, time)
    SELECT here.log, a.name, this.id, this.time FROM here JOIN asked a USING (n), this WHERE a.kind >= 2
), unleased AS (
    DELETE FROM tidings.leases WHERE topic IN (
        SELECT l.topic FROM tidings.leases l JOIN asked a ON l.topic = a.name JOIN here USING (n)
        WHERE a.kind >= 2 ORDER BY l.topic FOR UPDATE OF l)
), unlabelled AS (
    DELETE FROM tidings.labels l USING here JOIN asked a USING (n)
    WHERE l.topic = a.name AND a.kind >= 2 AND NOT EXISTS (
        SELECT FROM unnest({n}::bigint[], {label}::bytea[]) AS again (n, label)
        WHERE again.n = a.n AND again.label = l.label)
)""",
    "records": """, added AS (
    INSERT INTO tidings.records (log, last, base, id, blob)
    SELECT placed.log, r.last, r.base, r.id, r.blob
    FROM unnest({n}::bigint[], {last}::bigint[], {base}::bigint[], {id}::bytea[], {blob}::bytea[])
        AS r (n, last, base, id, blob) JOIN placed USING (n)
)""",
    "cuts": """, cut AS (
    DELETE FROM tidings.records r USING unnest({n}::bigint[], {start}::bigint[]) AS c (n, start) JOIN here USING (n)
    WHERE r.log = here.log AND r.last <= c.start
)""",
    "replaced": """, replaced AS (
    UPDATE tidings.records r SET blob = c.blob
    FROM unnest({n}::bigint[], {last}::bigint[], {blob}::bytea[]) AS c (n, last, blob) JOIN here USING (n)
    WHERE r.log = here.log AND r.last = c.last
)""",
    "keys": """, remembered AS (
    INSERT INTO tidings.keys (log, key, first, last, time)
    SELECT placed.log, k.key, k.first, k.last, coalesce(k.time, this.time)
    FROM unnest({n}::bigint[], {key}::bytea[], {first}::bigint[], {last}::bigint[], {time}::float8[])
        AS k (n, key, first, last, time) JOIN placed USING (n), this
    ON CONFLICT (log, key) DO UPDATE SET first = excluded.first, last = excluded.last, time = excluded.time
)""",
    "labels": """, labelled AS (
    INSERT INTO tidings.labels (topic, label)
    SELECT a.name, l.label FROM unnest({n}::bigint[], {label}::bytea[]) AS l (n, label)
        JOIN placed USING (n) JOIN asked a USING (n)
    ORDER BY 1, 2 ON CONFLICT DO NOTHING
)""",
    "unlabels": """, lost AS (
    DELETE FROM tidings.labels l USING unnest({n}::bigint[], {label}::bytea[]) AS u (n, label)
        JOIN here USING (n) JOIN asked a USING (n)
    WHERE l.topic = a.name AND l.label = u.label
)""",
}
"""Each kind of rows that a group may have beside heads, and what becomes of them. {names} are columns' parameters."""

COLUMNS: dict[str, tuple[str, ...]] = {
    "dead": ("n", "label"),
    "records": ("n", "last", "base", "id", "blob"),
    "cuts": ("n", "start"),
    "replaced": ("n", "last", "blob"),
    "keys": ("n", "key", "first", "last", "time"),
    "labels": ("n", "label"),
    "unlabels": ("n", "label"),
}

END = """
SELECT n, (SELECT id FROM this) FROM placed UNION ALL SELECT n, (SELECT id FROM this) FROM removed"""

FIRST = 10
"""The number of the first parameter after those of BASE."""


def statement(drafts: Sequence[Draft], eras: Eras, time: float | None) -> tuple[str, list[object]]:
    """Return the statement that writes `drafts` and its parameters.

    The drafts are in the order of their topics, and each has something to write.
    The statement's rows are the number, from 1, of each draft that was written, and the id of the transaction.
    `time`: None is the engine's clock.
    """
    rows = _rows(drafts)
    parameters: list[object] = [
        [draft.topic for draft in drafts],
        [draft.kept.changed if draft.kept else 0 for draft in drafts],
        [draft.kept.era if draft.kept else 0 for draft in drafts],
        [encode_head(draft.head) if draft.head else None for draft in drafts],
        [due(draft.head) if draft.head else None for draft in drafts],
        [draft.kind for draft in drafts],
        eras.present,
        eras.timeline,
        time,
    ]
    for part, values in rows.items():
        parameters += map(list, zip(*values, strict=True)) if values else [[] for _ in COLUMNS[part]]
    return _text(tuple(rows)), parameters


def _rows(drafts: Sequence[Draft]) -> dict[str, list[tuple[object, ...]]]:
    """The rows of each part that is needed. A draft's number is its place, from 1."""
    rows: dict[str, list[tuple[object, ...]]] = {part: [] for part in PARTS}
    dead = False
    for n, draft in enumerate(drafts, 1):
        rows["records"] += [(n, record.last, record.base, record.id, record.blob) for record in draft.records]
        if draft.kind == APPENDED and not draft.keys and not draft.labels:
            continue
        dead = dead or (draft.kept is not None and (draft.kind or 0) > 1)
        if draft.cut:
            rows["cuts"].append((n, draft.cut))
        rows["replaced"] += [(n, record.last, record.blob) for record in draft.replaced.values()]
        rows["keys"] += [(n, key.encode(), *span) for key, span in draft.keys.items()]
        for label, has in draft.labels.items():
            rows["labels" if has else "unlabels"].append((n, label.encode()))
    found = {part: values for part, values in rows.items() if values}
    return {"dead": rows["labels"], **found} if dead else found


@cache
def _text(parts: tuple[str, ...]) -> str:
    text, number = BASE, FIRST
    for part in parts:
        names = COLUMNS[part]
        text += PARTS[part].format(**{name: f"${number + at}" for at, name in enumerate(names)})
        number += len(names)
    return text + END
