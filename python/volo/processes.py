# SPDX-License-Identifier: Apache-2.0
"""A worker process as its supervisor sees it."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time

from .settings import Settings
from .tickets import write_message
from .worker import VARIABLE

__all__ = ["Process", "how_it_ended"]


class Process:
    """One worker, started now.

    ``sockets`` are what it is to accept on, ``keys`` those for session tickets
    that it begins with.
    """

    def __init__(
        self, settings: Settings, sockets: list[int], keys: bytes | None = None
    ) -> None:
        self.since = time.monotonic()
        self.ready = False
        self.retiring = False
        self.replaces: Process | None = None
        self.ready_fd, said = os.pipe()
        os.set_blocking(self.ready_fd, False)
        life, self._life = os.pipe()
        os.set_blocking(self._life, False)
        told = {
            "settings": settings.to_json(),
            "sockets": sockets,
            "life": life,
            "keys": keys is not None,
            "ready": said,
        }
        try:
            self._popen = subprocess.Popen(
                [sys.executable, "-m", "volo.worker"],
                env={**os.environ, VARIABLE: json.dumps(told)},
                pass_fds=[*sockets, life, said],
            )
        except BaseException:
            self.close()
            raise
        finally:
            os.close(said)
            os.close(life)
        if keys is not None:
            self.tell(keys)

    @property
    def pid(self) -> int:
        return self._popen.pid

    @property
    def age(self) -> float:
        """Seconds since it was started."""
        return time.monotonic() - self.since

    def hear(self) -> bool:
        """Whether it says, now for the first time, that it serves."""
        with contextlib.suppress(BlockingIOError):
            if os.read(self.ready_fd, 1) and not self.ready:
                self.ready = True
                return True
        return False

    def ended(self) -> int | None:
        """Its exit code, negative for a signal; None while it runs."""
        return self._popen.poll()

    def stop(self, kill: bool = False) -> None:
        """Have it stop: gracefully the first time, then at once."""
        self.retiring = True
        self._popen.send_signal(signal.SIGKILL if kill else signal.SIGTERM)

    def tell(self, keys: bytes) -> None:
        """Have it use these for session tickets, unless it has ended."""
        with contextlib.suppress(OSError):
            write_message(self._life, keys)

    def close(self) -> None:
        os.close(self.ready_fd)
        os.close(self._life)


def how_it_ended(code: int) -> str:
    if code >= 0:
        return f"exit code {code}"
    with contextlib.suppress(ValueError):
        return signal.Signals(-code).name
    return f"signal {-code}"
