"""The cookies that keep a token, or a chosen name, out of reach of scripts."""

from __future__ import annotations

from http.cookies import SimpleCookie

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidings.access.cookies import COOKIE, NAME_COOKIE, YEAR, chosen_name, cookie, name_cookie
from tidings.errors import InvalidRequest


def parsed(header: str) -> SimpleCookie:
    """Return a Set-Cookie header as a browser reads it."""
    return SimpleCookie(header)


def test_a_token_is_kept_for_its_seconds_and_hidden_from_scripts() -> None:
    morsel = parsed(cookie("abc.def", seconds=90.7, secure=True))[COOKIE]
    assert morsel.value == "abc.def"
    assert (morsel["max-age"], morsel["path"], morsel["samesite"]) == ("90", "/", "Lax")
    assert morsel["httponly"] is True
    assert morsel["secure"] is True


def test_a_cookie_over_plain_http_is_not_marked_secure() -> None:
    assert "Secure" not in cookie("abc", seconds=1, secure=False)
    assert "Secure" not in name_cookie("Ann", secure=False)
    assert "Secure" in name_cookie("Ann", secure=True)


def test_a_sign_out_removes_the_cookies() -> None:
    assert parsed(cookie("", seconds=0, secure=False))[COOKIE]["max-age"] == "0"
    removed = parsed(name_cookie("", secure=False))[NAME_COOKIE]
    assert (removed.value, removed["max-age"]) == ("", "0")


@pytest.mark.parametrize("name", ["Ann", "Åsa Ö.", "O'Neil", "豆腐", "50 %", "a;b"])
def test_a_chosen_name_comes_back_as_it_was(name: str) -> None:
    morsel = parsed(name_cookie(name, secure=False))[NAME_COOKIE]
    assert morsel.value.isascii()
    assert morsel["max-age"] == str(YEAR)
    assert chosen_name(morsel.value) == name


@pytest.mark.parametrize("value", ["", "%FF", "%00", "é", "%20", "x" * 500])
def test_a_cookie_without_a_valid_name_is_ignored(value: str) -> None:
    assert chosen_name(value) is None


def test_a_text_that_is_no_name_is_rejected() -> None:
    with pytest.raises(InvalidRequest):
        name_cookie("a\nb", secure=False)


@given(st.text())
def test_no_cookie_breaks_the_server(value: str) -> None:
    name = chosen_name(value)
    assert name is None or chosen_name(parsed(name_cookie(name, secure=False))[NAME_COOKIE].value) == name
