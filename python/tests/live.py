# SPDX-License-Identifier: Apache-2.0
"""A server whose runners are within reach of tests: no app around them."""

from __future__ import annotations

import asyncio
import http.client
import socket
import sys
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Any

from waiting import DEADLINE

import volo  # noqa: F401  (tells C its hooks)
from volo import _cvolo, cvolo

SYNC, NOWAIT, ASYNC = 0, 1, 2
_REQUEST = (("request", "request", "str", None, None, True),)


class Live:
    """Routes, a pool, an event loop on a thread, a server with one loop."""

    def __init__(self, max_threads: int = 40, idle_s: float = 10.0) -> None:
        self.pool_queue = cvolo.volo_queue_new(0)
        self.aio_queue = cvolo.volo_queue_new(0)
        self.pool = _cvolo.Pool(self.pool_queue, self._spawn, max_threads, idle_s)
        self.threads: list[threading.Thread] = []
        self.spawn = self.start_thread
        self.loop = asyncio.new_event_loop()
        self.tasks: list[asyncio.Task[Any]] = []
        self.aio = _cvolo.Aio(self.aio_queue, self.loop, self._task)
        self._router = cvolo.volo_router_new()
        self._loop_thread = threading.Thread(target=self._run_loop, daemon=True)
        self._server: Any = None
        self.body_limit = 2 << 20
        self.port = 0

    def _spawn(self) -> None:
        self.spawn()

    def start_thread(self) -> None:
        thread = threading.Thread(target=self.pool.work, daemon=True)
        self.threads.append(thread)
        thread.start()

    def _task(self, coroutine: Any) -> asyncio.Task[Any]:
        eager: Any = {"eager_start": True} if sys.version_info >= (3, 12) else {}
        task = asyncio.Task(coroutine, loop=self.loop, **eager)
        self.tasks.append(task)
        task.add_done_callback(self.tasks.remove)
        return task

    def _run_loop(self) -> None:
        asyncio.set_event_loop(self.loop)
        self.loop.run_forever()

    def on_loop(self, fn: Callable[[], Any]) -> Any:
        """Call ``fn`` on the event loop's thread, and wait for it."""

        async def call() -> Any:
            return fn()

        future = asyncio.run_coroutine_threadsafe(call(), self.loop)
        return future.result(DEADLINE)

    def add(
        self, method: str, path: str, fn: Any, kind: int = SYNC, streaming: bool = False
    ) -> None:
        handler = _cvolo.Handler(fn, _REQUEST, kind, streaming=streaming)
        queue = self.pool_queue if kind == SYNC else self.aio_queue
        service = _cvolo.service(queue, handler)
        cvolo.volo_router_route(self._router, method, path, service)

    def layer(self, layer: Any) -> None:
        """Wrap all routes."""
        cvolo.volo_router_add_layer(self._router, layer)

    # ---- Its life ----------------------------------------------------------------

    def __enter__(self) -> Live:
        service = cvolo.volo_router_service(self._router)
        self._server = cvolo.volo_server_new(service)
        cvolo.volo_server_set(self._server, cvolo.VOLO_SERVER_WORKERS, 1)
        limit = cvolo.VOLO_SERVER_BODY_LIMIT
        cvolo.volo_server_set(self._server, limit, self.body_limit)
        cvolo.volo_server_bind(self._server, "127.0.0.1:0")
        self.port = cvolo.volo_server_port(self._server, 0)
        self._loop_thread.start()
        self.on_loop(self.aio.attach)
        self.pool.start()
        cvolo.volo_server_start(self._server)
        return self

    def stop(self, at_once: bool = False) -> None:
        """In the order of an app: the server, then who takes from queues."""
        if self._server is None:
            return
        cvolo.volo_server_stop(self._server)
        if at_once:
            cvolo.volo_server_stop(self._server)
        cvolo.volo_server_wait(self._server)
        self._server = None
        self.on_loop(self.aio.close)
        self.pool.close()
        assert self.pool.join(DEADLINE), "threads of the pool hang"
        for thread in self.threads:
            thread.join(DEADLINE)
            assert not thread.is_alive()
        self.on_loop(self._cancel_tasks)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._loop_thread.join(DEADLINE)
        self.loop.close()

    def _cancel_tasks(self) -> None:
        for task in list(self.tasks):
            task.cancel()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    # ---- Clients -------------------------------------------------------------------

    def connect(self) -> Client:
        return Client(self.port)

    def call(
        self, method: str, path: str, body: Any = None, **more: Any
    ) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection(
            "127.0.0.1", self.port, timeout=DEADLINE
        )
        try:
            connection.request(method, path, body, **more)
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()


class Client:
    """A connection on which requests may be sent ahead."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), DEADLINE)
        self._file = self.socket.makefile("rb")

    def send(self, *paths: str) -> None:
        heads = (f"GET {path} HTTP/1.1\r\nHost: test\r\n\r\n" for path in paths)
        self.socket.sendall("".join(heads).encode())

    def receive(self) -> tuple[int, bytes]:
        """The next answer, which must have a Content-Length."""
        status = int(self._file.readline().split()[1])
        length = 0
        while (line := self._file.readline()) != b"\r\n":
            assert line, "the connection was closed"
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
        return status, self._file.read(length)

    def get(self, path: str) -> tuple[int, bytes]:
        self.send(path)
        return self.receive()

    def close(self) -> None:
        self._file.close()
        self.socket.close()
