# SPDX-License-Identifier: Apache-2.0
"""Listening sockets that a supervisor opens and its workers share.

They stay open while workers come and go, so that no client is refused
meanwhile, and a place that is taken is found out before anything is started.
"""

from __future__ import annotations

import contextlib
import errno
import os
import socket
import stat

from .settings import Settings

__all__ = ["Listeners", "name_of"]

_BACKLOG = 4096


class Listeners:
    """The sockets of ``settings``.  Raises OSError, in words that name the
    place, where one can't be had."""

    def __init__(self, settings: Settings) -> None:
        self._path: str | None = None
        backlog = settings.limits.get("backlog") or _BACKLOG
        if settings.fd is not None:
            self.sockets = [_of_descriptor(settings.fd)]
        elif settings.uds is not None:
            self.sockets = [_unix(settings.uds, backlog)]
            self._path = settings.uds
        else:
            port = 8080 if settings.port is None else settings.port
            host = (settings.host or "127.0.0.1").strip("[]")
            self.sockets = [_tcp(host, port, backlog)]

    @property
    def fds(self) -> list[int]:
        return [listener.fileno() for listener in self.sockets]

    def close(self) -> None:
        """No more clients are let in, and a Unix socket's name goes."""
        for listener in self.sockets:
            listener.close()
        if self._path is not None:
            with contextlib.suppress(OSError):
                os.unlink(self._path)


def _of_descriptor(fd: int) -> socket.socket:
    try:
        return socket.socket(fileno=os.dup(fd))
    except OSError as error:
        raise OSError(error.errno, f"descriptor {fd}: {error.strerror}") from None


def _tcp(host: str, port: int, backlog: int) -> socket.socket:
    try:
        found = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
        family, _, _, _, address = found[0]
        listener = socket.socket(family, socket.SOCK_STREAM)
    except OSError as error:
        raise OSError(error.errno, f"{host}:{port}: {error.strerror}") from None
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(backlog)
    except OSError as error:
        listener.close()
        raise OSError(error.errno, f"{host}:{port}: {error.strerror}") from None
    return listener


def _unix(path: str, backlog: int) -> socket.socket:
    _unlink_stale(path)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        listener.bind(path)
        listener.listen(backlog)
    except OSError as error:
        listener.close()
        raise OSError(error.errno, f"{path}: {error.strerror}") from None
    return listener


def _unlink_stale(path: str) -> None:
    """Remove a socket that nobody listens on; anything else stays."""
    try:
        if not stat.S_ISSOCK(os.stat(path).st_mode):
            return
    except OSError:
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        if probe.connect_ex(path) == errno.ECONNREFUSED:
            os.unlink(path)


def name_of(listener: socket.socket, scheme: str = "http") -> str:
    """Where that is, for people."""
    name = listener.getsockname()
    if listener.family == socket.AF_UNIX:
        return f"unix:{name}"
    host = f"[{name[0]}]" if ":" in name[0] else name[0]
    return f"{scheme}://{host}:{name[1]}"
