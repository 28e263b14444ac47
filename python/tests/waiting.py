# SPDX-License-Identifier: Apache-2.0
"""Waiting in tests: until something is so, but not for ever."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

DEADLINE = 30.0  # seconds, against hanging


def until(
    condition: Callable[[], Any],
    what: str = "this never came true",
    seconds: float = DEADLINE,
) -> None:
    """Wait for ``condition``; fail with ``what`` if it never comes."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, what
        time.sleep(0.005)
