# SPDX-License-Identifier: Apache-2.0
"""Layers that leave their names on the way in and out, and handlers that say
which have."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import volo
from volo import Request, Response

Next = Callable[[Request], Response]
AsyncNext = Callable[[Request], Awaitable[Response]]


def mark(name: str) -> Callable[[Request, Next], Response]:
    """A layer that leaves its name on the way in and out."""

    def layer(request: Request, next: Next) -> Response:
        request.state.trail = [*getattr(request.state, "trail", []), name]
        response = next(request)
        response.headers.add("x-out", name)
        return response

    return layer


def mark_async(name: str) -> Callable[[Request, AsyncNext], Awaitable[Response]]:
    async def layer(request: Request, next: AsyncNext) -> Response:
        request.state.trail = [*getattr(request.state, "trail", []), name]
        response = await next(request)
        await asyncio.sleep(0)
        response.headers.add("x-out", name)
        return response

    return layer


def trail(request: Request) -> list[str]:
    return getattr(request.state, "trail", [])


async def trail_async(request: Request) -> list[str]:
    await asyncio.sleep(0)
    return getattr(request.state, "trail", [])


async def trail_at_once(request: Request) -> list[str]:
    return getattr(request.state, "trail", [])


def out(response: volo.testing.ClientResponse) -> list[str]:
    return response.headers.get_list("x-out")


HANDLERS = [trail, trail_async, trail_at_once]
