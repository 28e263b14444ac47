# SPDX-License-Identifier: Apache-2.0
"""What runs while an ASGI or WSGI application is served by itself: the
counterpart of :class:`volo.runtime.Runtime`."""

from __future__ import annotations

from typing import Any

from .asgi import Asgi, LifespanMode
from .interface import Kind, kind_of
from .wsgi import Wsgi

__all__ = ["GuestRuntime"]


class GuestRuntime:
    """One serving of ``app``, on the event loop that runs :meth:`start`.

    ``kind`` is seen from ``app`` if it is not given.  What routers take off the
    path before it comes to ``app`` need not be said: C knows it."""

    def __init__(
        self,
        app: Any,
        kind: Kind | None = None,
        *,
        lifespan: LifespanMode = "auto",
        root_path: str = "",
        threads: int = 40,
        processes: bool = False,
    ) -> None:
        self._app: Asgi | Wsgi
        if kind_of(app, kind or "auto") == "asgi":
            self._app = Asgi(app, root_path=root_path, lifespan=lifespan)
        else:
            self._app = Wsgi(
                app, root_path=root_path, threads=threads, processes=processes
            )

    async def start(self) -> Any:
        """Begin; returns the C service.  Raises LifespanError."""
        return await self._app.start()

    def set_server(self, address: tuple[str, int | None] | None) -> None:
        """What the application is told of where the server listens."""
        self._app.set_server(address)

    async def stop(self, now: bool = False) -> None:
        """End what :meth:`start` began.  Raises LifespanError."""
        await self._app.stop(now)
