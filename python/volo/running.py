# SPDX-License-Identifier: Apache-2.0
"""Running a server on this thread, until a signal ends it."""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import Callable
from typing import Any

from . import loops
from .log import LogLevel, set_up_log
from .server import Server
from .signals import StopSignals, reloading

__all__ = ["run_server"]

_log = logging.getLogger("volo")


def run_server(
    server: Server,
    *,
    loop: loops.LoopKind = "auto",
    switch_interval: float = 0.001,
    log_level: LogLevel | None = None,
    on_ready: Callable[[Server], Any] | None = None,
) -> None:
    """Run ``server`` on this thread until SIGINT, SIGTERM or ``stop()``; the
    second signal ends it at once; SIGHUP has certificates read again.
    ``on_ready(server)`` is called on the event loop when it accepts."""
    if log_level is not None:
        set_up_log(log_level)
    before = sys.getswitchinterval()
    sys.setswitchinterval(switch_interval)
    try:
        with StopSignals(server.stop) as signals, reloading(server):
            loops.run(_serve(server, on_ready), loop, lambda: signals.forced)
    finally:
        sys.setswitchinterval(before)


async def _serve(server: Server, on_ready: Callable[[Server], Any] | None) -> None:
    try:
        # A task of its own: a stop meanwhile cancels that and nothing else.
        await asyncio.create_task(server.start())
    except asyncio.CancelledError:
        return
    try:
        for url in server.urls:
            _log.info("listening on %s", url)
        if on_ready is not None:
            on_ready(server)
    except BaseException:
        server.stop(now=True)
        await server.wait()
        raise
    await server.wait()
