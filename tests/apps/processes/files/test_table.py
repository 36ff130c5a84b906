"""Tables: what is read, and the line of what is refused."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tidings.apps.processes.files.records import Found, Options, Record, Wrong
from tidings.apps.processes.files.table import events
from tidings.apps.processes.files.times import Times


def chunks(data: bytes, size: int) -> Iterator[bytes]:
    yield from (data[at : at + size] for at in range(0, len(data), size))


def read(text: str | bytes, size: int = 100, **options: str) -> list[Found]:
    data = text.encode() if isinstance(text, str) else text
    return list(events(chunks(data, size), Options(**options), Times(options.get("timestamp_format"))))


def steps(found: list[Found]) -> list[tuple[str, str]]:
    assert not [wrong for wrong in found if isinstance(wrong, Wrong)]
    return [(of.case, of.activity) for of in found if isinstance(of, Record)]


PLAIN = "case,activity,timestamp\nc,A,2024-01-01T10:00:00Z\nc,B,2024-01-02T10:00:00Z\n"


@pytest.mark.parametrize("size", [1, 10, 1_000])
@pytest.mark.parametrize("change", [("", ""), ("\n", "\r\n"), (",", ";"), (",", "\t"), (",", "|"), ("Z\n", "Z\n\n")])
def test_a_table_is_read_with_any_separator(size: int, change: tuple[str, str]) -> None:
    found = read(PLAIN.replace(*change) if change[0] else PLAIN, size)
    assert steps(found) == [("c", "A"), ("c", "B")]


def test_further_columns_are_fields() -> None:
    header = ",case:concept:name,concept:name,time:timestamp,org:resource,lifecycle:transition,Costs,case"
    (found,) = read(header + ",start_timestamp" + '\n0,c,A,2024-01-01T10:00:00Z,Ann,start,"1.234,50",x,2023-01-01\n')
    assert isinstance(found, Record)
    assert found.fields == {
        "resource": "Ann",
        "lifecycle": "start",
        "Costs": "1.234,50",
        "event:case": "x",
        "start_timestamp": "2023-01-01",
    }
    assert found.at == 1704103200_000000, "a column start_timestamp is like any other"


def test_names_are_kept_exactly() -> None:
    odd = ["A", "A ", '"a ""b"" c"', '"line\nbreak"', '"x,y"', "\u00fc\u4e2d", "a\u2028b", "x" * 2_000, "<b>"]
    rows = "".join(f"c{n},{name},2024-01-01\n" for n, name in enumerate(odd))
    found = read("\ufeffcase,activity,timestamp\n" + rows)
    names = ["A", "A ", 'a "b" c', "line\nbreak", "x,y", "\u00fc\u4e2d", "a\u2028b", "x" * 2_000, "<b>"]
    assert [name for _, name in steps(found)] == names


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_byte_order_mark_is_followed(encoding: str) -> None:
    assert len(read(PLAIN.encode(encoding), 7)) == 2


def test_an_encoding_is_followed() -> None:
    text = PLAIN.replace("A", "Pr\u00fcfung").encode("latin-1")
    assert steps(read(text, encoding="latin-1"))[0] == ("c", "Pr\u00fcfung")
    with pytest.raises(Wrong, match="--encoding") as refused:
        read(text)
    assert refused.value.line == 2
    with pytest.raises(Wrong, match="no encoding 'nonsense'"):
        read(text, encoding="nonsense")


def test_columns_are_chosen() -> None:
    text = "order;what;when;timestamp\no1;A;01.02.2024;x\n"
    found = read(text, case="order", activity="what", timestamp="when", timestamp_format="%d.%m.%Y")
    assert steps(found) == [("o1", "A")]


def test_a_lifecycle_is_taken_in_any_capitals() -> None:
    text = "case,activity,timestamp,lifecycle\nc,A,2024-01-01,START\nc,B,2024-01-02,Complete\nc,C,2024-01-03,\n"
    assert steps(read(text, lifecycle="complete")) == [("c", "B")]
    with pytest.raises(Wrong, match="no column lifecycle"):
        read(PLAIN, lifecycle="complete")


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (",A,2024-01-01T10:00:00Z", "no case"),
        (" ,A,2024-01-01T10:00:00Z", "no case"),
        ("c,,2024-01-01T10:00:00Z", "no activity"),
        ("c,A,", "no timestamp"),
        ("c,A,03/04/2024 10:00", "--timestamp-format"),
        ("c,A,2024-01-01T10:00:00", "zone"),
        ("c,A,0000-00-00", "no date"),
        ("c,A", "2 fields"),
        ("c,A,2024-01-01T10:00:00Z,more", "in quotes"),
    ],
)
def test_the_line_of_a_wrong_row_is_named(row: str, reason: str) -> None:
    found = read(PLAIN.replace("c,A,", '"c\nd",A,') + row + "\nc,Z,2024-01-03T10:00:00Z\n")
    assert isinstance(found[2], Wrong)
    assert reason in str(found[2])
    assert found[2].line == 5, "a field with a line break takes two lines"
    assert isinstance(found[3], Record)


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ("one column\nx\n", 1, "not a table"),
        ("a,b\nx,y\n", 1, "name it by --case; its columns are 'a', 'b'"),
        ("case,b\nx,y\n", 1, "--activity"),
        ("case,activity\nx,y\n", 1, "--timestamp"),
        ('case,activity,timestamp\nc,"A,2024-01-01\n', 2, "cannot be read"),
        ('case,activity,timestamp\nc,"A"x,2024-01-01\n', 2, "cannot be read"),
        ("case,activity,timestamp\nc,\0,2024-01-01\n", 2, "NUL"),
        ("case,activity,timestamp\nc," + "x" * 200_000 + ",2024-01-01\n", 2, "field limit"),
    ],
)
def test_an_invalid_table_is_refused_with_its_line(text: str, line: int, reason: str) -> None:
    with pytest.raises(Wrong, match=reason) as refused:
        read(text)
    assert refused.value.line == line


def test_a_chosen_column_that_there_is_not_or_twice() -> None:
    with pytest.raises(Wrong, match="has no column 'order'; its columns are 'case'"):
        read(PLAIN, case="order")
    with pytest.raises(Wrong, match="more than one column 'case'"):
        read("case,case,activity,timestamp\n", case="case")


@pytest.mark.parametrize("start", ["case,activity,timestamp\nc,", 'case,activity,timestamp\nc,"\n'])
def test_a_line_without_an_end_is_refused_in_bounded_memory(start: str) -> None:
    sent = 0

    def endless() -> Iterator[bytes]:
        nonlocal sent
        yield start.encode()
        for _ in range(1_600):
            sent += 1
            yield b"x" * 65_536

    with pytest.raises(Wrong):
        list(events(endless(), Options(), Times()))
    assert sent < 40
