# SPDX-License-Identifier: Apache-2.0
"""Async handlers: real tasks, started in batches, cancelled when the client
leaves."""

from __future__ import annotations

import asyncio
import gc
import threading
import time
import weakref
from typing import Any

import pytest
from live import ASYNC, NOWAIT, Live
from waiting import DEADLINE, until

from volo import _cvolo, cvolo


async def _ok(request: Any) -> str:
    return "ok"


def test_a_handler_is_a_task_of_the_loop() -> None:
    seen: list[Any] = []

    async def handler(request: Any) -> str:
        seen.append((asyncio.current_task(), asyncio.get_running_loop()))
        await asyncio.wait_for(asyncio.sleep(0.001), DEADLINE)
        return "slept"

    live = Live()
    live.add("GET", "/", handler, ASYNC)
    with live:
        assert live.call("GET", "/") == (200, b"slept")
        (task, loop) = seen[0]
        assert isinstance(task, asyncio.Task)
        assert loop is live.loop


@pytest.mark.parametrize("kind", [NOWAIT, ASYNC])
def test_under_pipelined_load_a_drain_starts_many_and_answers_them_at_once(
    kind: int,
) -> None:
    live = Live()
    live.add("GET", "/", _ok, kind)
    with live:
        client = live.connect()
        client.get("/")
        before = live.aio.stats()
        for _ in range(40):
            client.send(*["/"] * 50)
            for _ in range(50):
                assert client.receive() == (200, b"ok")
        after = live.aio.stats()
        client.close()
    jobs = after["jobs"] - before["jobs"]
    assert jobs == 2000
    for crossing in ("drains", "takes", "answers", "wakes"):
        assert (after[crossing] - before[crossing]) * 8 <= jobs, crossing
    assert after["events"] == before["events"]


@pytest.mark.parametrize("kind", [NOWAIT, ASYNC])
def test_an_answer_does_not_wait_for_the_slow_step_of_another(kind: int) -> None:
    answered = threading.Event()
    steps: list[bool] = []

    async def handler(request: Any) -> str:
        end = time.monotonic() + 0.002
        while time.monotonic() < end:
            pass
        steps.append(not steps or answered.wait(DEADLINE))
        return "ok"

    live = Live()
    live.add("GET", "/", handler, kind)
    with live:
        go = threading.Event()
        live.aio.call(go.wait, DEADLINE)
        first, second = live.connect(), live.connect()
        first.send("/")
        until(lambda: live.aio.stats()["waiting"] == 1)
        second.send("/")
        until(lambda: live.aio.stats()["waiting"] == 2)
        go.set()
        assert first.receive() == (200, b"ok")
        answered.set()
        assert second.receive() == (200, b"ok")
        first.close()
        second.close()
    assert steps == [True, True]


def test_handlers_wait_side_by_side() -> None:
    arrived = 0
    met: asyncio.Event | None = None

    async def meet(request: Any) -> str:
        nonlocal arrived, met
        met = met or asyncio.Event()
        arrived += 1
        if arrived == 50:
            met.set()
        await asyncio.wait_for(met.wait(), DEADLINE)
        return "met"

    live = Live()
    live.add("GET", "/", meet, ASYNC)
    with live:
        clients = [live.connect() for _ in range(50)]
        for client in clients:
            client.send("/")
        for client in clients:
            assert client.receive() == (200, b"met")
            client.close()


def test_a_client_that_leaves_cancels_its_task_and_no_other() -> None:
    begun = threading.Semaphore(0)
    cancelled = threading.Semaphore(0)
    release: list[asyncio.Event] = []

    async def slow(request: Any) -> str:
        event = asyncio.Event()
        release.append(event)
        begun.release()
        try:
            await asyncio.wait_for(event.wait(), DEADLINE)
        except asyncio.CancelledError:
            cancelled.release()
            raise
        return "done"

    live = Live()
    live.add("GET", "/", slow, ASYNC)
    with live:
        stays, leaves = live.connect(), live.connect()
        stays.send("/")
        assert begun.acquire(timeout=DEADLINE)
        leaves.send("/")
        assert begun.acquire(timeout=DEADLINE)
        leaves.close()
        assert cancelled.acquire(timeout=DEADLINE)
        live.on_loop(release[0].set)
        assert stays.receive() == (200, b"done")
        assert not cancelled.acquire(blocking=False)
        stays.close()


def test_a_timeout_answers_and_cancels_the_task() -> None:
    cancelled = threading.Event()

    async def slow(request: Any) -> str:
        try:
            await asyncio.sleep(DEADLINE)
        except asyncio.CancelledError:
            cancelled.set()
            raise
        return "late"

    live = Live()
    live.layer(cvolo.volo_layer_timeout(20, 504))
    live.add("GET", "/", slow, ASYNC)
    with live:
        client = live.connect()
        assert client.get("/")[0] == 504
        assert cancelled.wait(DEADLINE)
        until(lambda: not live.tasks)
        client.close()


def test_many_that_leave_at_once_wake_asyncio_only_while_it_sleeps() -> None:
    cancelled = 0
    requests: list[Any] = []

    async def slow(request: Any) -> str:
        nonlocal cancelled
        requests.append(request)
        try:
            await asyncio.sleep(DEADLINE)
        except asyncio.CancelledError:
            cancelled += 1
            raise
        return "late"

    live = Live()
    live.add("GET", "/", slow, ASYNC)
    with live:
        client = live.connect()
        client.send(*["/"] * 32)
        until(lambda: len(requests) == 32)
        go = threading.Event()
        live.aio.call(go.wait, DEADLINE)
        until(lambda: live.aio.stats()["event_wakes"] == 1)
        client.close()
        until(lambda: all(request.canceled for request in requests))
        go.set()
        until(lambda: cancelled == 32)
        stats = live.aio.stats()
        assert stats["events"] == 33
        assert stats["event_wakes"] <= 4


def test_a_client_that_leaves_as_its_answer_is_made_is_harmless() -> None:
    async def brief(request: Any) -> str:
        await asyncio.sleep(0.001)
        return "x" * 100

    live = Live()
    live.add("GET", "/", brief, ASYNC)
    with live:
        for _ in range(100):
            client = live.connect()
            client.send("/", "/", "/")
            client.close()
        assert live.call("GET", "/")[0] == 200
        until(lambda: not live.tasks)


def test_a_finished_exchange_leaves_nothing_behind() -> None:
    class Mark:
        pass

    marks: list[weakref.ref[Mark]] = []

    async def handler(request: Any) -> str:
        mark = Mark()
        request.state.mark = mark
        marks.append(weakref.ref(mark))
        await asyncio.sleep(0)
        return "ok"

    live = Live()
    live.add("GET", "/", handler, ASYNC)
    with live:
        for _ in range(10):
            assert live.call("GET", "/") == (200, b"ok")

        def gone() -> bool:
            live.on_loop(gc.collect)
            return not any(mark() for mark in marks[:-1])

        until(gone)


def test_anything_can_be_called_on_the_loop_from_any_thread() -> None:
    live = Live()
    with live:
        done = threading.Event()
        seen: list[Any] = []

        def fn(*args: Any) -> None:
            seen.append((threading.current_thread(), args))
            done.set()

        live.aio.call(fn, 1, "two")
        assert done.wait(DEADLINE)
        assert seen == [(live._loop_thread, (1, "two"))]
        with pytest.raises(TypeError):
            live.aio.call("no callable")
        with pytest.raises(TypeError):
            live.aio.call()
    # Closed: dropped, and not kept.
    mark = Live.__new__(Live)
    left = weakref.ref(mark)
    live.aio.call(print, mark)
    del mark
    live.aio.flush()
    assert left() is None


def test_a_crowd_of_calls_wakes_the_loop_only_while_it_sleeps() -> None:
    count = 0

    def fn() -> None:
        nonlocal count
        count += 1

    live = Live()
    with live:
        go = threading.Event()
        live.aio.call(go.wait, DEADLINE)
        until(lambda: live.aio.stats()["event_wakes"] >= 1)
        before = live.aio.stats()["event_wakes"]
        for _ in range(1000):
            live.aio.call(fn)
        go.set()
        until(lambda: count == 1000)
        assert live.aio.stats()["event_wakes"] - before <= 2


def test_attaching_and_closing_twice_is_harmless() -> None:
    live = Live()
    live.add("GET", "/", _ok, ASYNC)
    with live:
        live.on_loop(live.aio.attach)
        assert live.call("GET", "/") == (200, b"ok")
        live.on_loop(live.aio.close)
        live.on_loop(live.aio.close)
        assert live.call("GET", "/")[0] == 503


def test_a_handler_at_work_when_its_queue_is_closed_still_answers() -> None:
    begun = threading.Event()
    release: list[asyncio.Event] = []

    async def slow(request: Any) -> str:
        release.append(asyncio.Event())
        begun.set()
        await release[0].wait()
        return "done"

    live = Live()
    live.add("GET", "/", slow, ASYNC)
    with live:
        client = live.connect()
        client.send("/")
        assert begun.wait(DEADLINE)
        live.on_loop(live.aio.close)
        live.on_loop(release[0].set)
        assert client.receive() == (200, b"done")
        client.close()


def test_its_arguments_are_checked() -> None:
    loop = asyncio.new_event_loop()
    queue = cvolo.volo_queue_new(0)
    with pytest.raises(TypeError):
        _cvolo.Aio("no queue", loop, print)
    with pytest.raises(TypeError):
        _cvolo.Aio(queue, loop, "no callable")
    with pytest.raises(AttributeError):
        _cvolo.Aio(queue, object(), print)
    with pytest.raises(TypeError):
        _cvolo.service(queue, "no handler")
    loop.close()
