# SPDX-License-Identifier: Apache-2.0
"""Handlers of C without the package's front: a router, two queues with their
runners, and the client in memory."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import volo
from volo import _cvolo, cvolo

SYNC, NOWAIT, ASYNC = 0, 1, 2
DEADLINE = 30.0  # seconds, against hanging

REQUEST = ("request", "request", "str", None, None, True)


@dataclass
class Answer:
    """What came back."""

    status: int
    lines: list[tuple[str, str]]
    body: bytes

    def header(self, name: str) -> str | None:
        return next((v for n, v in self.lines if n == name), None)

    def all(self, name: str) -> list[str]:
        return [v for n, v in self.lines if n == name]

    @property
    def text(self) -> str:
        return self.body.decode()


class Rig:
    """Add handlers, then send."""

    def __init__(self) -> None:
        self._queues = (cvolo.volo_queue_new(0), cvolo.volo_queue_new(0))
        self._router: Any = cvolo.volo_router_new()
        self._loop = asyncio.new_event_loop()
        self._pool: Any = _cvolo.Pool(self._queues[0], self._spawn)
        self._aio: Any = _cvolo.Aio(
            self._queues[1], self._loop, partial(asyncio.Task, loop=self._loop)
        )
        self._client: Any = None
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._pool.start()
        self.on_loop(self._aio.attach)

    def _spawn(self) -> None:
        threading.Thread(target=self._pool.work, daemon=True).start()

    def on_loop(self, function: Callable[[], Any]) -> Any:
        """Call it on the event loop's thread; what it returns."""

        async def call() -> Any:
            return function()

        done = asyncio.run_coroutine_threadsafe(call(), self._loop)
        return done.result(DEADLINE)

    def add(
        self,
        path: str,
        fn: Callable[..., Any],
        plan: Iterable[Any] = (),
        kind: int = SYNC,
        method: str = "GET",
        **options: Any,
    ) -> Any:
        """A route; its Handler."""
        handler = _cvolo.Handler(fn, tuple(plan), kind, **options)
        service = _cvolo.service(self._queues[kind != SYNC], handler)
        cvolo.volo_router_route(self._router, method, path, service)
        return handler

    def send(
        self,
        target: str,
        *headers: tuple[str, str],
        body: bytes | None = None,
        method: str | None = None,
        leave_ms: int = 0,
    ) -> Answer:
        if self._client is None:
            service = cvolo.volo_router_service(self._router)
            self._client = cvolo.volo_test_new(service)
        method = method or ("GET" if body is None else "POST")
        request = cvolo.volo_test_request_new(self._client, method, target)
        for name, value in headers:
            cvolo.volo_test_request_header(request, name, value)
        if body is not None:
            cvolo.volo_test_request_body(request, body)
        if leave_ms:
            cvolo.volo_test_request_leave(request, leave_ms)
        answer = cvolo.volo_test_send(self._client, request)
        lines: list[Any] = [
            cvolo.volo_test_header_at(answer, i)
            for i in range(cvolo.volo_test_header_count(answer))
        ]
        status, content = cvolo.volo_test_status(answer), cvolo.volo_test_body(answer)
        return Answer(status, lines, content)

    def close(self) -> None:
        self._client = self._router = None
        self.on_loop(self._aio.close)
        self._pool.close()
        self._pool.join(DEADLINE)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(DEADLINE)
        self._loop.close()
        _cvolo.sweep()


@contextmanager
def rig() -> Iterator[Rig]:
    made = Rig()
    try:
        yield made
    finally:
        made.close()


__all__ = ["ASYNC", "NOWAIT", "REQUEST", "SYNC", "Answer", "Rig", "rig", "volo"]
