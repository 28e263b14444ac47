# SPDX-License-Identifier: Apache-2.0
"""An app at work beside a test: an event loop on a thread of its own, and the
in-memory client of C that sends to it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any

from . import cvolo, loops
from .runtime import Runtime

if TYPE_CHECKING:
    from .app import App
    from .records import Overrides


class Portal:
    """Knows nothing of what is sent, only that ``client`` can."""

    def __init__(
        self, app: App, lifespan: bool, overrides: Overrides | None = None
    ) -> None:
        self.client: Any = None
        self._errors: list[Exception] = []
        self._runtime = Runtime(
            app,
            lifespan=lifespan,
            overrides=overrides,
            on_unhandled=self._errors.append,
        )
        self._loop = loops.new_loop()
        self._thread = threading.Thread(
            target=self._loop.run_forever, name="volo-test", daemon=True
        )

    def start(self) -> None:
        """Raises what the app's start raises."""
        self._thread.start()
        try:
            service = self._call(self._runtime.start())
            self.client = cvolo.volo_test_new(service)
        except BaseException:
            self._stop_loop()
            raise

    def stop(self) -> None:
        """Raises what the app's end raises."""
        try:
            self._call(self._runtime.stop())
        finally:
            # Last: handlers that were still at work answer to its loop.
            self.client = None
            self._stop_loop()

    def take_errors(self) -> list[Exception]:
        """The exceptions that have become a 500 since the last call."""
        errors = self._errors[:]
        self._errors.clear()
        return errors

    def _call(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def _stop_loop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
