# SPDX-License-Identifier: Apache-2.0
"""ASGI 3 applications: FastAPI, Starlette, Django, Quart and their like.

The messages of a request are made and read in C; here are the application's
lifespan, and the event loop that it is served on.
"""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Literal

from . import _cvolo

__all__ = ["ASGIApp", "Asgi", "Lifespan", "LifespanError", "LifespanMode"]

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
ASGIApp = Callable[[Scope, Receive, Send], Awaitable[None]]
LifespanMode = Literal["auto", "on", "off"]

_GRACE = 5.0  # seconds for tasks that were cancelled

_log = logging.getLogger("volo")


class LifespanError(Exception):
    """The application says that it has not started, or not ended, well."""


class Lifespan:
    """The lifespan protocol with one application.

    ``mode`` is ``"on"``, ``"off"``, or ``"auto"``: an application that knows
    nothing of it is served all the same.
    """

    def __init__(self, app: ASGIApp, mode: LifespanMode = "auto") -> None:
        if mode not in ("auto", "on", "off"):
            raise ValueError(f"lifespan is 'auto', 'on' or 'off', not {mode!r}")
        self.state: dict[str, Any] = {}
        self.supported = False
        self._app = app
        self._mode = mode
        self._task: asyncio.Task[None] | None = None
        self._inbox: asyncio.Queue[Message] = asyncio.Queue()
        self._started: asyncio.Future[None] | None = None
        self._stopped: asyncio.Future[None] | None = None

    # ---- The server's side ---------------------------------------------------

    async def startup(self) -> None:
        """Tell the application to start, and wait until it has.

        Raises LifespanError if it has not, or if it is ``"on"`` and the
        application does not take part."""
        if self._mode == "off":
            return
        loop = asyncio.get_running_loop()
        self._started, self._stopped = loop.create_future(), loop.create_future()
        self._inbox.put_nowait({"type": "lifespan.startup"})
        self._task = asyncio.create_task(self._run(), name="volo-lifespan")
        await _first(self._started, self._task)
        if self._started.done():
            self._started.result()
            self.supported = True
            return
        error = self._task.exception()
        if self._mode == "on":
            raise LifespanError("the application has no lifespan") from error
        _log.debug("the application has no lifespan", exc_info=error)

    async def shutdown(self) -> None:
        """Tell the application to end, and wait until it has.  Raises
        LifespanError if that failed."""
        task, stopped = self._task, self._stopped
        if not self.supported or task is None or stopped is None:
            return
        self.supported = False
        self._inbox.put_nowait({"type": "lifespan.shutdown"})
        await _first(stopped, task)
        if stopped.done():
            stopped.result()
            await asyncio.wait([task], timeout=_GRACE)
        error = None if not task.done() or task.cancelled() else task.exception()
        if error is not None:
            raise LifespanError("the application's shutdown failed") from error
        task.cancel()

    # ---- The application's side ----------------------------------------------

    async def _run(self) -> None:
        scope: Scope = {
            "type": "lifespan",
            "asgi": {"version": "3.0", "spec_version": "2.0"},
            "state": self.state,
        }
        await self._app(scope, self._inbox.get, self._send)

    async def _send(self, message: Message) -> None:
        kind = message["type"]
        phase, _, outcome = kind.removeprefix("lifespan.").partition(".")
        future = {"startup": self._started, "shutdown": self._stopped}.get(phase)
        if future is None or outcome not in ("complete", "failed"):
            raise RuntimeError(f"unexpected ASGI message {kind!r} in a lifespan")
        if future.done():
            raise RuntimeError(f"unexpected ASGI message {kind!r}: sent before")
        if outcome == "complete":
            future.set_result(None)
            return
        words = message.get("message") or "no reason given"
        future.set_exception(LifespanError(f"the {phase} failed: {words}"))


async def _first(future: asyncio.Future[None], task: asyncio.Task[None]) -> None:
    await asyncio.wait([future, task], return_when=asyncio.FIRST_COMPLETED)


# ---- Serving -----------------------------------------------------------------


def _task_maker(loop: asyncio.AbstractEventLoop) -> tuple[Any, dict[str, Any]]:
    """What makes a task of a coroutine, with which keywords.  It begins at
    once where Python can do that."""
    if loop.get_task_factory() is not None:
        return loop.create_task, {}
    if sys.version_info >= (3, 12):
        return asyncio.Task, {"loop": loop, "eager_start": True}
    return asyncio.Task, {"loop": loop}


def _on_error(error: BaseException | None, words: str) -> None:
    _log.error("%s", words, exc_info=error)


class Asgi:
    """One serving of an ASGI application.

    ``root_path`` is the prefix that a proxy has taken off.  ``grace`` is how
    long what still runs after the last answer may go on, in seconds.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        root_path: str = "",
        lifespan: LifespanMode = "auto",
        grace: float = 30.0,
    ) -> None:
        self.lifespan = Lifespan(app, lifespan)
        self._grace = grace
        self._c = _cvolo.Asgi(app, _on_error, root_path.rstrip("/"))
        self._loop: asyncio.AbstractEventLoop | None = None

    async def start(self) -> Any:
        """Begin the application's lifespan and serve on the running event
        loop; returns the C service.  Raises LifespanError."""
        await self.lifespan.startup()
        if self.lifespan.supported:
            self._c.set_state(self.lifespan.state)
        loop = asyncio.get_running_loop()
        self._c.attach(loop, *_task_maker(loop))
        service = self._c.service()
        loop.add_reader(self._c.fd, self._c.drain)
        loop.add_reader(self._c.events_fd, self._c.events)
        self._loop = loop
        return service

    def set_server(self, address: tuple[str, int | None] | None) -> None:
        """What scopes say of where the server listens."""
        self._c.set_server(address)

    @property
    def active(self) -> int:
        """How many requests are in progress."""
        return int(self._c.active)

    def stats(self) -> dict[str, int]:
        """Counters since the start: how often jobs were taken, and answers
        sent, together."""
        return self._c.stats()

    async def stop(self, now: bool = False) -> None:
        """End what :meth:`start` began, once no more requests come.  What still
        runs may go on for a while, and is then cancelled; ``now`` does so at
        once.  Raises LifespanError."""
        loop, self._loop = self._loop, None
        if loop is None:
            return
        await self._end_tasks(0.0 if now else self._grace)
        loop.remove_reader(self._c.fd)
        loop.remove_reader(self._c.events_fd)
        self._c.close()
        await self.lifespan.shutdown()

    async def _end_tasks(self, grace: float) -> None:
        tasks = self._c.tasks()
        if tasks and grace:
            await asyncio.wait(tasks, timeout=grace)
        tasks = self._c.tasks()
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=_GRACE)
