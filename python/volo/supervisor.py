# SPDX-License-Identifier: Apache-2.0
"""The supervisor of ``volo run --workers``: it opens the sockets, starts the
workers and keeps as many as are wanted.

It is one loop on one thread, which waits for signals, for words of workers and
for changes of files, and then looks at all of them.  It never runs code of the
application.
"""

from __future__ import annotations

import contextlib
import logging
import os
import selectors
import signal
import time
from collections.abc import Callable
from typing import Any

from .processes import Process, how_it_ended
from .settings import Settings
from .sockets import Listeners, name_of
from .tickets import TicketKeys

__all__ = ["Supervisor", "supervise"]

_EXIT_LISTEN = 1
_YOUNG = 2.0  # seconds; who dies before is not started again at once
_MOST_DELAY = 30.0  # seconds between starts of workers that die young
_SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP", "SIGCHLD", "SIGTTIN", "SIGTTOU")

_log = logging.getLogger("volo")


class Supervisor:
    """Keeps ``settings.workers`` processes on ``listeners``."""

    def __init__(self, settings: Settings, listeners: Listeners) -> None:
        self.wanted = settings.workers
        self.code = 0
        self._settings = settings
        self._listeners = listeners
        self._workers: list[Process] = []
        self._to_replace: list[Process] = []
        self._failures = 0
        self._start_at = 0.0
        self._waits_for_change = False
        self._stops = 0
        self._keys = _keys_of(settings)
        self._selector = selectors.DefaultSelector()

    # ---- The loop ----------------------------------------------------------------

    def run(self) -> int:
        """Until all workers have ended after SIGINT or SIGTERM, or none could
        be started.  Returns an exit code."""
        with _signals(self._selector) as read_signals:
            while not (self._stops and not self._workers):
                self._balance()
                self._rotate_in_time()
                for key, _ in self._selector.select(self._patience()):
                    if callable(key.data):
                        key.data()
                for number in read_signals():
                    self._signal(number)
                self._reap()
        self._selector.close()
        return self.code

    def watch(self, fd: int, call: Callable[[], Any]) -> None:
        """Call ``call()`` whenever ``fd`` can be read."""
        self._selector.register(fd, selectors.EVENT_READ, call)

    def _patience(self) -> float | None:
        waits: list[float] = []
        if not (self._stops or self._waits_for_change or self._missing() <= 0):
            waits.append(self._start_at)
        if self._keys is not None:
            waits.append(self._keys.due)
        return max(0.0, min(waits) - time.monotonic()) if waits else None

    # ---- How many ----------------------------------------------------------------

    def _missing(self) -> int:
        standing = [w for w in self._workers if not w.retiring and not w.replaces]
        return self.wanted - len(standing)

    def _balance(self) -> None:
        if self._stops:
            return
        missing = self._missing()
        if missing > 0 and not self._waits_for_change:
            if time.monotonic() >= self._start_at:
                for _ in range(missing):
                    self._start()
        elif missing < 0:
            for worker in [w for w in self._workers if not w.retiring][missing:]:
                worker.stop()
        self._replace_next()

    def _start(self, replaces: Process | None = None) -> None:
        keys = None if self._keys is None else self._keys.octets()
        worker = Process(self._settings, self._listeners.fds, keys)
        worker.replaces = replaces
        self._workers.append(worker)
        self.watch(worker.ready_fd, lambda: self._hear(worker))

    def _hear(self, worker: Process) -> None:
        """It serves, or it never will."""
        self._selector.unregister(worker.ready_fd)
        if not worker.hear():
            return
        _log.info("worker %d serves", worker.pid)
        old, worker.replaces = worker.replaces, None
        if old is not None and old in self._workers:
            old.stop()

    def _replace_next(self) -> None:
        """One after the other: the new one serves before the old one stops."""
        if any(worker.replaces for worker in self._workers):
            return
        while self._to_replace:
            old = self._to_replace.pop(0)
            if old in self._workers and not old.retiring:
                self._start(replaces=old)
                return

    # ---- Keys for session tickets ------------------------------------------------

    def _rotate_in_time(self) -> None:
        if self._keys is not None and time.monotonic() >= self._keys.due:
            self._rotate()

    def _rotate(self) -> None:
        if self._keys is None:
            return
        self._keys.rotate()
        for worker in self._workers:
            worker.tell(self._keys.octets())

    # ---- Ends --------------------------------------------------------------------

    def _reap(self) -> None:
        for worker in self._workers[:]:
            code = worker.ended()
            if code is None:
                continue
            if worker.ready_fd in self._selector.get_map():
                self._hear(worker)
            self._workers.remove(worker)
            worker.close()
            self._ended(worker, code)

    def _ended(self, worker: Process, code: int) -> None:
        if worker.retiring or self._stops:
            _log.info("worker %d has stopped", worker.pid)
        elif worker.ready:
            _log.error("worker %d died: %s", worker.pid, how_it_ended(code))
            self._delay(0 if worker.age >= _YOUNG else self._failures + 1)
        else:
            self._not_started(worker, code)

    def _not_started(self, worker: Process, code: int) -> None:
        words = how_it_ended(code)
        if worker.replaces is not None:
            _log.error("the new worker did not start (%s): the old ones stay", words)
            self._to_replace.clear()
        elif self._settings.reload:
            _log.error(
                "the application did not start (%s): waiting for a change", words
            )
            self._waits_for_change = True
        elif any(other.ready for other in self._workers):
            _log.error("worker %d did not start: %s", worker.pid, words)
            self._delay(self._failures + 1)
        else:
            _log.error("no worker could be started (%s)", words)
            self.code = code if code > 0 else 1
            self.stop()

    def _delay(self, failures: int) -> None:
        """Who dies young is started again later and later."""
        self._failures = failures
        delay = min(_MOST_DELAY, 0.25 * 2**failures) if failures else 0.0
        self._start_at = time.monotonic() + delay

    # ---- What it is told ---------------------------------------------------------

    def _signal(self, number: int) -> None:
        if number in (signal.SIGINT, signal.SIGTERM):
            self.stop()
        elif number == signal.SIGHUP and not self._stops:
            _log.info("replacing the workers")
            self._rotate()
            self._to_replace = [w for w in self._workers if not w.retiring]
        elif number == signal.SIGTTIN:
            self.wanted += 1
        elif number == signal.SIGTTOU and self.wanted > 1:
            self.wanted -= 1

    def stop(self) -> None:
        """Gracefully the first time, then at once, then by force."""
        self._stops += 1
        for worker in self._workers:
            worker.stop(kill=self._stops > 2)

    def restart(self) -> None:
        """All workers at once: their code has changed."""
        self._waits_for_change = False
        self._start_at = 0.0
        for worker in self._workers:
            if not worker.retiring:
                worker.stop()


def _keys_of(settings: Settings) -> TicketKeys | None:
    """None where nobody needs them, or files have them."""
    return TicketKeys() if settings.certfile and not settings.ticket_key else None


# ---- Signals ---------------------------------------------------------------------


@contextlib.contextmanager
def _signals(selector: selectors.BaseSelector) -> Any:
    """While entered, signals wake ``selector``; gives a function that tells
    which have come."""
    reader, writer = os.pipe()
    os.set_blocking(reader, False)
    os.set_blocking(writer, False)
    selector.register(reader, selectors.EVENT_READ, None)
    numbers = [getattr(signal, name) for name in _SIGNALS]
    before = {n: signal.signal(n, lambda number, frame: None) for n in numbers}
    before_fd = signal.set_wakeup_fd(writer, warn_on_full_buffer=False)

    def read() -> bytes:
        try:
            return os.read(reader, 4096)
        except BlockingIOError:
            return b""

    try:
        yield read
    finally:
        signal.set_wakeup_fd(before_fd)
        for number, handler in before.items():
            signal.signal(number, handler)
        selector.unregister(reader)
        os.close(reader)
        os.close(writer)


# ---- All of it -------------------------------------------------------------------


def supervise(settings: Settings) -> int:
    """Serve with workers until told to stop; returns an exit code."""
    try:
        listeners = Listeners(settings)
    except OSError as error:
        _log.error("could not listen on %s", error.strerror)
        return _EXIT_LISTEN
    for listener in listeners.sockets:
        scheme = "https" if settings.certfile else "http"
        _log.info("listening on %s", name_of(listener, scheme))
    try:
        supervisor = Supervisor(settings, listeners)
        if not settings.reload:
            return supervisor.run()
        from .reload import Watch

        with Watch(settings.reload_dir or [settings.app_dir]) as watch:
            supervisor.watch(watch.fd, lambda: watch.hear(supervisor.restart))
            return supervisor.run()
    finally:
        listeners.close()
