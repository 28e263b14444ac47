# SPDX-License-Identifier: Apache-2.0
"""Bodies of any size in little memory: an upload is read as it comes, a download
is made as the client takes it.

    curl -T some-file localhost:8080/upload
    curl -o /dev/null localhost:8080/download/1000000000
    curl -N localhost:8080/count
"""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import AsyncIterator, Iterator
from typing import Annotated

import volo
from volo import Path, Reader, Stream

app = volo.App()

SLICE = b"v" * 16384

# ---- Upload ---------------------------------------------------------------------


# A Reader is the body as it comes: the handler is called before it is there.
@app.route("/upload", ["PUT", "POST"], body_limit=2**40)
def upload(body: Reader) -> str:
    octets, crc = 0, 0
    for piece in body:
        octets += len(piece)
        crc = zlib.crc32(piece, crc)
    return f"{octets} octets, sum {crc:08x}\n"


# ---- Download -------------------------------------------------------------------


def slices(n: int) -> Iterator[bytes]:
    while n > 0:
        yield SLICE[:n]
        n -= len(SLICE)


@app.get("/download/{n}")
def download(n: Annotated[int, Path(ge=0)]) -> Stream:
    return Stream(slices(n), length=n)


# ---- A stream that is pushed ------------------------------------------------------


# Every tenth of a second a line, ten in all.  If the client leaves, it is closed.
@app.get("/count")
async def count() -> AsyncIterator[str]:
    for i in range(1, 11):
        yield f"{i}\n"
        await asyncio.sleep(0.1)


if __name__ == "__main__":
    app.run(port=8080)
