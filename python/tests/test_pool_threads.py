# SPDX-License-Identifier: Apache-2.0
"""The pool: fast handlers share a thread, blocking ones get one each, idle ones
cost nothing."""

from __future__ import annotations

import sys
import threading
import time
from typing import Any

import pytest
from live import Live
from waiting import DEADLINE, until


def _ok(request: Any) -> str:
    return "ok"


def _thread_id(request: Any) -> str:
    return str(threading.get_ident())


def _ask_all(live: Live, count: int, path: str) -> list[tuple[int, bytes]]:
    """One request on each of ``count`` connections, all at once."""
    clients = [live.connect() for _ in range(count)]
    try:
        for client in clients:
            client.send(path)
        return [client.receive() for client in clients]
    finally:
        for client in clients:
            client.close()


def test_fast_handlers_stay_on_one_thread() -> None:
    live = Live()
    live.add("GET", "/", _thread_id)
    with live:
        client = live.connect()
        seen = []
        for _ in range(20):
            client.send(*["/"] * 32)
            seen += [client.receive()[1] for _ in range(32)]
        client.close()
        # The watch may have taken over while the machine was busy.
        moved = live.pool.stats()["takeovers"] + live.pool.stats()["handovers"]
    assert len(set(seen)) <= 1 + moved


def test_under_pipelined_load_the_gil_is_taken_once_for_many_requests() -> None:
    live = Live()
    live.add("GET", "/", _ok)
    with live:
        client = live.connect()
        before = live.pool.stats()
        for _ in range(40):
            client.send(*["/"] * 50)
            for _ in range(50):
                assert client.receive() == (200, b"ok")
        after = live.pool.stats()
        client.close()
    jobs = after["jobs"] - before["jobs"]
    assert jobs == 2000
    for crossing in ("gil_rounds", "takes", "answers", "wakes"):
        assert (after[crossing] - before[crossing]) * 8 <= jobs, crossing


def test_a_blocked_handler_does_not_hold_back_what_was_taken_with_it() -> None:
    release = threading.Event()

    def stuck(request: Any) -> str:
        assert release.wait(DEADLINE)
        return "stuck"

    live = Live()
    live.add("GET", "/stuck", stuck)
    live.add("GET", "/", _ok)
    with live:
        first = live.connect()
        first.send("/stuck")
        others = _ask_all(live, 16, "/")
        assert others == [(200, b"ok")] * 16
        assert not release.is_set()
        release.set()
        assert first.receive() == (200, b"stuck")
        first.close()


def test_the_rest_of_a_batch_with_a_stuck_job_is_stolen() -> None:
    release = threading.Event()
    run = 0

    def stuck(request: Any) -> str:
        assert release.wait(DEADLINE)
        return "stuck"

    def count(request: Any) -> str:
        nonlocal run
        run += 1
        return "counted"

    live = Live()
    live.add("GET", "/stuck", stuck)
    live.add("GET", "/", count)
    with live:
        # Sent in one piece, they are read, handed over and taken together.
        client = live.connect()
        client.send("/stuck", *["/"] * 31)
        until(lambda: run == 31)
        assert not release.is_set()
        stats = live.pool.stats()
        release.set()
        assert client.receive() == (200, b"stuck")
        for _ in range(31):
            assert client.receive() == (200, b"counted")
        client.close()
    assert stats["steals"] > 0
    assert stats["takeovers"] > 0


def test_32_handlers_that_block_run_side_by_side() -> None:
    # Each waits for all the others: they only end if they run side by side.
    barrier = threading.Barrier(32, timeout=DEADLINE)

    def meet(request: Any) -> str:
        barrier.wait()
        return "met"

    live = Live(max_threads=40)
    live.add("GET", "/", meet)
    with live:
        assert _ask_all(live, 32, "/") == [(200, b"met")] * 32
        assert live.pool.stats()["threads"] >= 32


def test_handlers_known_to_block_are_not_waited_for_by_the_watch() -> None:
    def slow(request: Any) -> str:
        time.sleep(0.01)
        return "slow"

    live = Live()
    live.add("GET", "/", slow)
    with live:
        for _ in range(4):
            assert _ask_all(live, 32, "/") == [(200, b"slow")] * 32
        assert live.pool.stats()["handovers"] > 0
        # A crowd of 128 needs fewer take-overs than jobs by far: the lead is
        # handed over before the job begins.
        assert live.pool.stats()["takeovers"] < 64


def test_no_more_threads_than_allowed() -> None:
    running = 0
    most = 0
    lock = threading.Lock()

    def slow(request: Any) -> str:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        time.sleep(0.005)
        with lock:
            running -= 1
        return "slow"

    live = Live(max_threads=3)
    live.add("GET", "/", slow)
    with live:
        assert _ask_all(live, 24, "/") == [(200, b"slow")] * 24
        assert live.pool.stats()["threads"] <= 3
    assert most <= 3


def test_one_thread_is_enough() -> None:
    live = Live(max_threads=1)
    live.add("GET", "/", _ok)
    with live:
        assert _ask_all(live, 24, "/") == [(200, b"ok")] * 24
        assert live.pool.stats()["threads"] == 1


def test_an_idle_pool_never_wakes() -> None:
    live = Live()
    live.add("GET", "/", _ok)
    with live:
        client = live.connect()
        client.get("/")

        def quiet() -> bool:
            before = live.pool.stats()
            time.sleep(0.05)
            return bool(live.pool.stats() == before)

        until(quiet)
        before = live.pool.stats()
        time.sleep(0.5)
        assert live.pool.stats() == before
        client.close()


def test_idle_threads_end_and_one_stays() -> None:
    def slow(request: Any) -> str:
        time.sleep(0.01)
        return "slow"

    live = Live(idle_s=0.1)
    live.add("GET", "/", slow)
    with live:
        _ask_all(live, 16, "/")
        assert len(live.threads) > 2
        until(lambda: live.pool.stats()["threads"] == 1)
        until(lambda: sum(t.is_alive() for t in live.threads) == 1)
        assert live.call("GET", "/") == (200, b"slow")


def test_a_thread_that_cannot_be_started_is_done_without(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    unraisable: list[object] = []
    monkeypatch.setattr(sys, "unraisablehook", unraisable.append)

    def slow(request: Any) -> str:
        time.sleep(0.005)
        return "slow"

    def refuse() -> None:
        raise RuntimeError("can't start new thread")

    live = Live()
    live.add("GET", "/", slow)
    with live:
        live.spawn = refuse
        assert _ask_all(live, 8, "/") == [(200, b"slow")] * 8
        assert len(live.threads) == live.pool.stats()["threads"] == 1
        assert unraisable
        live.spawn = live.start_thread
        assert _ask_all(live, 8, "/") == [(200, b"slow")] * 8
        assert len(live.threads) > 1


def test_bursts_of_jobs_of_any_pace_are_all_answered() -> None:
    """How many are taken at a time follows how long one takes."""

    def spin(request: Any) -> str:
        end = time.perf_counter_ns() + 1000 * int(request.query["us"])
        while time.perf_counter_ns() < end:
            pass
        return str(request.query["us"])

    live = Live()
    live.add("GET", "/", spin)
    with live:
        clients = [live.connect() for _ in range(4)]
        for us in (*range(0, 24, 2), 60, 300, 0, 12):
            for client in clients:
                client.send(*[f"/?us={us}"] * 60)
            for client in clients:
                for _ in range(60):
                    assert client.receive() == (200, str(us).encode())
        for client in clients:
            client.close()
