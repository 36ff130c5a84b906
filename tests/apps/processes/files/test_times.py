"""The times of a file."""

from __future__ import annotations

import pytest

from tidings.apps.processes.files.times import Times

AT = 1709281800_000000


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("2024-03-01T09:30:00+01:00", AT),
        ("2024-03-01 08:30:00.000+00:00", AT),
        (" 2024-03-01T08:30:00Z ", AT),
        ("2024-03-01T08:30:00,5", AT + 500_000),
        ("2024-03-01 08:30:00.123456789", AT + 123_456),
        ("2024-03-01", AT - 30_600_000_000),
    ],
)
def test_iso_8601_is_read(text: str, at: int) -> None:
    assert Times().read(text) == at


@pytest.mark.parametrize(
    ("format", "text"),
    [
        ("%d.%m.%Y %H:%M", "01.03.2024 08:30"),
        ("%d/%m/%Y %H:%M:%S %z", "01/03/2024 09:30:00 +0100"),
        ("unix", "1709281800"),
        ("unix-ms", "1709281800000"),
    ],
)
def test_a_format_is_followed(format: str, text: str) -> None:
    assert Times(format).read(text) == AT


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "no timestamp"),
        ("01/02/2024 10:00", "--timestamp-format"),
        ("13.02.2024", "--timestamp-format"),
        ("2024/01/02", "--timestamp-format"),
        ("1709281800", "--timestamp-format"),
        ("20240301", "--timestamp-format"),
        ("yesterday", "not ISO 8601"),
        ("NaN", "not ISO 8601"),
        ("0000-00-00", "no date"),
        ("0000-00-00 00:00:00", "no date"),
        ("2024-02-30", "no date"),
        ("2024-01-01T25:00", "no date"),
        ("9999-12-31T23:59:59", "after 2199"),
        ("0001-01-01", "before 1900"),
    ],
)
def test_an_invalid_time_is_refused_with_the_reason(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        Times().read(text)


@pytest.mark.parametrize(
    ("format", "text"), [("%Y-%m-%d", "2024-03-01 10:00"), ("unix", "x"), ("unix", "1e300"), ("unix", "nan")]
)
def test_a_time_of_another_format_is_refused(format: str, text: str) -> None:
    with pytest.raises(ValueError, match="does not have the format"):
        Times(format).read(text)


@pytest.mark.parametrize(
    "texts", [("2024-03-01T08:30:00Z", "2024-03-01T08:30:00"), ("2024-03-01T08:30:00", "2024-03-01T08:30:00+01:00")]
)
def test_times_with_and_without_a_zone_are_not_mixed(texts: tuple[str, str]) -> None:
    times = Times()
    times.read(texts[0])
    with pytest.raises(ValueError, match="zone"):
        times.read(texts[1])


def test_a_long_text_is_cut_in_the_reason() -> None:
    with pytest.raises(ValueError, match=r"^.{0,200}$"):
        Times().read("x" * 100_000)
