# SPDX-License-Identifier: Apache-2.0
"""Programs that tests run as processes of their own."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import tempfile
import textwrap
import threading
from collections.abc import Callable, Iterator

from waiting import until

DEADLINE = 60  # seconds, against hanging


class Program:
    """One that prints the port that it serves on as its first line."""

    def __init__(self, source: str) -> None:
        self._err = tempfile.TemporaryFile("w+")  # noqa: SIM115
        self.process = subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(source)],
            stdout=subprocess.PIPE,
            stderr=self._err,
            text=True,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
            start_new_session=True,
        )

    def line(self) -> str:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, self._errors()
        return line.rstrip("\n")

    def _errors(self) -> str:
        self._err.seek(0)
        return self._err.read()

    def port(self) -> int:
        return int(self.line())

    def signal(self, number: int) -> None:
        self.process.send_signal(number)

    def end(self) -> tuple[int, str, str]:
        """Its status, and what it has printed since."""
        assert self.process.stdout is not None
        late = threading.Timer(DEADLINE, self.process.kill)
        late.start()
        out = self.process.stdout.read()
        status = self.process.wait()
        late.cancel()
        return status, out, self._errors()

    def close(self) -> None:
        # With what it has forked: that holds the pipe open as well.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.communicate()
        self._err.close()


@contextlib.contextmanager
def running(source: str) -> Iterator[Program]:
    program = Program(source)
    try:
        yield program
    finally:
        program.close()


class Client:
    """One connection, and what comes out of it until its end."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=DEADLINE)

    def send(self, target: str, method: str = "GET") -> None:
        head = f"{method} {target} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
        self.socket.sendall(head.encode())

    def rest(self) -> bytes:
        out = b""
        with contextlib.suppress(ConnectionError):
            while piece := self.socket.recv(65536):
                out += piece
        return out

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *error: object) -> None:
        self.socket.close()


def get(port: int, target: str = "/") -> tuple[int, bytes]:
    """The status and the content of one answer."""
    with Client(port) as client:
        client.send(target)
        head, _, body = client.rest().partition(b"\r\n\r\n")
        return int(head.split(b" ")[1]), body


def eventually(is_so: Callable[[], object]) -> None:
    """Wait until ``is_so()``; AssertionError after a long time."""
    until(is_so, "it never comes to that", DEADLINE)
