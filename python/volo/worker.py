# SPDX-License-Identifier: Apache-2.0
"""A worker process of ``volo run``: ``python -m volo.worker``.

Its supervisor gives it settings in ``VOLO_WORKER``: listening sockets, a pipe
to say on that it serves, and one whose end means that the supervisor is gone.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
import threading
from typing import Any

from .log import set_up_log
from .run import serve_here
from .settings import Settings

__all__ = ["VARIABLE", "main"]

VARIABLE = "VOLO_WORKER"


def _watch_supervisor(fd: int) -> None:
    """On a thread of its own: nothing is ever written to the pipe, so that it
    can be read means that its other end is gone."""
    with contextlib.suppress(OSError):
        os.read(fd, 1)
    os.kill(os.getpid(), signal.SIGTERM)


def main() -> int:
    """Serve until SIGTERM; returns an exit code."""
    said: dict[str, Any] = json.loads(os.environ.pop(VARIABLE))
    settings = Settings.from_json(said["settings"])

    # A Ctrl-C goes to every process of the terminal; it is the supervisor's.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(
        target=_watch_supervisor, args=(said["life"],), name="volo-life", daemon=True
    ).start()

    def ready(server: Any) -> None:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        os.write(said["ready"], b"1")
        os.close(said["ready"])

    set_up_log(settings.log_level)
    return serve_here(settings, [f"fd:{fd}" for fd in said["sockets"]], ready)


if __name__ == "__main__":
    sys.exit(main())
