"""Reading from a PostgreSQL store: the suite of all stores does most of it."""

from __future__ import annotations

from tests.postgres import Cluster
from tests.stores.kit import labelled, put
from tests.stores.postgres.conftest import Open


async def test_names_and_labels_hold_any_character(opened: Open) -> None:
    store = await opened()
    for n, label in enumerate(["nul\0", "'; DROP SCHEMA tidings CASCADE; --", "é", "😀", "%_", "\x7f", "\U0010ffff"]):
        await store.update(f"t{n}", (label,), labelled(**{label: True}))
        assert [name for name, _ in await store.topics(labels=[label])] == [f"t{n}"]
        assert list(await store.labels(prefix=label[:1])) == [label]
    assert list(await store.labels()) == sorted(await store.labels())
    wild = "'; DROP TABLE tidings.topics; --"
    assert await store.load(wild) is None
    await store.update(wild, (wild,), put(keys=(wild,)))
    assert await store.lease(wild, 1, renew=False)
    assert [name for name, _ in await store.topics(prefix="'")] == [wild]


async def test_a_page_of_topics_reads_no_more_than_it_answers(opened: Open, postgres: Cluster, url: str) -> None:
    store = await opened()
    name = url.rpartition("/")[2]
    await postgres.ask(
        """INSERT INTO tidings.labels
               SELECT 't' || n, convert_to('l' || n % 3, 'UTF8') FROM generate_series(1, 30000) n;
           ANALYZE tidings.labels""",
        name,
    )
    assert list(await store.labels()) == ["l0", "l1", "l2"]
    assert list(await store.labels(after="l0", limit=1)) == ["l1"]
