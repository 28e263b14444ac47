# SPDX-License-Identifier: Apache-2.0
"""Python layers around a handler, composed once into one callable.

A layer is ``def`` or ``async def layer(request, next)``; ``next(request)``
gives the response of what is inside (an ``async`` layer awaits it).  Where all
are ``def``, so is the whole, and it stays on the threads of the pool.  As soon
as one of them is ``async def`` the whole is, on the event loop: what is ``def``
in it goes to a thread, with its context variables, and a ``def`` layer around
something ``async`` waits there for the loop.

A thread that waits for the loop must never wait for a thread of its own kind,
or forty requests could hold all forty threads and wait for a forty-first.  So
every depth at which a chain changes from loop to thread has threads of its
own; the innermost wait for nothing.
"""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Protocol

from .binding_kind import Flavor, flavor_of

__all__ = ["Threads", "compose", "is_async"]

# What is inside: a request to a response, or to something that awaits one.
Step = Callable[[Any], Any]

THREADS = 40


def is_async(layer: Callable[..., Any]) -> bool:
    """Whether calling it gives something to be awaited."""
    return flavor_of(layer) is Flavor.COROUTINE


class Threads:
    """Threads for the ``def`` parts of chains that run on the event loop."""

    def __init__(self) -> None:
        self._pools: dict[tuple[int, int], ThreadPoolExecutor] = {}

    def at(self, level: int, depth: int) -> ThreadPoolExecutor:
        """Those for one depth; made at the first call, started when used.
        ``level`` is how many chains are around this one, by way of C."""
        pool = self._pools.get((level, depth))
        if pool is None:
            name = f"volo-inner-{level}-{depth}"
            pool = ThreadPoolExecutor(THREADS, thread_name_prefix=name)
            self._pools[level, depth] = pool
        return pool

    def stop(self) -> None:
        """Let them end; it waits for nobody."""
        for pool in self._pools.values():
            pool.shutdown(wait=False, cancel_futures=True)
        self._pools.clear()


class Rescuer(Protocol):
    """What a chain asks when a step gives something else than a response."""

    response: type

    def convert(self, request: Any, value: Any) -> Any:
        """The response that ``value`` means."""

    def rescue(self, request: Any, error: Exception) -> Any:
        """The response for ``error``; raises it if there is none."""

    async def rescue_async(self, request: Any, error: Exception) -> Any:
        """:meth:`rescue`, on the event loop."""


def compose(
    inner: Step,
    inner_async: bool,
    layers: Sequence[Callable[..., Any]],
    rescuer: Rescuer,
    threads: Threads,
    level: int = 0,
) -> tuple[Step, bool]:
    """``layers``, the outermost first, around ``inner``: one callable that
    gives a response, and whether it is ``async``.  ``level`` is how many such
    chains are around it.

    An exception that ``rescuer`` has an answer for becomes that answer where it
    leaves a step, so that the layers outside see a response; others go through
    them all.
    """
    depth = 0
    step, on_loop, waits = _guarded(inner, inner_async, rescuer), inner_async, False
    for layer in reversed(layers):
        if is_async(layer):
            if not on_loop:
                step, depth = _in_thread(step, threads.at(level, depth)), depth + 1
            step, on_loop, waits = _async_layer(layer, step, rescuer), True, False
        else:
            if on_loop:
                step, waits = _wait_for(step), True
            step, on_loop = _sync_layer(layer, step, rescuer), False
    if waits:
        return _in_thread(step, threads.at(level, depth)), True
    return step, on_loop


# ---- Steps -------------------------------------------------------------------


def _guarded(inner: Step, inner_async: bool, rescuer: Rescuer) -> Step:
    def sync_guard(request: Any) -> Any:
        try:
            return inner(request)
        except Exception as error:
            return rescuer.rescue(request, error)

    async def async_guard(request: Any) -> Any:
        try:
            return await inner(request)
        except Exception as error:
            return await rescuer.rescue_async(request, error)

    return async_guard if inner_async else sync_guard


def _given(layer: Callable[..., Any], value: Any) -> Any:
    """From a handler, None is an answer without content; from a layer, it is a
    ``return`` that was forgotten."""
    if value is None:
        name = getattr(layer, "__qualname__", repr(layer))
        raise TypeError(f"the layer {name} has returned no response")
    return value


def _sync_layer(layer: Callable[..., Any], inner: Step, rescuer: Rescuer) -> Step:
    response = rescuer.response

    def step(request: Any) -> Any:
        try:
            value = layer(request, inner)
            if isinstance(value, response):
                return value
            return rescuer.convert(request, _given(layer, value))
        except Exception as error:
            return rescuer.rescue(request, error)

    return step


def _async_layer(layer: Callable[..., Any], inner: Step, rescuer: Rescuer) -> Step:
    response = rescuer.response

    async def step(request: Any) -> Any:
        try:
            value = await layer(request, inner)
            if isinstance(value, response):
                return value
            return rescuer.convert(request, _given(layer, value))
        except Exception as error:
            return await rescuer.rescue_async(request, error)

    return step


# ---- Between the loop and threads --------------------------------------------


class _Caller:
    """Who a thread works for: a loop, and what the thread waits for there."""

    __slots__ = ("cancelled", "loop", "waiting")

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.waiting: set[Future[Any]] = set()
        self.cancelled = False

    def cancel(self) -> None:
        self.cancelled = True
        for future in tuple(self.waiting):
            future.cancel()

    def wait(self, future: Future[Any]) -> Any:
        self.waiting.add(future)
        if self.cancelled:
            future.cancel()
        try:
            return future.result()
        finally:
            self.waiting.discard(future)


_caller: contextvars.ContextVar[_Caller] = contextvars.ContextVar("volo_caller")


def _in_thread(step: Step, pool: ThreadPoolExecutor) -> Step:
    """An async step that runs a sync one in a thread, in a copy of the context.
    If it is cancelled, so is what the thread waits for; the thread itself runs
    on, as threads do."""

    async def run(request: Any) -> Any:
        caller = _Caller()
        context = contextvars.copy_context()
        context.run(_caller.set, caller)
        work = caller.loop.run_in_executor(pool, lambda: context.run(step, request))
        try:
            return await work
        except asyncio.CancelledError:
            caller.cancel()
            raise

    return run


def _wait_for(step: Step) -> Step:
    """A sync step that waits, in a thread, for an async one on the loop."""

    def run(request: Any) -> Any:
        caller = _caller.get()
        # It runs in a copy of the context that is current here.
        work = asyncio.run_coroutine_threadsafe(step(request), caller.loop)
        return caller.wait(work)

    return run
