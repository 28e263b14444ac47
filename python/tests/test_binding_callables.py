# SPDX-License-Identifier: Apache-2.0
"""Callables of all sorts as handlers, and how each is to be run."""

from __future__ import annotations

import asyncio
import contextlib
import functools
from collections.abc import AsyncIterator, Iterator
from typing import Annotated, Any

import msgspec
import pytest

from volo.binding import Kind, bind
from volo.binding_kind import can_suspend, kind_of
from volo.params import Query


def plain(a: int) -> int:
    return a


async def gathers(a: AsyncIterator[int]) -> list[int]:
    return [x async for x in a]


async def never(a: int) -> int:
    def inner() -> Iterator[int]:
        yield a

    return sum(inner())


async def waits(a: int) -> int:
    await asyncio.sleep(0)
    return a


async def iterates(a: AsyncIterator[int]) -> None:
    async for _ in a:
        pass


async def enters(a: contextlib.AbstractAsyncContextManager[int]) -> None:
    async with a:
        pass


def counts(a: int) -> Iterator[int]:
    yield a


async def counts_async(a: int) -> AsyncIterator[int]:
    yield a


class Service:
    def method(self, a: int) -> int:
        return a

    async def waiting(self, a: int) -> int:
        await asyncio.sleep(0)
        return a

    @classmethod
    def made(cls, a: int) -> int:
        return a

    @staticmethod
    def free(a: int) -> int:
        return a


class Call:
    def __call__(self, a: int) -> int:
        return a


class AsyncCall:
    async def __call__(self, a: int) -> int:
        await asyncio.sleep(0)
        return a


def decorated(fn: Any) -> Any:
    @functools.wraps(fn)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        return fn(*args, **kwargs)

    return wrapper


def decorated_async(fn: Any) -> Any:
    @functools.wraps(fn)
    async def wrapper(*args: Any, **kwargs: Any) -> Any:
        return await fn(*args, **kwargs)

    return wrapper


@pytest.mark.parametrize(
    ("fn", "kind"),
    [
        (plain, Kind.SYNC),
        (counts, Kind.ASYNC),
        (never, Kind.NOWAIT),
        (waits, Kind.ASYNC),
        (iterates, Kind.ASYNC),
        (enters, Kind.ASYNC),
        (gathers, Kind.ASYNC),
        (counts_async, Kind.ASYNC),
        (Service().method, Kind.SYNC),
        (Service().waiting, Kind.ASYNC),
        (Service.made, Kind.SYNC),
        (Service.free, Kind.SYNC),
        (Call(), Kind.SYNC),
        (AsyncCall(), Kind.ASYNC),
        (functools.partial(waits, 1), Kind.ASYNC),
        (functools.partial(never, 1), Kind.NOWAIT),
        (functools.partial(Service().method, 1), Kind.SYNC),
        (decorated(plain), Kind.SYNC),
        (decorated(never), Kind.ASYNC),
        (decorated_async(never), Kind.ASYNC),
        (functools.lru_cache(plain), Kind.SYNC),
        (print, Kind.SYNC),
    ],
)
def test_a_function_is_run_by_what_it_can_do(fn: Any, kind: Kind) -> None:
    assert kind_of(fn) is kind


def test_only_its_own_code_makes_a_coroutine_wait() -> None:
    async def outer() -> Any:
        async def inner() -> None:
            await asyncio.sleep(0)

        return inner

    assert not can_suspend(outer.__code__)
    assert can_suspend(waits.__code__)


@pytest.mark.parametrize(
    "fn",
    [
        plain,
        Service().method,
        Service.made,
        Service.free,
        Call(),
        decorated(plain),
        functools.lru_cache(plain),
    ],
)
def test_callables_of_all_sorts_have_their_parameters_bound(fn: Any) -> None:
    bound = bind(fn)
    assert [leaf[:3] for leaf in bound.plan] == [("query", "a", "int")]
    assert bound.call(7) == 7


def test_a_handler_that_takes_its_arguments_in_order_is_called_as_it_is() -> None:
    assert bind(plain).call is plain
    assert bind(waits).call is waits


def test_a_partial_leaves_the_rest_to_be_bound() -> None:
    def add(a: int, b: int) -> int:
        return a + b

    bound = bind(functools.partial(add, 40))
    assert [leaf[1] for leaf in bound.plan] == ["b"]
    assert bound.call(2) == 42
    named = bind(functools.partial(add, b=40))
    assert [leaf[1:] for leaf in named.plan] == [
        ("a", "int", None, None, True),
        ("b", "int", None, 40, False),
    ]
    assert named.call(1, 2) == 3


def test_keyword_only_and_positional_only_parameters_are_passed_as_such() -> None:
    def handler(a: int, /, b: int, *, c: int, d: int = 4) -> tuple[int, ...]:
        return a, b, c, d

    bound = bind(handler)
    assert [leaf[1] for leaf in bound.plan] == ["a", "b", "c", "d"]
    assert bound.call(1, 2, 3, 4) == (1, 2, 3, 4)
    assert bound.kind is Kind.SYNC


def test_a_coroutine_function_with_keywords_is_still_driven_at_once() -> None:
    async def handler(*, a: int) -> int:
        return a

    bound = bind(handler)
    assert bound.kind is Kind.NOWAIT
    assert asyncio.run(bound.call(3)) == 3


def test_a_decorator_that_passes_a_coroutine_on_is_awaited() -> None:
    bound = bind(decorated(waits))
    assert bound.kind is Kind.ASYNC
    assert asyncio.run(bound.call(5)) == 5


def test_a_decorator_may_turn_a_coroutine_function_into_a_plain_value() -> None:
    @functools.wraps(waits)
    def blocking(a: int) -> int:
        return a

    assert asyncio.run(bind(blocking).call(5)) == 5


def test_generators_of_both_sorts_are_given_by_a_coroutine() -> None:
    async def run() -> list[int]:
        plain = await bind(counts).call(3)
        waiting = await bind(counts_async).call(4)
        return [*plain, *[x async for x in waiting]]

    assert asyncio.run(run()) == [3, 4]


def test_strings_are_resolved_in_closures_and_in_the_callers_locals() -> None:
    class Local(msgspec.Struct):
        x: int

    limit = msgspec.Meta(ge=1)

    def handler(data: Local, n: Annotated[int, limit]) -> Local:
        return data

    plan = bind(handler, methods=["POST"]).plan
    assert [leaf[0] for leaf in plan] == ["json", "query"]
    assert plan[0][3] is not None
    assert plan[0][3](b'{"x": 1}') == Local(1)


def test_strings_are_resolved_where_a_decorated_function_was_written() -> None:
    namespace: dict[str, Any] = {"Annotated": Annotated, "Query": Query}
    exec("def f(a: 'Annotated[int, Query(ge=1)]'): return a", namespace)
    bound = bind(decorated(namespace["f"]))
    assert bound.plan[0][2] == "convert"


def test_the_return_type_is_kept_for_who_wants_to_know() -> None:
    def unknown() -> Nowhere: ...  # type: ignore[name-defined] # noqa: F821

    assert bind(plain).returns is int
    assert bind(unknown).returns is not int
