# SPDX-License-Identifier: Apache-2.0
"""Coroutines of handlers are driven, awaited, cancelled and cleaned up after;
layers get responses."""

from __future__ import annotations

import asyncio
import contextvars
import inspect
import threading
from typing import Any

import pytest
from call_rig import ASYNC, NOWAIT, REQUEST, SYNC, rig

from volo import HTTPError, Response, VoloError, _cvolo

var: contextvars.ContextVar[str] = contextvars.ContextVar("var", default="unset")


def test_one_that_does_not_wait_is_run_on_the_loop_without_a_task() -> None:
    tasks: list[Any] = []

    async def handler() -> str:
        asyncio.get_running_loop()
        try:
            tasks.append(asyncio.current_task())
        except RuntimeError:
            tasks.append(None)
        return "done"

    with rig() as r:
        r.add("/", handler, (), NOWAIT)
        assert r.send("/").text == "done"
    assert tasks == [None]


def test_one_that_waits_is_a_task_with_all_that_belongs_to_it() -> None:
    async def handler(request: Any) -> dict[str, Any]:
        task = asyncio.current_task()
        assert task is not None
        await asyncio.wait_for(asyncio.sleep(0), 20)
        coroutine = task.get_coro()
        return {
            "coroutine": asyncio.iscoroutine(coroutine),
            "awaitable": inspect.isawaitable(coroutine),
            "name": coroutine.__name__,  # type: ignore[union-attr]
        }

    with rig() as r:
        r.add("/", handler, [REQUEST], ASYNC)
        got = r.send("/")
    assert got.body == b'{"coroutine":true,"awaitable":true,"name":"handler"}'


def test_one_that_waits_after_all_is_a_500_and_is_closed(
    caplog: pytest.LogCaptureFixture,
) -> None:
    ended: list[str] = []

    async def handler() -> str:
        try:
            await asyncio.sleep(5)
        finally:
            ended.append("closed")
        return "never"

    with rig() as r:
        r.add("/", handler, (), NOWAIT)
        assert r.send("/").status == 500
    assert ended == ["closed"]
    assert "does not" in caplog.text


@pytest.mark.parametrize("kind", [SYNC, NOWAIT, ASYNC])
def test_what_is_raised_is_answered_the_same_whoever_runs_it(kind: int) -> None:
    def fail() -> str:
        raise HTTPError(418, "short and stout", {"x-a": "b"})

    async def fail_async() -> str:
        fail()
        return ""

    async def fail_later() -> str:
        await asyncio.sleep(0)
        return await fail_async()

    with rig() as r:
        r.add("/", [fail, fail_async, fail_later][kind], (), kind)
        got = r.send("/")
    assert (got.status, got.header("x-a")) == (418, "b")
    assert "short and stout" in got.text


@pytest.mark.parametrize("kind", [SYNC, NOWAIT])
def test_context_variables_of_one_call_do_not_show_in_the_next(kind: int) -> None:
    def handler() -> str:
        before = var.get()
        var.set("set")
        return before

    async def handler_async() -> str:
        return handler()

    with rig() as r:
        r.add("/", handler_async if kind else handler, (), kind)
        assert [r.send("/").text for _ in range(3)] == ["unset"] * 3


def test_a_handler_may_return_a_future() -> None:
    def handler() -> Any:
        future = asyncio.get_running_loop().create_future()
        asyncio.get_running_loop().call_later(0.01, future.set_result, "of a future")
        return future

    with rig() as r:
        r.add("/", handler, (), ASYNC)
        assert r.send("/").text == "of a future"


def test_a_function_that_turns_out_not_to_be_async_is_answered_all_the_same() -> None:
    with rig() as r:
        r.add("/", lambda: "plain", (), ASYNC)
        r.add("/e", lambda: 1 / 0, (), ASYNC)
        assert (r.send("/").text, r.send("/e").status) == ("plain", 500)


def test_a_client_that_leaves_cancels_the_handler_and_its_cleanups_run() -> None:
    told: list[str] = []
    over = threading.Event()

    async def handler(request: Any) -> str:
        async def cleanup(error: Any) -> None:
            await asyncio.sleep(0)
            told.append(type(error).__name__)
            over.set()

        request.add_cleanup(cleanup)
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            told.append("cancelled")
            raise
        return "never"

    with rig() as r:
        r.add("/", handler, [REQUEST], ASYNC)
        with pytest.raises(VoloError):
            r.send("/", leave_ms=30)
        assert over.wait(30)
    assert told == ["cancelled", "CancelledError"]


def test_a_handler_that_swallows_its_cancellation_answers_late_and_harmlessly() -> None:
    over = threading.Event()

    async def handler() -> str:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            over.set()
        return "late"

    with rig() as r:
        r.add("/", handler, (), ASYNC)
        r.add("/next", lambda: "next")
        with pytest.raises(VoloError):
            r.send("/", leave_ms=30)
        assert over.wait(30)
        assert r.send("/next").text == "next"


def test_a_handler_that_cancels_itself_is_answered_with_503() -> None:
    async def handler() -> str:
        task = asyncio.current_task()
        assert task is not None
        task.cancel()
        await asyncio.sleep(0)
        return "never"

    with rig() as r:
        r.add("/", handler, (), ASYNC)
        assert r.send("/").status == 503


# ---- Bound -------------------------------------------------------------------


def bound(fn: Any, plan: Any = (), kind: int = SYNC) -> Any:
    return _cvolo.Bound(_cvolo.Handler(fn, plan, kind))


def test_a_bound_handler_gives_layers_a_response() -> None:
    inner = bound(lambda n: (201, {"x-n": str(n)}, {"n": n}), [QUERY_N])

    def layer(request: Any) -> Response:
        response: Response = inner(request)
        assert isinstance(response, Response)
        response.headers["x-layer"] = str(response.status)
        return response

    with rig() as r:
        r.add("/", layer, [REQUEST])
        got = r.send("/?n=3")
    assert (got.status, got.body) == (201, b'{"n":3}')
    assert (got.header("x-n"), got.header("x-layer")) == ("3", "201")


QUERY_N = ("query", "n", "int", None, None, True)


@pytest.mark.parametrize("kind", [NOWAIT, ASYNC])
def test_an_async_one_is_awaited_for_it(kind: int) -> None:
    async def quick(n: int) -> str:
        return str(n)

    async def slow(n: int) -> str:
        await asyncio.sleep(0.001)
        return str(n)

    inner = bound(slow if kind == ASYNC else quick, [QUERY_N], kind)

    async def layer(request: Any) -> Response:
        response: Response = await asyncio.wait_for(inner(request), 30)
        response.headers["x-layer"] = "out"
        return response

    with rig() as r:
        r.add("/", layer, [REQUEST], ASYNC)
        got = r.send("/?n=3")
    assert (got.text, got.header("x-layer")) == ("3", "out")


def test_layers_see_what_the_handler_raises_and_what_is_refused() -> None:
    seen: list[str] = []

    def fail() -> str:
        raise KeyError("k")

    async def fail_later() -> str:
        await asyncio.sleep(0)
        return fail()

    def watch(inner: Any) -> Any:
        def layer(request: Any) -> Any:
            try:
                return inner(request)
            except Exception as error:
                seen.append(type(error).__name__)
                raise

        return layer

    def watch_async(inner: Any) -> Any:
        async def layer(request: Any) -> Any:
            try:
                return await inner(request)
            except Exception as error:
                seen.append(type(error).__name__)
                raise

        return layer

    with rig() as r:
        r.add("/a", watch(bound(fail)), [REQUEST])
        r.add("/b", watch_async(bound(fail_later, (), ASYNC)), [REQUEST], ASYNC)
        r.add("/c", watch(bound(lambda n: "", [QUERY_N])), [REQUEST])
        assert [r.send(t).status for t in ("/a", "/b", "/c")] == [500, 500, 400]
    assert seen == ["KeyError", "KeyError", "Rejection"]


def test_invalid_of_c_is_a_response_to_layers() -> None:
    def fail() -> str:
        raise _cvolo.Invalid(422, [("n", "query", "is odd")])

    inner = bound(fail)

    def layer(request: Any) -> Any:
        response = inner(request)
        response.headers["x-status"] = str(response.status)
        return response

    with rig() as r:
        r.add("/", layer, [REQUEST])
        r.add("/bare", fail)
        got, bare = r.send("/"), r.send("/bare")
    assert (got.status, got.header("x-status")) == (422, "422")
    assert got.text == bare.text == "Unprocessable Content\nquery n: is odd\n"


def test_a_bound_handler_can_be_called_again_but_not_after_the_answer() -> None:
    inner = bound(lambda: "x")
    kept: list[Any] = []

    def layer(request: Any) -> Any:
        kept.append(request)
        first, second = inner(request), inner(request)
        assert first is not second
        return second

    with rig() as r:
        r.add("/", layer, [REQUEST])
        assert r.send("/").text == "x"
        with pytest.raises(RuntimeError, match="answered"):
            inner(kept[0])


def test_a_bound_handler_wants_one_request() -> None:
    inner = bound(lambda: "x")
    no_handler: Any = len
    for args in ((), (3,), (None, None)):
        with pytest.raises(TypeError):
            inner(*args)
    with pytest.raises(TypeError):
        _cvolo.Bound(no_handler)


def test_a_coroutine_ends_once_and_can_be_closed() -> None:
    async def handler() -> str:
        await asyncio.sleep(60)
        return ""

    inner = bound(handler, (), ASYNC)
    ends: list[str] = []

    async def layer(request: Any) -> str:
        coroutine = inner(request)
        coroutine.send(None)
        coroutine.close()
        try:
            coroutine.send(None)
        except RuntimeError as error:
            ends.append(str(error))
        other = inner(request)
        other.send(None)
        try:
            other.throw(ValueError("thrown"))
        except ValueError as error:
            ends.append(str(error))
        inner(request).close()
        return "x"

    with rig() as r:
        r.add("/", layer, [REQUEST], ASYNC)
        assert r.send("/").text == "x"
    assert ends == ["cannot reuse already awaited coroutine", "thrown"]


def test_to_response_makes_one_of_any_value() -> None:
    def handler(request: Any) -> Any:
        response = _cvolo.to_response(request, (201, {"x-a": "b"}, [1]))
        assert isinstance(response, Response)
        assert _cvolo.to_response(request, response) is response
        with pytest.raises(TypeError):
            _cvolo.to_response(request, True)
        return response

    with rig() as r:
        r.add("/", handler, [REQUEST])
        got = r.send("/")
    assert (got.status, got.header("x-a"), got.body) == (201, "b", b"[1]")
