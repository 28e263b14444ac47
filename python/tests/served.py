# SPDX-License-Identifier: Apache-2.0
"""An application of any kind, served for a test on a free port."""

from __future__ import annotations

import asyncio
import http.client
import logging
import socket
import threading
from types import TracebackType
from typing import Any

from waiting import DEADLINE

from volo.serving import AnyServer


class Answer:
    """A response that has been read to its end."""

    def __init__(self, response: http.client.HTTPResponse) -> None:
        self.status = response.status
        self.headers = {k.lower(): v for k, v in response.getheaders()}
        self.lines = response.getheaders()
        self.body = response.read()

    @property
    def text(self) -> str:
        return self.body.decode()


class Log(logging.Handler):
    """What goes to the log of the package while it is entered."""

    def __init__(self) -> None:
        super().__init__()
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)

    @property
    def text(self) -> str:
        return "\n".join(
            f"{r.getMessage()} {r.exc_info[1]!r}" if r.exc_info else r.getMessage()
            for r in self.records
            if r.levelno >= logging.WARNING
        )


class Served:
    """``app`` while entered; ``client()`` and ``raw()`` reach it."""

    def __init__(self, app: Any, **options: Any) -> None:
        options.setdefault("host", "127.0.0.1")
        options.setdefault("port", 0)
        self.server = AnyServer(app, **options)
        self.loop = asyncio.new_event_loop()
        self.log = Log()
        self.port = 0
        self._thread = threading.Thread(target=self.loop.run_forever, daemon=True)

    def call(self, coroutine: Any) -> Any:
        """Await ``coroutine`` on the server's event loop."""
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(DEADLINE)

    def __enter__(self) -> Served:
        logging.getLogger("volo").addHandler(self.log)
        self._thread.start()
        try:
            self.call(self.server.start())
        except BaseException:
            self._end_loop()
            raise
        self.port = self.server.port
        return self

    def stop(self, now: bool = False) -> None:
        self.server.stop(now)
        self.call(self.server.wait())

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        where: TracebackType | None,
    ) -> None:
        try:
            self.stop()
        finally:
            self._end_loop()

    def _end_loop(self) -> None:
        logging.getLogger("volo").removeHandler(self.log)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(DEADLINE)
        self.loop.close()

    # ---- Clients -----------------------------------------------------------------

    def client(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=DEADLINE)

    def request(
        self,
        method: str,
        target: str,
        body: Any = None,
        headers: dict[str, str] | None = None,
    ) -> Answer:
        client = self.client()
        try:
            client.request(method, target, body, headers or {})
            return Answer(client.getresponse())
        finally:
            client.close()

    def get(self, target: str, headers: dict[str, str] | None = None) -> Answer:
        return self.request("GET", target, None, headers)

    def raw(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), DEADLINE)

    def exchange(self, octets: bytes) -> bytes:
        """What comes until the end of a connection on which this is sent."""
        with self.raw() as client:
            client.sendall(octets)
            return read_all(client)


def read_all(client: socket.socket) -> bytes:
    """Up to the end of the connection, be that a reset."""
    found = b""
    try:
        while piece := client.recv(65536):
            found += piece
    except ConnectionResetError:
        pass
    return found
