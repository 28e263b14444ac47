# SPDX-License-Identifier: Apache-2.0
"""A server for an app, inside a program's own event loop."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Iterable
from types import TracebackType
from typing import TYPE_CHECKING, Any

from . import cvolo, options
from .runtime import Runtime
from .tls import TLS, TLSLike, tls_of

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from .app import App

__all__ = ["Server"]


class Server:
    """Serves ``app``: loops in C on threads of their own, async handlers on
    the event loop that :meth:`start` runs on.

        async with volo.Server(app, port=0) as server:
            print(server.port)

    It listens on ``host`` and ``port`` (0: a free one), or on the Unix socket
    ``uds``, or on the listening socket with descriptor ``fd``, which it takes
    over a copy of; on each of ``bind`` besides (``"127.0.0.1:8080"``,
    ``"unix:/path"``).  With ``tls``, a :class:`volo.TLS` or (certfile, keyfile),
    all of them speak TLS, except what is written ``"http://127.0.0.1:8080"`` in
    ``bind``.  HTTP/2 is spoken to whom asks for it, with TLS or without.
    Connections from ``proxy_protocol`` (``"10.0.0.0/8,::1"``, ``"unix"``) begin
    with a header of the PROXY protocol, which says who the client is.
    ``workers`` is the number of loops (0: by processors), ``threads`` the most
    that ``def`` handlers get.

    The other keywords are in :class:`volo.options.Options`.  Raises TypeError
    or ValueError for bad ones, VoloError where it can't listen.
    """

    def __init__(
        self,
        app: App,
        *,
        host: str | None = None,
        port: int | None = None,
        uds: str | os.PathLike[str] | None = None,
        fd: int | None = None,
        bind: Iterable[str] = (),
        tls: TLSLike | None = None,
        proxy_protocol: str | None = None,
        workers: int = 1,
        threads: int = 40,
        name: str | None = None,
        **limits: Unpack[options.Options],
    ) -> None:
        options.check(dict(limits))
        self.app = app
        self._tls = tls_of(tls)
        self._proxies = proxy_protocol
        addresses = _addresses(host, port, uds, fd, bind)
        self._places = [self._place(address) for address in addresses]
        self._workers = workers
        self._threads = threads
        self._name = name
        self._limits = dict(limits)
        self._runtime: Any = None
        self._c: Any = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ended: asyncio.Event | None = None
        self._starter: asyncio.Task[Any] | None = None
        self._now = False

    # ---- Life ----------------------------------------------------------------

    async def start(self) -> None:
        """Begin the app's lifespan, listen and accept.

        Raises what a startup hook raises, RuntimeError if it runs already."""
        if self._runtime is not None:
            raise RuntimeError("the server runs already")
        self._loop, self._ended = asyncio.get_running_loop(), asyncio.Event()
        self._now = False
        runtime = self._make_runtime()
        self._starter = asyncio.current_task()
        try:
            service = await runtime.start()
        finally:
            self._starter = None
        self._runtime = runtime
        try:
            server = self._listen(service)
            cvolo.volo_server_start(server)
        except BaseException:
            await self._end_runtime()
            raise
        self._c = server
        threading.Thread(target=self._watch, name="volo-server", daemon=True).start()

    def _make_runtime(self) -> Any:
        """What runs the app; a subclass may have something else to run."""
        return Runtime(self.app, threads=self._threads)

    def _listen(self, service: Any) -> Any:
        server = cvolo.volo_server_new(service)
        cvolo.volo_server_set(server, cvolo.VOLO_SERVER_WORKERS, self._workers)
        options.apply(server, self._limits)
        if self._name is not None:
            cvolo.volo_server_set_name(server, self._name)
        for address, tls in self._places:
            if tls is None:
                cvolo.volo_server_bind(server, address)
            else:
                cvolo.volo_server_bind_tls(server, address, tls._c)
        if self._proxies is not None:
            for index in range(len(self._places)):
                cvolo.volo_server_trust_proxy(server, index, self._proxies)
        return server

    def _place(self, address: str) -> tuple[str, TLS | None]:
        """One of ``bind`` without its scheme, and what it speaks."""
        scheme, mark, rest = address.partition("://")
        if not mark:
            return address, self._tls
        if scheme == "http":
            return rest, None
        if scheme != "https" or self._tls is None:
            raise ValueError(f"{address!r}: https needs tls, and http is all else")
        return rest, self._tls

    @property
    def has_tls(self) -> bool:
        """Whether any of its listeners speaks TLS."""
        return any(tls is not None for _, tls in self._places)

    def reload_tls(self) -> None:
        """:meth:`volo.TLS.reload`, if there is one."""
        if self._tls is not None:
            self._tls.reload()

    def _watch(self) -> None:
        """On a thread of its own: wait until C has stopped."""
        cvolo.volo_server_wait(self._c)
        if self._loop is not None and self._ended is not None:
            self._loop.call_soon_threadsafe(self._ended.set)

    def stop(self, now: bool = False) -> None:
        """Begin a stop: accept nobody any more and let requests in progress
        finish, for at most the stop timeout; or, if ``now`` or called for the
        second time, close everything.  A start that is under way is cancelled.
        From any thread; :meth:`wait` says when it is over."""
        starter, loop = self._starter, self._loop
        if starter is not None and loop is not None:
            loop.call_soon_threadsafe(starter.cancel)
        if self._c is None:
            return
        if now and not self._now:
            cvolo.volo_server_stop(self._c)
        self._now = self._now or now
        cvolo.volo_server_stop(self._c)

    async def wait(self) -> None:
        """Until it has stopped and the app's lifespan has ended.  Raises what
        a hook raises then."""
        if self._ended is None or self._runtime is None:
            return
        await self._ended.wait()
        self._c = None
        await self._end_runtime()

    async def _end_runtime(self) -> None:
        runtime, self._runtime = self._runtime, None
        if runtime is not None:
            await runtime.stop(self._now)

    async def __aenter__(self) -> Server:
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        where: TracebackType | None,
    ) -> None:
        self.stop()
        await self.wait()

    # ---- Asking --------------------------------------------------------------

    @property
    def port(self) -> int:
        """The port of the first listener; 0 for a Unix socket.  RuntimeError
        if it does not run."""
        return int(cvolo.volo_server_port(self._running(), 0))

    @property
    def url(self) -> str:
        """Where the first listener is: ``"http://127.0.0.1:8080"``, or the
        address that it was given if that has no port."""
        return self._url(0)

    @property
    def urls(self) -> tuple[str, ...]:
        """The same for each listener."""
        return tuple(self._url(i) for i in range(len(self._places)))

    def _url(self, index: int) -> str:
        address, tls = self._places[index]
        port = int(cvolo.volo_server_port(self._running(), index))
        if not port:
            return address
        host = address.rpartition(":")[0] if ":" in address else address
        host = host if host and host != "fd" else "127.0.0.1"
        return f"{'http' if tls is None else 'https'}://{host}:{port}"

    def stat(self, name: str) -> int:
        """A counter: ``"requests"``, ``"connections"``, ``"active"`` ... of
        ``volo_server_stat_id``; ValueError for none of them."""
        number = getattr(cvolo, f"VOLO_STAT_{name.upper()}", None)
        if number is None:
            raise ValueError(f"there is no counter {name!r}")
        return int(cvolo.volo_server_stat(self._running(), number))

    def _running(self) -> Any:
        if self._c is None:
            raise RuntimeError("the server does not run")
        return self._c


def _addresses(
    host: str | None,
    port: int | None,
    uds: str | os.PathLike[str] | None,
    fd: int | None,
    bind: Iterable[str],
) -> list[str]:
    named = [bind] if isinstance(bind, str) else list(bind)
    given = (host is not None or port is not None, uds is not None, fd is not None)
    if sum(given) > 1:
        raise TypeError("host and port, uds, and fd exclude each other")
    if uds is not None:
        return [f"unix:{os.fspath(uds)}", *named]
    if fd is not None:
        return [f"fd:{os.dup(fd)}", *named]
    if named and host is None and port is None:
        return named
    name = "127.0.0.1" if host is None else host
    if ":" in name and not name.startswith("["):
        name = f"[{name}]"
    return [f"{name}:{8080 if port is None else port}", *named]
