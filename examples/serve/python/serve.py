# SPDX-License-Identifier: Apache-2.0
"""The behaviour server: the routes that end-to-end tests, benchmarks and outside
conformance suites drive, the same in every language.

What configures it is its environment:

    PORT, WORKERS       the port on 127.0.0.1 (8080) and how many loops (1)
    HALF_CLOSE          1: answer who has shut down writing
    HTTP1               0: HTTP/2 alone
    TRUST_PROXY         networks whose connections begin with a header of the
                        PROXY protocol
    TLS_PORT            another port, for TLS, with
    TLS_CERT, TLS_KEY   the chain and the key, and where they are set,
    TLS_CERT2, TLS_KEY2 others, which the server name chooses,
    TLS_CLIENT_CA       who signs clients' certificates, which are
    TLS_CLIENT          "required", else optional

SIGINT and SIGTERM stop it gracefully, a second one at once; SIGHUP reads the
certificates again.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import AsyncIterator, Callable
from typing import Annotated

import volo
from volo import HTTPError, Path, Query, Reader, Rejection, Request, Response, Stream

SHARED_SIZE = 64 * 1024 * 1024  # the most that /bytes and /stream give
SLICE = bytes(64 * 1024)  # of it, in one piece
OCTETS = "application/octet-stream"

Millis = Annotated[int, Query(ge=0, le=60_000)]
Next = Callable[[Request], Response]

app = volo.App()

# ---- Short answers -----------------------------------------------------------


@app.get("/")
async def root() -> str:
    return "ok\n"


@app.get("/plaintext")
async def plaintext() -> str:
    return "Hello, World!"


@app.get("/json")
async def json() -> dict[str, str]:
    return {"message": "Hello, World!"}


@app.get("/users/{id}/posts/{post}")
async def user_post(id: str, post: str) -> str:
    return f"{id} {post}"


@app.get("/query")
async def query(a: int, b: int) -> str:
    for name, value in (("a", a), ("b", b), ("b", a + b)):
        if not -(2**63) <= value < 2**63:
            raise Rejection.of(name, "query", "overflows")
    return str(a + b)


@app.get("/status/{code}")
async def status(code: Annotated[int, Path(ge=200, le=999)]) -> int:
    return code


@app.get("/headers")
async def headers(request: Request) -> list[tuple[str, str]]:
    """A list of pairs, because a dict has neither order nor repeated names."""
    return list(request.headers.items())


# ---- What is beside requests and answers ---------------------------------------


@app.get("/connection")
async def connection(request: Request) -> dict[str, str | int | None]:
    peer, port = request.client
    tls = request.tls
    return {
        "version": request.http_version,
        "scheme": request.scheme,
        "peer": peer,
        "port": port,
        "tls": int(tls.version.replace(".", "")) if tls else 0,
        "cipher": tls.cipher if tls else None,
        "name": tls.server_name if tls else None,
        "client": tls.client_subject if tls else None,
    }


@app.get("/hints")
async def hints(request: Request) -> str:
    request.early_hints({"link": "</style.css>; rel=preload"})
    return "ok\n"


# ---- What goes wrong ---------------------------------------------------------


@app.get("/error")
async def error() -> None:
    raise RuntimeError("asked for")


@app.get("/drop")
async def drop() -> None:
    """Nobody answers, which is 500."""
    raise HTTPError(500)


# ---- Large answers -----------------------------------------------------------


async def pieces(n: int) -> AsyncIterator[bytes]:
    for _ in range(n // len(SLICE)):
        yield SLICE
    if n % len(SLICE):
        yield SLICE[: n % len(SLICE)]


Size = Annotated[int, Path(ge=0, le=SHARED_SIZE)]


@app.get("/bytes/{n}")
async def some_bytes(n: Size) -> Response:
    if n <= len(SLICE):
        return Response(SLICE[:n], media_type=OCTETS)
    return Stream(pieces(n), length=n)


@app.get("/stream/{n}")
async def stream(n: Size) -> Response:
    return Stream(pieces(n))


# ---- Echo: the body back while it comes --------------------------------------


@app.any("/echo")
async def echo(request: Request, body: Reader) -> Response:
    """The first piece is waited for, so that an error can be answered as one."""
    first = await body.aread(len(SLICE) // 4)

    async def rest() -> AsyncIterator[bytes]:
        piece = first
        while piece:
            yield piece
            piece = await body.aread(len(SLICE) // 4)

    kind = request.headers.get("content-type", OCTETS)
    if not first:
        return Response(b"", media_type=kind)
    return Stream(rest(), media_type=kind, length=body.length)


# ---- Slow: on the event loop, and on a thread --------------------------------


@app.get("/slow")
async def slow(ms: Millis = 100) -> str:
    await asyncio.sleep(ms / 1000)
    return "ok\n"


@app.get("/block")
def block(ms: Millis = 100) -> str:
    time.sleep(ms / 1000)
    return "ok\n"


# ---- Layers ------------------------------------------------------------------

layered = app.group("/layers")


def no_op(request: Request, next: Next) -> Response:
    return next(request)


for _ in range(5):
    layered.layer(no_op)


@layered.get("/")
def layers() -> str:
    return "Hello, World!"


def certificates() -> volo.TLS:
    env = os.environ
    authority = env.get("TLS_CLIENT_CA")
    required = env.get("TLS_CLIENT") == "required"
    tls = volo.TLS(
        env["TLS_CERT"],
        env.get("TLS_KEY"),
        ca_certs=authority,
        client_cert=("required" if required else "optional") if authority else None,
    )
    if "TLS_CERT2" in env:
        tls.add(env["TLS_CERT2"], env.get("TLS_KEY2"))
    return tls


def ready(server: volo.Server) -> None:
    print(f"volo-serve: {server.url}/", file=sys.stderr, flush=True)


if __name__ == "__main__":
    secured = os.environ.get("TLS_PORT")
    bind = [f"http://127.0.0.1:{os.environ.get('PORT') or 8080}"]
    if secured:
        bind.append(f"https://127.0.0.1:{secured}")
    app.run(
        bind=bind,
        tls=certificates() if secured else None,
        proxy_protocol=os.environ.get("TRUST_PROXY"),
        log_level="warning",
        workers=int(os.environ.get("WORKERS") or 1),
        body_limit=16 * 1024 * 1024,
        head_timeout=10,
        body_timeout=10,
        write_timeout=10,
        idle_timeout=15,
        half_close=os.environ.get("HALF_CLOSE") == "1",
        http1=os.environ.get("HTTP1") != "0",
        on_ready=ready,
    )
