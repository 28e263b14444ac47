# SPDX-License-Identifier: Apache-2.0
"""The log of the package, ``logging.getLogger("volo")``, where a program has
not set up logging."""

from __future__ import annotations

import logging
import sys
from typing import Any, Literal

__all__ = ["LogLevel", "set_up_log"]

LogLevel = Literal["critical", "error", "warning", "info", "debug"]


class _Stderr(logging.StreamHandler[Any]):
    """To what standard error is when something is logged."""

    def __init__(self) -> None:
        logging.Handler.__init__(self)

    @property
    def stream(self) -> Any:
        return sys.stderr


def set_up_log(level: str) -> None:
    """Have the package's log from ``level`` on, on standard error unless there
    are handlers for it."""
    logger = logging.getLogger("volo")
    logger.setLevel(level.upper())
    if logger.hasHandlers():
        return
    handler = _Stderr()
    handler.setFormatter(
        logging.Formatter("%(asctime)s %(levelname)s [%(process)d] %(message)s")
    )
    logger.addHandler(handler)
    logger.propagate = False
