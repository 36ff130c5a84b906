"""XES: what is read, and the line of what is refused."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tidings.apps.processes.files.records import Found, Options, Record, Wrong
from tidings.apps.processes.files.times import Times
from tidings.apps.processes.files.xes import events


def chunks(data: bytes, size: int) -> Iterator[bytes]:
    yield from (data[at : at + size] for at in range(0, len(data), size))


def read(text: str | bytes, size: int = 100, **options: str) -> list[Found]:
    data = text.encode() if isinstance(text, str) else text
    return list(events(chunks(data, size), Options(**options), Times(options.get("timestamp_format"))))


def steps(found: list[Found]) -> list[tuple[str, str]]:
    assert not [wrong for wrong in found if isinstance(wrong, Wrong)]
    return [(of.case, of.activity) for of in found if isinstance(of, Record)]


def event(activity: str, day: int, more: str = "") -> str:
    return (
        f'<event>\n<string key="concept:name" value="{activity}"/>\n'
        f'<date key="time:timestamp" value="2024-01-{day:02}T10:00:00Z"/>{more}</event>\n'
    )


def trace(case: str, *inside: str) -> str:
    return f'<trace>\n<string key="concept:name" value="{case}"/>\n' + "".join(inside) + "</trace>\n"


def log(*inside: str) -> str:
    return '<?xml version="1.0" encoding="UTF-8"?>\n<log xes.version="1.0">\n' + "".join(inside) + "</log>\n"


@pytest.mark.parametrize("size", [1, 13, 100_000])
def test_a_log_is_read(size: int) -> None:
    more = (
        '<string key="org:resource" value="Ann"/><string key="lifecycle:transition" value="complete"/>'
        '<int key="costs" value="7"/><float key="share" value="0.5"/><boolean key="good" value="true"/>'
        '<string key="case" value="inner"/><float key="odd" value="NaN"/><int key="huge" value="99999999999999999"/>'
    )
    found = read(log(trace("c1", '<string key="kind" value="new"/>', event("A", 1, more), event("B", 2))), size)
    first, second = found
    assert isinstance(first, Record)
    assert isinstance(second, Record)
    assert (first.line, first.case, first.activity, first.at) == (5, "c1", "A", 1704103200_000000)
    assert first.fields == {
        "resource": "Ann",
        "lifecycle": "complete",
        "costs": 7,
        "share": 0.5,
        "good": True,
        "event:case": "inner",
        "odd": "NaN",
        "huge": "99999999999999999",
        "case:kind": "new",
    }
    assert second.fields == {}


def test_only_an_events_own_attributes_name_it() -> None:
    """Lists, lists in lists and attributes of attributes may have any keys."""
    inner = '<string key="concept:name" value="WRONG"><date key="time:timestamp" value="1999-01-01"/></string>'
    nested = (
        f'<list key="items"><values>{inner}<list key="deep"><values>{inner}</values></list></values></list>'
        f'<container key="box">{inner}</container><string key="outer" value="x">{inner}</string>'
    )
    found = read(log(nested, '<global scope="event">' + inner + "</global>", trace("c", nested, event("A", 1, nested))))
    assert steps(found) == [("c", "A")]


def test_a_case_in_two_traces_and_an_empty_trace() -> None:
    found = read(log(trace("c", event("A", 1)), trace("empty"), "<trace/>", trace("c", event("B", 2))))
    assert steps(found) == [("c", "A"), ("c", "B")]


def test_the_name_of_a_trace_may_come_after_its_events() -> None:
    found = read(log("<trace>", event("A", 1), event("B", 2), '<string key="concept:name" value="c"/></trace>'))
    assert steps(found) == [("c", "A"), ("c", "B")]


def test_names_are_kept_exactly() -> None:
    odd = ["A", "A ", "&lt;b&gt;bold&lt;/b&gt;", "line&#10;break", "\u00fc\u4e2d\U0001f600", "x" * 2_000]
    found = read(log(trace("c", *(event(name, n + 1) for n, name in enumerate(odd)))))
    names = [activity for _, activity in steps(found)]
    assert names == ["A", "A ", "<b>bold</b>", "line\nbreak", "\u00fc\u4e2d\U0001f600", "x" * 2_000]


def test_tags_with_a_prefix_are_read() -> None:
    text = log(trace("c", event("A", 1)))
    for tag in ("log", "trace", "event", "string", "date"):
        text = text.replace(f"<{tag}", f"<x:{tag}").replace(f"</{tag}", f"</x:{tag}")
    assert steps(read(text.replace("<x:log", '<x:log xmlns:x="http://www.xes-standard.org/"'))) == [("c", "A")]


@pytest.mark.parametrize("encoding", ["utf-16", "iso-8859-1"])
def test_the_encoding_of_the_declaration_is_followed(encoding: str) -> None:
    text = log(trace("c", event("Pr\u00fcfung", 1))).replace("UTF-8", encoding)
    assert steps(read(text.encode(encoding), 64)) == [("c", "Pr\u00fcfung")]


class TestOptions:
    def test_an_event_may_name_its_case(self) -> None:
        text = log("<trace>", event("A", 1, '<string key="order" value="o1"/>'), "</trace>")
        assert steps(read(text, case="order")) == [("o1", "A")]

    def test_keys_of_other_names_are_read(self) -> None:
        more = '<string key="what" value="B"/><string key="when" value="03.02.2024"/>'
        found = read(
            log(trace("c", event("A", 1, more))), activity="what", timestamp="when", timestamp_format="%d.%m.%Y"
        )
        assert steps(found) == [("c", "B")]

    def test_a_lifecycle_is_taken_in_any_capitals(self) -> None:
        kinds = ["start", "COMPLETE", "complete", ""]
        more = [f'<string key="lifecycle:transition" value="{kind}"/>' if kind else "" for kind in kinds]
        text = log(trace("c", *(event(f"A{n}", n + 1, more[n]) for n in range(4))))
        assert len(read(text)) == 4
        assert steps(read(text, lifecycle="Complete")) == [("c", "A1"), ("c", "A2")]

    def test_a_classifier_names_activities(self) -> None:
        head = '<classifier name="Both" keys="concept:name \'the step\'"/>'
        text = log(head, trace("c", event("A", 1, '<string key="the step" value="go"/>'), event("B", 2)))
        assert steps(read(text, classifier="Both")) == [("c", "A+go"), ("c", "B+")]
        with pytest.raises(Wrong, match="no classifier 'None'; it has 'Both'"):
            read(text, classifier="None")


class TestWrongEvents:
    """An event that is wrong in itself is given with its line, and the reading goes on."""

    @pytest.mark.parametrize(
        ("text", "line", "reason"),
        [
            (event("A", 1).replace("2024-01-01T10:00:00Z", "0000-00-00T00:00:00"), 5, "0000-00-00"),
            (event("A", 1).replace("2024-01-01T10:00:00Z", "9999-12-31T00:00:00Z"), 5, "2199"),
            (event("A", 1).replace("time:timestamp", "time"), 5, "timestamp"),
            (event("A", 1).replace("concept:name", "name"), 5, "activity"),
            (event("", 1), 5, "activity"),
            (event("A" * 4_001, 1), 5, "4,000"),
        ],
    )
    def test_the_line_is_named(self, text: str, line: int, reason: str) -> None:
        found = read(log(trace("c", text, event("B", 2))))
        assert len(found) == 2
        assert isinstance(found[0], Wrong)
        assert found[0].line == line
        assert reason in str(found[0])

    def test_an_event_without_a_case(self) -> None:
        for text in (log("<trace>", event("A", 1), "</trace>"), log(event("A", 1)), log(trace("", event("A", 1)))):
            (wrong,) = read(text)
            assert isinstance(wrong, Wrong)
            assert "no case" in str(wrong)

    def test_zones_are_not_mixed(self) -> None:
        found = read(log(trace("c", event("A", 1), event("B", 2).replace("00Z", "00"))))
        assert isinstance(found[1], Wrong)
        assert "zone" in str(found[1])


class TestWrongFiles:
    @pytest.mark.parametrize(
        ("text", "line", "reason"),
        [
            ('<?xml version="1.0"?>\n<!DOCTYPE log [<!ENTITY a "b">]>\n<log/>', 2, "DOCTYPE"),
            ('<?xml version="1.0"?>\n<!DOCTYPE log SYSTEM "file:///etc/passwd">\n<log/>', 2, "DOCTYPE"),
            ('<?xml version="1.0"?>\n<!DOCTYPE html>\n<html/>', 2, "HTML"),
            ("<html><body/></html>", 1, "HTML"),
            ("<rss/>", 1, "not XES"),
            ("<log>", 1, "cut off"),
            (log(trace("c", event("A", 1)))[:-30], 7, "cut off"),
            (log(trace("c", event("&undefined;", 1))), 6, "undefined entity"),
            (log() + "<log/>", 4, "junk"),
            ("<log>\n<trace>\n<event></trace></log>", 3, "mismatched"),
            ("<log>" + '<list key="a">' * 200, 1, "128 levels"),
            ("no XML", 1, "not XES"),
            ('<?xml version="1.0" encoding="nonsense"?><log/>', 1, "encoding"),
        ],
    )
    def test_the_line_and_the_reason_are_named(self, text: str, line: int, reason: str) -> None:
        with pytest.raises(Wrong, match=reason) as refused:
            read(text)
        assert refused.value.line == line

    @pytest.mark.parametrize("where", ["value", "name", "comment"])
    def test_an_element_without_an_end_is_refused_in_bounded_memory(self, where: str) -> None:
        """An attribute of 100 MB: the reading ends after the first of them."""
        start = {
            "value": '<log><trace><string key="a" value="',
            "name": "<log><trace><",
            "comment": "<log><!--",
        }[where]
        sent = 0

        def endless() -> Iterator[bytes]:
            nonlocal sent
            yield start.encode()
            for _ in range(1_600):
                sent += 1
                yield b"x" * 65_536
            yield b"</trace></log>"

        with pytest.raises(Wrong) as refused:
            list(events(endless(), Options(), Times()))
        assert refused.value.line == 1
        assert sent < 40

    def test_an_event_with_too_many_attributes_is_refused(self) -> None:
        more = '<string key="k" value="' + "v" * 50_000 + '"/>\n'
        with pytest.raises(Wrong, match="1,000,000 bytes") as refused:
            read(log(trace("c", event("A", 1, more * 30))))
        assert refused.value.line > 10
