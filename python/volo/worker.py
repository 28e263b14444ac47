# SPDX-License-Identifier: Apache-2.0
"""A worker process of ``volo run``: ``python -m volo.worker``.

Its supervisor gives it settings in ``VOLO_WORKER``: listening sockets, a pipe
to say on that it serves, and one to hear on which keys for session tickets all
workers have, whose end means that the supervisor is gone.
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
from .tickets import Told, read_message

__all__ = ["VARIABLE", "main"]

VARIABLE = "VOLO_WORKER"


def _watch_supervisor(fd: int, told: Told) -> None:
    """On a thread of its own: hear keys, until the other end is gone."""
    with contextlib.suppress(OSError):
        while (keys := read_message(fd)) is not None:
            told.hear(keys)
    os.kill(os.getpid(), signal.SIGTERM)


def main() -> int:
    """Serve until SIGTERM; returns an exit code."""
    said: dict[str, Any] = json.loads(os.environ.pop(VARIABLE))
    settings = Settings.from_json(said["settings"])

    told = Told()
    if said["keys"]:  # which are there already, before the first client
        told.hear(read_message(said["life"]) or b"")

    # A Ctrl-C goes to every process of the terminal; it is the supervisor's.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(
        target=_watch_supervisor,
        args=(said["life"], told),
        name="volo-life",
        daemon=True,
    ).start()

    def ready(server: Any) -> None:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        os.write(said["ready"], b"1")
        os.close(said["ready"])

    set_up_log(settings.log_level)
    places = [f"fd:{fd}" for fd in said["sockets"]]
    return serve_here(settings, places, ready, told.attach)


if __name__ == "__main__":
    sys.exit(main())
