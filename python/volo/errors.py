# SPDX-License-Identifier: Apache-2.0
"""What goes wrong, and how a request is answered then.

    raise HTTPError(404, "no such user")

is answered with status 404: as application/problem+json where the client names
JSON in Accept, else as a short text; the same as errors from C.  Exceptions of
other types are answered by the handlers registered for them, and if there is
none, with 500, while the traceback goes to the logger "volo".
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from . import cvolo

__all__ = [
    "ErrorHandlers",
    "HTTPError",
    "Invalid",
    "RegistrationError",
    "Rejection",
    "VoloError",
    "reason_of",
]


Handler = Callable[[Any, Any], Any]


class VoloError(Exception):
    """A function of the library has failed.

    ``code`` is the negative number, ``name`` such as "VOLO_EEXIST"; the text
    says what it was about.
    """

    def __init__(self, code: int, name: str, text: str) -> None:
        super().__init__(code, name, text)
        self.code = code
        self.name = name
        self.text = text

    def __str__(self) -> str:
        return f"{self.text} ({self.name})"


class RegistrationError(TypeError):
    """A handler asks for what no request can give.

    ``handler`` and ``parameter`` are their names, the latter None where it is
    about the whole; ``reason`` says why.
    """

    def __init__(self, handler: str, parameter: str | None, reason: str) -> None:
        super().__init__(handler, parameter, reason)
        self.handler = handler
        self.parameter = parameter
        self.reason = reason

    def __str__(self) -> str:
        if self.parameter is None:
            return f"{self.handler}: {self.reason}"
        return f"{self.handler}: parameter {self.parameter!r} {self.reason}"


def reason_of(status: int) -> str:
    """The reason phrase of a status, the same as in C; "" if it has none."""
    return cvolo.volo_status_reason(status)


class HTTPError(Exception):
    """Answer the request with ``status`` instead of a value.

    ``detail`` is told to the client; ``headers`` are added to the answer;
    ``type`` is the URI of the kind of problem, ``title`` its name (both RFC
    9457; the title is the status's reason otherwise), ``extra`` are further
    members of the problem.

    Raises ValueError for a status outside of 400 to 599.
    """

    status: int
    detail: str | None
    headers: dict[str, str]
    type: str | None
    title: str | None
    extra: dict[str, Any]

    def __init__(
        self,
        status: int,
        detail: str | None = None,
        headers: Mapping[str, str] | None = None,
        type: str | None = None,
        *,
        title: str | None = None,
        extra: Mapping[str, Any] | None = None,
    ) -> None:
        if not 400 <= status <= 599:
            raise ValueError(f"{status} is no status of an error")
        super().__init__(status, detail)
        self.status = int(status)
        self.detail = detail
        self.headers = dict(headers or {})
        self.type = type
        self.title = title
        self.extra = dict(extra or {})

    def __str__(self) -> str:
        words = f"{self.status} {self.title or reason_of(self.status)}".rstrip()
        return words if self.detail is None else f"{words}: {self.detail}"


class Invalid(NamedTuple):
    """One value that was not accepted: its name, where it stood, and why."""

    field: str
    where: str
    """ "path", "query", "header", "cookie", "form", "body" or "request"."""
    reason: str


class Rejection(HTTPError):
    """A request whose values were not accepted; ``errors`` says which and why.

    For extractors and providers of one's own: ``Rejection.of("page", "query",
    "is out of range")``.
    """

    def __init__(
        self,
        errors: Iterable[Invalid | tuple[str, str, str]],
        status: int = 422,
        detail: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(status, detail, headers)
        self.errors = tuple(Invalid(*error) for error in errors)

    @classmethod
    def of(cls, field: str, where: str, reason: str, status: int = 422) -> Rejection:
        """One with a single error."""
        return cls([Invalid(field, where, reason)], status)

    def __str__(self) -> str:
        told = "; ".join(f"{e.where} {e.field} {e.reason}" for e in self.errors)
        return f"{super().__str__()}: {told}" if told else super().__str__()


class ErrorHandlers:
    """Which exceptions are answered by whom.

    A handler is ``handler(request, exception)`` and returns what a handler of
    requests may return; the one for the nearest base of the exception's type
    is taken.  For an HTTPError, one for its status goes before.  ``outer`` is
    asked for what is not found here: the handlers of the router around this.
    """

    def __init__(
        self,
        handlers: Mapping[type[Exception] | int, Handler] | None = None,
        outer: ErrorHandlers | None = None,
    ) -> None:
        self._handlers: dict[type[Exception] | int, Handler] = {}
        self._outer = outer
        for what, handler in (handlers or {}).items():
            self.add(what, handler)

    def __bool__(self) -> bool:
        return bool(self._handlers) or bool(self._outer)

    def add(self, what: type[Exception] | int, handler: Handler) -> None:
        """Let ``handler`` answer exceptions of a type, or of a status.

        Raises TypeError for what is neither, or a handler that can't be called.
        """
        if not callable(handler):
            raise TypeError(f"{handler!r} can't be called")
        is_type = isinstance(what, type) and issubclass(what, Exception)
        if not is_type and (isinstance(what, bool) or not isinstance(what, int)):
            raise TypeError(f"{what!r} is neither a type of exceptions nor a status")
        self._handlers[what] = handler

    def find(self, error: BaseException) -> Handler | None:
        """The handler for ``error``; None if it has none."""
        found = self._find_here(error)
        if found is None and self._outer is not None:
            return self._outer.find(error)
        return found

    def _find_here(self, error: BaseException) -> Handler | None:
        if isinstance(error, HTTPError) and error.status in self._handlers:
            return self._handlers[error.status]
        for base in type(error).__mro__:
            if base in self._handlers:
                return self._handlers[base]
        return None
