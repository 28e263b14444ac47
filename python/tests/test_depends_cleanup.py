# SPDX-License-Identifier: Apache-2.0
"""Generators as providers: their rest is run after the response."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Annotated, Any

import pytest

from volo.binding import Kind, bind
from volo.params import Depends


class FakeRequest:
    """Only what compiled handlers use of a request."""

    def __init__(self) -> None:
        self.cleanups: list[Callable[[BaseException | None], Any]] = []

    def add_cleanup(self, cleanup: Callable[[BaseException | None], Any]) -> None:
        self.cleanups.append(cleanup)

    def finish(self, error: BaseException | None = None) -> None:
        """As the runner does, when the response has been made."""
        while self.cleanups:
            self.cleanups.pop()(error)

    async def afinish(self, error: BaseException | None = None) -> None:
        while self.cleanups:
            await self.cleanups.pop()(error)


@pytest.fixture
def log() -> list[Any]:
    return []


@pytest.fixture
def request_() -> FakeRequest:
    return FakeRequest()


def provider(name: str, log: list[Any], fate: str = "raise") -> Any:
    def generator() -> Iterator[str]:
        log.append(f"+{name}")
        try:
            yield name
        except ValueError as error:
            log.append(f"!{name} {error}")
            if fate == "raise":
                raise
            if fate == "change":
                raise KeyError(name) from error
        finally:
            log.append(f"-{name}")

    return generator


def async_provider(name: str, log: list[Any]) -> Any:
    async def generator() -> AsyncIterator[str]:
        log.append(f"+{name}")
        try:
            await asyncio.sleep(0)
            yield name
        except ValueError as error:
            log.append(f"!{name} {error}")
            raise
        finally:
            await asyncio.sleep(0)
            log.append(f"-{name}")

    return generator


def test_the_rest_of_generators_is_left_to_the_request_the_last_first(
    log: list[Any], request_: FakeRequest
) -> None:
    def handler(
        a: Annotated[str, Depends(provider("a", log))],
        b: Annotated[str, Depends(provider("b", log))],
    ) -> str:
        log.append("handler")
        return a + b

    bound = bind(handler)
    assert bound.kind is Kind.SYNC
    assert bound.call(request_) == "ab"
    assert log == ["+a", "+b", "handler"]
    request_.finish()
    assert log == ["+a", "+b", "handler", "-b", "-a"]


def test_what_the_handler_raises_is_raised_in_the_generators(
    log: list[Any], request_: FakeRequest
) -> None:
    def handler(
        a: Annotated[str, Depends(provider("a", log))],
        b: Annotated[str, Depends(provider("b", log))],
    ) -> None:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        bind(handler).call(request_)
    assert log == ["+a", "+b", "!b no", "-b", "!a no", "-a"]
    assert request_.cleanups == []


def test_a_generator_may_change_what_was_raised(
    log: list[Any], request_: FakeRequest
) -> None:
    def handler(a: Annotated[str, Depends(provider("a", log, "change"))]) -> None:
        raise ValueError("no")

    with pytest.raises(KeyError, match="a"):
        bind(handler).call(request_)


def test_what_a_generator_swallows_is_raised_all_the_same(
    log: list[Any], request_: FakeRequest
) -> None:
    def handler(a: Annotated[str, Depends(provider("a", log, "swallow"))]) -> None:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        bind(handler).call(request_)
    assert log == ["+a", "!a no", "-a"]


def test_a_provider_that_fails_ends_those_before_it(
    log: list[Any], request_: FakeRequest
) -> None:
    def broken() -> str:
        raise ValueError("broken")

    def handler(
        a: Annotated[str, Depends(provider("a", log))],
        b: Annotated[str, Depends(broken)],
    ) -> None:
        log.append("handler")

    with pytest.raises(ValueError, match="broken"):
        bind(handler).call(request_)
    assert log == ["+a", "!a broken", "-a"]


def test_what_goes_wrong_in_making_the_response_reaches_the_generators(
    log: list[Any], request_: FakeRequest
) -> None:
    def handler(a: Annotated[str, Depends(provider("a", log))]) -> str:
        return a

    bind(handler).call(request_)
    request_.finish(ValueError("late"))
    assert log == ["+a", "!a late", "-a"]


def test_a_generator_that_gives_nothing_is_an_error(request_: FakeRequest) -> None:
    def empty() -> Iterator[int]:
        yield from ()

    def handler(a: Annotated[int, Depends(empty)]) -> None: ...

    with pytest.raises(RuntimeError, match="yield"):
        bind(handler).call(request_)


def test_context_managers_are_entered(log: list[Any], request_: FakeRequest) -> None:
    manager = contextlib.contextmanager(provider("a", log))
    amanager = contextlib.asynccontextmanager(async_provider("b", log))

    async def handler(
        a: Annotated[Any, Depends(manager)], b: Annotated[Any, Depends(amanager)]
    ) -> Any:
        return a, b

    async def run() -> Any:
        value = await bind(handler).call(request_)
        await request_.afinish()
        return value

    assert asyncio.run(run()) == ("a", "b")
    assert log == ["+a", "+b", "-b", "-a"]


def test_async_generators_are_finished_on_the_loop(
    log: list[Any], request_: FakeRequest
) -> None:
    async def handler(
        a: Annotated[str, Depends(async_provider("a", log))],
        b: Annotated[str, Depends(provider("b", log))],
    ) -> str:
        return a + b

    async def run() -> str:
        value: str = await bind(handler).call(request_)
        assert log == ["+a", "+b"]
        await request_.afinish()
        return value

    assert bind(handler).kind is Kind.ASYNC
    assert asyncio.run(run()) == "ab"
    assert log == ["+a", "+b", "-b", "-a"]


def test_what_an_async_handler_raises_is_raised_in_the_generators(
    log: list[Any], request_: FakeRequest
) -> None:
    async def handler(
        a: Annotated[str, Depends(async_provider("a", log))],
        b: Annotated[str, Depends(provider("b", log, "swallow"))],
    ) -> None:
        raise ValueError("no")

    async def run() -> None:
        await bind(handler).call(request_)

    with pytest.raises(ValueError, match="no"):
        asyncio.run(run())
    assert log == ["+a", "+b", "!b no", "-b", "-a"]


def test_a_cancelled_handler_lets_go_of_what_it_has(
    log: list[Any], request_: FakeRequest
) -> None:
    async def handler(a: Annotated[str, Depends(async_provider("a", log))]) -> None:
        log.append("waits")
        await asyncio.Event().wait()

    async def run() -> None:
        task = asyncio.create_task(bind(handler).call(request_))
        while "waits" not in log:
            await asyncio.sleep(0)
        task.cancel()
        await task

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(run())
    assert log == ["+a", "waits", "-a"]


def test_a_plain_generator_of_an_async_handler_runs_on_threads(
    request_: FakeRequest,
) -> None:
    where: list[str] = []

    def generator() -> Iterator[int]:
        where.append(threading.current_thread().name)
        yield 1
        where.append(threading.current_thread().name)

    async def handler(a: Annotated[int, Depends(generator)]) -> int:
        return a

    async def run() -> None:
        await bind(handler).call(request_)
        await request_.afinish()

    asyncio.run(run())
    assert len(where) == 2
    assert all(name.startswith("volo-blocking") for name in where)


def test_a_generator_that_does_not_block_stays_on_the_loop(
    request_: FakeRequest,
) -> None:
    where: list[str] = []

    def generator() -> Iterator[int]:
        where.append(threading.current_thread().name)
        yield 1

    async def handler(a: Annotated[int, Depends(generator, blocking=False)]) -> int:
        return a

    asyncio.run(bind(handler).call(request_))
    assert where == [threading.current_thread().name]


def test_a_handler_that_takes_the_request_is_given_the_same_one(
    log: list[Any], request_: FakeRequest
) -> None:
    def handler(request, a: Annotated[str, Depends(provider("a", log))]):  # type: ignore[no-untyped-def]
        return request

    bound = bind(handler)
    assert [leaf[0] for leaf in bound.plan] == ["request"]
    assert bound.call(request_) is request_
