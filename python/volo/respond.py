# SPDX-License-Identifier: Apache-2.0
"""The hooks of C: what it can't turn into an answer by itself.

``respond`` gets the values that C does not know, and sends what is no octets in
memory; ``on_error`` gets what a handler has raised. ``install`` tells C.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from . import _cvolo
from .errors import HTTPError, Rejection, VoloError
from .json import dumps
from .responses import File, Problem, Response, Stream
from .streaming import send

__all__ = ["install", "on_error", "respond"]

log = logging.getLogger("volo")

How = Callable[[Any, Any], Any]

# How values of a type become answers. Types are few; who makes them by the
# dozen gets them forgotten.
_known: dict[type, How] = {}
_MOST = 4096


def respond(request: Any, value: Any) -> Any:
    """Turn ``value`` into what C knows; or send it, if it is a Response whose
    body is a file or a stream.

    A Struct, dataclass, model or other value of JSON is that; a path a File, an
    iterator or async iterable a Stream, an octet buffer bytes.
    TypeError for anything else.
    """
    kind = type(value)
    how = _known.get(kind)
    if how is None:
        how = _how(kind)
        if len(_known) >= _MOST:
            _known.clear()
        _known[kind] = how
    return how(request, value)


def _how(kind: type) -> How:
    if issubclass(kind, Response):
        return send
    if issubclass(kind, (bytearray, memoryview)):
        return _octets
    if hasattr(kind, "__fspath__"):
        return _file
    if hasattr(kind, "__await__") or hasattr(kind, "cr_await"):
        return _never_awaited
    if issubclass(kind, Iterator) or hasattr(kind, "__aiter__"):
        return _stream
    return _json


def _octets(request: Any, value: Any) -> bytes:
    return bytes(value)


def _file(request: Any, value: Any) -> Response:
    return File(value)


def _stream(request: Any, value: Any) -> Response:
    return Stream(value, media_type=None)


def _json(request: Any, value: Any) -> Response:
    try:
        return Response(dumps(value), 200, None, "application/json")
    except TypeError as error:
        name = f"{type(value).__module__}.{type(value).__qualname__}"
        raise TypeError(
            f"a handler has returned a {name}, which is no answer: {error}"
        ) from error


def _never_awaited(request: Any, value: Any) -> Any:
    close = getattr(value, "close", None)
    if close is not None:
        close()
    raise TypeError(
        "a handler that is no 'async def' has returned something to be awaited: "
        f"{value!r}"
    )


# ---- What was raised ---------------------------------------------------------


def on_error(request: Any, error: BaseException) -> Any:
    """The answer to what a handler has raised, and no handler of exceptions has
    seen to: a problem for HTTPError; else 500, and the traceback is logged."""
    if not isinstance(error, HTTPError):
        log.error("%s %s", *_line(request), exc_info=error)
        error = HTTPError(500)
    return Problem.of(error, _accept(request))


def _accept(request: Any) -> str | None:
    accept: str | None = request.headers.get("accept")
    return accept


def _line(request: Any) -> tuple[str, str]:
    """The method and the target, for the log."""
    return request.method, request.path


def install() -> None:
    """Tell C."""
    _cvolo.set_hooks(
        dumps=dumps,
        respond=respond,
        on_error=on_error,
        rejection=Rejection,
        error=VoloError,
        records=type(msgspec.Struct),
    )
