# SPDX-License-Identifier: Apache-2.0
"""Applications of well-known frameworks, unchanged, over ASGI."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from typing import Annotated, Any

import pytest
from served import Served
from waiting import until

pytest.importorskip("starlette")
pytest.importorskip("fastapi")

import fastapi
import pydantic
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import (
    FileResponse,
    JSONResponse,
    PlainTextResponse,
    Response,
    StreamingResponse,
)
from starlette.routing import Mount, Route


def test_starlette_routes_bodies_state_and_background_tasks() -> None:
    events: list[str] = []

    @contextlib.asynccontextmanager
    async def lifespan(app: Any) -> AsyncIterator[dict[str, str]]:
        events.append("start")
        yield {"name": "of the lifespan"}
        events.append("stop")

    async def echo(request: Request) -> Response:
        return Response(await request.body(), media_type="application/octet-stream")

    async def params(request: Request) -> Response:
        return JSONResponse(
            {"id": request.path_params["id"], "q": request.query_params.get("q")}
        )

    async def state(request: Request) -> Response:
        return PlainTextResponse(request.state.name)

    def blocking(request: Request) -> Response:
        return PlainTextResponse("from a thread")

    async def thread(request: Request) -> Response:
        return PlainTextResponse(await run_in_threadpool(lambda: "asked a thread"))

    async def later(request: Request) -> Response:
        task = BackgroundTask(events.append, "background")
        return PlainTextResponse("ok", background=task)

    app = Starlette(
        lifespan=lifespan,
        routes=[
            Route("/echo", echo, methods=["POST"]),
            Route("/users/{id:int}", params),
            Route("/state", state),
            Route("/blocking", blocking),
            Route("/thread", thread),
            Mount("/inner", routes=[Route("/later", later, name="later")]),
        ],
    )
    with Served(app) as server:
        assert server.request("POST", "/echo", b"x" * 200_000).body == b"x" * 200_000
        assert json.loads(server.get("/users/7?q=%C3%A9").body) == {"id": 7, "q": "é"}
        assert server.get("/state").text == "of the lifespan"
        assert server.get("/blocking").text == "from a thread"
        assert server.get("/thread").text == "asked a thread"
        assert server.get("/inner/later").text == "ok"
        assert server.get("/none").status == 404
        assert server.request("HEAD", "/state").body == b""
        until(lambda: "background" in events)
    assert events == ["start", "background", "stop"]
    assert server.log.text == ""


def test_starlette_streams_files_and_middleware(tmp_path: Any) -> None:
    file = tmp_path / "large.bin"
    file.write_bytes(bytes(range(256)) * 4000)

    async def stream(request: Request) -> Response:
        async def pieces() -> AsyncIterator[bytes]:
            for number in range(50):
                yield b"%d " % number
                await asyncio.sleep(0)

        return StreamingResponse(pieces(), media_type="text/plain")

    async def download(request: Request) -> Response:
        return FileResponse(file)

    async def upload(request: Request) -> Response:
        size = 0
        async for piece in request.stream():
            size += len(piece)
        return PlainTextResponse(str(size))

    class Mark(BaseHTTPMiddleware):
        async def dispatch(self, request: Any, call_next: Any) -> Response:
            response: Response = await call_next(request)
            response.headers["x-mark"] = "seen"
            return response

    app = Starlette(
        routes=[
            Route("/stream", stream),
            Route("/file", download),
            Route("/upload", upload, methods=["POST"]),
        ],
        middleware=[Middleware(GZipMiddleware), Middleware(Mark)],
    )
    with Served(app) as server:
        answer = server.get("/stream")
        assert answer.text == "".join(f"{number} " for number in range(50))
        assert answer.headers["x-mark"] == "seen"
        assert server.get("/file").body == file.read_bytes()
        zipped = server.get("/stream", {"Accept-Encoding": "gzip"})
        assert zipped.headers["content-encoding"] == "gzip"
        part = server.get("/file", {"Range": "bytes=10-19"})
        assert (part.status, part.body) == (206, file.read_bytes()[10:20])
        sent = server.request("POST", "/upload", iter([b"a" * 70_000] * 5))
        assert sent.text == "350000"
    assert server.log.text == ""


def test_starlette_notices_a_client_that_leaves() -> None:
    seen: list[str] = []

    async def wait(request: Request) -> Response:
        while not await request.is_disconnected():
            await asyncio.sleep(0.01)
        seen.append("left")
        return PlainTextResponse("late")

    async def endless(request: Request) -> Response:
        async def pieces() -> AsyncIterator[bytes]:
            try:
                while True:
                    yield b"x" * 10_000
                    await asyncio.sleep(0.001)
            finally:
                seen.append("closed")

        return StreamingResponse(pieces())

    async def reading(request: Request) -> Response:
        try:
            await request.body()
        except ClientDisconnect:
            seen.append("broken")
        return PlainTextResponse("late")

    app = Starlette(
        routes=[
            Route("/wait", wait),
            Route("/endless", endless),
            Route("/reading", reading, methods=["POST"]),
        ]
    )
    with Served(app) as server:
        for request in (b"GET /wait", b"GET /endless"):
            with server.raw() as client:
                client.sendall(request + b" HTTP/1.1\r\nHost: a\r\n\r\n")
                if request.endswith(b"endless"):
                    assert client.recv(100)
                else:
                    server.call(asyncio.sleep(0.1))
        head = b"POST /reading HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n"
        with server.raw() as client:
            client.sendall(head + b"abc")
            server.call(asyncio.sleep(0.1))
        until(lambda: sorted(seen) == ["broken", "closed", "left"])
    assert server.log.text == ""


# FastAPI looks for what annotations name in the module.


class Item(pydantic.BaseModel):
    name: str
    price: float


closed: list[int] = []


async def number_of_request() -> AsyncIterator[int]:
    yield 42
    closed.append(1)


def test_fastapi_validates_depends_and_documents() -> None:
    app = fastapi.FastAPI()
    closed.clear()

    @app.post("/items/{id}")
    async def item(
        id: int,
        item: Item,
        number: Annotated[int, fastapi.Depends(number_of_request)],
        q: str | None = None,
    ) -> dict[str, Any]:
        return {"id": id, "item": item, "number": number, "q": q}

    @app.get("/sync")
    def sync(agent: Annotated[str, fastapi.Header(alias="user-agent")]) -> str:
        return agent

    @app.get("/bad")
    async def bad() -> None:
        raise fastapi.HTTPException(418, "short and stout")

    js = {"Content-Type": "application/json"}
    with Served(app) as server:
        body = json.dumps({"name": "a", "price": 1.5})
        answer = server.request("POST", "/items/3?q=x", body, js)
        assert json.loads(answer.body) == {
            "id": 3,
            "item": {"name": "a", "price": 1.5},
            "number": 42,
            "q": "x",
        }
        assert server.request("POST", "/items/x", body, js).status == 422
        assert server.request("POST", "/items/3", "{", js).status == 422
        assert server.get("/sync", {"User-Agent": "me"}).text == '"me"'
        assert server.get("/bad").status == 418
        assert "/items/{id}" in server.get("/openapi.json").text
        until(lambda: closed)
    assert server.log.text == ""


def test_an_exception_in_starlette_is_500_and_logged() -> None:
    async def bad(request: Request) -> Response:
        raise ValueError("my mistake")

    with Served(Starlette(routes=[Route("/", bad)])) as server:
        assert server.get("/").status == 500
        until(lambda: "my mistake" in server.log.text)


def test_anyio_timeouts_and_task_groups_work_in_handlers() -> None:
    import anyio

    async def handler(request: Request) -> Response:
        found: list[int] = []

        async def work(number: int) -> None:
            await anyio.sleep(0.01)
            found.append(number)

        async with anyio.create_task_group() as group:
            for number in range(3):
                group.start_soon(work, number)
        with anyio.move_on_after(0.01) as scope:
            await anyio.sleep(10)
        assert scope.cancelled_caught
        return PlainTextResponse(str(sorted(found)))

    with Served(Starlette(routes=[Route("/", handler)])) as server:
        for _ in range(3):
            assert server.get("/").text == "[0, 1, 2]"
