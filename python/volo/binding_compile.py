# SPDX-License-Identifier: Apache-2.0
"""One function of a handler and all that it depends on.

The function is written as source and compiled, as dataclasses do: straight-line
code that calls the providers and then the handler, with nothing to interpret
while a request waits.  For

    def user(id: int, db: Annotated[Db, Depends(open_db)]): ...

with a plain ``open_db(dsn: State[Dsn])`` it is

    def call(a0):
        p0 = f0(shared(k0))
        return handler(a0, p0)
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

from . import binding_run as run
from .binding_kind import Flavor, Kind, flavor_of
from .binding_plan import Arg, Expr, Made, Provided, SharedValue
from .depends import Arguments, Graph, Provider

__all__ = ["Compiled", "compile_call"]

_GENERATORS = (Flavor.GENERATOR, Flavor.ASYNC_GENERATOR)
_ASYNC = (Flavor.COROUTINE, Flavor.ASYNC_GENERATOR)


@dataclasses.dataclass(frozen=True)
class Compiled:
    """What C calls, and how it is to be run."""

    call: Callable[..., Any]
    kind: Kind


def compile_call(
    fn: Callable[..., Any],
    kind: Kind,
    arguments: Arguments,
    graph: Graph,
    values: Mapping[Any, Any] | None,
) -> Compiled:
    """``fn`` with its arguments filled from the leaves of the plan, in order."""
    if _is_plain(arguments, len(graph.rules.plan.leaves)):
        return _as_it_is(fn, kind)
    return _Writer(fn, kind, arguments, graph, values).compiled()


def _is_plain(arguments: Arguments, leaves: int) -> bool:
    """Whether the leaves are the arguments, one by one."""
    plain = tuple(Arg(i) for i in range(leaves))
    return not arguments.named and arguments.positional == plain


def _as_it_is(fn: Callable[..., Any], kind: Kind) -> Compiled:
    if flavor_of(fn) in _GENERATORS:
        return Compiled(run.returning(fn), kind)
    if kind is Kind.ASYNC and not run.gives_coroutine(fn):
        return Compiled(run.awaiting(fn), kind)
    return Compiled(fn, kind)


class _Writer:
    """Writes the function for one handler."""

    def __init__(
        self,
        fn: Callable[..., Any],
        kind: Kind,
        arguments: Arguments,
        graph: Graph,
        values: Mapping[Any, Any] | None,
    ) -> None:
        self.fn = fn
        self.kind = kind
        self.flavor = flavor_of(fn)
        self.arguments = arguments
        self.providers = graph.providers
        self.plan = graph.rules.plan
        self.cleans = any(p.flavor in _GENERATORS for p in self.providers)
        self.is_async = self.flavor is not Flavor.PLAIN or any(
            p.flavor in _ASYNC for p in self.providers
        )
        self.names: dict[str, Any] = {
            "handler": fn,
            "shared": run.shared_from(values),
            "in_thread": run.in_thread,
            "settled": run.settled,
            "Cleanups": run.AsyncCleanups if self.is_async else run.Cleanups,
        }

    def compiled(self) -> Compiled:
        request = self._text(self.plan.request()) if self.cleans else ""
        body = [self._provide(i, p) for i, p in enumerate(self.providers)]
        if self.cleans:
            lines = self._cleaning(request, body)
        else:
            lines = [*body, f"return {self._handled()}"]
        return Compiled(self._function(lines), self._kind())

    def _function(self, lines: list[str]) -> Callable[..., Any]:
        leaves = ", ".join(f"a{i}" for i in range(len(self.plan.leaves)))
        head = f"{'async ' if self.is_async else ''}def call({leaves}):"
        source = "\n    ".join([head, *lines])
        code = compile(source, f"<volo: {self.plan.handler}>", "exec")
        exec(code, self.names)  # its text is of this file alone
        call: Callable[..., Any] = self.names.pop("call")
        call.__qualname__ = call.__name__ = getattr(self.fn, "__name__", "call")
        return call

    def _cleaning(self, request: str, body: list[str]) -> list[str]:
        wait = "async " if self.is_async else ""
        return [
            f"cleanups = Cleanups({request})",
            f"{wait}with cleanups:",
            *(f"    {line}" for line in body),
            f"    value = {self._handled()}",
            "    cleanups.defer()",
            "    return value",
            "raise cleanups.error",
        ]

    def _kind(self) -> Kind:
        if not self.is_async:
            return Kind.SYNC
        kinds = [p.kind for p in self.providers if not self._in_thread(p)]
        threads = any(self._in_thread(p) for p in self.providers)
        if self.kind is Kind.NOWAIT and not (
            threads or self.cleans or Kind.ASYNC in kinds
        ):
            return Kind.NOWAIT
        return Kind.ASYNC

    # ---- Calls ---------------------------------------------------------------

    def _in_thread(self, p: Provider) -> bool:
        return self.is_async and p.blocking and p.flavor not in _ASYNC

    def _provide(self, index: int, p: Provider) -> str:
        name = f"f{index}"
        self.names[name] = p.call
        call = self._call(name, p.arguments)
        if p.flavor in _GENERATORS:
            return f"p{index} = {self._entered(p, name, call)}"
        if self._in_thread(p):
            return f"p{index} = await {self._threaded(name, p.arguments)}"
        if p.flavor is Flavor.COROUTINE:
            return f"p{index} = await {call}"
        return f"p{index} = {call}"

    def _entered(self, p: Provider, name: str, call: str) -> str:
        if p.flavor is Flavor.ASYNC_GENERATOR:
            return f"await cleanups.enter_async({call})"
        if self._in_thread(p):
            return f"await cleanups.enter_thread({call})"
        return f"cleanups.enter({call})"

    def _handled(self) -> str:
        call = self._call("handler", self.arguments)
        if not self.is_async or self.flavor in _GENERATORS:
            return call
        if self.flavor is Flavor.PLAIN:
            return f"await {self._threaded('handler', self.arguments)}"
        return f"await settled({call})"

    def _call(self, name: str, arguments: Arguments) -> str:
        return f"{name}({self._listed(arguments)})"

    def _threaded(self, name: str, arguments: Arguments) -> str:
        listed = self._listed(arguments)
        return f"in_thread({name}, {listed})" if listed else f"in_thread({name})"

    def _listed(self, arguments: Arguments) -> str:
        parts = [self._text(expr) for expr in arguments.positional]
        parts += [f"{name}={self._text(expr)}" for name, expr in arguments.named]
        return ", ".join(parts)

    # ---- Values --------------------------------------------------------------

    def _text(self, expr: Expr) -> str:
        if isinstance(expr, Arg):
            return f"a{expr.index}"
        if isinstance(expr, Provided):
            return f"p{expr.index}"
        if isinstance(expr, SharedValue):
            return f"shared({self._constant(expr.kind)})"
        assert isinstance(expr, Made)
        parts = ", ".join(self._text(part) for part in expr.parts)
        return f"{self._constant(expr.make)}({parts})"

    def _constant(self, value: Any) -> str:
        name = f"c{len(self.names)}"
        self.names[name] = value
        return name
