# SPDX-License-Identifier: Apache-2.0
"""Layers in Python around something that is not: a stock layer, an application
of another kind, a redirect.

Such a layer can't call what is inside.  It is one of C's layers, whose exchange
comes to the event loop twice, on its way in and on its way out: ``next`` lets
it go on, and gives the response when that comes back.  It is a little slower
than layers around a handler, which call one another, and so it is done only
where it must be.

What the layer has left is found inside: ``request.state`` is the same, and
handlers run in a copy of the context that was current when it went on.  An
exception that nobody inside has an answer for is raised by ``next``.
"""

from __future__ import annotations

import asyncio
import contextvars
import logging
from typing import Any

from . import _cvolo

__all__ = ["Opaque", "Passages", "Shared", "opaque"]

log = logging.getLogger("volo")


class Opaque:
    """The body of a response that is on its way already: it can be passed on,
    with other headers, but not be read."""

    def __repr__(self) -> str:
        return "<a body that is streamed>"


opaque = Opaque()


class Shared:
    """What a layer and what is inside have in common; C reads it."""

    __slots__ = ("context", "error", "state", "task")

    def __init__(self, state: Any) -> None:
        self.state = state
        self.context = contextvars.copy_context()
        self.task: asyncio.Task[Any] | None = None  # of what is inside
        self.error: Exception | None = None  # which that has raised

    def cancel(self) -> None:
        """Cancel what is inside, if it can be."""
        if self.task is not None:
            self.task.cancel()


class _Way:
    """Whom a response comes back to.  C keeps it, and drops it where none can
    come any more."""

    __slots__ = ("future", "loop")

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.future: asyncio.Future[Any] = self.loop.create_future()

    def arrive(self, leave: Any) -> None:
        """It is there; on the event loop."""
        if not self.future.done():
            self.future.set_result(leave)

    def __del__(self) -> None:
        if not self.future.done() and not self.loop.is_closed():
            self.loop.call_soon_threadsafe(self.future.cancel)


class Passages:
    """What is inside of such layers of one runtime, as they call it."""

    def __init__(self) -> None:
        self.closed = False
        """Nothing comes back any more."""

    async def go_on(self, request: Any) -> Any:
        """The Response of what is inside."""
        way, shared = _Way(), Shared(request.state)
        future = way.future
        _cvolo.go_on(request, way, shared)
        del way
        cancelled = await self._wait(future, shared)
        shared.task = None
        response = _cvolo.come_back(request, future.result(), opaque)
        if cancelled is not None:
            raise cancelled
        if request.canceled:
            raise asyncio.CancelledError
        if shared.error is not None:
            _raise(shared.error, response.status)
        return response

    async def _wait(
        self, future: asyncio.Future[Any], shared: Shared
    ) -> asyncio.CancelledError | None:
        """Also if this is cancelled: what is inside is, too, and has to be over
        before there can be another response."""
        cancelled: asyncio.CancelledError | None = None
        while not future.done():
            try:
                await asyncio.wait([future])  # which does not cancel it
            except asyncio.CancelledError as error:
                if self.closed:
                    future.cancel()
                    raise
                cancelled = error
                shared.cancel()
        return cancelled


def _raise(error: Exception, status: int) -> None:
    """Unless something of C has had another answer, which is the one then."""
    if status == 500:
        raise error
    log.error("an exception that a layer has hidden", exc_info=error)
