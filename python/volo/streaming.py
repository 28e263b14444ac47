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
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable, Iterator
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
    on_loop = asyncio._get_running_loop() is not None
    body = response.body
    if isinstance(body, FileBody):
        return _send_file(request, response, body.path, on_loop)
    if isinstance(body, AsyncIterable):
        if not on_loop:
            raise TypeError("only an 'async def' handler can send an async iterable")
        return _as_task(_send_async(request, response, aiter(body)))
    if not isinstance(body, Iterable):
        raise TypeError(f"the body of a response can't be a {type(body).__qualname__}")
    return _run(on_loop, _send_sync, request, response, iter(body))


def _run(on_loop: bool, fn: Callable[..., None], *args: Any) -> Any:
    """Call ``fn``, which blocks: on a thread, if this is the event loop."""
    if not on_loop:
        return fn(*args)
    return _as_task(in_thread(fn, *args))


def _as_task(coroutine: Any) -> Any:
    """A coroutine for the task that is running, or a task for it."""
    if asyncio.current_task() is not None:
        return coroutine
    task = asyncio.get_running_loop().create_task(coroutine)
    _tasks.add(task)
    task.add_done_callback(_tasks.discard)
    return None


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


def _typed(response: Response, first: Any) -> None:
    """A generator's answer is text if its first piece is."""
    if response.media_type is None:
        text = isinstance(first, str)
        response.media_type = (
            "text/plain; charset=utf-8" if text else "application/octet-stream"
        )


def _length(response: Response) -> int:
    length = response.length if isinstance(response, Stream) else None
    return -1 if length is None else length


def _is_gone(error: BaseException) -> bool:
    return isinstance(error, VoloError) and error.name == "VOLO_ECANCELED"


def _cut(writer: Any, error: BaseException) -> None:
    """Cut the answer off, and say why, unless the client has left."""
    writer.close()
    if isinstance(error, Exception) and not _is_gone(error):
        log.error("a stream broke off", exc_info=error)


# ---- On a thread -------------------------------------------------------------


def _write(writer: Any, data: bytes) -> None:
    while data and not writer.write(data):
        writer.wait()


def _send_sync(request: Any, response: Response, pieces: Iterator[Any]) -> None:
    try:
        first = b""
        if response.media_type is None:
            first = next(pieces, b"")
            _typed(response, first)
            _octets(first)
        writer = _cvolo.Writer(request, response, _length(response))
        try:
            _write(writer, _octets(first))
            for piece in pieces:
                _write(writer, _octets(piece))
            writer.end()
        except BaseException as error:
            _cut(writer, error)
            if not isinstance(error, Exception):
                raise
    finally:
        close = getattr(pieces, "close", None)
        if close is not None:
            close()


# ---- On the event loop -------------------------------------------------------


async def _write_async(writer: Any, data: bytes) -> None:
    while data and not writer.write(data):
        await writer.drained()


async def _send_async(
    request: Any, response: Response, pieces: AsyncIterator[Any]
) -> None:
    try:
        first: Any = b""
        if response.media_type is None:
            first = await anext(pieces, b"")
            _typed(response, first)
            _octets(first)
        writer = _cvolo.Writer(request, response, _length(response))
        try:
            await _write_async(writer, _octets(first))
            async for piece in pieces:
                await _write_async(writer, _octets(piece))
            writer.end()
        except BaseException as error:
            _cut(writer, error)
            if not isinstance(error, Exception):
                raise
    finally:
        close = getattr(pieces, "aclose", None)
        if close is not None:
            await close()


# ---- Files -------------------------------------------------------------------


def _open(path: str) -> tuple[BinaryIO, os.stat_result]:
    """A regular file; never blocks on what is none. HTTPError."""
    flags = os.O_RDONLY | os.O_NONBLOCK | getattr(os, "O_CLOEXEC", 0)
    try:
        fd = os.open(path, flags | getattr(os, "O_NOCTTY", 0))
    except PermissionError:
        raise HTTPError(403) from None
    except OSError as error:
        if error.errno in _OUT_OF_FILES:
            raise HTTPError(503) from error
        raise HTTPError(404) from None
    file = os.fdopen(fd, "rb", buffering=0)
    status = os.fstat(fd)
    if not stat.S_ISREG(status.st_mode):
        file.close()
        raise HTTPError(404)
    return file, status


def _send_file(request: Any, response: Response, path: str, on_loop: bool) -> Any:
    file, status = _open(path)
    try:
        if "last-modified" not in response.headers:
            stamp = formatdate(status.st_mtime, usegmt=True)
            response.headers["last-modified"] = stamp
        writer = _cvolo.Writer(request, response, status.st_size)
    except BaseException:
        file.close()
        raise
    return _run(on_loop, _copy, writer, file, status.st_size)


def _copy(writer: Any, file: BinaryIO, size: int) -> None:
    with file:
        try:
            left = size
            while left > 0:
                piece = file.read(min(left, PIECE))
                if not piece:
                    raise EOFError("a file became shorter while it was sent")
                _write(writer, piece)
                left -= len(piece)
            writer.end()
        except BaseException as error:
            _cut(writer, error)
            if not isinstance(error, Exception):
                raise
