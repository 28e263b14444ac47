# SPDX-License-Identifier: Apache-2.0
"""WSGI applications (PEP 3333): Django, Flask and their like, on the pool of
threads that ``def`` handlers have."""

from __future__ import annotations

import asyncio
import io
import logging
import sys
import threading
from collections.abc import Callable, Iterable
from typing import Any
from wsgiref.util import FileWrapper

from . import _cvolo, cvolo

__all__ = ["WSGIApp", "Wsgi", "service"]

WSGIApp = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]

_log = logging.getLogger("volo")


class _Raw(io.RawIOBase):
    """The body of a request as it comes, on a Reader."""

    def __init__(self, reader: Any) -> None:
        self._reader = reader

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self._reader.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)


def _make_input(source: Any) -> io.BufferedIOBase:
    """What an application reads from: bytes that are there, or a Reader."""
    if isinstance(source, bytes):
        return io.BytesIO(source)
    return io.BufferedReader(_Raw(source), 64 * 1024)


class _Errors(io.TextIOBase):
    """``wsgi.errors``: the standard error of the moment."""

    def write(self, text: str) -> int:
        return sys.stderr.write(text)

    def flush(self) -> None:
        sys.stderr.flush()


def _on_error(error: BaseException, words: str) -> None:
    _log.error("%s", words, exc_info=error)


def _environ(root_path: str, processes: bool) -> dict[str, Any]:
    """What every environ begins as."""
    return {
        "GATEWAY_INTERFACE": "CGI/1.1",
        "SCRIPT_NAME": root_path,
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "0",
        "SERVER_SOFTWARE": "volo",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.errors": _Errors(),
        "wsgi.multithread": True,
        "wsgi.multiprocess": processes,
        "wsgi.run_once": False,
        "wsgi.input_terminated": True,
        "wsgi.file_wrapper": FileWrapper,
    }


def service(
    app: WSGIApp,
    queue: Any,
    environ: dict[str, Any] | None = None,
    root_path: str = "",
) -> Any:
    """The C service that has ``app`` run by the pool of ``queue``.  ``environ``
    is what every request's begins as."""
    root_path = root_path.rstrip("/")
    base = _environ(root_path, False) if environ is None else environ
    run = _cvolo.Wsgi(app, base, _make_input, _on_error, root_path)
    whole = _cvolo.Handler(run, (), 0)
    piecewise = _cvolo.Handler(run, (), 0, streaming=True)
    return _cvolo.split(_cvolo.service(queue, whole), _cvolo.service(queue, piecewise))


class Wsgi:
    """One serving of a WSGI application, with a pool of its own of at most
    ``threads`` threads.

    ``root_path`` is the SCRIPT_NAME, ``processes`` what wsgi.multiprocess says,
    ``grace`` the seconds for what still runs after the last answer.
    """

    def __init__(
        self,
        app: WSGIApp,
        *,
        root_path: str = "",
        threads: int = 40,
        processes: bool = False,
        grace: float = 30.0,
    ) -> None:
        self._grace = grace
        self._app = app
        self._root_path = root_path.rstrip("/")
        self._environ = _environ(self._root_path, processes)
        self._queue = cvolo.volo_queue_new(0)
        self._pool = _cvolo.Pool(self._queue, self._spawn, threads)

    async def start(self) -> Any:
        """Returns the C service; the pool starts threads as they are needed."""
        made = service(self._app, self._queue, self._environ, self._root_path)
        self._pool.start()
        return made

    def set_server(self, address: tuple[str, int | None] | None) -> None:
        """SERVER_NAME and SERVER_PORT."""
        if address is not None:
            self._environ["SERVER_NAME"] = address[0] or "localhost"
            self._environ["SERVER_PORT"] = str(address[1] or 0)

    async def stop(self, now: bool = False) -> None:
        """End what :meth:`start` began, once no more requests come; requests in
        progress are waited for, unless ``now``."""
        self._pool.close()
        await asyncio.to_thread(self._pool.join, 0.0 if now else self._grace)

    def _spawn(self) -> None:
        work = self._pool.work
        threading.Thread(target=work, name="volo-pool", daemon=True).start()
