# SPDX-License-Identifier: Apache-2.0
"""What begins and ends with an app, and what happens if it cannot begin."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Annotated

import pytest

import volo
from volo import State, TestClient


class Store:
    def __init__(self, name: str) -> None:
        self.name = name


def test_hooks_run_in_order_and_back() -> None:
    app, seen = volo.App(), []

    @app.on_start
    def first() -> None:
        seen.append("first")

    @app.on_start
    async def second() -> None:
        await asyncio.sleep(0)
        seen.append("second")

    @app.on_stop
    async def last() -> None:
        await asyncio.sleep(0)
        seen.append("last")

    @app.on_stop
    def before_last() -> None:
        seen.append("before last")

    with TestClient(app):
        assert seen == ["first", "second"]
    assert seen == ["first", "second", "before last", "last"]


def test_a_lifespan_stands_around_the_hooks() -> None:
    seen = []

    @contextlib.asynccontextmanager
    async def lifespan(app: volo.App) -> AsyncIterator[None]:
        seen.append("begin")
        yield
        seen.append("end")

    app = volo.App(lifespan=lifespan)
    app.on_start(lambda: seen.append("start"))
    app.on_stop(lambda: seen.append("stop"))
    with TestClient(app):
        pass
    assert seen == ["begin", "start", "stop", "end"]


def test_what_is_provided_at_the_start_reaches_handlers() -> None:
    app = volo.App()

    @app.on_start
    def connect() -> None:
        app.provide(Store("made late"))

    @app.get("/")
    def name(store: State[Store]) -> str:
        return store.name

    with TestClient(app) as client:
        assert client.get("/").text == "made late"


def test_an_app_does_not_start_while_nobody_provides_what_a_handler_asks_for() -> None:
    app, inner = volo.App(), volo.Router()

    @inner.get("/")
    def name(store: State[Store]) -> str:
        return store.name

    app.nest("/in", inner)
    with pytest.raises(volo.RegistrationError, match=r"name: asks for State\[Store\]"):
        TestClient(app).__enter__()
    inner.provide(Store("inner"))
    with TestClient(app) as client:
        assert client.get("/in").text == "inner"


def test_what_a_provider_asks_for_is_missed_at_the_start_too() -> None:
    app = volo.App()

    def name_of(store: State[Store]) -> str:
        return store.name

    @app.get("/")
    def name(name: Annotated[str, volo.Depends(name_of)]) -> str:
        return name

    with pytest.raises(volo.RegistrationError, match=r"State\[Store\]"):
        TestClient(app).__enter__()
    overrides = {name_of: lambda: "put in its place"}
    with TestClient(app, overrides=overrides) as client:
        assert client.get("/").text == "put in its place"


def test_an_inner_router_provides_before_an_outer_one() -> None:
    app, inner = volo.App(), volo.Router()

    def name(store: State[Store]) -> str:
        return store.name

    app.provide(Store("outer"))
    app.get("/")(name)
    app.nest("/in", inner)
    inner.get("/")(name)
    with TestClient(app) as client:
        assert client.get("/in").text == "outer"
        inner.provide(Store("inner"))
        assert client.get("/in").text == "inner"
        assert client.get("/").text == "outer"


def test_routes_may_be_registered_at_the_start() -> None:
    app = volo.App()

    @app.on_start
    def register() -> None:
        app.get("/late")(lambda: "late")

    with TestClient(app) as client:
        assert client.get("/late").text == "late"


def test_a_start_that_fails_ends_what_had_begun() -> None:
    seen = []

    @contextlib.asynccontextmanager
    async def lifespan(app: volo.App) -> AsyncIterator[None]:
        seen.append("begin")
        try:
            yield
        finally:
            seen.append("end")

    app = volo.App(lifespan=lifespan)

    @app.on_start
    def fail() -> None:
        raise LookupError("no database")

    app.on_stop(lambda: seen.append("stop"))
    with pytest.raises(LookupError, match="no database"):
        TestClient(app).__enter__()
    assert seen == ["begin", "end"]
    app._on_start.clear()
    with TestClient(app):
        pass


def test_a_server_whose_start_fails_never_listens() -> None:
    app = volo.App()

    @app.on_start
    async def fail() -> None:
        raise LookupError("no database")

    async def main() -> None:
        server = volo.Server(app, port=0)
        with pytest.raises(LookupError):
            await server.start()
        with pytest.raises(RuntimeError):
            _ = server.port

    asyncio.run(main())


def test_an_end_that_fails_is_told() -> None:
    app, seen = volo.App(), []

    @app.on_stop
    def after() -> None:
        seen.append("after")

    @app.on_stop
    def fail() -> None:
        raise LookupError("no database")

    with pytest.raises(LookupError), TestClient(app):
        pass
    assert seen == ["after"]
