# SPDX-License-Identifier: Apache-2.0
"""What compiled handlers call while they run: threads for what blocks, shared
values, and the rest of generators.

``Cleanups`` and ``AsyncCleanups`` hold the generators of one request.  If the
call raises, they are told at once, and may raise something else; if it returns,
``defer`` leaves them to the request, whose runner calls them when the response
has been made: with the exception that this raised, or None.
"""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import functools
import inspect
import threading
from collections.abc import AsyncGenerator, Callable, Coroutine, Generator, Mapping
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Any

__all__ = [
    "AsyncCleanups",
    "Cleanups",
    "awaiting",
    "gives_coroutine",
    "in_thread",
    "returning",
    "settled",
    "shared_from",
]

THREADS = 40

Fault = BaseException


# ---- Functions that give something to be awaited -----------------------------


def gives_coroutine(fn: Callable[..., Any]) -> bool:
    """Whether a call is sure to give a coroutine itself, not by a decorator."""
    while isinstance(fn, functools.partial):
        fn = fn.func
    return inspect.iscoroutinefunction(fn) or (
        not inspect.isroutine(fn) and inspect.iscoroutinefunction(type(fn).__call__)
    )


async def settled(value: Any) -> Any:
    """``value``, awaited if it can be."""
    return await value if inspect.isawaitable(value) else value


def awaiting(fn: Callable[..., Any]) -> Callable[..., Coroutine[Any, Any, Any]]:
    """A coroutine function of one that may give something else to await."""

    async def call(*arguments: Any) -> Any:
        return await settled(fn(*arguments))

    return call


def returning(fn: Callable[..., Any]) -> Callable[..., Coroutine[Any, Any, Any]]:
    """A coroutine function that gives the generator that ``fn`` does."""

    async def call(*arguments: Any) -> Any:
        return fn(*arguments)

    return call


# ---- Threads -----------------------------------------------------------------

_lock = threading.Lock()
_threads: ThreadPoolExecutor | None = None


def _pool() -> ThreadPoolExecutor:
    """Threads for what blocks, and waits for nothing of ours; made when wanted,
    so that a process may fork before."""
    global _threads
    with _lock:
        if _threads is None:
            _threads = ThreadPoolExecutor(THREADS, thread_name_prefix="volo-blocking")
        return _threads


async def in_thread(fn: Callable[..., Any], /, *args: Any, **named: Any) -> Any:
    """Call ``fn`` on a thread, in a copy of the context, and wait for it.

    Also if this is cancelled: then it raises that when ``fn`` has ended, since
    what ``fn`` works with may be cleaned up next.
    """
    call = functools.partial(contextvars.copy_context().run, fn, *args, **named)
    work = asyncio.get_running_loop().run_in_executor(_pool(), call)
    cancelled: asyncio.CancelledError | None = None
    while not work.done():
        try:
            await asyncio.wait([work])  # which does not cancel it
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled is not None:
        work.exception()  # seen
        raise cancelled
    return work.result()


# ---- Shared values -----------------------------------------------------------


def shared_from(values: Mapping[Any, Any] | None) -> Callable[[Any], Any]:
    """A look-up that says what is missing."""
    found = {} if values is None else values

    def shared(kind: Any) -> Any:
        try:
            return found[kind]
        except KeyError:
            name = getattr(kind, "__qualname__", None) or repr(kind)
            raise LookupError(f"nothing has been provided as {name}") from None

    return shared


# ---- The rest of generators --------------------------------------------------


class _Error:
    """Keeps the exception that a generator may swallow."""

    error: BaseException

    def __init__(self, request: Any) -> None:
        self.request = request


class Cleanups(_Error):
    """The generators of a request whose handler and providers are all sync."""

    def __init__(self, request: Any) -> None:
        super().__init__(request)
        self.stack = contextlib.ExitStack()

    def enter(self, generator: Generator[Any, Any, Any]) -> Any:
        """Run ``generator`` up to its value."""
        return self.stack.enter_context(_managed(generator))

    def defer(self) -> None:
        """Leave the rest to the request."""
        rest = self.stack.pop_all()

        def finish(error: BaseException | None) -> None:
            rest.__exit__(*_told(error))

        self.request.add_cleanup(finish)

    def __enter__(self) -> Cleanups:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool | None:
        if error is not None:
            self.error = error
        return self.stack.__exit__(kind, error, trace)


class AsyncCleanups(_Error):
    """The generators of a request of which something is async."""

    def __init__(self, request: Any) -> None:
        super().__init__(request)
        self.stack = contextlib.AsyncExitStack()

    def enter(self, generator: Generator[Any, Any, Any]) -> Any:
        """Run ``generator`` up to its value, on the event loop."""
        return self.stack.enter_context(_managed(generator))

    async def enter_thread(self, generator: Generator[Any, Any, Any]) -> Any:
        """The same on a thread, and its rest too."""
        return await self.stack.enter_async_context(_Threaded(generator))

    async def enter_async(self, generator: AsyncGenerator[Any, Any]) -> Any:
        """The same for an async generator."""
        return await self.stack.enter_async_context(_managed_async(generator))

    def defer(self) -> None:
        """Leave the rest to the request."""
        rest = self.stack.pop_all()

        async def finish(error: BaseException | None) -> None:
            await rest.__aexit__(*_told(error))

        self.request.add_cleanup(finish)

    async def __aenter__(self) -> AsyncCleanups:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool | None:
        if error is not None:
            self.error = error
        return await self.stack.__aexit__(kind, error, trace)


def _told(error: BaseException | None) -> tuple[Any, Any, Any]:
    return (
        (None, None, None)
        if error is None
        else (
            type(error),
            error,
            error.__traceback__,
        )
    )


def _managed(
    generator: Generator[Any, Any, Any],
) -> contextlib.AbstractContextManager[Any]:
    return contextlib.contextmanager(lambda: generator)()


def _managed_async(
    generator: AsyncGenerator[Any, Any],
) -> contextlib.AbstractAsyncContextManager[Any]:
    return contextlib.asynccontextmanager(lambda: generator)()


class _Threaded:
    """A sync generator as an async context manager: it runs on threads."""

    def __init__(self, generator: Generator[Any, Any, Any]) -> None:
        self._inner = _managed(generator)
        self._is_inside = False

    async def __aenter__(self) -> Any:
        try:
            return await in_thread(_quietly, self._entered)
        except asyncio.CancelledError as error:
            if self._is_inside:
                await self.__aexit__(type(error), error, error.__traceback__)
            raise

    def _entered(self) -> Any:
        value = self._inner.__enter__()
        self._is_inside = True
        return value

    async def __aexit__(self, *fault: Any) -> bool:
        return bool(await in_thread(_quietly, self._inner.__exit__, *fault))


def _quietly(fn: Callable[..., Any], *args: Any) -> Any:
    """Call ``fn``; a StopIteration, which no future can carry, is wrapped."""
    try:
        return fn(*args)
    except StopIteration as error:
        raise RuntimeError("a provider raised StopIteration") from error
