# SPDX-License-Identifier: Apache-2.0
"""Changes of source files, for ``volo run --reload``: told by watchfiles where
that is installed, else found by looking."""

from __future__ import annotations

import contextlib
import logging
import os
import threading
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from types import TracebackType

__all__ = ["Watch"]

_PAUSE = 0.5  # seconds between two looks
_SKIPPED = {"__pycache__", "node_modules", "site-packages", "build", "dist"}

_log = logging.getLogger("volo")


class Watch:
    """While entered, ``fd`` can be read when a ``.py`` file below
    ``directories`` has been changed, made or removed."""

    def __init__(self, directories: Iterable[str]) -> None:
        self._directories = [os.path.abspath(d) for d in directories]
        self._stop = threading.Event()
        self._thread = threading.Thread(
            target=self._watch, name="volo-reload", daemon=True
        )
        self.fd, self._end = os.pipe()
        os.set_blocking(self.fd, False)

    def __enter__(self) -> Watch:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        where: TracebackType | None,
    ) -> None:
        self._stop.set()
        self._thread.join()
        os.close(self.fd)
        os.close(self._end)

    def hear(self, call: Callable[[], None]) -> None:
        """Call ``call()`` if something has changed since the last time."""
        with contextlib.suppress(BlockingIOError):
            if os.read(self.fd, 4096):
                call()

    def _watch(self) -> None:
        for paths in _changes(self._directories, self._stop):
            _log.info("changed: %s", ", ".join(sorted(paths)))
            os.write(self._end, b"1")


def _changes(directories: list[str], stop: threading.Event) -> Iterator[set[str]]:
    try:
        import watchfiles
    except ImportError:
        return poll(directories, stop)
    return (
        {path for _, path in changes}
        for changes in watchfiles.watch(
            *directories,
            watch_filter=watchfiles.PythonFilter(),
            stop_event=stop,
            debounce=200,
            rust_timeout=500,
            yield_on_timeout=False,
            raise_interrupt=False,
        )
    )


# ---- Without watchfiles ----------------------------------------------------------


def poll(
    directories: list[str], stop: threading.Event, pause: float = _PAUSE
) -> Iterator[set[str]]:
    """The paths that have changed, each time that some have, until ``stop``."""
    before = _look(directories)
    while not stop.wait(pause):
        now = _look(directories)
        changed = {path for path, _ in before.items() ^ now.items()}
        before = now
        if changed:
            yield changed


def _look(directories: list[str]) -> dict[str, tuple[int, int]]:
    return {path: mark for d in directories for path, mark in _marks(d)}


def _marks(directory: str) -> Iterator[tuple[str, tuple[int, int]]]:
    for root, inner, files in os.walk(directory):
        inner[:] = [d for d in inner if d not in _SKIPPED and not d.startswith(".")]
        for name in files:
            if name.endswith(".py"):
                with contextlib.suppress(OSError):
                    found = Path(root, name).stat()
                    yield str(Path(root, name)), (found.st_mtime_ns, found.st_size)
