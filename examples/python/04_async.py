# SPDX-License-Identifier: Apache-2.0
"""`def` handlers run on threads, `async def` ones on an event loop; the loops
that accept and parse are C's, and wait for neither.

    curl localhost:8080/fib/27        some tenths of a second, on a thread
    curl localhost:8080/              meanwhile, at once
    curl localhost:8080/later/500     half a second, on the event loop
"""

from __future__ import annotations

import asyncio
from typing import Annotated

import volo
from volo import Path

app = volo.App()


@app.get("/")
async def home() -> str:
    return "try /fib/27\n"


def slow_fib(n: int) -> int:
    """Slow on purpose."""
    return n if n < 2 else slow_fib(n - 1) + slow_fib(n - 2)


@app.get("/fib/{n}")
def fib(n: Annotated[int, Path(ge=0, le=32)]) -> str:
    return f"{slow_fib(n)}\n"


@app.get("/later/{ms}")
async def later(ms: Annotated[int, Path(ge=0, le=60000)]) -> str:
    await asyncio.sleep(ms / 1000)
    return "now\n"


if __name__ == "__main__":
    app.run(port=8080)
