# SPDX-License-Identifier: Apache-2.0
"""One order everywhere: the first layer added is the outermost, and it wraps all
that is in its router, whenever that was registered, 404 and 405 included."""

from __future__ import annotations

import asyncio
import contextvars
import threading
from typing import Any

import pytest
from marks import HANDLERS, AsyncNext, Next, mark, mark_async, out, trail

import volo
from volo import HTTPError, Request, Response, Router, TestClient

MIXES = ["sss", "aaa", "sas", "asa", "ssa", "aas", "saa", "ass"]


@pytest.mark.parametrize("handler", HANDLERS)
@pytest.mark.parametrize("mix", MIXES)
def test_layers_run_in_the_order_in_which_they_were_added(
    handler: Any, mix: str
) -> None:
    app = volo.App()
    for i, how in enumerate(mix):
        app.layer((mark if how == "s" else mark_async)(str(i)))
    app.get("/")(handler)
    with TestClient(app) as client:
        response = client.get("/")
    assert response.json() == ["0", "1", "2"]
    assert out(response) == ["2", "1", "0"]


@pytest.mark.parametrize("how", ["def", "async def"])
def test_a_layer_that_forgets_to_return_is_a_500_that_names_it(how: str) -> None:
    app = volo.App()

    def forgets(request: Request, next: Next) -> None:
        next(request)

    async def forgets_async(request: Request, next: AsyncNext) -> None:
        await next(request)

    app.layer(forgets if how == "def" else forgets_async)
    app.get("/")(trail)
    with TestClient(app) as client, pytest.raises(TypeError, match="forgets"):
        client.get("/")


def test_layers_of_app_router_group_and_route_nest() -> None:
    app, inner = volo.App(), Router()
    app.layer(mark("app"))
    group = app.group("/v1")
    group.layer(mark("group"))
    group.nest("/users", inner)
    inner.layer(mark("router"))
    inner.get("/{id}", layers=[mark("route"), mark("last")])(trail)
    with TestClient(app) as client:
        response = client.get("/v1/users/7")
    assert response.json() == ["app", "group", "router", "route", "last"]
    assert out(response) == ["last", "route", "router", "group", "app"]


def test_a_layer_wraps_routes_that_come_before_and_after_it() -> None:
    app = volo.App()
    app.get("/before")(trail)
    app.layer(mark("layer"))
    app.get("/after")(trail)
    with TestClient(app) as client:
        assert out(client.get("/before")) == ["layer"]
        assert out(client.get("/after")) == ["layer"]


@pytest.mark.parametrize("make", [mark, mark_async])
def test_a_layer_wraps_404_and_405(make: Any) -> None:
    app = volo.App()
    app.layer(make("layer"))
    app.get("/here")(trail)
    with TestClient(app) as client:
        absent, method = client.get("/absent"), client.post("/here")
        options = client.options("/here")
    assert (absent.status_code, out(absent)) == (404, ["layer"])
    assert (method.status_code, out(method)) == (405, ["layer"])
    assert "GET" in method.headers["allow"]
    assert (options.status_code, out(options)) == (204, ["layer"])
    assert "GET" in options.headers["allow"]


def test_a_nested_router_wraps_its_own_404_only() -> None:
    app, inner = volo.App(), Router(layers=[mark("inner")])
    app.get("/")(trail)
    app.nest("/in", inner)
    inner.get("/here")(trail)
    with TestClient(app) as client:
        assert out(client.get("/in/absent")) == ["inner"]
        assert out(client.post("/in/here")) == ["inner"]
        assert out(client.get("/absent")) == []


def test_the_404_of_c_is_the_same_as_that_behind_a_layer() -> None:
    plain, layered = volo.App(), volo.App(layers=[mark("layer")])
    for accept in ("*/*", "application/json"):
        answers = []
        for app in (plain, layered):
            app = volo.App(layers=app._layers)
            app.get("/here")(trail)
            with TestClient(app, headers={"accept": accept}) as client:
                found = [client.get("/absent"), client.post("/here")]
            answers.append(
                [(r.status_code, r.headers["content-type"], r.content) for r in found]
            )
        assert answers[0] == answers[1]


def test_a_fallback_runs_inside_the_layers() -> None:
    app, inner = volo.App(layers=[mark("app")]), Router(layers=[mark("inner")])
    app.nest("/in", inner)
    app.fallback(trail)
    with TestClient(app) as client:
        assert client.get("/absent").json() == ["app"]
        assert client.get("/in/absent").json() == ["app", "inner"]


def test_merged_routes_keep_their_layers() -> None:
    app, other = volo.App(layers=[mark("app")]), Router(layers=[mark("other")])
    other.get("/theirs")(trail)
    app.get("/ours")(trail)
    app.merge(other)
    with TestClient(app) as client:
        assert client.get("/theirs").json() == ["app", "other"]
        assert client.get("/ours").json() == ["app"]
        assert out(client.get("/absent")) == ["app"]


def test_a_group_without_a_prefix_has_layers_of_its_own() -> None:
    app = volo.App()
    group = app.group(layers=[mark("group")])
    group.get("/in")(trail)
    app.get("/out")(trail)
    with TestClient(app) as client:
        assert client.get("/in").json() == ["group"]
        assert client.get("/out").json() == []


def test_stock_layers_stand_outside_python_ones() -> None:
    app = volo.App()
    app.layer(volo.layers.request_id())
    app.layer(mark("layer"))
    app.get("/")(trail)
    with TestClient(app) as client:
        for path in ("/", "/absent"):
            response = client.get(path)
            assert len(response.headers["x-request-id"]) == 36
            assert out(response) == ["layer"]


# ---- What layers may do ------------------------------------------------------


def test_a_layer_may_answer_without_going_on() -> None:
    app = volo.App()
    app.layer(mark("outer"))

    @app.layer
    def guard(request: Request, next: Next) -> Any:
        return (403, "no") if request.headers.get("x-key") != "1" else next(request)

    app.get("/")(trail)
    with TestClient(app) as client:
        refused = client.get("/")
        assert (refused.status_code, refused.text) == (403, "no")
        assert out(refused) == ["outer"]
        assert client.get("/", headers={"x-key": "1"}).status_code == 200


def test_a_layer_sees_the_answer_to_an_http_error() -> None:
    app = volo.App(layers=[mark("sync")])

    @app.get("/")
    def refuse() -> None:
        raise HTTPError(418, "short and stout")

    with TestClient(app) as client:
        response = client.get("/")
    assert (response.status_code, out(response)) == (418, ["sync"])
    assert "short and stout" in response.text


def test_a_layer_that_raises_an_http_error_is_seen_by_those_outside() -> None:
    app = volo.App(layers=[mark("outer")])

    @app.layer
    def refuse(request: Request, next: Next) -> Response:
        raise HTTPError(401, headers={"www-authenticate": "Basic"})

    app.get("/")(trail)
    with TestClient(app) as client:
        response = client.get("/")
    assert (response.status_code, out(response)) == (401, ["outer"])
    assert response.headers["www-authenticate"] == "Basic"


@pytest.mark.parametrize("is_async", [False, True])
def test_an_exception_goes_through_the_layers(is_async: bool) -> None:
    app, seen = volo.App(), []

    def sync_layer(request: Request, next: Next) -> Response:
        try:
            return next(request)
        except ZeroDivisionError:
            seen.append("saw it")
            raise

    async def async_layer(request: Request, next: AsyncNext) -> Response:
        try:
            return await next(request)
        except ZeroDivisionError:
            seen.append("saw it")
            raise

    app.layer(async_layer if is_async else sync_layer)

    @app.get("/")
    def divide() -> float:
        return 1 / 0

    with TestClient(app, raise_exceptions=False) as client:
        assert client.get("/").status_code == 500
    assert seen == ["saw it"]


def test_a_layer_may_swallow_an_exception() -> None:
    app = volo.App()

    @app.layer
    def calm(request: Request, next: Next) -> Any:
        try:
            return next(request)
        except ZeroDivisionError:
            return 503, "later"

    @app.get("/")
    def divide() -> float:
        return 1 / 0

    with TestClient(app) as client:
        response = client.get("/")
    assert (response.status_code, response.text) == (503, "later")


def test_what_a_layer_returns_is_an_answer_like_that_of_a_handler() -> None:
    values = {
        "text": ("text", 200, b"text"),
        "octets": (b"octets", 200, b"octets"),
        "status": (202, 202, b""),
        "none": (204, 204, b""),
        "json": ({"a": 1}, 200, b'{"a":1}'),
        "pair": ((201, "made"), 201, b"made"),
        "triple": ((201, {"x-a": "b"}, [1]), 201, b"[1]"),
    }
    app = volo.App()

    @app.layer
    def answer(request: Request, next: Next) -> Any:
        return values[request.path[1:]][0]

    with TestClient(app) as client:
        for name, (_, status, content) in values.items():
            response = client.get(f"/{name}")
            assert (response.status_code, response.content) == (status, content)
        assert client.get("/triple").headers["x-a"] == "b"


def test_what_a_layer_returns_that_is_no_answer_is_500() -> None:
    app = volo.App()

    @app.layer
    def nonsense(request: Request, next: Next) -> Any:
        return object()

    with TestClient(app) as client, pytest.raises(TypeError):
        client.get("/")


# ---- Threads, loops, contexts ------------------------------------------------


number: contextvars.ContextVar[int] = contextvars.ContextVar("number", default=0)


def set_number(request: Request, next: Next) -> Response:
    number.set(number.get() + 1)
    return next(request)


async def set_number_async(request: Request, next: AsyncNext) -> Response:
    number.set(number.get() + 1)
    return await next(request)


def read_number() -> str:
    return str(number.get())


async def read_number_async() -> str:
    await asyncio.sleep(0)
    return str(number.get())


@pytest.mark.parametrize("handler", [read_number, read_number_async])
@pytest.mark.parametrize("mix", MIXES)
def test_context_variables_reach_what_is_inside(handler: Any, mix: str) -> None:
    app = volo.App()
    for how in mix:
        app.layer(set_number if how == "s" else set_number_async)
    app.get("/")(handler)
    with TestClient(app) as client:
        assert [client.get("/").text for _ in range(3)] == ["3", "3", "3"]


def test_sync_parts_never_run_on_the_event_loop() -> None:
    app, names = volo.App(), []

    def note(request: Request, next: Next) -> Response:
        names.append(threading.current_thread().name)
        with pytest.raises(RuntimeError):
            asyncio.get_running_loop()
        return next(request)

    async def on_loop(request: Request, next: AsyncNext) -> Response:
        asyncio.get_running_loop()
        return await next(request)

    for layer in (note, on_loop, note, on_loop):
        app.layer(layer)
    app.get("/")(read_number)
    with TestClient(app) as client:
        assert client.get("/").status_code == 200
    assert len(names) == 2


def test_more_requests_than_threads_do_not_wait_for_each_other() -> None:
    """Sync, async, sync: each request holds a thread while it wants another."""
    app = volo.App()
    for make in (mark, mark_async, mark, mark_async):
        app.layer(make("x"))

    @app.get("/")
    def answer() -> str:
        return "ok"

    async def crowd(port: int) -> list[bytes]:
        async def one() -> bytes:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            line = await reader.readline()
            await reader.read()
            writer.close()
            return line

        return await asyncio.gather(*(one() for _ in range(150)))

    async def main() -> list[bytes]:
        async with volo.Server(app, port=0) as server:
            return await asyncio.wait_for(crowd(server.port), 60)

    assert set(asyncio.run(main())) == {b"HTTP/1.1 200 OK\r\n"}
