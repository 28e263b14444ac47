# SPDX-License-Identifier: Apache-2.0
"""Signatures with their annotations resolved.

Strings (``from __future__ import annotations``, forward references) are looked
up in the function's module, then in what the function closes over and in the
locals of the functions that are just registering it.  What can't be resolved is
a RegistrationError that names the parameter.
"""

from __future__ import annotations

import functools
import inspect
import sys
import typing
from collections.abc import Callable, Iterator, Mapping
from types import FrameType, SimpleNamespace
from typing import Any
from weakref import WeakKeyDictionary

from .errors import RegistrationError

__all__ = ["name_of", "origin_of", "return_hint", "signature_of"]

_DEPTH = 40

# What strings have been found to name, of each function.
_found: WeakKeyDictionary[Callable[..., Any], dict[str, Any]] = WeakKeyDictionary()


def name_of(fn: Callable[..., Any]) -> str:
    """What a handler is called in messages: its qualified name."""
    while isinstance(fn, functools.partial):
        fn = fn.func
    name = getattr(fn, "__qualname__", None)
    if not isinstance(name, str):
        name = type(fn).__qualname__
    module = getattr(fn, "__module__", None) or type(fn).__module__
    return f"{module}.{name}" if isinstance(module, str) else name


def origin_of(fn: Callable[..., Any]) -> Callable[..., Any]:
    """The function whose code and globals are behind a callable: of partials,
    decorated functions, bound methods, classes, and objects with __call__."""
    while True:
        if isinstance(fn, functools.partial):
            fn = fn.func
        elif hasattr(fn, "__wrapped__"):
            fn = getattr(fn, "__wrapped__")  # noqa: B009
        elif inspect.ismethod(fn):
            fn = fn.__func__
        elif inspect.isclass(fn):
            return _constructor_of(fn)
        elif inspect.isroutine(fn):
            return fn
        else:
            call = type(fn).__call__
            if not inspect.isfunction(call):
                return fn
            fn = call


def _constructor_of(cls: type) -> Callable[..., Any]:
    for name in ("__init__", "__new__"):
        made = inspect.getattr_static(cls, name)
        made = getattr(made, "__func__", made)
        if inspect.isfunction(made):
            return made
    return cls


def _raw_signature(fn: Callable[..., Any]) -> inspect.Signature:
    options: dict[str, Any] = {}
    if sys.version_info >= (3, 14):
        import annotationlib

        options["annotation_format"] = annotationlib.Format.FORWARDREF
    try:
        return inspect.signature(fn, **options)
    except ValueError as error:
        raise RegistrationError(name_of(fn), None, "has no signature") from error


def _registering_locals(module: object) -> Iterator[Mapping[str, Any]]:
    """Locals of the callers that are of that module, the nearest first."""
    frame: FrameType | None = sys._getframe(1)
    for _ in range(_DEPTH):
        if frame is None:
            return
        if frame.f_globals.get("__name__") == module:
            yield frame.f_locals
        frame = frame.f_back


def _closure_of(fn: Callable[..., Any]) -> dict[str, Any]:
    code = getattr(fn, "__code__", None)
    found: dict[str, Any] = {}
    cells = getattr(fn, "__closure__", None) or ()
    for name, cell in zip(getattr(code, "co_freevars", ()), cells, strict=False):
        try:
            found[name] = cell.cell_contents
        except ValueError:  # not filled yet
            continue
    return found


class Names:
    """Where the names in annotations of one function are looked up.

    What was found is remembered as long as the function lives: handlers are
    looked at again when they are about to be served, and then the locals of who
    has registered them are gone.
    """

    def __init__(self, fn: Callable[..., Any]) -> None:
        origin = origin_of(fn)
        try:
            self._found = _found.setdefault(origin, {})
        except TypeError:  # no weak references
            self._found = {}
        module = getattr(origin, "__module__", None)
        loaded = sys.modules.get(module) if isinstance(module, str) else None
        self.globals: dict[str, Any] = getattr(origin, "__globals__", None) or (
            vars(loaded) if loaded is not None else {}
        )
        self.locals: dict[str, Any] = {}
        for names in reversed(list(_registering_locals(module))):
            self.locals.update(names)
        self.locals.update(_closure_of(origin))

    def resolve(self, annotation: object) -> Any:
        """The annotation with each string in it replaced by what it names.

        Raises what evaluating the string raises: NameError and the like.
        """
        if not isinstance(annotation, str):
            return self._evaluate(annotation)
        if annotation not in self._found:
            self._found[annotation] = self._evaluate(annotation)
        return self._found[annotation]

    def _evaluate(self, annotation: object) -> Any:
        holder = SimpleNamespace(__annotations__={"it": annotation})
        hints = typing.get_type_hints(
            holder, self.globals, self.locals, include_extras=True
        )
        return hints["it"]


def signature_of(fn: Callable[..., Any]) -> list[inspect.Parameter]:
    """The parameters of ``fn``, with annotations that are no strings any more.

    Raises RegistrationError: no signature, an annotation that names nothing,
    or ``*args`` and ``**kwargs``, which no request can fill.
    """
    names = Names(fn)
    found = []
    for parameter in _raw_signature(fn).parameters.values():
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            stars = "*" if parameter.kind is parameter.VAR_POSITIONAL else "**"
            raise RegistrationError(
                name_of(fn),
                stars + parameter.name,
                "can't be filled from a request: name the parameters",
            )
        found.append(_resolved(fn, parameter, names))
    return found


def _resolved(
    fn: Callable[..., Any], parameter: inspect.Parameter, names: Names
) -> inspect.Parameter:
    if parameter.annotation is parameter.empty:
        return parameter
    try:
        return parameter.replace(annotation=names.resolve(parameter.annotation))
    except Exception as error:
        raise RegistrationError(
            name_of(fn),
            parameter.name,
            f"has an annotation that can't be resolved: {error}",
        ) from error


def return_hint(fn: Callable[..., Any]) -> Any:
    """The annotation of what ``fn`` returns; ``inspect.Parameter.empty`` if it
    has none, or one that can't be resolved: nothing depends on it."""
    annotation = _raw_signature(fn).return_annotation
    if annotation is inspect.Signature.empty:
        return inspect.Parameter.empty
    try:
        return Names(fn).resolve(annotation)
    except Exception:
        return inspect.Parameter.empty
