# SPDX-License-Identifier: Apache-2.0
"""Layers: an access log and a request id around everything, a clock of our own,
and a group of routes behind a key.

    curl -i localhost:8080/
    curl -i localhost:8080/admin              403
    curl -i -H 'X-Key: sesame' localhost:8080/admin
    curl -i localhost:8080/patient/never      504
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

import volo
from volo import HTTPError, Request, Response, Router

Next = Callable[[Request], Response]
AsyncNext = Callable[[Request], Awaitable[Response]]

app = volo.App()

# The first layer added is the outermost, and all of them wrap every route, also
# those that are added later.  These are C's, and never enter Python.
app.layer(volo.layers.access_log())
app.layer(volo.layers.request_id())

# What C does stands outside of what Python does: so this router, with a timeout
# of C's, is beside the one whose layers are written in Python.
patient = Router(layers=[volo.layers.timeout(0.2)])
site = Router()
app.nest("/patient", patient)
app.nest("/", site)


# A layer of our own: on with the request, and back with the response.
@site.layer
def clock(request: Request, next: Next) -> Response:
    start = time.perf_counter()
    response = next(request)
    spent = (time.perf_counter() - start) * 1000
    response.headers["server-timing"] = f"total;dur={spent:.3f}"
    return response


@site.get("/")
def home() -> str:
    return "everybody may see this\n"


admin = site.group("/admin")


@admin.layer
def with_key(request: Request, next: Next) -> Response:
    if request.headers.get("x-key") != "sesame":
        raise HTTPError(403)
    return next(request)


@admin.get("/")
def only_with_key() -> str:
    return "only who has the key sees this\n"


# Layers may be async as well, and both kinds may stand around each other.
@patient.layer
async def told_if_cancelled(request: Request, next: AsyncNext) -> Response:
    try:
        return await next(request)
    except asyncio.CancelledError:
        print("nobody waits any more")
        raise


@patient.get("/never")
async def never() -> None:
    await asyncio.Event().wait()


if __name__ == "__main__":
    app.run(port=8080)
