# SPDX-License-Identifier: Apache-2.0
"""Routers: what is registered, where, and inside which layers.

A router is a record.  It answers nothing itself: :mod:`volo.build` makes a C
router from it each time that it is about to be served, so that an app can be
served, tested and served again.  Beside the record it keeps a C router that is
never served, to have each mistake found when it is made: a pattern that is
malformed, or that conflicts with another one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, Literal, TypedDict, TypeVar

from . import cvolo
from .errors import ErrorHandlers
from .records import (
    AnyLayer,
    Inner,
    Item,
    Mount,
    Route,
    Values,
    check_layers,
    join,
    methods_of,
    parameters_of,
)

if TYPE_CHECKING:
    from typing_extensions import Unpack

__all__ = ["Route", "RouteOptions", "Router"]

Handler = TypeVar("Handler", bound=Callable[..., Any])
Slash = Literal["strict", "redirect", "ignore"]

_SLASHES: dict[str, int] = {"strict": 0, "redirect": 1, "ignore": 2}


class RouteOptions(TypedDict, total=False):
    """What :meth:`Router.route` takes besides pattern and methods."""

    name: str | None
    layers: Iterable[AnyLayer]
    body_limit: int | None


class Router:
    """Routes, with layers around all of them.

    Patterns are ``/users``, ``/users/{id}``, ``/img-{id}.png`` and
    ``/files/{*rest}``.  The most specific pattern that matches decides; HEAD
    and OPTIONS answer by themselves, an unknown path is 404, an unknown method
    405.

    ``slash`` says what a trailing slash means (two paths, a redirect to the
    one that exists, or nothing), ``clean`` whether paths with ``//`` or ``..``
    are redirected, ``auto_options`` whether OPTIONS answers by itself.  What
    is not given is as in the router around this one.
    """

    def __init__(
        self,
        *,
        slash: Slash | None = None,
        clean: bool | None = None,
        auto_options: bool | None = None,
        layers: Iterable[AnyLayer] = (),
    ) -> None:
        self._record(cvolo.volo_router_new())
        self._settings: dict[str, int] = {}
        self._set("slash", None if slash is None else _SLASHES[slash])
        self._set("clean", clean)
        self._set("auto_options", auto_options)
        for layer in layers:
            self.layer(layer)

    def _record(self, shadow: Any) -> None:
        self._shadow = shadow
        self._items: list[Item] = []
        self._layers: list[AnyLayer] = []
        self._names: set[str | None] = set()
        self._outer: list[tuple[Router, str]] = []
        self._fallbacks: dict[str, Route] = {}
        self._rescuers: dict[type[Exception] | int, Callable[..., Any]] = {}
        self._values = Values(self)

    def _set(self, what: str, value: int | None) -> None:
        if value is None:
            return
        getattr(cvolo, f"volo_router_set_{what}")(self._shadow, int(value))
        self._settings[what] = int(value)

    def _open(self) -> None:
        """Raise RuntimeError while this is being served."""
        for outer, _ in self._outer:
            outer._open()

    # ---- Routes --------------------------------------------------------------

    def route(
        self,
        pattern: str,
        methods: Iterable[str] | None = None,
        *,
        name: str | None = None,
        layers: Iterable[AnyLayer] = (),
        body_limit: int | None = None,
    ) -> Callable[[Handler], Handler]:
        """Answer ``pattern`` with the decorated function.

        ``methods`` are of any kind; ``None`` takes those that have no route of
        their own.  ``name`` is for :meth:`url_for`.  ``layers`` wrap this one
        route, inside the router's.  ``body_limit`` is in octets, more or less
        than the server's; it counts before any layer in Python runs.

        Raises VoloError for a malformed pattern or a conflict, which it names,
        and RegistrationError for a function whose arguments can't be filled.
        """

        def decorate(handler: Handler) -> Handler:
            route = Route(
                methods=methods_of(methods),
                pattern=pattern,
                handler=handler,
                name=name,
                layers=check_layers(layers),
                body_limit=body_limit,
                values=self._values,
            )
            self._add_route(route)
            return handler

        return decorate

    def _add_route(self, route: Route) -> None:
        self._open()
        if route.name is not None and route.name in self._names:
            raise ValueError(f"there is a route named {route.name!r} already")
        for outer in self._known_parameters():
            route.bind(outer, self._is_open())
        self._shadow_route(route)
        self._names.add(route.name)
        self._items.append(route)

    def _shadow_route(self, route: Route) -> None:
        service = cvolo.volo_router_service(cvolo.volo_router_new())
        made = [
            cvolo.volo_router_route(
                self._shadow, None if m == "*" else m, route.pattern, service
            )
            for m in route.methods
        ]
        if route.name is not None:
            cvolo.volo_route_name(made[0], route.name)

    def _known_parameters(self) -> list[frozenset[str]]:
        """Those of the prefixes around this, for each way that leads here."""
        ways = [
            names | parameters_of(prefix)
            for outer, prefix in self._outer
            for names in outer._known_parameters()
        ]
        return ways or [frozenset()]

    def _is_open(self) -> bool:
        """Whether it may still be nested, below a prefix with parameters."""
        return all(outer._is_open() for outer, _ in self._outer)

    def get(
        self, pattern: str, **more: Unpack[RouteOptions]
    ) -> Callable[[Handler], Handler]:
        """:meth:`route` for GET (and so HEAD)."""
        return self.route(pattern, ["GET"], **more)

    def post(
        self, pattern: str, **more: Unpack[RouteOptions]
    ) -> Callable[[Handler], Handler]:
        """:meth:`route` for POST."""
        return self.route(pattern, ["POST"], **more)

    def put(
        self, pattern: str, **more: Unpack[RouteOptions]
    ) -> Callable[[Handler], Handler]:
        """:meth:`route` for PUT."""
        return self.route(pattern, ["PUT"], **more)

    def patch(
        self, pattern: str, **more: Unpack[RouteOptions]
    ) -> Callable[[Handler], Handler]:
        """:meth:`route` for PATCH."""
        return self.route(pattern, ["PATCH"], **more)

    def delete(
        self, pattern: str, **more: Unpack[RouteOptions]
    ) -> Callable[[Handler], Handler]:
        """:meth:`route` for DELETE."""
        return self.route(pattern, ["DELETE"], **more)

    def head(
        self, pattern: str, **more: Unpack[RouteOptions]
    ) -> Callable[[Handler], Handler]:
        """:meth:`route` for HEAD, instead of GET's answer without content."""
        return self.route(pattern, ["HEAD"], **more)

    def options(
        self, pattern: str, **more: Unpack[RouteOptions]
    ) -> Callable[[Handler], Handler]:
        """:meth:`route` for OPTIONS, instead of the answer in C."""
        return self.route(pattern, ["OPTIONS"], **more)

    def any(
        self, pattern: str, **more: Unpack[RouteOptions]
    ) -> Callable[[Handler], Handler]:
        """:meth:`route` for every method that has no route of its own."""
        return self.route(pattern, None, **more)

    # ---- Routers in routers --------------------------------------------------

    def group(self, prefix: str = "", *, layers: Iterable[AnyLayer] = ()) -> Router:
        """A router for what is below ``prefix``, or, without one, for some of
        the routes here: with layers of its own."""
        self._open()
        inner = Router.__new__(Router)
        inner._record(cvolo.volo_router_group(self._shadow, prefix))
        inner._settings = {}
        self._adopt(Inner("group", prefix, inner))
        for layer in layers:
            inner.layer(layer)
        return inner

    def nest(self, prefix: str, router: Router) -> None:
        """Let ``router`` answer all below ``prefix``.  It sees paths without
        it; its fallbacks are this one's unless it has some.  Routes may still
        be added to it."""
        self._open()
        self._check_inner(router, prefix)
        cvolo.volo_router_nest(self._shadow, prefix, router._shadow)
        self._adopt(Inner("nest", prefix, router))

    def merge(self, router: Router) -> None:
        """Take over the routes of ``router``, with its layers around them.
        Nothing can be added to it afterwards."""
        self._open()
        self._check_inner(router, "")
        cvolo.volo_router_merge(self._shadow, router._shadow)
        self._adopt(Inner("merge", "", router))

    def include(self, router: Router, prefix: str = "") -> None:
        """:meth:`nest` with a prefix, :meth:`merge` without one."""
        if prefix in ("", "/"):
            self.merge(router)
        else:
            self.nest(prefix, router)

    def host(self, host: str, router: Router) -> None:
        """Let ``router`` answer requests for ``host``: ``"api.example.com"``,
        ``"*.example.com"``, or ``"{tenant}.example.com"``, which is a path
        parameter."""
        self._open()
        self._check_inner(router, host)
        cvolo.volo_router_host(self._shadow, host, router._shadow)
        self._adopt(Inner("host", host, router))

    def _adopt(self, item: Inner) -> None:
        self._items.append(item)
        item.router._outer.append((self, item.where))

    def _check_inner(self, router: Router, where: str) -> None:
        for names in self._known_parameters():
            router._rebind(names | parameters_of(where), self._is_open())

    def _rebind(self, outer: frozenset[str], is_open: bool) -> None:
        """Find out whether the handlers here can be filled in a new place."""
        for item in self._items:
            if isinstance(item, Route):
                item.bind(outer, is_open)
            elif isinstance(item, Inner):
                item.router._rebind(outer | item.parameters, is_open)

    def mount(
        self, prefix: str, app: Any, kind: Literal["asgi", "wsgi"] | None = None
    ) -> None:
        """Let an ASGI or WSGI application, or a :class:`Router`, answer all
        below ``prefix``.  Its lifespan is run with this one's.  Which of the two
        it is is seen from its signature; ``kind`` says it where that can't be
        seen.

        Raises TypeError for what is no application, VoloError for a conflict."""
        if isinstance(app, Router):
            self.nest(prefix, app)
            return
        self._open()
        mount = Mount(prefix, app, kind or _kind_of(app))
        if parameters_of(prefix):
            raise ValueError("an application is mounted below a prefix without braces")
        service = cvolo.volo_router_service(cvolo.volo_router_new())
        cvolo.volo_router_nest_service(self._shadow, prefix, service)
        self._items.append(mount)

    # ---- Layers --------------------------------------------------------------

    def layer(self, layer: AnyLayer) -> Any:
        """Wrap everything in this router, whether registered before or after,
        the 404 and 405 included.  The first layer added is the outermost.

        ``layer`` is one of :mod:`volo.layers`, or a function ``layer(request,
        next)``, ``def`` or ``async def``; as a decorator it returns that.

        One in Python that has something in it which is not (a stock layer, an
        application that is mounted, redirects of slashes) goes by way of C,
        which costs a little time; the body of the request is not there for it,
        and that of a response which is streamed can't be read, nor replaced by
        another stream.

        Raises TypeError for anything else.
        """
        self._open()
        check_layers([layer])
        self._layers.append(layer)
        return layer

    # ---- What is not found, and what goes wrong ------------------------------

    def fallback(self, handler: Handler) -> Handler:
        """Answer unknown paths with ``handler`` instead of 404; a decorator."""
        return self._set_fallback("fallback", handler)

    def method_fallback(self, handler: Handler) -> Handler:
        """Answer methods that a path does not have with ``handler`` instead of
        405; Allow is set already.  A decorator."""
        return self._set_fallback("method_fallback", handler)

    def _set_fallback(self, what: str, handler: Handler) -> Handler:
        self._open()
        route = Route(("*",), "/", handler, values=self._values)
        for outer in self._known_parameters():
            route.bind(outer, self._is_open())
        service = cvolo.volo_router_service(cvolo.volo_router_new())
        getattr(cvolo, f"volo_router_{what}")(self._shadow, service)
        self._fallbacks[what] = route
        return handler

    def exception_handler(
        self, what: type[Exception] | int
    ) -> Callable[[Handler], Handler]:
        """Answer exceptions of type ``what``, or HTTPErrors with that status,
        with what the decorated ``handler(request, exception)`` returns.  The
        most specific type decides; an inner router goes before an outer one.
        """

        def decorate(handler: Handler) -> Handler:
            self._open()
            ErrorHandlers().add(what, handler)
            self._rescuers[what] = handler
            return handler

        return decorate

    def provide(self, value: Any, kind: Any = None) -> None:
        """Give ``value`` to the handlers here that ask for ``State[kind]``
        (its own type by default); an inner router goes before an outer one."""
        self._values.own[type(value) if kind is None else kind] = value

    # ---- Asking --------------------------------------------------------------

    def url_for(self, name: str, /, **params: object) -> str:
        """The path of the route of that name, also in a nested router, with
        ``params`` put in and encoded.  Raises VoloError if there is none, or a
        parameter is missing."""
        pairs = [str(x) for pair in params.items() for x in pair]
        path: str = cvolo.volo_router_url(self._shadow, name, pairs)
        return path

    def routes(self) -> Iterator[Route]:
        """Every route, with the prefixes of the routers that it is in, in the
        order of registration."""
        for item in self._items:
            if isinstance(item, Route):
                yield item
            elif isinstance(item, Inner):
                for route in item.router.routes():
                    yield route.below(item.prefix)

    def _mounts(self, prefix: str = "") -> Iterator[tuple[Mount, str]]:
        """Applications of other kinds, and the whole prefix of each."""
        for item in self._items:
            if isinstance(item, Mount):
                yield item, join(prefix, item.prefix)
            elif isinstance(item, Inner):
                yield from item.router._mounts(join(prefix, item.prefix))


def _kind_of(app: Any) -> Literal["asgi", "wsgi"]:
    from .interface import kind_of

    kind = kind_of(app)
    if kind == "volo":
        raise TypeError("an App is not mounted: nest() is for routers")
    return kind
