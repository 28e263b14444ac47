# SPDX-License-Identifier: Apache-2.0
"""What becomes of values and exceptions that leave a step of a chain.

C does the same for handlers without layers around them; here it is for what
layers and handlers of exceptions return and raise.
"""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

from . import cvolo
from ._cvolo import Response
from .errors import ErrorHandlers, HTTPError, VoloError
from .json import dumps
from .respond import respond
from .responses import Problem

if TYPE_CHECKING:
    from .runtime import Runtime

__all__ = ["Rescuer", "http_error_of", "to_response"]


def to_response(request: Any, value: Any) -> Any:
    """The Response that ``value`` means, by the rules for what handlers return.
    TypeError if it means none."""
    if isinstance(value, Response):
        return value
    if value is None:
        return Response(None, 204)
    if isinstance(value, (str, bytes)):
        return Response(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return Response(None, value)
    if isinstance(value, (dict, list)):
        return Response(dumps(value), 200, None, "application/json")
    if isinstance(value, tuple) and len(value) in (2, 3):
        return _of_tuple(request, value)
    return to_response(request, respond(request, value))


def _of_tuple(request: Any, value: tuple[Any, ...]) -> Any:
    status, *headers, body = value
    response = to_response(request, body)
    response.status = status
    for more in headers:
        pairs = more.items() if hasattr(more, "items") else more
        for name, text in pairs:
            response.headers.add(name, text)
    return response


class Rescuer:
    """Turns values into responses, and exceptions by the handlers that were
    registered for them; HTTPErrors also where none was."""

    response: type = Response

    def __init__(self, handlers: ErrorHandlers | None, runtime: Runtime) -> None:
        self._handlers = handlers
        self._runtime = runtime

    def convert(self, request: Any, value: Any) -> Any:
        """A response; TypeError for a value that is none."""
        return to_response(request, value)

    def rescue(self, request: Any, error: Exception) -> Any:
        """A response; raises ``error`` if nobody answers it."""
        handler = self._handlers.find(error) if self._handlers else None
        if handler is None:
            return _problem(request, error)
        value = handler(request, error)
        if inspect.isawaitable(value):
            value = self._runtime.wait_for(value)
        return to_response(request, value)

    async def rescue_async(self, request: Any, error: Exception) -> Any:
        """:meth:`rescue`, on the event loop."""
        handler = self._handlers.find(error) if self._handlers else None
        if handler is None:
            return _problem(request, error)
        value = handler(request, error)
        if inspect.isawaitable(value):
            value = await value
        return to_response(request, value)


def _problem(request: Any, error: Exception) -> Any:
    known = http_error_of(error)
    if known is None:
        raise error
    return Problem.of(known, request.headers.get("accept"))


# What reading a body fails with: the client's doing, each with its status.
_BODY_ERRORS = frozenset(
    {
        "VOLO_ECANCELED",
        "VOLO_EHEAD",
        "VOLO_EPROTO",
        "VOLO_ETIMEDOUT",
        "VOLO_ETOOBIG",
    }
)


def http_error_of(error: BaseException) -> HTTPError | None:
    """What answers ``error`` if nobody has registered a handler for it; None
    for those that nobody expected."""
    if isinstance(error, HTTPError):
        return error
    if isinstance(error, VoloError) and error.name in _BODY_ERRORS:
        return HTTPError(cvolo.volo_error_status(error.code))
    return None
