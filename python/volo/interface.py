# SPDX-License-Identifier: Apache-2.0
"""Finding an application by its name, and telling of what kind one is."""

from __future__ import annotations

import functools
import importlib
import inspect
from collections.abc import Callable
from typing import Any, Literal

__all__ = ["Interface", "Kind", "LoadError", "kind_of", "load"]

Kind = Literal["volo", "asgi", "wsgi"]
Interface = Literal["auto", "volo", "asgi", "wsgi"]


class LoadError(Exception):
    """An application could not be found; the words say what is missing."""


def load(target: str, factory: bool = False) -> Any:
    """The application ``"package.module:name"``, or, with ``factory``, what
    that gives when it is called.  Without ``:name``, ``app`` is meant.

    Raises LoadError if there is no such module or name, and what the module
    itself raises.
    """
    module, _, path = target.partition(":")
    path = path or "app"
    if not module:
        raise LoadError(f"{target!r} names no module: write module:app")
    try:
        found: Any = importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name is None or not _is_part(error.name, module):
            raise
        raise LoadError(f"there is no module {error.name!r}") from None
    for name in path.split("."):
        try:
            found = getattr(found, name)
        except AttributeError:
            raise LoadError(f"there is no {path!r} in module {module!r}") from None
    return found() if factory else found


def _is_part(name: str, module: str) -> bool:
    return module == name or module.startswith(name + ".")


def kind_of(app: Any, interface: Interface = "auto") -> Kind:
    """Of what kind ``app`` is: ``interface``, unless that is ``"auto"``.

    Raises TypeError for what can't be told, or is none.
    """
    if interface != "auto":
        if interface not in ("volo", "asgi", "wsgi"):
            raise ValueError(f"{interface!r} is no interface")
        return interface
    from .app import App

    if isinstance(app, App):
        return "volo"
    if not callable(app) or inspect.isclass(app):
        raise TypeError(f"{app!r} is no application")
    return _kind_of_call(app)


def _kind_of_call(app: Callable[..., Any]) -> Kind:
    call = app
    while isinstance(call, functools.partial):
        call = call.func
    if inspect.iscoroutinefunction(call):
        return "asgi"
    if not inspect.isroutine(call) and inspect.iscoroutinefunction(
        getattr(call, "__call__", None)  # noqa: B004
    ):
        return "asgi"
    count = _arguments(app)
    if count == 3:
        return "asgi"
    if count == 2:
        return "wsgi"
    raise TypeError(
        f"can't tell whether {app!r} is an ASGI or a WSGI application: "
        "say so with the interface"
    )


def _arguments(app: Callable[..., Any]) -> int:
    """How many positional arguments a call needs; -1 if that can't be seen."""
    try:
        parameters = inspect.signature(app).parameters.values()
    except (TypeError, ValueError):
        return -1
    positional = (
        inspect.Parameter.POSITIONAL_ONLY,
        inspect.Parameter.POSITIONAL_OR_KEYWORD,
    )
    return sum(
        p.kind in positional and p.default is inspect.Parameter.empty
        for p in parameters
    )
