# SPDX-License-Identifier: Apache-2.0
"""Serving an application of any kind: volo's own, ASGI or WSGI."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from . import cvolo, layers, loops
from .guest import GuestRuntime
from .interface import Interface, Kind, kind_of
from .log import LogLevel
from .running import run_server
from .runtime import Runtime
from .server import Server
from .tls import TLSLike

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from .asgi import LifespanMode
    from .options import Options

__all__ = ["AnyServer", "serve"]


class AnyServer(Server):
    """A :class:`volo.Server` for an application of any kind.

    ``interface`` says of which, ``"auto"`` looks.  ``outer`` are stock layers
    around all of it, the first outermost.  ``lifespan`` and ``root_path`` are
    for ASGI, the latter for WSGI too (its SCRIPT_NAME).  ``processes`` says
    whether others serve the same application (WSGI wants to know).
    """

    def __init__(
        self,
        app: Any,
        *,
        interface: Interface = "auto",
        lifespan: LifespanMode = "auto",
        root_path: str = "",
        outer: Iterable[layers.Layer] = (),
        processes: bool = False,
        threads: int = 40,
        **options: Any,
    ) -> None:
        super().__init__(app, threads=threads, **options)
        self.kind: Kind = kind_of(app, interface)
        self._outer = tuple(outer)
        self._setup = layers.Setup()
        self._guest: GuestRuntime | None = None
        self._lifespan: LifespanMode = lifespan
        self._root_path = root_path
        self._processes = processes
        self._thread_count = threads

    def _make_runtime(self) -> Any:
        if self.kind == "volo":
            return Runtime(self.app, threads=self._thread_count)
        self._guest = GuestRuntime(
            self.app,
            self.kind,
            lifespan=self._lifespan,
            root_path=self._root_path,
            threads=self._thread_count,
            processes=self._processes,
        )
        return self._guest

    def _listen(self, service: Any) -> Any:
        server = super()._listen(service)
        for layer in self._outer:
            cvolo.volo_server_add_layer(server, layer.build(self._setup))
        if self._guest is not None:
            self._guest.set_server(_name_of(server))
        return server

    async def wait(self) -> None:
        await super().wait()
        while self._setup.on_stop:
            self._setup.on_stop.pop()()


def _name_of(server: Any) -> tuple[str, int | None] | None:
    """Where the first listener of a C server is."""
    fd = os.dup(cvolo.volo_server_listener_fd(server, 0))
    with socket.socket(fileno=fd) as listener:
        name = listener.getsockname()
    if isinstance(name, tuple):
        return str(name[0]), int(name[1])
    if isinstance(name, bytes):
        name = name.decode("utf-8", "surrogateescape")
    return (name, None) if name else None


# ---- Running -----------------------------------------------------------------


def serve(
    app: Any,
    host: str | None = None,
    port: int | None = None,
    *,
    uds: str | os.PathLike[str] | None = None,
    fd: int | None = None,
    bind: Iterable[str] = (),
    tls: TLSLike | None = None,
    proxy_protocol: str | None = None,
    interface: Interface = "auto",
    lifespan: LifespanMode = "auto",
    root_path: str = "",
    workers: int = 1,
    threads: int = 40,
    loop: loops.LoopKind = "auto",
    name: str | None = None,
    outer: Iterable[layers.Layer] = (),
    log_level: LogLevel | None = "info",
    on_ready: Callable[[Server], Any] | None = None,
    **limits: Unpack[Options],
) -> None:
    """Serve ``app`` until SIGINT or SIGTERM: a :class:`volo.App`, or any ASGI 3
    or WSGI application, unchanged.

        volo.serve(app, port=8080)

    ``interface`` is ``"volo"``, ``"asgi"``, ``"wsgi"``, or ``"auto"``, which
    looks.  ``lifespan`` (``"auto"``, ``"on"``, ``"off"``) is ASGI's.
    ``root_path`` is the prefix that a proxy has taken off paths.  ``outer`` are
    stock layers around the application.  The rest is as in
    :meth:`volo.App.run`; several processes are ``volo run``'s.

    Raises TypeError for what is no application, LifespanError or what a startup
    hook raises, and VoloError where it can't listen.
    """
    server = AnyServer(
        app,
        host=host,
        port=port,
        uds=uds,
        fd=fd,
        bind=bind,
        tls=tls,
        proxy_protocol=proxy_protocol,
        interface=interface,
        lifespan=lifespan,
        root_path=root_path,
        workers=workers,
        threads=threads,
        name=name,
        outer=outer,
        **limits,
    )
    run_server(server, loop=loop, log_level=log_level, on_ready=on_ready)
