# SPDX-License-Identifier: Apache-2.0
"""What runs while an app is being served, by a server or by a test's client:
two queues and who takes from them, and the app's lifespan.

Nothing here starts before :meth:`Runtime.start`; so a process may fork before.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import inspect
import sys
import threading
import weakref
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any

from . import _cvolo, cvolo, respond
from .build import build
from .errors import RegistrationError
from .layers import Setup
from .onion import Threads
from .passage import Passages
from .rescue import http_error_of

if TYPE_CHECKING:
    from .app import App
    from .binding import Bound
    from .records import Mount, Overrides

__all__ = ["Runtime", "install"]

_GRACE = 5.0  # seconds for handlers that were cancelled at the end


class Runtime:
    """One serving of ``app``, on the event loop that runs :meth:`start`."""

    def __init__(
        self,
        app: App,
        *,
        lifespan: bool = True,
        threads: int = 40,
        overrides: Overrides | None = None,
        on_unhandled: Callable[[Exception], None] | None = None,
    ) -> None:
        self.app = app
        self.threads = Threads()
        self.passages = Passages()
        self.overrides: Overrides = overrides or {}
        self.on_unhandled = on_unhandled
        self.pool_queue: Any = cvolo.volo_queue_new(0)
        self.aio_queue: Any = cvolo.volo_queue_new(0)
        self.service: Any = None
        self.handlers: set[Any] = set()
        self._lifespan = lifespan
        self._thread_count = threads
        self._setup = Setup()
        self._stack = contextlib.AsyncExitStack()
        self._guests: dict[tuple[Mount, str], Any] = {}
        self._pool: Any = None
        self._aio: Any = None
        _runtimes.add(self)

    # ---- Start ---------------------------------------------------------------

    async def start(self) -> Any:
        """Begin the app's lifespan, in which more may be registered still, and
        build it; returns the C service.

        Raises what the lifespan or an ``on_start`` raises; what had begun is
        ended again then."""
        try:
            if self._lifespan:
                await self._begin_lifespan()
            self.app._begin(self)
            await self._begin_guests()
            self.service = build(self.app, self, self._setup)
            self._take()
        except BaseException:
            await self.stop()
            raise
        return self.service

    def _take(self) -> None:
        loop = self.loop = asyncio.get_running_loop()
        self._pool = _cvolo.Pool(self.pool_queue, self._spawn, self._thread_count)
        self._aio = _cvolo.Aio(self.aio_queue, loop, _task_maker(loop))
        self._pool.start()
        self._aio.attach()

    async def _begin_lifespan(self) -> None:
        app = self.app
        if app.lifespan is not None:
            await self._stack.enter_async_context(app.lifespan(app))
        for hook in app._on_start:
            await _call(hook)
        for hook in app._on_stop:
            self._stack.push_async_callback(_call, hook)

    async def _begin_guests(self) -> None:
        """Applications of other kinds that are mounted."""
        mounts = list(self.app._mounts())
        if not mounts:
            return
        from .guest import GuestRuntime

        for mount, prefix in mounts:
            guest = GuestRuntime(mount.app, mount.kind, threads=self._thread_count)
            self._guests[mount, prefix] = await guest.start()
            self._stack.push_async_callback(guest.stop)

    def check_shared(self, bound: Bound, values: Mapping[Any, Any]) -> None:
        """Raise RegistrationError for a handler whose ``State[T]`` nobody has
        provided by now; not without a lifespan, which may be what provides."""
        missing = bound.shared - set(values)
        if not self._lifespan or not missing:
            return
        names = sorted(getattr(k, "__qualname__", None) or repr(k) for k in missing)
        raise RegistrationError(
            bound.name,
            None,
            f"asks for State[{names[0]}], and nothing has been provided as that: "
            "call provide() at the latest when the app starts",
        )

    def guest_service(self, mount: Mount, prefix: str) -> Any:
        """The C service of a mounted application."""
        return self._guests[mount, prefix]

    # ---- Stop ----------------------------------------------------------------

    async def stop(self, now: bool = False) -> None:
        """End what :meth:`start` began, once no more requests come.  What is
        still at work is cancelled; ``now`` does not wait for it."""
        await self._stop_takers(now)
        self.threads.stop()
        try:
            await self._stack.aclose()
        finally:
            self._let_go()
            for end in reversed(self._setup.on_stop):
                end()
            self.app._end(self)

    def _let_go(self) -> None:
        """Give up what holds memory and descriptors, in whatever circle it is:
        who is garbage may wait long to be collected."""
        self.service = self._pool = self._aio = None
        self.pool_queue = self.aio_queue = None
        self.handlers.clear()
        self._guests.clear()

    async def _stop_takers(self, now: bool) -> None:
        if self._aio is not None:
            self.passages.closed = True
            self._aio.close()
            await self._cancel(now)
        if self._pool is not None:
            self._pool.close()
            join = functools.partial(self._pool.join, 0.0 if now else _GRACE)
            try:
                await asyncio.get_running_loop().run_in_executor(None, join)
            except RuntimeError:
                join()  # the interpreter is ending, and starts no threads

    async def _cancel(self, now: bool) -> None:
        tasks = {t for t in asyncio.all_tasks() if _is_ours(t)}
        for task in tasks:
            task.cancel()
        if tasks and not now:
            await asyncio.wait(tasks, timeout=_GRACE)

    def _spawn(self) -> None:
        work = self._pool.work
        threading.Thread(target=work, name="volo-pool", daemon=True).start()

    def wait_for(self, work: Awaitable[Any]) -> Any:
        """On a thread that is not the loop's: wait for something async."""

        async def run() -> Any:
            return await work

        return asyncio.run_coroutine_threadsafe(run(), self.loop).result()


# ---- What nobody expected --------------------------------------------------------

_runtimes: weakref.WeakSet[Runtime] = weakref.WeakSet()


def _on_error(request: Any, error: BaseException) -> Any:
    """The hook of C: told to whoever runs the handler, then answered."""
    known = http_error_of(error)
    if known is None and isinstance(error, Exception):
        if request._shared is not None and not request.canceled:
            # For the layer around it, which by default says so in its turn.
            request._shared.error = error
            return 500
        for runtime in tuple(_runtimes):
            if request.handler in runtime.handlers and runtime.on_unhandled:
                runtime.on_unhandled(error)
    return respond.on_error(request, known or error)


def install() -> None:
    """Tell C how values and exceptions become answers."""
    respond.install()
    _cvolo.set_hooks(on_error=_on_error)


def _task_maker(loop: asyncio.AbstractEventLoop) -> Callable[[Any], Any]:
    """What makes a task of a handler's coroutine.  On 3.12 and later it begins
    at once, and often has ended by then."""
    if sys.version_info >= (3, 12):
        return functools.partial(asyncio.Task, loop=loop, name="volo", eager_start=True)
    return functools.partial(asyncio.Task, loop=loop, name="volo")


def _is_ours(task: asyncio.Task[Any]) -> bool:
    return task.get_name() == "volo"


async def _call(hook: Callable[[], Any]) -> None:
    result = hook()
    if inspect.isawaitable(result):
        await result
