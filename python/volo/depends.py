# SPDX-License-Identifier: Apache-2.0
"""Dependencies: what providers give to a handler, and to each other.

``Depends(provider)`` is followed at registration.  The handler and all that it
depends on become one function of the values that C reads from the request: it
calls each provider once, in the order in which they are asked for, and then the
handler.  A handler that depends on nothing is called as it is.

A generator gives one value; its rest is run after the response has been made,
the last one first.  If the handler or a later provider raises, so does the
``yield`` of the generator; what it raises then goes on instead, and what it
swallows is answered all the same.
"""

from __future__ import annotations

import contextlib
import dataclasses
import inspect
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from . import binding_hints as hints
from .binding_kind import Flavor, Kind, flavor_of, kind_of
from .binding_plan import Arg, Expr, Provided, SharedValue
from .params import Dependency

if TYPE_CHECKING:
    from .binding_rules import Parameter, Rules

__all__ = ["Arguments", "Graph", "Provider"]

Overrides = Mapping[Callable[..., Any], Callable[..., Any]]

_NAMED = frozenset({"path", "query", "header", "cookie", "form", "state"})


@contextlib.contextmanager
def _manager() -> Iterator[None]:
    yield


@contextlib.asynccontextmanager
async def _async_manager() -> AsyncIterator[None]:
    yield


# The functions that those decorators make, whichever generator is in them.
_MANAGERS = frozenset({_manager.__code__, _async_manager.__code__})


@dataclasses.dataclass(frozen=True)
class Arguments:
    """What a function is called with: by position, then by name."""

    positional: tuple[Expr, ...] = ()
    named: tuple[tuple[str, Expr], ...] = ()

    def all(self) -> tuple[Expr, ...]:
        """Every one of them, in the order of the signature."""
        return self.positional + tuple(expr for _, expr in self.named)


@dataclasses.dataclass(frozen=True)
class Provider:
    """A provider and what it is called with."""

    call: Callable[..., Any]
    flavor: Flavor
    kind: Kind
    blocking: bool
    arguments: Arguments


class Graph:
    """The providers of one handler, each after those that it depends on."""

    def __init__(self, rules: Rules, overrides: Overrides) -> None:
        self.rules = rules
        self.providers: list[Provider] = []
        self.shared: set[Any] = set()
        self._overrides = overrides
        self._known: dict[Any, int] = {}
        self._under_way: list[Callable[..., Any]] = []

    def arguments(self, fn: Callable[..., Any]) -> Arguments:
        """Where the arguments of ``fn`` come from.  RegistrationError."""
        from .binding_rules import read_parameter

        owner = hints.name_of(fn)
        positional, named = [], []
        keys: dict[tuple[str, str], str] = {}
        for found in hints.signature_of(fn):
            parameter = read_parameter(owner, found)
            expr = self._expression(parameter)
            self._check_key(parameter, expr, keys)
            if parameter.keyword:
                named.append((parameter.name, expr))
            else:
                positional.append(expr)
        return Arguments(tuple(positional), tuple(named))

    def _expression(self, parameter: Parameter) -> Expr:
        dependency = self.rules.dependency_of(parameter)
        if dependency is not None:
            return Provided(self._provider(parameter, dependency))
        expr = self.rules.expression(parameter)
        if isinstance(expr, SharedValue):
            self.shared.add(expr.kind)
        return expr

    def _check_key(
        self, parameter: Parameter, expr: Expr, keys: dict[tuple[str, str], str]
    ) -> None:
        if not isinstance(expr, Arg):
            return
        source, key = self.rules.plan.leaves[expr.index][:2]
        if source not in _NAMED:
            return
        other = keys.setdefault((source, key), parameter.name)
        if other != parameter.name:
            raise parameter.refuse(
                f"has the same name in the {source} as {other!r}: {key!r}"
            )

    # ---- Providers -----------------------------------------------------------

    def _provider(self, parameter: Parameter, dependency: Dependency) -> int:
        assert dependency.provider is not None
        fn = self._overrides.get(dependency.provider, dependency.provider)
        if fn in self._under_way:
            circle = [*self._under_way[self._under_way.index(fn) :], fn]
            names = " -> ".join(hints.name_of(f) for f in circle)
            raise parameter.refuse(f"depends on itself: {names}")
        if dependency.cache and fn in self._known:
            return self._known[fn]
        self._under_way.append(fn)
        try:
            index = self._add(fn, dependency)
        finally:
            self._under_way.pop()
        if dependency.cache:
            self._known[fn] = index
        return index

    def _add(self, fn: Callable[..., Any], dependency: Dependency) -> int:
        call = _generator_of(fn)
        blocking = dependency.blocking
        if blocking is None:
            blocking = not inspect.isclass(call)
        provider = Provider(
            call=call,
            flavor=flavor_of(call),
            kind=kind_of(call),
            blocking=blocking,
            arguments=self.arguments(call),
        )
        self.providers.append(provider)
        return len(self.providers) - 1


def _generator_of(fn: Callable[..., Any]) -> Callable[..., Any]:
    """What ``@contextmanager`` was put on: it is entered here anyway."""
    if getattr(fn, "__code__", None) in _MANAGERS:
        wrapped: Callable[..., Any] = fn.__wrapped__  # type: ignore[attr-defined]
        return wrapped
    return fn
