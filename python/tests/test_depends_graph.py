# SPDX-License-Identifier: Apache-2.0
"""Dependencies: who is called, with what, and how often."""

from __future__ import annotations

import asyncio
import threading
from typing import Annotated, Any

import msgspec
import pytest

from volo import _cvolo
from volo.binding import Kind, bind
from volo.errors import RegistrationError
from volo.params import Depends, Header, Query, State


class Page(msgspec.Struct):
    number: int
    size: int


def page(number: int = 1, size: Annotated[int, Query(le=100)] = 20) -> Page:
    return Page(number, size)


class Service:
    def __init__(self, page: Annotated[Page, Depends(page)], name: str = "x") -> None:
        self.page = page
        self.name = name


class Caller:
    """A type that reads itself from a request."""

    def __init__(self, name: str) -> None:
        self.name = name

    @classmethod
    def __volo_extract__(cls, authorization: Annotated[str, Header()]) -> Caller:
        return cls(authorization)


class Part:
    """A marker that reads what it was told to."""

    def __init__(self, index: int) -> None:
        self.index = index

    def __volo_extract__(self, path: str) -> str:
        return path.split("/")[self.index]


def names(fn: Any, **options: Any) -> list[str]:
    return [leaf[1] for leaf in bind(fn, **options).plan]


def test_a_provider_has_its_parameters_bound_by_the_same_rules() -> None:
    def handler(p: Annotated[Page, Depends(page)], word: str) -> Any:
        return p, word

    bound = bind(handler)
    assert [leaf[:2] for leaf in bound.plan] == [
        ("query", "number"),
        ("query", "size"),
        ("query", "word"),
    ]
    assert bound.call(2, 50, "x") == (Page(2, 50), "x")
    assert bound.kind is Kind.SYNC


def test_a_provider_may_stand_as_the_default() -> None:
    def handler(p: Page = Depends(page)) -> Page:  # noqa: B008
        return p

    assert bind(handler).call(1, 2) == Page(1, 2)


def test_a_class_is_its_own_provider() -> None:
    def marked(service: Annotated[Service, Depends()]) -> Service:
        return service

    def bare(service: Annotated[Service, Depends]) -> Service:
        return service

    for handler in (marked, bare):
        service = bind(handler).call(1, 2, "y")
        assert isinstance(service, Service)
        assert (service.page, service.name) == (Page(1, 2), "y")


def test_a_provider_is_called_once_a_request_whoever_depends_on_it() -> None:
    calls = []

    def base() -> int:
        calls.append(1)
        return len(calls)

    def left(b: Annotated[int, Depends(base)]) -> int:
        return b

    def right(b: Annotated[int, Depends(base)]) -> int:
        return b

    def handler(
        x: Annotated[int, Depends(left)],
        y: Annotated[int, Depends(right)],
        z: Annotated[int, Depends(base)],
    ) -> tuple[int, ...]:
        return x, y, z

    bound = bind(handler)
    assert bound.call() == (1, 1, 1)
    assert bound.call() == (2, 2, 2)


def test_without_cache_it_is_called_each_time() -> None:
    calls = []

    def count() -> int:
        calls.append(1)
        return len(calls)

    def handler(
        x: Annotated[int, Depends(count, cache=False)],
        y: Annotated[int, Depends(count, cache=False)],
    ) -> tuple[int, int]:
        return x, y

    assert bind(handler).call() == (1, 2)


def test_what_several_ask_for_alike_is_read_once() -> None:
    def one(word: str) -> str:
        return word

    def handler(word: str, again: Annotated[str, Depends(one)]) -> tuple[str, str]:
        return word, again

    bound = bind(handler)
    assert names(handler) == ["word"]
    assert bound.call("x") == ("x", "x")


def test_what_they_ask_for_in_different_ways_is_read_in_each() -> None:
    def one(word: str = "a") -> str:
        return word

    def handler(x: Annotated[str, Depends(one)], word: str = "b") -> tuple[str, str]:
        return x, word

    assert [leaf[4] for leaf in bind(handler).plan] == ["a", "b"]


def test_a_model_in_the_body_is_decoded_once_for_all_of_them() -> None:
    def one(p: Page) -> Page:
        return p

    def handler(p: Page, again: Annotated[Page, Depends(one)]) -> bool:
        return p is again

    bound = bind(handler, methods=["POST"])
    assert len(bound.plan) == 1
    assert bound.call(Page(1, 1)) is True


def test_a_circle_is_refused() -> None:
    def one(x: Annotated[int, Depends(lambda: 1)]) -> int:
        return x

    def two(x: Annotated[int, Depends(one)]) -> int:
        return x

    one.__annotations__["x"] = Annotated[int, Depends(two)]

    def handler(x: Annotated[int, Depends(one)]) -> int:
        return x

    with pytest.raises(RegistrationError, match=r"itself: .*one -> .*two -> .*one"):
        bind(handler)


def test_a_mistake_in_a_provider_names_the_provider() -> None:
    def provider(*args: int) -> int:
        return 0

    def handler(x: Annotated[int, Depends(provider)]) -> int:
        return x

    with pytest.raises(RegistrationError) as caught:
        bind(handler)
    assert "provider" in caught.value.handler


def test_providers_see_parameters_of_the_path() -> None:
    def user(id: int) -> int:
        return id

    def handler(u: Annotated[int, Depends(user)]) -> int:
        return u

    assert bind(handler, parameters=["id"]).plan[0][:2] == ("path", "id")


def test_a_provider_may_be_replaced() -> None:
    def real() -> str:
        raise AssertionError("not to be called")

    def fake(word: str = "fake") -> str:
        return word

    def through(x: Annotated[str, Depends(real)]) -> str:
        return x

    def handler(x: Annotated[str, Depends(through)]) -> str:
        return x

    bound = bind(handler, overrides={real: fake})
    assert [leaf[1] for leaf in bound.plan] == ["word"]
    assert bound.call("y") == "y"


def test_a_type_may_extract_itself() -> None:
    def handler(caller: Caller) -> str:
        return caller.name

    bound = bind(handler)
    assert [leaf[:2] for leaf in bound.plan] == [("header", "authorization")]
    assert bound.call("me") == "me"


def test_a_marker_may_extract() -> None:
    def handler(
        first: Annotated[str, Part(0)], second: Annotated[str, Part(1)]
    ) -> tuple[str, str]:
        return first, second

    bound = bind(handler, parameters=["path"])
    assert [leaf[:2] for leaf in bound.plan] == [("path", "path")]
    assert bound.call("a/b") == ("a", "b")


def test_providers_get_shared_values_and_the_request() -> None:
    def provider(request: _cvolo.Request, value: State[Page]) -> tuple[Any, Page]:
        return request, value

    def handler(x: Annotated[Any, Depends(provider)]) -> Any:
        return x

    values: dict[Any, Any] = {}
    bound = bind(handler, values=values)
    values[Page] = Page(1, 2)  # after it was bound
    assert bound.shared == {Page}
    marker = object()
    assert bound.call(marker) == (marker, Page(1, 2))


# ---- Async -------------------------------------------------------------------


async def soon() -> int:
    await asyncio.sleep(0)
    return 5


async def at_once() -> int:
    return 6


def test_a_chain_that_never_waits_is_driven_at_once() -> None:
    async def handler(x: Annotated[int, Depends(at_once)]) -> int:
        return x

    bound = bind(handler)
    assert bound.kind is Kind.NOWAIT
    with pytest.raises(StopIteration) as caught:
        bound.call().send(None)
    assert caught.value.value == 6


def test_a_chain_with_something_that_waits_is_a_task() -> None:
    async def handler(x: Annotated[int, Depends(soon)]) -> int:
        return x

    bound = bind(handler)
    assert bound.kind is Kind.ASYNC
    assert asyncio.run(bound.call()) == 5


def test_a_plain_handler_of_an_async_provider_runs_on_a_thread() -> None:
    def handler(x: Annotated[int, Depends(soon)]) -> tuple[int, str]:
        return x, threading.current_thread().name

    bound = bind(handler)
    assert bound.kind is Kind.ASYNC
    value, thread = asyncio.run(bound.call())
    assert value == 5
    assert thread.startswith("volo-blocking")


def test_a_plain_provider_of_an_async_handler_runs_on_a_thread_unless_told() -> None:
    def where() -> str:
        return threading.current_thread().name

    async def off(x: Annotated[str, Depends(where)]) -> str:
        return x

    async def on(x: Annotated[str, Depends(where, blocking=False)]) -> str:
        return x

    async def of_class(x: Annotated[Page, Depends()]) -> str:
        return threading.current_thread().name

    assert bind(off).kind is Kind.ASYNC
    assert asyncio.run(bind(off).call()).startswith("volo-blocking")
    main = threading.current_thread().name
    assert bind(on).kind is Kind.NOWAIT
    assert asyncio.run(bind(on).call()) == main
    assert bind(of_class).kind is Kind.NOWAIT
    assert asyncio.run(bind(of_class).call(1, 2)) == main


def test_a_dependency_that_an_async_handler_gets_by_keyword() -> None:
    async def handler(*, x: Annotated[int, Depends(soon)], y: int) -> int:
        return x + y

    assert asyncio.run(bind(handler).call(1)) == 6
