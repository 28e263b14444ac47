# SPDX-License-Identifier: Apache-2.0
"""The event loop that async handlers run on: uvloop's where it is installed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Literal, TypeVar

__all__ = ["LoopKind", "new_loop", "run"]

T = TypeVar("T")

LoopKind = Literal["auto", "asyncio", "uvloop"]


def new_loop(kind: LoopKind = "auto") -> asyncio.AbstractEventLoop:
    """A new event loop.  ``"auto"`` is uvloop's if it can be imported.

    Raises ImportError if ``"uvloop"`` is asked for and not there, ValueError
    for another word.
    """
    if kind not in ("auto", "asyncio", "uvloop"):
        raise ValueError(f"{kind!r} is no kind of event loop")
    if kind != "asyncio":
        try:
            import uvloop
        except ImportError:
            if kind == "uvloop":
                raise
        else:
            loop: asyncio.AbstractEventLoop = uvloop.new_event_loop()
            return loop
    return asyncio.new_event_loop()


def run(main: Coroutine[Any, Any, T], kind: LoopKind, hurry: Callable[[], bool]) -> T:
    """Run ``main`` on a loop of its own, on this thread, and end the loop with
    all that is left on it.  If ``hurry()``, it does not wait for threads."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        pass
    else:
        main.close()
        raise RuntimeError("an event loop runs here already: use volo.Server")
    loop = new_loop(kind)
    try:
        asyncio.set_event_loop(loop)
        return loop.run_until_complete(main)
    finally:
        try:
            _cancel_all(loop)
            loop.run_until_complete(loop.shutdown_asyncgens())
            if not hurry():
                loop.run_until_complete(loop.shutdown_default_executor())
        finally:
            asyncio.set_event_loop(None)
            loop.close()


def _cancel_all(loop: asyncio.AbstractEventLoop) -> None:
    tasks = asyncio.all_tasks(loop)
    for task in tasks:
        task.cancel()
    if tasks:
        loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
