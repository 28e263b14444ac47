# SPDX-License-Identifier: Apache-2.0
"""Sending what is not in memory: streams and files, as fast as the client takes
it, and no faster.

On a thread, ``send`` returns when all has been sent. On the event loop, it gives
a coroutine to a handler's task, or makes a task of its own where there is none.
What is iterated is closed in the end, whatever happens.
"""

from __future__ import annotations

import asyncio
import errno
import logging
import os
import stat
from collections.abc import (
    AsyncIterable,
    AsyncIterator,
    Coroutine,
    Iterable,
    Iterator,
)
from email.utils import formatdate
from typing import Any, BinaryIO

from . import _cvolo
from .binding_run import in_thread
from .errors import HTTPError, VoloError
from .responses import FileBody, Response, Stream

__all__ = ["send"]

log = logging.getLogger("volo")

PIECE = 65536

_OUT_OF_FILES = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOMEM})
_tasks: set[asyncio.Task[Any]] = set()


def send(request: Any, response: Response) -> Any:
    """Send a Response whose body is a stream or a file.

    Raises what making the first piece raises, if nothing has been sent yet, and
    HTTPError for a file that can't be sent; later errors cut the answer off,
    and are logged.
    """
    body = response.body
    if isinstance(body, FileBody):
        return _send_file(request, response, body.path)
    if isinstance(body, AsyncIterable):
        return _send_async(request, response, aiter(body))
    if isinstance(body, Iterable):
        return _send_sync(request, response, iter(body))
    raise TypeError(f"the body of a response can't be a {type(body).__qualname__}")


def _send_sync(request: Any, response: Response, pieces: Iterator[Any]) -> Any:
    if not _on_loop():
        return _stream(request, response, pieces)
    if asyncio.current_task() is not None:
        return in_thread(_stream, request, response, pieces)
    writer = _open(request, response)
    return _keep(in_thread(_pump, writer, b"", pieces))


def _send_async(request: Any, response: Response, pieces: AsyncIterator[Any]) -> Any:
    if not _on_loop():
        raise TypeError("only an 'async def' handler can send an async iterable")
    if asyncio.current_task() is not None:
        return _stream_async(request, response, pieces)
    writer = _open(request, response)
    return _keep(_pump_async(writer, b"", pieces))


def _send_file(request: Any, response: Response, path: str) -> Any:
    file, status = _opened(path)
    try:
        if "last-modified" not in response.headers:
            stamp = formatdate(status.st_mtime, usegmt=True)
            response.headers["last-modified"] = stamp
        writer = _cvolo.Writer(request, response, status.st_size)
    except BaseException:
        file.close()
        raise
    if not _on_loop():
        return _pump(writer, b"", _read(file, status.st_size))
    work = in_thread(_pump, writer, b"", _read(file, status.st_size))
    return work if asyncio.current_task() is not None else _keep(work)


# ---- Threads and tasks -------------------------------------------------------


def _on_loop() -> bool:
    return asyncio._get_running_loop() is not None


def _keep(coroutine: Coroutine[Any, Any, None]) -> None:
    """Run it as a task of its own: the handler that is driven has none."""
    task = asyncio.get_running_loop().create_task(coroutine)
    _tasks.add(task)
    task.add_done_callback(_tasks.discard)


# ---- Pieces ------------------------------------------------------------------


def _octets(piece: Any) -> bytes:
    if isinstance(piece, bytes):
        return piece
    if isinstance(piece, str):
        return piece.encode()
    if isinstance(piece, (bytearray, memoryview)):
        return bytes(piece)
    raise TypeError(
        f"a stream gives bytes or str, and not {type(piece).__qualname__}: {piece!r}"
    )


def _typed(response: Response, first: Any) -> bytes:
    """The octets of the first piece: if that is text, so is a generator's answer."""
    if response.media_type is None and isinstance(first, str):
        response.media_type = "text/plain; charset=utf-8"
    return _octets(first)


def _is_gone(error: BaseException) -> bool:
    return isinstance(error, VoloError) and error.name == "VOLO_ECANCELED"


def _cut(writer: Any, error: BaseException) -> None:
    """Cut the answer off, and say why, unless the client has left."""
    writer.close()
    if isinstance(error, Exception) and not _is_gone(error):
        log.error("a stream broke off", exc_info=error)


def _open(request: Any, response: Response) -> Any:
    if response.media_type is None:
        response.media_type = "application/octet-stream"
    length = response.length if isinstance(response, Stream) else None
    return _cvolo.Writer(request, response, -1 if length is None else length)


# ---- On a thread -------------------------------------------------------------


def _stream(request: Any, response: Response, pieces: Iterator[Any]) -> None:
    try:
        first = next(pieces, b"") if response.media_type is None else b""
        data = _typed(response, first)
        writer = _open(request, response)
    except BaseException:
        _close(pieces)
        raise
    _pump(writer, data, pieces)


def _pump(writer: Any, data: bytes, pieces: Iterator[Any]) -> None:
    try:
        _write(writer, data)
        for piece in pieces:
            _write(writer, _octets(piece))
        writer.end()
    except BaseException as error:
        _cut(writer, error)
        if not isinstance(error, Exception):
            raise
    finally:
        _close(pieces)


def _write(writer: Any, data: bytes) -> None:
    while data and not writer.write(data):
        writer.wait()


def _close(pieces: Iterator[Any]) -> None:
    close = getattr(pieces, "close", None)
    if close is not None:
        close()


# ---- On the event loop -------------------------------------------------------


async def _stream_async(
    request: Any, response: Response, pieces: AsyncIterator[Any]
) -> None:
    try:
        first = await anext(pieces, b"") if response.media_type is None else b""
        data = _typed(response, first)
        writer = _open(request, response)
    except BaseException:
        await _aclose(pieces)
        raise
    await _pump_async(writer, data, pieces)


async def _pump_async(writer: Any, data: bytes, pieces: AsyncIterator[Any]) -> None:
    try:
        await _write_async(writer, data)
        async for piece in pieces:
            await _write_async(writer, _octets(piece))
        writer.end()
    except BaseException as error:
        _cut(writer, error)
        if not isinstance(error, Exception):
            raise
    finally:
        await _aclose(pieces)


async def _write_async(writer: Any, data: bytes) -> None:
    while data and not writer.write(data):
        await writer.drained()


async def _aclose(pieces: AsyncIterator[Any]) -> None:
    close = getattr(pieces, "aclose", None)
    if close is not None:
        await close()


# ---- Files -------------------------------------------------------------------


def _opened(path: str) -> tuple[BinaryIO, os.stat_result]:
    """A regular file; never blocks on what is none. HTTPError."""
    flags = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
    try:
        fd = os.open(path, flags)
    except OSError as error:
        raise HTTPError(_status_of(error)) from error
    status = os.fstat(fd)
    if not stat.S_ISREG(status.st_mode):
        os.close(fd)
        raise HTTPError(404)
    return os.fdopen(fd, "rb", buffering=0), status


def _status_of(error: OSError) -> int:
    if isinstance(error, PermissionError):
        return 403
    return 503 if error.errno in _OUT_OF_FILES else 404


def _read(file: BinaryIO, left: int) -> Iterator[bytes]:
    """The file's octets, as many as it was found to have."""
    with file:
        while left > 0:
            piece = file.read(min(left, PIECE))
            if not piece:
                raise EOFError("a file became shorter while it was sent")
            left -= len(piece)
            yield piece
