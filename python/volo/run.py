# SPDX-License-Identifier: Apache-2.0
"""``volo run``: in this process, or in workers under a supervisor."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable
from typing import Any

from . import layers
from .asgi import LifespanError
from .errors import VoloError
from .interface import LoadError, load
from .log import set_up_log
from .running import run_server
from .server import Server
from .serving import AnyServer
from .settings import Settings
from .tls import TLS

__all__ = ["EXIT_LOAD", "EXIT_START", "run", "serve_here"]

EXIT_LOAD = 1
"""There is no such application, or no such place to listen on."""
EXIT_START = 3
"""The application has not started."""

_log = logging.getLogger("volo")


def run(settings: Settings) -> int:
    """Serve as ``settings`` say; returns an exit code."""
    set_up_log(settings.log_level)
    if settings.workers == 1 and not settings.reload:
        return serve_here(settings)
    from .supervisor import supervise

    return supervise(settings)


# ---- One process -------------------------------------------------------------


def serve_here(
    settings: Settings,
    bind: list[str] | None = None,
    on_ready: Callable[[Server], Any] | None = None,
    on_tls: Callable[[TLS], Any] | None = None,
) -> int:
    """Load the application and serve it in this process, on ``bind`` if that is
    given.  ``on_tls`` is called before with its TLS, if it has one.  What goes
    wrong is logged; returns an exit code."""
    try:
        app = _load(settings)
    except LoadError as error:
        _log.error("%s", error)
        return EXIT_LOAD
    except Exception:
        _log.exception("could not load %s", settings.target)
        return EXIT_LOAD
    try:
        tls = settings.tls()
        if tls is not None and on_tls is not None:
            on_tls(tls)
        server = _server(settings, app, bind, tls)
    except (OSError, TypeError, ValueError, VoloError) as error:
        _log.error("could not serve %s: %s", settings.target, error)
        return EXIT_LOAD
    return _run(settings, server, on_ready)


def _load(settings: Settings) -> Any:
    path = os.path.abspath(settings.app_dir)
    if path not in sys.path:
        sys.path.insert(0, path)
    return load(settings.target, settings.factory)


def _run(
    settings: Settings, server: AnyServer, on_ready: Callable[[Server], Any] | None
) -> int:
    try:
        run_server(server, loop=settings.loop, on_ready=on_ready)
    except VoloError as error:
        _log.error("could not listen: %s", error)
        return EXIT_LOAD
    except LifespanError as error:
        _log.error("%s", error, exc_info=error.__cause__)
        return EXIT_START
    except Exception:
        _log.exception("the application has not started, or not ended, well")
        return EXIT_START
    return 0


def _server(
    settings: Settings, app: Any, bind: list[str] | None, tls: TLS | None
) -> AnyServer:
    place: dict[str, Any] = {"bind": bind}
    if bind is None:
        place = {
            "host": settings.host,
            "port": settings.port,
            "uds": settings.uds,
            "fd": settings.fd,
        }
    return AnyServer(
        app,
        **place,
        tls=tls,
        proxy_protocol=settings.proxy_protocol,
        interface=settings.interface,
        lifespan=settings.lifespan,
        root_path=settings.root_path,
        outer=_outer(settings),
        processes=settings.workers > 1,
        workers=settings.loops,
        threads=settings.threads,
        name=settings.server_header,
        **settings.limits,
    )


def _outer(settings: Settings) -> list[layers.Layer]:
    """The layers that flags ask for, the outermost first."""
    found: list[layers.Layer] = []
    if settings.access_log:
        found.append(layers.access_log(1, settings.access_log_format))
    if settings.proxy_headers:
        found.append(layers.client_ip(settings.forwarded_allow_ips))
    if settings.limit_concurrency is not None:
        found.append(layers.concurrency(settings.limit_concurrency))
    return found
