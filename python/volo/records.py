# SPDX-License-Identifier: Apache-2.0
"""What a router remembers: its routes, and the routers inside it."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from .binding import Bound, bind
from .errors import RegistrationError
from .layers import Layer

if TYPE_CHECKING:
    from .router import Router

Overrides = Mapping[Callable[..., Any], Callable[..., Any]]
Middleware = Callable[..., Any]
AnyLayer = Layer | Middleware

_PARAMETER = re.compile(r"\{\*?([^{}]+)\}")
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")


@dataclass(eq=False)
class Route:
    """One route, as :meth:`volo.Router.routes` tells of it."""

    methods: tuple[str, ...]
    """Upper case; ``("*",)`` for those that have no route of their own."""
    pattern: str
    handler: Callable[..., Any]
    name: str | None = None
    layers: tuple[AnyLayer, ...] = ()
    body_limit: int | None = None
    values: Mapping[Any, Any] = field(default_factory=dict, repr=False)
    bound: Bound | None = field(default=None, repr=False)
    _known: frozenset[str] = frozenset()

    def below(self, prefix: str) -> Route:
        """The same, as it is seen from outside the router at ``prefix``."""
        if prefix in ("", "/"):
            return self
        return dataclasses.replace(self, pattern=join(prefix, self.pattern))

    # ---- Arguments -----------------------------------------------------------

    def bind(self, outer: frozenset[str], is_open: bool) -> None:
        """Find out where the handler's arguments come from, with ``outer``
        parameters around the pattern's.  Raises RegistrationError.

        ``is_open``: there may be more parameters, once this router is nested;
        what only they could fill is let pass.
        """
        known = outer | parameters_of(self.pattern)
        maybe: set[str] = set()
        while True:
            try:
                self.bound = self._bind(known | maybe, {})
                break
            except RegistrationError as error:
                name = error.parameter
                if not is_open or name is None or name in maybe:
                    raise
                maybe.add(name)
        self._known = known | maybe

    def bound_for(self, outer: frozenset[str], overrides: Overrides) -> Bound:
        """The same for the place where it is served."""
        known = outer | parameters_of(self.pattern)
        if self.bound is None or overrides or known != self._known:
            return self._bind(known, overrides)
        return self.bound

    def _bind(self, known: Iterable[str], overrides: Overrides) -> Bound:
        return bind(
            self.handler,
            parameters=known,
            own=parameters_of(self.pattern),
            methods=self.methods,
            overrides=overrides,
            values=self.values,
        )


@dataclass(eq=False)
class Inner:
    """A router inside another one, and how it got there."""

    how: Literal["group", "nest", "merge", "host"]
    where: str
    router: Router

    @property
    def prefix(self) -> str:
        """What it adds to paths."""
        return "" if self.how == "host" else self.where

    @property
    def parameters(self) -> frozenset[str]:
        """Those of its prefix or host."""
        return parameters_of(self.where)


@dataclass(eq=False)
class Mount:
    """An application of another kind below a prefix."""

    prefix: str
    app: Any
    kind: Literal["asgi", "wsgi"]


class Values(Mapping[Any, Any]):
    """What was provided to a router, or to one around it: looked up when it is
    wanted, so that it may be provided late."""

    def __init__(self, router: Router) -> None:
        self._router = router
        self.own: dict[Any, Any] = {}

    def __getitem__(self, kind: Any) -> Any:
        if kind in self.own:
            return self.own[kind]
        for outer, _ in self._router._outer:
            if kind in outer._values:
                return outer._values[kind]
        raise KeyError(kind)

    def __iter__(self) -> Iterator[Any]:
        seen = dict.fromkeys(self.own)
        for outer, _ in self._router._outer:
            seen.update(dict.fromkeys(outer._values))
        return iter(seen)

    def __len__(self) -> int:
        return sum(1 for _ in self)


Item = Route | Inner | Mount


def methods_of(methods: Iterable[str] | None) -> tuple[str, ...]:
    """Upper-case names, each once; ``("*",)`` for None."""
    if methods is None:
        return ("*",)
    if isinstance(methods, str):
        raise TypeError(f"a list of methods, not {methods!r}")
    names = tuple(dict.fromkeys(m.upper() for m in methods))
    for name in names or ("",):
        if not _TOKEN.fullmatch(name):
            raise ValueError(f"{name!r} is no method")
    return names


def join(prefix: str, more: str) -> str:
    """Two prefixes, one after the other."""
    return prefix.rstrip("/") + ("" if more == "/" else more)


def parameters_of(pattern: str) -> frozenset[str]:
    """The names of the parameters of a pattern (or prefix, or host)."""
    plain = pattern.replace("{{", "").replace("}}", "")
    return frozenset(_PARAMETER.findall(plain))


def check_layers(layers: Iterable[Any]) -> tuple[AnyLayer, ...]:
    """The layers of one route or router.  TypeError for what is none."""
    checked = tuple(layers)
    for layer in checked:
        if not isinstance(layer, Layer) and not callable(layer):
            raise TypeError(f"{layer!r} is no layer")
    return checked
