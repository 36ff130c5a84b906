"""Cookies that carry a token, or the name that somebody chose on a server without a key. Pure."""

from __future__ import annotations

from urllib.parse import quote, unquote

from tidings.errors import InvalidRequest

from .names import valid_name

COOKIE = "tidings"
"""The cookie that carries a token."""

NAME_COOKIE = "tidings_name"
"""The cookie that carries the name of a guest: a name that somebody chose on a server without a key."""

YEAR = 365 * 86400
"""Seconds for which a chosen name is kept. Browsers keep a cookie for at most 400 days."""


def chosen_name(value: str) -> str | None:
    """Return the name in its cookie, None for a name that breaks a rule: its owner must be able to choose another."""
    try:
        return valid_name(unquote(value, errors="strict")) if value.isascii() else None
    except (InvalidRequest, UnicodeDecodeError):
        return None


def cookie(token: str, *, seconds: float, secure: bool, path: str = "/") -> str:
    """Return the Set-Cookie header that keeps a token for `seconds`; an empty token and 0 seconds remove it."""
    return set_cookie(COOKIE, token, seconds=seconds, secure=secure, path=path)


def name_cookie(name: str, *, secure: bool, path: str = "/") -> str:
    """Return the Set-Cookie header that keeps a chosen name for a year; an empty name removes the cookie.

    Raises InvalidRequest for a text that is not a name.
    """
    value = quote(valid_name(name), safe="") if name else ""
    return set_cookie(NAME_COOKIE, value, seconds=YEAR if name else 0, secure=secure, path=path)


def set_cookie(name: str, value: str, *, seconds: float, secure: bool, path: str = "/") -> str:
    """Return the Set-Cookie header of a cookie that scripts cannot read.

    `secure`: the browser uses https. `path`: the percent-encoded path below which the browser reaches this server.
    """
    text = f"{name}={value}; Path={path}; HttpOnly; SameSite=Lax; Max-Age={int(seconds)}"
    return text + ("; Secure" if secure else "")
