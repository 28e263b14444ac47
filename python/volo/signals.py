# SPDX-License-Identifier: Apache-2.0
"""SIGINT and SIGTERM while an app is run on the main thread.

They stay Python's: no handler is installed in C.  The first asks for a graceful
stop, the second for one at once; where that takes longer than a moment, because
a handler does not let go of its thread, the process ends all the same.
"""

from __future__ import annotations

import _thread
import contextlib
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from types import FrameType, TracebackType
from typing import TYPE_CHECKING, Any

from .errors import VoloError

if TYPE_CHECKING:
    from .server import Server

__all__ = ["StopSignals", "reloading"]

_log = logging.getLogger("volo")

_MOMENT = 1.0  # seconds, from the second signal to the end of the process


class StopSignals:
    """While entered, calls ``stop(now)`` for a signal: with False for the
    first, True for the second.  Does nothing off the main thread.

    After the second the process ends in a moment even if it gets out of here,
    since the interpreter waits for threads at its end."""

    def __init__(self, stop: Callable[[bool], None]) -> None:
        self._stop = stop
        self._count = 0
        self._before: dict[int, Any] = {}
        self._over = False

    def __enter__(self) -> StopSignals:
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                self._before[number] = signal.signal(number, self._told)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        where: TracebackType | None,
    ) -> None:
        self._over = not self.forced
        for number, handler in self._before.items():
            signal.signal(number, handler)

    @property
    def forced(self) -> bool:
        """Whether a second signal has come."""
        return self._count > 1

    def _told(self, number: int, frame: FrameType | None) -> None:
        self._count += 1
        if self._count > 2:
            _exit(number)
        if self._count == 2:
            # Not a threading.Thread: starting one takes locks that the
            # interrupted code may hold.
            _thread.start_new_thread(self._end, (number,))
        self._stop(self._count > 1)

    def _end(self, number: int) -> None:
        time.sleep(_MOMENT)
        if not self._over:
            _exit(number)


def _exit(number: int) -> None:
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError, AttributeError):
            stream.flush()
    os._exit(128 + number)


# ---- Certificates ----------------------------------------------------------------


@contextlib.contextmanager
def reloading(server: Server) -> Iterator[None]:
    """While entered, SIGHUP has the certificates of ``server`` read again; not
    off the main thread, nor where somebody sees to that signal or ignores it."""

    def told(number: int, frame: FrameType | None) -> None:
        try:
            server.reload_tls()
        except VoloError as error:
            _log.error("the certificates stay as they are: %s", error)
        else:
            _log.info("the certificates have been read again")

    if (
        not server.has_tls
        or threading.current_thread() is not threading.main_thread()
        or signal.getsignal(signal.SIGHUP) is not signal.SIG_DFL
    ):
        yield
        return
    signal.signal(signal.SIGHUP, told)
    try:
        yield
    finally:
        signal.signal(signal.SIGHUP, signal.SIG_DFL)
