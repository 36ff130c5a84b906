"""Requests that come through a proxy: their scheme, sender and path as the browser knows them."""

from __future__ import annotations

import logging
import re
from collections.abc import Awaitable, Mapping, Sequence

from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from tidings.delivery.response import problem_response
from tidings.errors import InvalidRequest

log: logging.Logger = logging.getLogger("tidings.proxies")

FOR, PROTO, PREFIX = b"x-forwarded-for", b"x-forwarded-proto", b"x-forwarded-prefix"

_prefix = re.compile(r"(/(?!\.{1,2}(/|$))[A-Za-z0-9._~-]{1,100}){1,10}")

WARNED = 10
"""Peers that are warned of. A client that speaks to the server directly can send the header, too."""


class TrustedProxies(ProxyHeadersMiddleware):
    """Takes a request's scheme, sender and path prefix from X-Forwarded headers, if the peer is a trusted proxy.

    `trusted`: addresses and networks of proxies, or `*` alone for every peer. The headers of other peers are ignored,
    and the log names the first peers that send them: behind a proxy that is not trusted, cookies would silently lack
    `Secure`.
    """

    def __init__(self, app: ASGIApp, trusted: Sequence[str]) -> None:
        super().__init__(app, list(trusted))  # type: ignore[arg-type]
        self._warned: set[str] = set()

    # No coroutine of its own: its frame would stay as long as a stream, 0.5 KB each.
    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:  # type: ignore[override]
        sent = {name: value for name, value in scope.get("headers", ()) if name in (FOR, PROTO, PREFIX)}
        if not sent:
            return self.app(scope, receive, send)  # type: ignore[arg-type]
        if PROTO in sent or PREFIX in sent:
            peer = scope["client"][0] if scope.get("client") else ""
            if peer not in self.trusted_hosts:
                self._warn(peer)
            else:
                try:
                    _take(scope, sent)
                except InvalidRequest as error:
                    return problem_response(None, error)(scope, receive, send)
        return super().__call__(scope, receive, send)  # type: ignore[arg-type]

    def _warn(self, peer: str) -> None:
        if peer not in self._warned and len(self._warned) < WARNED:
            self._warned.add(peer)
            log.warning(
                "%s sends X-Forwarded headers and is not in TIDINGS_TRUSTED_PROXIES, so they are ignored: cookies lack "
                "`Secure`, and addresses begin with http. If %s is your proxy, add it to that setting.",
                peer,
                peer,
            )


def _take(scope: Scope, sent: Mapping[bytes, bytes]) -> None:
    """Take the scheme and the prefix from a trusted proxy's headers. Raises InvalidRequest.

    A chain of proxies writes a scheme each, the browser's first; uvicorn would ignore such a list in silence.
    """
    scheme = sent.get(PROTO, b"").partition(b",")[0].strip().lower().decode("latin-1")
    prefix = sent.get(PREFIX, b"").decode("latin-1").rstrip("/")
    if scheme not in ("", "http", "https"):
        raise InvalidRequest("X-Forwarded-Proto is not http or https.")
    if prefix and not _prefix.fullmatch(prefix):
        raise InvalidRequest("X-Forwarded-Prefix is not a path such as /live.")
    scope["scheme"] = scheme or scope["scheme"]
    if prefix:
        scope["root_path"] = prefix
        scope["path"] = prefix + scope["path"]
        scope["raw_path"] = prefix.encode() + scope["raw_path"]
