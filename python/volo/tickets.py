# SPDX-License-Identifier: Apache-2.0
"""Keys for session tickets that workers share, so that a client which comes back
to another of them need not begin anew.

A supervisor makes them and tells each worker through a pipe that only the two
have: they are in no file, no environment and no command line.
"""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Callable
from threading import Lock

from .tls import TICKET_KEY, TLS

__all__ = ["TicketKeys", "Told", "read_message", "write_message"]

_LIFETIME = 12 * 3600.0  # seconds; that of tickets, and of a key that makes them
_MOST = 16


class TicketKeys:
    """A supervisor's.  The first makes tickets.  The second will do so next and
    is known to everybody before, so that workers may change at their own time.
    The others have made some that are still good."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._keys = [_random(), _random()]
        self._old: list[tuple[bytes, float]] = []
        self.due = clock() + _LIFETIME
        """When it is time to rotate."""

    def rotate(self) -> None:
        now = self._clock()
        self._old.insert(0, (self._keys[0], now + _LIFETIME))
        self._old = [(key, until) for key, until in self._old if until > now]
        del self._old[_MOST - 2 :]
        self._keys = [self._keys[1], _random()]
        self.due = now + _LIFETIME

    def octets(self) -> bytes:
        return b"".join([*self._keys, *(key for key, _ in self._old)])


def _random() -> bytes:
    return secrets.token_bytes(TICKET_KEY)


class Told:
    """A worker's: what it has been told last, for a TLS that may come later."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._octets = b""
        self._tls: TLS | None = None

    def hear(self, octets: bytes) -> None:
        with self._lock:
            self._octets = octets
            self._use()

    def attach(self, tls: TLS) -> None:
        with self._lock:
            self._tls = tls
            self._use()

    def _use(self) -> None:
        if self._tls is not None and self._octets:
            at = range(0, len(self._octets), TICKET_KEY)
            self._tls.set_ticket_keys(self._octets[i : i + TICKET_KEY] for i in at)


# ---- The pipe --------------------------------------------------------------------

_LENGTH = 2  # octets in front of a message


def write_message(fd: int, octets: bytes) -> None:
    """In one piece, since it is shorter than PIPE_BUF.  OSError where nobody
    reads, BlockingIOError where he has not read for long."""
    os.write(fd, len(octets).to_bytes(_LENGTH, "big") + octets)


def read_message(fd: int) -> bytes | None:
    """The next one, or None where the other end is gone."""
    length = _read(fd, _LENGTH)
    return None if length is None else _read(fd, int.from_bytes(length, "big"))


def _read(fd: int, length: int) -> bytes | None:
    octets = b""
    while len(octets) < length:
        more = os.read(fd, length - len(octets))
        if not more:
            return None
        octets += more
    return octets
