# SPDX-License-Identifier: Apache-2.0
"""Layers: an access log and a request id around everything, a clock of our own,
and a group of routes behind a key.

    curl -i localhost:8080/
    curl -i localhost:8080/admin/             403
    curl -i -H 'X-Key: sesame' localhost:8080/admin/
    curl -i -H 'X-Key: sesame' localhost:8080/never      504
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

import volo
from volo import HTTPError, Request, Response

app = volo.App()

# The first layer added is the outermost, and all of them wrap every route, also
# those that are added later.  These are C's: they stand outside of Python's.
app.layer(volo.layers.access_log())
app.layer(volo.layers.request_id())

# A group with a layer of C's, made before the first layer in Python is added.
limited = volo.Router(layers=[volo.layers.timeout(0.2)])


@limited.get("/never")
async def never() -> None:
    await asyncio.Event().wait()


outer = volo.Router()
app.nest("/limited", limited)
app.nest("/", outer)

Next = Callable[[Request], Response]


# A layer of our own: on with the request, and back with the response.
@outer.layer
def clock(request: Request, next: Next) -> Response:
    start = time.perf_counter()
    response = next(request)
    spent = (time.perf_counter() - start) * 1000
    response.headers["server-timing"] = f"total;dur={spent:.3f}"
    return response


@outer.get("/")
def home() -> str:
    return "everybody may see this\n"


admin = outer.group("/admin")


@admin.layer
def with_key(request: Request, next: Next) -> Response:
    if request.headers.get("x-key") != "sesame":
        raise HTTPError(403)
    return next(request)


@admin.get("/")
def only_with_key() -> str:
    return "only who has the key sees this\n"


if __name__ == "__main__":
    app.run(port=8080)
