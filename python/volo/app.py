# SPDX-License-Identifier: Apache-2.0
"""The app: a router that can be run."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, TypeVar

from . import loops
from .log import LogLevel
from .records import AnyLayer
from .router import Router, Slash
from .running import run_server
from .server import Server
from .tls import TLSLike

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from .options import Options
    from .runtime import Runtime

__all__ = ["App"]

Hook = TypeVar("Hook", bound=Callable[[], Any])
Lifespan = Callable[["App"], contextlib.AbstractAsyncContextManager[Any]]


class App(Router):
    """Routes, layers and a lifespan: what a server serves.

        app = volo.App()

        @app.get("/users/{id}")
        def user(id: int, verbose: bool = False) -> dict: ...

        app.run(port=8080)

    ``lifespan`` is a function of the app that gives an async context manager
    (``@contextlib.asynccontextmanager``), entered before the first request and
    left after the last.  The other arguments are those of :class:`Router`.
    """

    def __init__(
        self,
        *,
        lifespan: Lifespan | None = None,
        slash: Slash | None = None,
        clean: bool | None = None,
        auto_options: bool | None = None,
        layers: Iterable[AnyLayer] = (),
    ) -> None:
        self.lifespan = lifespan
        self._on_start: list[Callable[[], Any]] = []
        self._on_stop: list[Callable[[], Any]] = []
        self._runtimes: list[Runtime] = []
        super().__init__(
            slash=slash, clean=clean, auto_options=auto_options, layers=layers
        )

    # ---- Lifespan ------------------------------------------------------------

    def on_start(self, hook: Hook) -> Hook:
        """Call ``hook()``, ``def`` or ``async def``, before the first request;
        a decorator.  If it raises, the app does not start."""
        self._open()
        self._on_start.append(hook)
        return hook

    def on_stop(self, hook: Hook) -> Hook:
        """Call ``hook()`` after the last request, if all of ``on_start`` went
        well: the last one first; a decorator."""
        self._open()
        self._on_stop.append(hook)
        return hook

    def _open(self) -> None:
        if self._runtimes:
            raise RuntimeError("the app is being served, and can't be changed")
        super()._open()

    def _is_open(self) -> bool:
        return False

    def _begin(self, runtime: Runtime) -> None:
        self._runtimes.append(runtime)

    def _end(self, runtime: Runtime) -> None:
        if runtime in self._runtimes:
            self._runtimes.remove(runtime)

    # ---- Running -------------------------------------------------------------

    def run(
        self,
        host: str | None = None,
        port: int | None = None,
        *,
        uds: str | os.PathLike[str] | None = None,
        fd: int | None = None,
        bind: Iterable[str] = (),
        tls: TLSLike | None = None,
        proxy_protocol: str | None = None,
        workers: int = 1,
        threads: int = 40,
        loop: loops.LoopKind = "auto",
        switch_interval: float = 0.001,
        name: str | None = None,
        log_level: LogLevel | None = "info",
        on_ready: Callable[[Server], Any] | None = None,
        **limits: Unpack[Options],
    ) -> None:
        """Serve until SIGINT or SIGTERM, or until ``server.stop()``.

        The first signal lets requests in progress finish, the second ends at
        once; SIGHUP has the certificates read again.  Where to listen, ``tls``,
        ``proxy_protocol``, ``workers``, ``threads``, ``name`` and the limits are as in
        :class:`volo.Server`.  ``loop`` is ``"uvloop"``,
        ``"asyncio"``, or ``"auto"``: uvloop's if it is installed.
        ``switch_interval`` is how long a thread may keep the interpreter from
        the others, in seconds.  ``on_ready(server)`` is called when it accepts.

        Where it listens is logged to ``"volo"``, which goes to standard error
        unless the program has logging set up.  ``log_level`` is the least to be
        logged; ``None`` leaves logging as it is.

        Raises what a startup hook raises, and VoloError where it can't listen.
        """
        server = Server(
            self,
            host=host,
            port=port,
            uds=uds,
            fd=fd,
            bind=bind,
            tls=tls,
            proxy_protocol=proxy_protocol,
            workers=workers,
            threads=threads,
            name=name,
            **limits,
        )
        run_server(
            server,
            loop=loop,
            switch_interval=switch_interval,
            log_level=log_level,
            on_ready=on_ready,
        )
