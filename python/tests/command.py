# SPDX-License-Identifier: Apache-2.0
"""``volo run`` as a process of its own."""

from __future__ import annotations

import http.client
import os
import re
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path
from types import TracebackType

from waiting import DEADLINE, until

APP = """
import asyncio
import os
import signal

async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        return
    path = scope["path"]
    text = str(os.getpid())
    if path == "/wait":
        open("waiting", "w").close()
        while not os.path.exists("go"):
            await asyncio.sleep(0.01)
    if path == "/die":
        os.kill(os.getpid(), signal.SIGKILL)
    if path.endswith("/scope"):
        text = repr((scope["client"], scope["scheme"], scope["root_path"]))
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": text.encode()})
"""


def write_app(directory: Path, text: str = APP, name: str = "served_app") -> str:
    (directory / f"{name}.py").write_text(text)
    return f"{name}:app"


class Command:
    """``volo run`` with ``arguments``, in ``directory``, while entered."""

    def __init__(self, directory: Path, *arguments: str, **environ: str) -> None:
        self.lines: list[str] = []
        self.out = b""
        self._process = subprocess.Popen(
            [sys.executable, "-m", "volo", "run", *arguments],
            cwd=directory,
            env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1", **environ},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        self._threads = [
            threading.Thread(target=self._read_log, daemon=True),
            threading.Thread(target=self._read_out, daemon=True),
        ]
        for thread in self._threads:
            thread.start()

    def _read_log(self) -> None:
        assert self._process.stderr is not None
        for line in self._process.stderr:
            self.lines.append(line.decode().rstrip("\n"))

    def _read_out(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self.out += line

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def log(self) -> str:
        return "\n".join(self.lines)

    @property
    def port(self) -> int:
        """Once it listens."""
        until(lambda: "listening on http" in self.log or self.ended(), "no port")
        found = re.search(r"listening on https?://.*:(\d+)", self.log)
        assert found is not None, self.log
        return int(found[1])

    def wait_for(self, words: str, count: int = 1) -> None:
        until(lambda: self.log.count(words) >= count, f"no {words!r}:\n{self.log}")

    def signal(self, number: int) -> None:
        self._process.send_signal(number)

    def ended(self) -> bool:
        return self._process.poll() is not None

    def code(self) -> int:
        """Its exit code, once it has ended."""
        try:
            code = self._process.wait(DEADLINE)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"it does not end:\n{self.log}") from None
        for thread in self._threads:
            thread.join(DEADLINE)
        return code

    def get(self, path: str = "/", headers: dict[str, str] | None = None) -> str:
        client = http.client.HTTPConnection("127.0.0.1", self.port, timeout=DEADLINE)
        try:
            client.request("GET", path, headers=headers or {})
            return client.getresponse().read().decode()
        finally:
            client.close()

    def pids(self, wanted: int) -> set[int]:
        """Of ``wanted`` workers that answer, however long that takes."""
        found: set[int] = set()

        def ask() -> bool:
            found.add(int(self.get()))
            return len(found) >= wanted

        until(ask, f"not {wanted} workers answer: {found}")
        return found

    def __enter__(self) -> Command:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        where: TracebackType | None,
    ) -> None:
        if not self.ended():
            self.signal(signal.SIGTERM)
            try:
                self._process.wait(DEADLINE)
            except subprocess.TimeoutExpired:
                self.signal(signal.SIGKILL)
                self._process.wait(DEADLINE)
        for thread in self._threads:
            thread.join(DEADLINE)


def free_port() -> int:
    """A port that nobody listens on at the moment."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])
