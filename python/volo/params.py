# SPDX-License-Identifier: Apache-2.0
"""Markers that say where a parameter's value comes from.

A marker stands in the annotation or as the default:

    def users(page: Annotated[int, Query(ge=1)] = 1): ...
    def users(page: int = Query(1, ge=1)): ...

Without one, the name and the type decide; ``volo.binding`` has the rules.
The markers are functions and give ``Any``, so that a type checker accepts them
as the default of whatever type.

This module knows no request and no handler: it only keeps what was said.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import (
    TYPE_CHECKING,
    Annotated,
    Any,
    Final,
    Protocol,
    TypedDict,
    TypeVar,
    runtime_checkable,
)

import msgspec

if TYPE_CHECKING:
    from typing_extensions import Unpack

T = TypeVar("T")

__all__ = [
    "MISSING",
    "Body",
    "Constraints",
    "Cookie",
    "Dependency",
    "Depends",
    "Extension",
    "Extractor",
    "Form",
    "Header",
    "Json",
    "Marker",
    "Missing",
    "Path",
    "Query",
    "Shared",
    "State",
    "Text",
]


class Missing:
    """The type of MISSING, which stands for "there is no default"."""

    def __repr__(self) -> str:
        return "<missing>"

    def __bool__(self) -> bool:
        return False


MISSING: Final = Missing()


class Constraints(TypedDict, total=False):
    """What a value must keep to, and what documentation says of it.

    The same as those of ``msgspec.Meta``: bounds of numbers, lengths of strings
    and lists, a regular expression that is searched for.
    """

    gt: float
    ge: float
    lt: float
    le: float
    multiple_of: float
    pattern: str
    min_length: int
    max_length: int
    tz: bool
    title: str
    description: str
    examples: list[Any]


@dataclass(frozen=True)
class Marker:
    """What ``Query(...)`` and the like keep: a source, and what is to hold there.

    ``source`` is "path", "query", "header", "cookie", "form", "json", "body",
    "text" or "state"; ``alias`` is the name there, if not the parameter's.
    """

    source: str
    default: object = MISSING
    alias: str | None = None
    meta: msgspec.Meta | None = None


@dataclass(frozen=True)
class Dependency:
    """What ``Depends(...)`` keeps; ``provider`` None means the annotated type."""

    provider: Callable[..., Any] | None = None
    cache: bool = True
    blocking: bool | None = None


@runtime_checkable
class Extractor(Protocol):
    """What reads a value of its own from a request.

    Either a class that is the parameter's annotation, with this as a class
    method, or an object in ``Annotated[...]``.  Its parameters are bound by the
    rules for those of a handler, so it takes ``request: Request``, or just what
    it needs.  It may be ``async`` or a generator, as a provider of ``Depends``;
    it refuses by raising ``HTTPError`` or ``Rejection``.

        class Caller:
            @classmethod
            def __volo_extract__(cls, authorization: Annotated[str, Header()]): ...

        def whoami(caller: Caller): ...
    """

    __volo_extract__: Callable[..., Any]


def _marker(
    source: str, default: object, alias: str | None, constraints: Constraints
) -> Marker:
    meta = msgspec.Meta(**dict[str, Any](constraints)) if constraints else None
    return Marker(source, default, alias, meta)


def Path(*, alias: str | None = None, **constraints: Unpack[Constraints]) -> Any:
    """The parameter ``{name}`` of the route's pattern, percent-decoded."""
    return _marker("path", MISSING, alias, constraints)


def Query(
    default: Any = MISSING,
    *,
    alias: str | None = None,
    **constraints: Unpack[Constraints],
) -> Any:
    """A field of the query; all of that name for a list, set or tuple.

    With a Struct, dataclass or TypedDict: the fields of that, each a query field.
    """
    return _marker("query", default, alias, constraints)


def Header(
    default: Any = MISSING,
    *,
    alias: str | None = None,
    **constraints: Unpack[Constraints],
) -> Any:
    """A header field; ``_`` in the parameter's name stands for ``-``.

    All lines of that name for a list, set or tuple.
    """
    return _marker("header", default, alias, constraints)


def Cookie(
    default: Any = MISSING,
    *,
    alias: str | None = None,
    **constraints: Unpack[Constraints],
) -> Any:
    """A cookie that the client has sent."""
    return _marker("cookie", default, alias, constraints)


def Form(
    default: Any = MISSING,
    *,
    alias: str | None = None,
    **constraints: Unpack[Constraints],
) -> Any:
    """A field of the body, which is application/x-www-form-urlencoded.

    With a Struct, dataclass or TypedDict: the fields of that, each a form field.
    """
    return _marker("form", default, alias, constraints)


def Json(default: Any = MISSING, **constraints: Unpack[Constraints]) -> Any:
    """The body, which is JSON, decoded and validated into the annotated type."""
    return _marker("json", default, None, constraints)


def Body(default: Any = MISSING) -> Any:
    """The octets of the body, whatever its media type; the type is ``bytes``."""
    return _marker("body", default, None, {})


def Text(default: Any = MISSING) -> Any:
    """The body as text, in UTF-8; the type is ``str``."""
    return _marker("text", default, None, {})


def Extension(default: Any = MISSING, *, alias: str | None = None) -> Any:
    """An attribute of ``request.state``, where layers leave what they know."""
    return _marker("state", default, alias, {})


@dataclass(frozen=True)
class Shared:
    """What ``State[kind]`` stands for in an annotation."""

    kind: Any


if TYPE_CHECKING:
    State = Annotated[T, Shared]
else:

    class State:
        """``State[Pool]``: the value that was provided as ``Pool``.

        The router that the handler is in has it from ``provide(value)``, or the
        routers around that one.  For a type checker, it is just ``Pool``.
        """

        def __class_getitem__(cls, kind: Any) -> Any:
            return Annotated[kind, Shared(kind)]


def Depends(
    provider: Callable[..., Any] | None = None,
    *,
    cache: bool = True,
    blocking: bool | None = None,
) -> Any:
    """What ``provider`` gives; its own parameters are bound by the same rules.

    ``provider`` is a function, ``async`` or not, a class, or a generator (async
    or not) of one value, whose rest is run after the response has been made.
    Without one, it is the annotated type.

    ``cache``: call it once a request, whoever depends on it.
    ``blocking``: whether a plain ``def`` may hold up its thread; in a chain with
    something ``async`` it then runs on a thread, not on the event loop.  None:
    True for functions and generators, False for classes.
    """
    return Dependency(provider, cache, blocking)


# The functions themselves, for Annotated[int, Query] without the parentheses.
BARE: Final[dict[Callable[..., Any], Marker | Dependency]] = {
    make: make()
    for make in (
        Path,
        Query,
        Header,
        Cookie,
        Form,
        Json,
        Body,
        Text,
        Extension,
        Depends,
    )
}
