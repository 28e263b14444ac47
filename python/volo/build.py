# SPDX-License-Identifier: Apache-2.0
"""From the record of an app to a C router that answers.

Every route becomes a service in front of one of two queues: that of the pool's
threads for what is ``def``, that of the event loop for what is ``async``.  The
layers in Python that stand around a route are composed into its handler; those
in C are given to C.  Layers in Python that have something of C inside are given
to C too, as layers in front of the event loop's queue: as far in as can be, so
that routes beside that are spared the way.  404 and 405 stay in C, unless a
layer or a handler of exceptions in Python has a say in them.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from . import _cvolo, cvolo
from .binding_kind import Kind
from .errors import ErrorHandlers, HTTPError
from .layers import Layer, Setup
from .onion import compose
from .records import AnyLayer, Inner, Middleware, Mount, Route, join
from .rescue import Rescuer

if TYPE_CHECKING:
    from .app import App
    from .router import Router
    from .runtime import Runtime

__all__ = ["build"]

_REQUEST = (("request", "request", "str", None, None, True),)


def build(app: App, runtime: Runtime, setup: Setup) -> Any:
    """The C service of ``app``, whose handlers ``runtime`` runs."""
    router = cvolo.volo_router_new()
    Builder(runtime, setup).fill(router, app, Scope(), own_paths=True)
    return cvolo.volo_router_service(router)


@dataclasses.dataclass(frozen=True)
class Scope:
    """What stands around a router, or a route in it."""

    layers: tuple[Middleware, ...] = ()
    """Those in Python that are still to be put around something."""
    level: int = 0
    """How many chains of such layers C has been given around it."""
    slash: int = 0
    clean: int = 0
    handlers: ErrorHandlers | None = None
    parameters: frozenset[str] = frozenset()
    prefix: str = ""
    fallback: Route | None = None
    method_fallback: Route | None = None

    def inside(self, router: Router) -> Scope:
        """The same for what is in ``router``."""
        handlers = self.handlers
        if router._rescuers:
            handlers = ErrorHandlers(router._rescuers, outer=self.handlers)
        return dataclasses.replace(
            self,
            slash=router._settings.get("slash", self.slash),
            clean=router._settings.get("clean", self.clean),
            handlers=handlers,
            fallback=router._fallbacks.get("fallback", self.fallback),
            method_fallback=router._fallbacks.get(
                "method_fallback", self.method_fallback
            ),
        )

    def has_redirects(self) -> bool:
        """Whether C may answer by itself where a handler is."""
        return bool(self.slash == cvolo.VOLO_SLASH_REDIRECT or self.clean)

    def around(self, layer: Middleware) -> Scope:
        """The same with ``layer``, inside those that there are."""
        return dataclasses.replace(self, layers=(*self.layers, layer))

    def passed(self) -> Scope:
        """The same where C has been given its layers."""
        return dataclasses.replace(self, layers=(), level=self.level + 1)

    def below(self, item: Inner) -> Scope:
        """The same for the place where ``item`` is."""
        return dataclasses.replace(
            self,
            parameters=self.parameters | item.parameters,
            prefix=join(self.prefix, item.prefix),
        )


class Builder:
    """Makes services for one runtime."""

    def __init__(self, runtime: Runtime, setup: Setup) -> None:
        self._runtime = runtime
        self._setup = setup

    def fill(self, c: Any, router: Router, scope: Scope, own_paths: bool) -> None:
        """Put all that is in ``router`` into ``c``.  ``own_paths``: what is not
        found below it is not found in ``c``, rather than around it."""
        inside = scope.inside(router)
        for what, value in router._settings.items():
            getattr(cvolo, f"volo_router_set_{what}")(c, value)
        add = functools.partial(cvolo.volo_router_add_layer, c)
        inside = self._layers(add, router._layers, inside)
        if own_paths and inside.has_redirects():
            inside = self._passage(add, inside)
        for item in router._items:
            if isinstance(item, Route):
                self._route(c, item, inside)
            elif isinstance(item, Inner):
                self._inner(c, item, inside)
            else:
                self._mount(c, item, inside)
        if own_paths:
            self._fallbacks(c, router, scope, inside)

    # ---- Layers --------------------------------------------------------------

    def _layers(
        self, add: Callable[[Any], Any], layers: Iterable[AnyLayer], scope: Scope
    ) -> Scope:
        """Give ``layers`` to C with ``add``, but for those in Python that come
        last: they are left in the scope, which is returned."""
        for layer in layers:
            if isinstance(layer, Layer):
                scope = self._passage(add, scope)
                add(layer.build(self._setup))
            else:
                scope = scope.around(layer)
        return scope

    def _passage(self, add: Callable[[Any], Any], scope: Scope) -> Scope:
        """Give C the layers in Python that are around ``scope``, if any."""
        if not scope.layers:
            return scope
        runtime = self._runtime
        rescuer = Rescuer(scope.handlers, runtime)
        step, _ = compose(
            runtime.passages.go_on,
            True,
            scope.layers,
            rescuer,
            runtime.threads,
            scope.level,
        )
        handler = _cvolo.Handler(
            step, _REQUEST, int(Kind.ASYNC), streaming=True, inside=scope.level > 0
        )
        runtime.handlers.add(handler)
        add(_cvolo.layer(runtime.aio_queue, handler))
        return scope.passed()

    # ---- Routers -------------------------------------------------------------

    def _inner(self, c: Any, item: Inner, scope: Scope) -> None:
        scope = scope.below(item)
        if item.how == "group":
            inner = cvolo.volo_router_group(c, item.where)
            own_paths = item.where not in ("", "/")
            self.fill(inner, item.router, scope, own_paths)
            return
        inner = cvolo.volo_router_new()
        self.fill(inner, item.router, scope, own_paths=item.how != "merge")
        if item.how == "merge":
            cvolo.volo_router_merge(c, inner)
        else:
            getattr(cvolo, f"volo_router_{item.how}")(c, item.where, inner)

    def _mount(self, c: Any, item: Mount, scope: Scope) -> None:
        service = self._runtime.guest_service(item, join(scope.prefix, item.prefix))
        if scope.layers:
            c = cvolo.volo_router_group(c, "")
            self._passage(functools.partial(cvolo.volo_router_add_layer, c), scope)
        cvolo.volo_router_nest_service(c, item.prefix, service)

    # ---- Routes --------------------------------------------------------------

    def _route(self, c: Any, route: Route, scope: Scope) -> None:
        given: list[Any] = []
        scope = self._layers(given.append, route.layers, scope)
        if route.body_limit is not None:
            given.append(cvolo.volo_layer_body_limit(route.body_limit))
        service = self._service(route, scope)
        for method in route.methods:
            name = None if method == "*" else method
            made = cvolo.volo_router_route(c, name, route.pattern, service)
            for layer in given:
                cvolo.volo_route_layer(made, layer)

    def _service(self, route: Route, scope: Scope) -> Any:
        bound = route.bound_for(scope.parameters, self._runtime.overrides)
        self._runtime.check_shared(bound, route.values)
        handler = _cvolo.Handler(
            bound.call,
            bound.plan,
            int(bound.kind),
            streaming=bound.streaming,
            inside=scope.level > 0,
        )
        if scope.layers or scope.handlers is not None:
            handler = self._wrapped(handler, bound, scope)
        on_loop = handler.kind != 0
        runtime = self._runtime
        runtime.handlers.add(handler)
        queue = runtime.aio_queue if on_loop else runtime.pool_queue
        return _cvolo.service(queue, handler)

    def _wrapped(self, handler: Any, bound: Any, scope: Scope) -> Any:
        rescuer = Rescuer(scope.handlers, self._runtime)
        inner, on_loop = _cvolo.Bound(handler), bound.kind is not Kind.SYNC
        threads, level = self._runtime.threads, scope.level
        step, on_loop = compose(inner, on_loop, scope.layers, rescuer, threads, level)
        kind = int(Kind.ASYNC if on_loop else Kind.SYNC)
        return _cvolo.Handler(
            step, _REQUEST, kind, streaming=bound.streaming, inside=level > 0
        )

    # ---- What is not found ---------------------------------------------------

    def _fallbacks(self, c: Any, router: Router, outside: Scope, scope: Scope) -> None:
        """Those that ``router`` was given, and, where Python has a say, those
        that C would answer by itself, or ask those outside for: whose layers
        may be around ``router`` already."""
        passed = bool(outside.layers) and scope.level != outside.level
        said = passed or scope.layers != outside.layers or _is_about_missing(router)
        ours = said and scope.method_fallback is None
        options = ours and "auto_options" not in router._settings
        if options:
            # Or OPTIONS would not pass the layers.
            cvolo.volo_router_set_auto_options(c, 0)
        for what, route in (
            ("fallback", scope.fallback or _missing(404, False)),
            ("method_fallback", scope.method_fallback or _missing(405, options)),
        ):
            if said or what in router._fallbacks:
                service = self._service(route, scope)
                getattr(cvolo, f"volo_router_{what}")(c, service)


def _is_about_missing(router: Router) -> bool:
    """Whether a handler of exceptions in ``router`` would see a 404 or 405."""
    if not router._rescuers:
        return False
    handlers = ErrorHandlers(router._rescuers)
    return any(handlers.find(HTTPError(status)) for status in (404, 405))


def _missing(status: int, options: bool) -> Route:
    """404 or 405 in Python; 204 for OPTIONS with ``options``, as C does."""

    def missing(request: _cvolo.Request) -> Any:
        if options and status == 405 and request.method == "OPTIONS":
            return 204
        raise HTTPError(status)

    return Route(("*",), "/", missing)
