"""Waking the other processes of this machine that have the same file open: a Unix datagram to each, after a commit.

Every process binds a socket in a folder whose name follows from the file, and takes the other sockets there for the
other processes. The socket of a process that died refuses, and the first process that notices removes it. Nothing here
is a promise: the store finds the commits of lost datagrams when it looks at the file.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import secrets
import socket
import stat
import tempfile
from collections.abc import Callable, Mapping
from typing import Final

import msgspec

from tidings.events import Offset
from tidings.log.port import Cast
from tidings.stores.feed import merge

HERE: Final = hasattr(socket, "AF_UNIX") and os.name == "posix"
"""True where the platform has Unix datagrams."""

MOST_PATH = 100
"""Bytes of a socket's path: the kernel's limit is 108 on Linux, 104 on macOS."""

MOST_BYTES = 60_000
"""Bytes of one datagram."""

FIRST_PAUSE, LAST_PAUSE = 0.004, 1.0
"""Seconds until a full peer is tried again; doubled each time, for it may be frozen. The kernel queues as few as 10."""


class News(msgspec.Struct, array_like=True, gc=False):
    """A datagram: the numbers of commits and the tails that they left. `tails` of None: too many to tell."""

    commits: list[int] = []
    tails: dict[str, Offset | None] | None = {}
    cast: Cast | None = None


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(News).decode


class Peers:
    """The other processes. For the loop's thread, except `bind`, `look` and `remove`, which touch the disk."""

    def __init__(self, heard: Callable[[News], None]) -> None:
        self._heard = heard
        self._folder = ""
        self._name = secrets.token_hex(4)
        self._socket: socket.socket | None = None
        self._others: dict[str, _Peer] = {}
        self._dead: set[str] = set()

    def bind(self, path: str) -> bool:
        """Open the socket of this process. False: it cannot be opened, so no other process can be heard."""
        if not HERE:
            return False
        try:
            self._folder = _folder(path)
            for _ in range(10):
                mine = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
                mine.setblocking(False)
                try:
                    mine.bind(os.path.join(self._folder, self._name))
                except OSError:
                    mine.close()
                    os.makedirs(self._folder, exist_ok=True)  # a process that left has removed it just now
                else:
                    self._socket = mine
                    return True
        except OSError:
            pass
        return False

    def look(self) -> list[str]:
        """Remove the sockets that refused, and return the names of the sockets of other processes."""
        if self._socket is None:
            return []
        for name in tuple(self._dead):
            with contextlib.suppress(OSError):
                os.unlink(os.path.join(self._folder, name))
        with contextlib.suppress(OSError):
            return [name for name in os.listdir(self._folder) if name != self._name and name not in self._dead]
        return []

    def meet(self, names: list[str]) -> None:
        """Greet the processes among `names` that are new, so that they know this one too."""
        for name in names:
            if name not in self._others:
                self._meet(name).say(News())

    def listen(self) -> None:
        assert self._socket
        asyncio.get_running_loop().add_reader(self._socket, self._receive)

    def tell(self, commit: int, tails: Mapping[str, Offset | None]) -> None:
        for peer in tuple(self._others.values()):
            peer.tell(commit, tails)

    def cast(self, cast: Cast) -> None:
        for peer in tuple(self._others.values()):
            peer.say(News(cast=cast))

    def close(self) -> None:
        for peer in self._others.values():
            peer.close()
        self._others.clear()
        if self._socket:
            asyncio.get_running_loop().remove_reader(self._socket)
            self._socket.close()

    def remove(self) -> None:
        """Remove the socket of this process, and the folder if it was the last. Closes the socket, if it is open."""
        if self._socket:
            self._socket.close()
        with contextlib.suppress(OSError):
            os.unlink(os.path.join(self._folder, self._name))
            os.rmdir(self._folder)

    def _meet(self, name: str) -> _Peer:
        assert self._socket
        peer = self._others[name] = _Peer(self._socket, os.path.join(self._folder, name), lambda: self._forget(name))
        return peer

    def _forget(self, name: str) -> None:
        if peer := self._others.pop(name, None):
            peer.close()
            self._dead.add(name)

    def _receive(self) -> None:
        assert self._socket
        for _ in range(64):  # then the loop's others have a turn
            try:
                datagram, sender = self._socket.recvfrom(MOST_BYTES)
                news = _decode(datagram)
            except BlockingIOError:
                return
            except (OSError, msgspec.DecodeError):
                continue
            name = os.path.basename(sender or "")  # its folder may have another path in another container
            if name and name not in self._others:
                self._meet(name)
            self._heard(news)


class _Peer:
    """Another process, and the news that its full queue could not take yet."""

    def __init__(self, mine: socket.socket, address: str, gone: Callable[[], None]) -> None:
        self._address = address
        self._socket = mine
        self._gone = gone
        self._late = News([], {})
        self._pause = FIRST_PAUSE
        self._again: asyncio.TimerHandle | None = None

    def tell(self, commit: int, tails: Mapping[str, Offset | None]) -> None:
        late = self._late
        late.commits.append(commit)
        if late.tails is not None:
            merge(late.tails, tails)
        if self._again is None:
            self._flush()

    def say(self, news: News) -> bool:
        """Send the news now. False: the queue of the peer is full, and the news is to be sent again."""
        datagram = _encode(news)
        if len(datagram) > MOST_BYTES:
            return self._say_less(news)
        try:
            self._socket.sendto(datagram, self._address)
        except (ConnectionRefusedError, FileNotFoundError):
            self._gone()
        except OSError as error:
            if error.errno == errno.EMSGSIZE:
                return self._say_less(news)
            return error.errno not in (errno.EAGAIN, errno.EWOULDBLOCK, errno.ENOBUFS)
        return True

    def close(self) -> None:
        if self._again:
            self._again.cancel()

    def _say_less(self, news: News) -> bool:
        if news.tails:
            return self.say(News(news.commits[-1:], None))
        return True  # a cast that is too large

    def _flush(self) -> None:
        self._again = None
        if self.say(self._late):
            self._late = News([], {})
            self._pause = FIRST_PAUSE
            return
        if len(self._late.commits) > 1000:
            self._late = News(self._late.commits[-1:], None)
        self._again = asyncio.get_running_loop().call_later(self._pause, self._flush)
        self._pause = min(2 * self._pause, LAST_PAUSE)


def _folder(path: str) -> str:
    """Beside the file; in the folder for temporary files if that path is too long for a socket."""
    beside = os.path.realpath(path) + "-wake"
    if len(os.fsencode(beside)) + 9 <= MOST_PATH:
        os.makedirs(beside, exist_ok=True)
        return beside
    file = os.stat(path)
    folder = os.path.join(tempfile.gettempdir(), f"tidings-{os.getuid()}-{file.st_dev:x}-{file.st_ino:x}")
    os.makedirs(folder, mode=0o700, exist_ok=True)
    made = os.lstat(folder)
    if not stat.S_ISDIR(made.st_mode) or made.st_uid != os.getuid() or len(os.fsencode(folder)) + 9 > MOST_PATH:
        raise OSError("the folder for sockets is someone else's, or its path is too long")
    return folder
