# SPDX-License-Identifier: Apache-2.0
"""From the signature of a handler to a plan, when it is registered.

    bound = bind(fn, parameters={"id"}, methods=("GET",))
    _cvolo.Handler(bound.call, bound.plan, int(bound.kind), ...)

``bind`` raises RegistrationError (a TypeError) for whatever no request could
give; it says which handler, which parameter, and why.  The rules, for each
parameter, the first that fits:

1. Its marker, if it has one (``volo.params``): in ``Annotated``, or as default.
2. The type ``Request``, or no type and the name ``request``: the request.
   ``Reader``: the body as it arrives; the handler is then called without
   waiting for it.  ``State[T]``: what was provided as ``T``.
3. A type with ``__volo_extract__``: what that gives.
4. Its name is in the pattern: that path parameter.
5. str, int, float, bool, UUID, Decimal, datetime, date, time, timedelta, Enum,
   Literal, IP addresses, unions of these: the query field of that name.
   list, set, frozenset, tuple of these: all query fields of that name.
6. bytes: the body.
7. Struct, dataclass, TypedDict, NamedTuple, attrs class, model of pydantic,
   dict, lists of these, Any: the body, which is JSON.  Not where the method may
   be GET or HEAD: there a body has to be asked for with ``Json()``.

Not every parameter of the pattern has to be taken.  But while one is left, and
nothing takes the request, a field of the query that has to be there is refused
unless it says Query(): it may be that parameter, under a wrong name.

A default makes it optional; so does ``None`` in its type, and None is then what
an absent value is.  ``*args`` and ``**kwargs`` are refused.

For those who build on it: ``bind``, ``Bound`` and ``Kind`` here, ``kind_of`` in
``volo.binding_kind``, ``RegistrationError`` in ``volo.errors``.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from . import binding_hints as hints
from .binding_compile import compile_call
from .binding_kind import Kind, kind_of
from .binding_plan import Leaf, Plan
from .binding_rules import Rules
from .depends import Graph
from .errors import RegistrationError

__all__ = ["Bound", "Kind", "RegistrationError", "bind"]


@dataclasses.dataclass(frozen=True)
class Bound:
    """A handler that is ready to be called with what ``plan`` says.

    ``call`` is the function itself where that is all it takes; otherwise one
    that was made for it, and that calls providers too.  ``kind`` is how to run
    ``call``.  ``streaming``: the body is not to be read before.  ``shared`` are
    the kinds of shared values that it needs, in this or in providers.
    """

    call: Callable[..., Any]
    plan: tuple[Leaf, ...]
    kind: Kind
    streaming: bool
    name: str
    handler: Callable[..., Any]
    returns: Any
    shared: frozenset[Any]


def bind(
    fn: Callable[..., Any],
    *,
    parameters: Iterable[str] = (),
    own: Iterable[str] = (),
    methods: Iterable[str] = ("GET",),
    overrides: Mapping[Callable[..., Any], Callable[..., Any]] | None = None,
    values: Mapping[Any, Any] | None = None,
) -> Bound:
    """Analyse ``fn`` for a route whose pattern has ``parameters``, some of them
    its ``own`` rather than those of prefixes around it.

    ``methods`` are those of the route; "*" stands for any.  ``overrides`` are
    providers to be used in place of others.  ``values`` are what ``State[T]``
    is looked up in, by T, at each call: it may be filled later.

    Raises RegistrationError; TypeError if ``fn`` can't be called.
    """
    if not callable(fn):
        raise TypeError(f"{fn!r} can't be called")
    name = hints.name_of(fn)
    plan = Plan(name)
    rules = Rules(frozenset(parameters), frozenset(m.upper() for m in methods), plan)
    graph = Graph(rules, overrides or {})
    arguments = graph.arguments(fn)
    rules.check_taken(own)
    made = compile_call(fn, kind_of(fn), arguments, graph, values)
    return Bound(
        call=made.call,
        plan=tuple(plan.leaves),
        kind=made.kind,
        streaming=rules.streaming,
        name=name,
        handler=fn,
        returns=hints.return_hint(fn),
        shared=frozenset(graph.shared),
    )
