# SPDX-License-Identifier: Apache-2.0
"""The end of a pool: what it has begun is finished, nobody hangs."""

from __future__ import annotations

import gc
import threading
import time
import weakref
from typing import Any

import pytest
from live import Live
from waiting import DEADLINE, until

from volo import VoloError, _cvolo, cvolo


def test_a_pool_without_work_ends_at_once() -> None:
    live = Live()
    with live:
        assert live.pool.stats()["threads"] == 1
    assert live.pool.stats()["threads"] == 0


def test_closing_twice_is_harmless() -> None:
    live = Live()
    with live:
        pass
    live.pool.close()
    live.pool.close()
    assert live.pool.join(0.0)


def test_jobs_in_flight_finish_when_the_server_stops() -> None:
    begun = threading.Event()

    def slow(request: Any) -> str:
        begun.set()
        time.sleep(0.2)
        return "done"

    live = Live()
    live.add("GET", "/", slow)
    with live:
        client = live.connect()
        client.send("/")
        assert begun.wait(DEADLINE)
        stopper = threading.Thread(target=live.stop)
        stopper.start()
        assert client.receive() == (200, b"done")
        stopper.join(DEADLINE)
        assert not stopper.is_alive()
        client.close()


def test_streams_that_nobody_reads_end_when_the_server_ends_at_once() -> None:
    held = threading.Semaphore(0)
    ended: list[str] = []

    def stream(request: Any) -> None:
        writer = _cvolo.Writer(request)
        held.release()
        try:
            while True:
                while not writer.write(bytes(10_000)):
                    writer.wait()
        except VoloError as error:
            ended.append(error.name)

    def read(request: Any) -> None:
        held.release()
        try:
            _cvolo.Reader(request).read()
        except VoloError as error:
            ended.append(error.name)

    live = Live()
    live.add("GET", "/", stream)
    live.add("POST", "/", read, streaming=True)
    with live:
        clients = [live.connect() for _ in range(4)]
        for client in clients[:2]:
            client.send("/")
            assert held.acquire(timeout=DEADLINE)
        for client in clients[2:]:
            client.socket.sendall(
                b"POST / HTTP/1.1\r\nHost: t\r\nContent-Length: 9\r\n\r\nsome"
            )
            assert held.acquire(timeout=DEADLINE)
        live.stop(at_once=True)
        for client in clients:
            client.close()
    assert ended == ["VOLO_ECANCELED"] * 4


def test_what_waits_in_the_queue_is_run_after_it_is_closed() -> None:
    release = threading.Event()
    begun = threading.Semaphore(0)

    def slow(request: Any) -> str:
        begun.release()
        assert release.wait(DEADLINE)
        return "done"

    live = Live(max_threads=2)
    live.add("GET", "/", slow)
    with live:
        clients = [live.connect() for _ in range(8)]
        for client in clients[:2]:
            client.send("/")
            assert begun.acquire(timeout=DEADLINE)
        for client in clients[2:]:
            client.send("/")
        until(lambda: live.pool.stats()["waiting"] == 6)
        live.pool.close()
        release.set()
        for client in clients:
            assert client.receive() == (200, b"done")
            client.close()
        assert live.pool.join(DEADLINE)


def test_after_it_is_closed_requests_get_503() -> None:
    live = Live()
    live.add("GET", "/", lambda request: "ok")
    with live:
        live.pool.close()
        assert live.pool.join(DEADLINE)
        assert live.call("GET", "/")[0] == 503


def test_join_says_whether_threads_are_left() -> None:
    live = Live()
    with live:
        assert live.pool.join(0.0) is False


def test_an_exception_of_a_handler_does_not_end_its_thread() -> None:
    def broken(request: Any) -> str:
        raise LookupError("broken")

    live = Live()
    live.add("GET", "/", broken)
    with live:
        for _ in range(3):
            assert live.call("GET", "/")[0] == 500
        assert live.pool.stats()["threads"] >= 1
        assert len(live.threads) <= 3


@pytest.mark.parametrize(
    "arguments",
    [
        ("no queue", print),
        (None, print),
    ],
)
def test_only_a_queue_is_taken_from(arguments: Any) -> None:
    with pytest.raises(TypeError):
        _cvolo.Pool(*arguments)


def test_senseless_limits_are_refused() -> None:
    queue = cvolo.volo_queue_new(0)
    with pytest.raises(ValueError):
        _cvolo.Pool(queue, print, 0)
    with pytest.raises(ValueError):
        _cvolo.Pool(queue, print, 4, 0.0)
    with pytest.raises(TypeError):
        _cvolo.Pool(queue, "no callable")


def test_a_pool_that_nobody_uses_goes_with_what_it_refers_to() -> None:
    class Owner:
        def __init__(self) -> None:
            self.pool = _cvolo.Pool(cvolo.volo_queue_new(0), self.spawn)

        def spawn(self) -> None: ...

    owner = Owner()
    left = weakref.ref(owner)
    del owner
    gc.collect()
    assert left() is None
