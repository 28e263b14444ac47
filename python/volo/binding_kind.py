# SPDX-License-Identifier: Apache-2.0
"""How a function is to be run: on a thread, at once, or as a task.

A coroutine function whose code has nothing to wait with can't be suspended: it
needs no task, and is driven to its end on the spot, which costs a tenth.
"""

from __future__ import annotations

import dis
import enum
import functools
import inspect
from collections.abc import Callable
from types import CodeType
from typing import Any

from .binding_hints import origin_of

__all__ = ["Flavor", "Kind", "can_suspend", "flavor_of", "is_generator", "kind_of"]


class Kind(enum.IntEnum):
    """As ``enum volo__py_kind``: what the queue and the runner depend on."""

    SYNC = 0
    """A ``def``: on a thread of the pool."""
    NOWAIT = 1
    """An ``async def`` that never waits: driven at once, on the event loop."""
    ASYNC = 2
    """An ``async def``: a task of the event loop."""


class Flavor(enum.Enum):
    """What calling a function gives."""

    PLAIN = "plain"
    COROUTINE = "coroutine"
    GENERATOR = "generator"
    ASYNC_GENERATOR = "async generator"


# All the ways to wait that CPython 3.10 to 3.14 have; each is enough.
_WAITING = frozenset(
    {
        "GET_AWAITABLE",
        "GET_AITER",
        "GET_ANEXT",
        "BEFORE_ASYNC_WITH",
        "SETUP_ASYNC_WITH",
        "END_ASYNC_FOR",
        "SEND",
        "YIELD_FROM",
        "YIELD_VALUE",
    }
)


def can_suspend(code: CodeType) -> bool:
    """Whether code of a coroutine function has an instruction that may wait."""
    return any(step.opname in _WAITING for step in dis.get_instructions(code))


def _called(fn: Callable[..., Any]) -> Callable[..., Any]:
    """What is run by a call: not what a decorator has wrapped."""
    while True:
        if isinstance(fn, functools.partial):
            fn = fn.func
        elif inspect.ismethod(fn):
            fn = fn.__func__
        elif inspect.isclass(fn) or inspect.isroutine(fn):
            return fn
        else:
            call = type(fn).__call__
            if not inspect.isfunction(call):
                return fn
            fn = call


def _flavor_of_code(fn: Callable[..., Any]) -> Flavor:
    if inspect.isasyncgenfunction(fn):
        return Flavor.ASYNC_GENERATOR
    if inspect.iscoroutinefunction(fn):
        return Flavor.COROUTINE
    if inspect.isgeneratorfunction(fn):
        return Flavor.GENERATOR
    return Flavor.PLAIN


def flavor_of(fn: Callable[..., Any]) -> Flavor:
    """What a call of ``fn`` gives, as far as can be known.

    A ``def`` of a decorator around an ``async def`` is taken to give what that
    gives, since it usually just passes it on.
    """
    flavor = _flavor_of_code(_called(fn))
    if flavor is Flavor.PLAIN and not inspect.isclass(fn):
        return _flavor_of_code(origin_of(fn))
    return flavor


def is_generator(fn: Callable[..., Any]) -> bool:
    """Whether a call gives a generator, of either sort."""
    return flavor_of(fn) in (Flavor.GENERATOR, Flavor.ASYNC_GENERATOR)


def kind_of(fn: Callable[..., Any]) -> Kind:
    """How a handler is to be run.

    A generator is ASYNC, of either sort: the loop waits for the client, and a
    plain one runs on a thread only while it makes something. A coroutine function
    in a decorator is ASYNC, whatever its code, as the decorator may await.
    """
    flavor = flavor_of(fn)
    if flavor is Flavor.PLAIN:
        return Kind.SYNC
    if flavor is not Flavor.COROUTINE:
        return Kind.ASYNC
    called = _called(fn)
    code = getattr(called, "__code__", None)
    if code is None or called is not origin_of(fn) or can_suspend(code):
        return Kind.ASYNC
    return Kind.NOWAIT
