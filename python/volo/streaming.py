# SPDX-License-Identifier: Apache-2.0
"""Sending what is not in memory: streams and files, as fast as the client takes
it, and no faster.

On a thread, ``send`` returns when all has been sent. On the event loop, it gives
a coroutine to a handler's task, or makes a task of its own where there is none.
What is iterated is closed in the end, whatever happens. A file is left to C.
"""

from __future__ import annotations

import asyncio
import contextvars
import functools
import logging
import os
from collections.abc import (
    AsyncIterable,
    AsyncIterator,
    Callable,
    Coroutine,
    Iterable,
    Iterator,
)
from typing import Any

from . import _cvolo
from .binding_run import in_thread
from .errors import VoloError
from .responses import FileBody, Response, Stream

__all__ = ["send"]

log = logging.getLogger("volo")

Call = Callable[..., Coroutine[Any, Any, Any]]

_IN_MEMORY: frozenset[type] = frozenset({type(iter([])), type(iter(()))})
_tasks: set[asyncio.Task[Any]] = set()


def send(request: Any, response: Response) -> Any:
    """Send a Response whose body is a stream or a file.

    Raises what making the first piece of a generator raises; later errors cut
    the answer off, and are logged.
    """
    body = response.body
    if isinstance(body, FileBody):
        path = os.fsencode(body.path)
        return _cvolo.Writer.file(request, response, path, response.media_type)
    if isinstance(body, AsyncIterable):
        return _send_async(request, response, aiter(body))
    if isinstance(body, Iterable):
        return _send_sync(request, response, iter(body))
    raise TypeError(f"the body of a response can't be a {type(body).__qualname__}")


def _send_sync(request: Any, response: Response, pieces: Iterator[Any]) -> Any:
    if not _on_loop():
        return _stream(request, response, pieces)
    if asyncio.current_task() is not None:
        return _stream_on_loop(request, response, pieces)
    writer = _open(request, response)
    return _keep(_pump_on_loop(_caller(pieces), writer, b"", pieces))


def _send_async(request: Any, response: Response, pieces: AsyncIterator[Any]) -> Any:
    if not _on_loop():
        raise TypeError("only an 'async def' handler can send an async iterable")
    if asyncio.current_task() is not None:
        return _stream_async(request, response, pieces)
    writer = _open(request, response)
    return _keep(_pump_async(writer, b"", pieces))


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


# What a client does, and no mistake of the program: it leaves, or sends a body
# that is malformed or too slow to one who passes that on.
_CLIENTS = frozenset({"VOLO_ECANCELED", "VOLO_EHEAD", "VOLO_EPROTO", "VOLO_ETIMEDOUT"})


def _is_clients(error: BaseException) -> bool:
    return isinstance(error, VoloError) and error.name in _CLIENTS


def _cut(writer: Any, error: BaseException) -> None:
    """Cut the answer off, and say why, unless that is the client's doing."""
    writer.close()
    if isinstance(error, Exception) and not _is_clients(error):
        log.error("a stream broke off", exc_info=error)


def _open(request: Any, response: Response) -> Any:
    if response.media_type is None:
        response.media_type = "application/octet-stream"
    length = response.length if isinstance(response, Stream) else None
    return _cvolo.Writer(request, response, -1 if length is None else length)


# ---- Plain iterables, on a thread --------------------------------------------


def _stream(request: Any, response: Response, pieces: Iterator[Any]) -> None:
    try:
        data = _first(response, pieces)
        writer = _open(request, response)
    except BaseException:
        _close(pieces)
        raise
    try:
        while (left := _fill(writer, data, pieces)) is not None:
            data = left
            writer.wait()
        writer.end()
    except BaseException as error:
        _cut(writer, error)
        _close(pieces)
        if not isinstance(error, Exception):
            raise


def _first(response: Response, pieces: Iterator[Any]) -> bytes:
    """What tells the type of a generator's answer; b"" if that is known."""
    if response.media_type is not None:
        return b""
    return _typed(response, next(pieces, b""))


def _fill(writer: Any, data: bytes, pieces: Iterator[Any]) -> bytes | None:
    """Write ``data`` and what comes, until there is no room: what is left then;
    None if that was all, and the source is closed."""
    if data and not writer.write(data):
        return data
    for piece in pieces:
        data = _octets(piece)
        if data and not writer.write(data):
            return data
    _close(pieces)
    return None


def _close(pieces: Iterator[Any]) -> None:
    close = getattr(pieces, "close", None)
    if close is not None:
        close()


# ---- Plain iterables, for the event loop ---------------------------------------
# They run on threads, but no thread waits for a client that is slow.


async def _stream_on_loop(
    request: Any, response: Response, pieces: Iterator[Any]
) -> None:
    call = _caller(pieces)
    try:
        data = await call(_first, response, pieces)
        writer = _open(request, response)
    except BaseException:
        await call(_close, pieces)
        raise
    await _pump_on_loop(call, writer, data, pieces)


async def _pump_on_loop(
    call: Call, writer: Any, data: bytes, pieces: Iterator[Any]
) -> None:
    try:
        while (left := await call(_fill, writer, data, pieces)) is not None:
            data = left
            await writer.drained()
        writer.end()  # after which nothing is awaited any more
    except BaseException as error:
        _cut(writer, error)
        await call(_close, pieces)
        if not isinstance(error, Exception):
            raise


def _caller(pieces: Iterator[Any]) -> Call:
    """How to call what iterates: what is in memory does not block."""
    if type(pieces) in _IN_MEMORY:
        return _at_once
    # One context for all calls: what a generator sets, it finds again.
    return functools.partial(in_thread, contextvars.copy_context().run)


async def _at_once(fn: Callable[..., Any], *args: Any) -> Any:
    return fn(*args)


# ---- Async iterables ---------------------------------------------------------


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
        await _aclose(pieces)
        writer.end()
    except BaseException as error:
        _cut(writer, error)
        await _aclose(pieces)
        if not isinstance(error, Exception):
            raise


async def _write_async(writer: Any, data: bytes) -> None:
    while data and not writer.write(data):
        await writer.drained()


async def _aclose(pieces: AsyncIterator[Any]) -> None:
    close = getattr(pieces, "aclose", None)
    if close is not None:
        await close()
