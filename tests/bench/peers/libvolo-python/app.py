# SPDX-License-Identifier: Apache-2.0
"""The routes that peers are compared by, through the typed front door.

$HANDLERS says how they are written: "def" (the default: threads of the pool) or
"async" (the event loop).
"""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable
from typing import Annotated

import msgspec

import volo
from volo import Body, Request, Response

app = volo.App()
layered = app.group("/layers")

Octets = Annotated[bytes, Body()]


class Order(msgspec.Struct):
    id: int
    name: str
    tags: list[str]
    price: float


def add_def() -> None:
    """Handlers that may block."""

    def plaintext() -> str:
        return "Hello, World!"

    @app.get("/json")
    def to_json() -> dict[str, str]:
        return {"message": "Hello, World!"}

    @app.get("/users/{id}/posts/{post}")
    def post(id: str, post: str) -> str:
        return f"{id} {post}"

    @app.get("/query")
    def query(a: int, b: int) -> str:
        return str(a + b)

    @app.post("/echo")
    def echo(body: Octets) -> bytes:
        return body

    @app.post("/order")
    def order(order: Order) -> Order:
        return order

    def no_op(request: Request, next: Callable[[Request], Response]) -> Response:
        return next(request)

    app.get("/plaintext")(plaintext)
    for _ in range(5):
        layered.layer(no_op)
    layered.get("/")(plaintext)


def add_async() -> None:
    """Handlers that wait on the event loop."""

    async def plaintext() -> str:
        return "Hello, World!"

    @app.get("/json")
    async def to_json() -> dict[str, str]:
        return {"message": "Hello, World!"}

    @app.get("/users/{id}/posts/{post}")
    async def post(id: str, post: str) -> str:
        return f"{id} {post}"

    @app.get("/query")
    async def query(a: int, b: int) -> str:
        return str(a + b)

    @app.post("/echo")
    async def echo(body: Octets) -> bytes:
        return body

    @app.post("/order")
    async def order(order: Order) -> Order:
        return order

    async def no_op(
        request: Request, next: Callable[[Request], Awaitable[Response]]
    ) -> Response:
        return await next(request)

    app.get("/plaintext")(plaintext)
    for _ in range(5):
        layered.layer(no_op)
    layered.get("/")(plaintext)


(add_async if os.environ.get("HANDLERS") == "async" else add_def)()

if __name__ == "__main__":
    app.run(
        port=int(os.environ.get("PORT") or 8080),
        workers=int(os.environ.get("THREADS") or 1),
    )
