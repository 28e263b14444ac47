# SPDX-License-Identifier: Apache-2.0
"""What tests/bench/routes/compare puts beside libvolo: a typed JSON route, as
FastAPI has it, and a blocking one, as Starlette has it."""

from fastapi import FastAPI
from pydantic import BaseModel
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route


class Order(BaseModel):
    id: int
    name: str
    tags: list[str]
    price: float


typed = FastAPI()


@typed.post("/order")
async def order(order: Order) -> Order:
    return order


def plaintext(request: Request) -> PlainTextResponse:
    return PlainTextResponse("Hello, World!")


blocking = Starlette(routes=[Route("/plaintext", plaintext)])
