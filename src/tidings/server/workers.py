"""The parent of a server's workers: it binds the socket, starts the workers, and replaces those that die or hang.

uvicorn's own parent waits for one worker at a time, so that a worker which stays until its runs have ended would keep
it from all else; it takes a worker with a hanging event loop for alive; and it goes on for ever starting
a worker that cannot start. At SIGHUP every worker is replaced: the new ones serve before the old ones leave.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
import sys
from collections.abc import Coroutine, Mapping
from typing import Any

import msgspec

from tidings.errors import Unavailable
from tidings.http.metrics import Figure

from . import logs
from .channel import LINE, FromWorker, Order, ToWorker, receive, send
from .listening import greeting, listen
from .settings import Settings

log: logging.Logger = logging.getLogger("tidings.workers")

HUNG = 30
"""Seconds without a sign of life after which a worker is killed. The parent counts them by its own looks, so that a
machine or a session that was halted as a whole has no hung workers."""

STARTING = 120
"""The same for a worker that does not serve yet: a store may be migrated first."""

FIRST_WAIT, LAST_WAIT = 0.5, 30.0
"""Seconds before a worker that died soon after its start is started again. They double each time."""

STEADY = 60.0
"""Seconds for which a worker must have served for its death to be the first of a row."""

MOST_FAILURES = 6
"""Deaths in a row after which the server gives up, if no worker serves."""

LAST = 10.0
"""Seconds that workers have to end beyond their window and their grace."""


class Worker:
    """A worker process as its parent knows it."""

    def __init__(self, number: int, process: asyncio.subprocess.Process, writer: asyncio.StreamWriter) -> None:
        loop = asyncio.get_running_loop()
        self.number = number
        self.process = process
        self.began: asyncio.Future[bool] = loop.create_future()
        """True once it serves, False if it ended before."""
        self.left: asyncio.Future[None] = loop.create_future()
        """Done once its streams are handed over, or it has ended."""
        self.leaving: bool = False
        self.since: float = loop.time()
        self.silent: int = 0
        self.figures: list[Figure] = []
        self._writer = writer

    @property
    def serves(self) -> bool:
        return self.began.done() and self.began.result() and not self.leaving

    def tell(self, message: ToWorker) -> None:
        """Send a message; nothing happens if the worker is gone."""
        send(self._writer, message)

    def order(self, order: Order) -> None:
        """Send an order."""
        self.tell(ToWorker(do=order))

    def ended(self) -> None:
        """Close the channel of a worker that has ended."""
        self._writer.close()
        if not self.began.done():
            self.began.set_result(False)
        if not self.left.done():
            self.left.set_result(None)


class Workers:
    """The workers of a server. `options`: the options of the command line, which the workers get, too."""

    def __init__(self, settings: Settings, options: Mapping[str, Any], listening: socket.socket) -> None:
        self.settings = settings
        self.count: int = settings.workers or 1
        self._options = msgspec.json.encode(dict(options)).decode()
        self._listening = listening
        self._workers: dict[int, Worker] = {}
        self._numbers = 0
        self._failures = 0
        self._served = False
        self._greeted = False
        self._starting = asyncio.Lock()  # held while the missing workers are counted and started
        self._changed = asyncio.Event()
        self._told_to_replace = asyncio.Event()
        self._end: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._tasks: set[asyncio.Task[None]] = set()

    async def run(self) -> int:
        """Serve until SIGTERM or SIGINT; return the exit status.

        Raises Unavailable when no worker can start any more.
        """
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._told_to_end, number)
        loop.add_signal_handler(signal.SIGHUP, self._told_to_replace.set)
        for work in (self._fill(), self._watch(), self._replace_when_told()):
            self._background(work)
        try:
            return await self._end
        finally:
            self._listening.close()
            for worker in self._workers.values():
                worker.order("drain")
            await self._all_ended()

    def _background(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._background_done)

    def _background_done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None and not self._end.done():
            self._end.set_exception(error)

    # Starting.

    async def _start(self) -> Worker:
        ours, theirs = socket.socketpair()
        self._numbers += 1
        with theirs:
            descriptors = (self._listening.fileno(), theirs.fileno())
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "tidings.server.worker", *map(str, descriptors)),
                *(str(self._numbers), self._options),
                stdin=asyncio.subprocess.DEVNULL,
                pass_fds=descriptors,
            )
        reader, writer = await asyncio.open_connection(sock=ours, limit=LINE)
        worker = self._workers[self._numbers] = Worker(self._numbers, process, writer)
        self._background(self._follow(worker, reader))
        if self._end.done():
            worker.order("drain")
        return worker

    async def _fill(self) -> None:
        """Start workers until `count` of them serve, again and again.

        At first one worker starts alone, so that an error of the start is logged once and one process makes the store.
        """
        while not self._end.done():
            self._changed.clear()
            if not self._missing():
                await self._changed.wait()
                continue
            if self._failures:
                await asyncio.sleep(min(FIRST_WAIT * 2 ** (self._failures - 1), LAST_WAIT))
            async with self._starting:
                missing = min(self._missing(), self.count if self._serving() else 1)
                started = [await self._start() for _ in range(missing)]
                await asyncio.gather(*[worker.began for worker in started])

    def _missing(self) -> int:
        """Return the number of workers to start; none once the server ends, whose socket is closed."""
        if self._end.done():
            return 0
        return max(self.count - sum(not worker.leaving for worker in self._workers.values()), 0)

    def _serving(self) -> int:
        return sum(worker.serves for worker in self._workers.values())

    def _serves(self, worker: Worker) -> None:
        """Take note that a worker serves, and print the URL once all do."""
        if not worker.began.done():
            worker.began.set_result(True)
            self._served = True
        if not self._greeted and self._serving() >= self.count:
            self._greeted = True
            print(greeting(*self._listening.getsockname()[:2]), flush=True)

    async def _follow(self, worker: Worker, reader: asyncio.StreamReader) -> None:
        """Take the messages of a worker until it has ended."""
        async for message in receive(reader, FromWorker):
            worker.silent = 0
            if message.serving:
                self._serves(worker)
            if message.left and not worker.left.done():
                worker.left.set_result(None)
            if message.figures is not None:
                worker.figures = message.figures
                others = {other.number: other.figures for other in self._workers.values() if other is not worker}
                worker.tell(ToWorker(others=others))
        status = await worker.process.wait()
        served = worker.began.done()
        del self._workers[worker.number]
        worker.ended()
        if not self._end.done() and not worker.leaving:
            self._died(worker, status, served)
        self._changed.set()

    def _died(self, worker: Worker, status: int, served: bool) -> None:
        """React to the end of a worker that the parent did not order."""
        lived = asyncio.get_running_loop().time() - worker.since
        why = f"by {signal.Signals(-status).name}" if status < 0 else f"with status {status}"
        log.error("Worker %d ended %s after %.0f s.", worker.number, why, lived)
        self._failures = 1 if served and lived >= STEADY else self._failures + 1
        if status == os.EX_IOERR:
            self._stop(status, "hurry")
        elif status > 0 and not self._served:
            self._stop(status, "drain")  # the worker has logged the reason, and another worker would log the same
        elif self._failures >= MOST_FAILURES and not self._serving():
            self._end.set_exception(Unavailable(f"{self._failures} workers in a row have died, the last one {why}."))

    async def _watch(self) -> None:
        """Kill the workers that hang."""
        while True:
            await asyncio.sleep(1.0)
            for worker in self._workers.values():
                worker.silent += 1
                most = HUNG if worker.began.done() else STARTING
                if worker.silent == most:
                    log.error("Worker %d has given no sign of life for %d s and is killed.", worker.number, most)
                if worker.silent >= most:
                    worker.process.kill()

    # Replacing.

    async def _replace_when_told(self) -> None:
        while True:
            await self._told_to_replace.wait()
            self._told_to_replace.clear()
            async with self._starting:
                if self._end.done():
                    return  # the signal came while earlier ones were obeyed, and the server ends by now
                await self._replace()
            self._changed.set()

    async def _replace(self) -> None:
        """Replace every worker. The old ones serve until all new ones do: so each stream is moved only once."""
        old = [worker for worker in self._workers.values() if not worker.leaving]
        log.info("SIGHUP: %d new workers take the place of %d.", self.count, len(old))
        new = [await self._start() for _ in range(self.count)]
        began = await asyncio.gather(*[worker.began for worker in new])
        if self._end.done():
            return
        if not all(began):
            log.error("A new worker does not start, so the old ones go on.")
            await self._leave(new)
            return
        await self._leave(old)
        log.info("All streams have been handed over.")

    async def _leave(self, workers: list[Worker]) -> None:
        """Have the workers hand over their streams, one after the other; none of them takes new ones meanwhile."""
        for worker in workers:
            worker.leaving = True
            worker.order("close")
        for worker in workers:
            worker.order("leave")
            await worker.left

    # Ending.

    def _told_to_end(self, number: int) -> None:
        if not self._end.done():
            log.info("%s: the workers end.", signal.Signals(number).name)
            self._stop(0, "drain")
        else:
            for worker in self._workers.values():
                worker.order("hurry")

    def _stop(self, status: int, order: Order) -> None:
        self._end.set_result(status)
        # A client that comes back is to be refused at once, not to wait for a server that ends.
        self._listening.close()
        for worker in self._workers.values():
            worker.order(order)

    async def _all_ended(self) -> None:
        """Wait until every worker has ended, and kill those that take too long."""
        settings = self.settings
        try:
            async with asyncio.timeout(settings.drain_window + settings.grace + LAST):
                while self._workers:
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            for worker in self._workers.values():
                log.error("Worker %d does not end, and is killed.", worker.number)
                worker.process.kill()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


def supervise(settings: Settings, options: Mapping[str, Any]) -> int:
    """Serve by workers until SIGTERM or SIGINT; return the exit status, which is 0, or that of a failed worker.

    Raises InvalidRequest for an address that cannot be used, and Unavailable when no worker can start any more.
    """
    logs.configure(settings)

    async def serve() -> int:
        with listen(settings.host, settings.port) as listening:
            return await Workers(settings, options, listening).run()

    return asyncio.run(serve())
