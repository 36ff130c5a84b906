"""The members that a message names."""

from __future__ import annotations

import pytest

from tidings.apps.rooms.mentions import CALLS, mentioned

MARA, TOM, TOMAS, ANNA = "Mara Lindqvist", "Tom", "Tomás Pérez", "Anna Berg"
NAMES = [MARA, TOM, TOMAS, ANNA, "Anna Holm", "周杰", "O'Neil Ø", "d-j x_y"]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("nobody", []),
        ("@", []),
        ("@Mara", [MARA]),
        ("@mara, look", [MARA]),
        ("see @MARA LINDQVIST!", [MARA]),
        ("(@mara)", [MARA]),
        ("@maraca", []),
        ("@mara_l", []),
        ("mara@mara.example", []),
        ("mail tom@mara", []),
        ("@tom @TOM tom", [TOM]),
        ("@Tomás", [TOMAS]),
        ("@Tom Pérez", [TOM]),
        ("@Anna", []),
        ("@anna holm", ["Anna Holm"]),
        ("@Anna Holmes", []),
        ("@周杰 你好", ["周杰"]),
        ("@o'neil", ["O'Neil Ø"]),
        ("@O'Neil ø?", ["O'Neil Ø"]),
        ("@d-j", ["d-j x_y"]),
        ("@anna berg @tom\n@mara", [MARA, TOM, ANNA]),
        ("@@tom", [TOM]),
        ("`@tom`", [TOM]),
        ("<b>@tom</b>", [TOM]),
    ],
)
def test_who_is_meant(text: str, names: list[str]) -> None:
    assert mentioned(text, NAMES) == names


def test_the_longest_name_is_meant() -> None:
    assert mentioned("@Ann Lee", ["Ann", "Ann Lee"]) == ["Ann Lee"]
    assert mentioned("@Ann", ["Ann", "Ann Lee"]) == ["Ann"]


def test_no_more_signs_are_looked_at_than_a_message_has_in_earnest() -> None:
    assert mentioned("@x " * (CALLS - 1) + "@tom", NAMES) == [TOM]
    assert mentioned("@x " * CALLS + "@tom", NAMES) == []
