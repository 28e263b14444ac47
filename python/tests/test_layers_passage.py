# SPDX-License-Identifier: Apache-2.0
"""Layers in Python around something that is not: stock layers, mounted
applications, redirects.  They go by way of C, and do what layers do."""

from __future__ import annotations

import asyncio
import contextvars
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from marks import HANDLERS, AsyncNext, Next, mark, mark_async, out, trail
from programs import eventually
from served import Served

import volo
from volo import HTTPError, Request, Response, Router, TestClient, layers


def stock() -> layers.Layer:
    """One of C that leaves something on the way in."""
    return layers.request_id("x-stock")


BOTH = [mark, mark_async]


# ---- One order ---------------------------------------------------------------


@pytest.mark.parametrize("handler", HANDLERS)
@pytest.mark.parametrize("mix", ["sca", "ascs", "scscs", "acaca", "ssca", "csac"])
def test_layers_run_in_the_order_in_which_they_were_added(
    handler: Any, mix: str
) -> None:
    app = volo.App()
    names = [str(i) for i, how in enumerate(mix) if how != "c"]
    for i, how in enumerate(mix):
        app.layer({"s": mark, "a": mark_async, "c": lambda _: stock()}[how](str(i)))
    app.get("/")(handler)
    with TestClient(app) as client:
        for _ in range(3):
            response = client.get("/")
            assert response.json() == names
            assert out(response) == names[::-1]
            assert len(response.headers["x-stock"]) == 36


@pytest.mark.parametrize("make", BOTH)
def test_a_stock_layer_inside_answers_first_and_is_seen_by_those_outside(
    make: Any,
) -> None:
    app, statuses = volo.App(), []

    @app.layer
    def see(request: Request, next: Next) -> Response:
        response = next(request)
        statuses.append((response.status, response.headers.get("etag") is not None))
        return response

    app.layer(layers.etag())
    app.layer(make("inner"))
    app.get("/")(lambda: "hello")
    with TestClient(app) as client:
        tag = client.get("/").headers["etag"]
        again = client.get("/", headers={"if-none-match": tag})
    assert (again.status_code, out(again)) == (304, ["inner"])
    assert statuses == [(200, True), (304, True)]


def test_a_stock_layer_outside_is_not_seen_and_not_lost() -> None:
    app = volo.App()
    app.layer(layers.request_id("x-outer"))

    @app.layer
    def replace(request: Request, next: Next) -> Any:
        response = next(request)
        assert "x-outer" not in response.headers
        assert "x-inner" in response.headers
        return Response("other", 201)

    app.layer(layers.request_id("x-inner"))
    app.get("/")(lambda: "hello")
    with TestClient(app) as client:
        response = client.get("/")
    assert (response.status_code, response.text) == (201, "other")
    assert "x-outer" in response.headers and "x-inner" not in response.headers


@pytest.mark.parametrize("make", BOTH)
def test_app_group_router_and_route_nest(make: Any) -> None:
    app, inner = volo.App(), Router()
    app.layer(make("app"))
    app.layer(stock())
    group = app.group("/v1")
    group.layer(make("group"))
    group.nest("/users", inner)
    inner.layer(make("router"))
    inner.layer(layers.secure_headers())
    route_layers = [make("route"), layers.etag(), make("last")]
    inner.get("/{id}", layers=route_layers)(trail)
    inner.get("/{id}/plain")(trail)
    with TestClient(app) as client:
        response, plain = client.get("/v1/users/7"), client.get("/v1/users/7/plain")
        absent, outside = client.get("/v1/users/7/x"), client.get("/absent")
        method = client.post("/v1/users/7")
    assert response.json() == ["app", "group", "router", "route", "last"]
    assert out(response) == ["last", "route", "router", "group", "app"]
    assert {"etag", "x-stock", "x-frame-options"} <= set(response.headers)
    assert out(plain) == ["router", "group", "app"] and "etag" not in plain.headers
    assert (absent.status_code, out(absent)) == (404, ["router", "group", "app"])
    assert "x-frame-options" in absent.headers
    assert (outside.status_code, out(outside)) == (404, ["app"])
    assert "x-frame-options" not in outside.headers
    assert (method.status_code, out(method)) == (405, ["router", "group", "app"])


@pytest.mark.parametrize("make", BOTH)
def test_a_layer_wraps_404_405_and_options(make: Any) -> None:
    app = volo.App(layers=[make("layer"), stock()])
    app.get("/here")(trail)
    with TestClient(app) as client:
        absent, method = client.get("/absent"), client.post("/here")
        options = client.options("/here")
    assert (absent.status_code, out(absent)) == (404, ["layer"])
    assert (method.status_code, out(method)) == (405, ["layer"])
    assert "GET" in method.headers["allow"]
    assert (options.status_code, out(options)) == (204, ["layer"])


def test_routes_beside_a_stock_layer_are_wrapped_once() -> None:
    app = volo.App(layers=[mark("app")])
    app.get("/c", layers=[stock()])(trail)
    app.get("/")(trail)
    inner = Router(layers=[stock()])
    inner.get("/x")(trail)
    app.nest("/in", inner)
    with TestClient(app) as client:
        for path in ("/c", "/", "/in/x"):
            response = client.get(path)
            assert (response.json(), out(response)) == (["app"], ["app"])
            assert ("x-stock" in response.headers) == (path != "/")
        absent = client.get("/in/absent")
        assert (absent.status_code, out(absent)) == (404, ["app"])
        assert "x-stock" in absent.headers


def test_a_fallback_runs_inside_the_layers_once() -> None:
    app, inner = volo.App(layers=[mark("app")]), Router(layers=[stock(), mark("in")])
    app.nest("/in", inner)
    app.fallback(trail)
    with TestClient(app) as client:
        assert client.get("/absent").json() == ["app"]
        assert client.get("/in/absent").json() == ["app", "in"]


def test_layers_may_be_added_in_any_order_of_time() -> None:
    app, inner = volo.App(), Router()
    inner.layer(stock())
    app.nest("/in", inner)
    inner.get("/x")(trail)
    app.layer(mark("late"))
    with TestClient(app) as client:
        assert out(client.get("/in/x")) == ["late"]


@pytest.mark.parametrize("make", BOTH)
def test_redirects_of_slashes_are_inside(make: Any) -> None:
    app = volo.App(slash="redirect", clean=True, layers=[make("layer")])
    app.get("/here")(trail)
    inner = Router(layers=[make("inner")])
    inner.get("/x")(trail)
    app.nest("/in", inner)
    with TestClient(app) as client:
        slash = client.get("/here/", follow_redirects=False)
        clean = client.get("/in//x", follow_redirects=False)
        nested = client.get("/in/x/", follow_redirects=False)
    assert (slash.status_code, out(slash)) == (308, ["layer"])
    assert slash.headers["location"] == "/here"
    for redirect in (clean, nested):
        assert redirect.headers["location"] == "/in/x"
        assert (redirect.status_code, out(redirect)[-1]) == (308, "layer")


def test_hosts_and_merged_routers_have_their_layers() -> None:
    app, api, other = volo.App(layers=[mark("app")]), Router(), Router()
    api.layer(stock())
    api.get("/")(trail)
    app.host("api.example.com", api)
    other.layer(mark("other"))
    other.get("/theirs", layers=[stock()])(trail)
    app.merge(other)
    with TestClient(app) as client:
        there = client.get("/", headers={"host": "api.example.com"})
        assert (there.json(), "x-stock" in there.headers) == (["app"], True)
        assert client.get("/theirs").json() == ["app", "other"]


# ---- Applications ------------------------------------------------------------


async def asgi(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] == "lifespan":
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await send({"type": "lifespan.shutdown.complete"})
        return
    body = (await receive())["body"]
    head = {"type": "http.response.start", "status": 202, "headers": []}
    await send(head)
    await send({"type": "http.response.body", "body": b"asgi" + body})


def wsgi(environ: Any, start_response: Any) -> Iterator[bytes]:
    start_response("203 Fine", [("X-Inner", "wsgi")])
    yield b"ws"
    yield b"gi"


@pytest.mark.parametrize("make", BOTH)
def test_a_mounted_application_stands_inside(make: Any) -> None:
    app = volo.App(layers=[make("app")])
    app.mount("/a", asgi)
    inner = Router(layers=[make("inner")])
    inner.mount("/w", wsgi)
    app.nest("/in", inner)
    app.get("/own")(trail)
    with TestClient(app) as client:
        posted, streamed = client.post("/a/x", content=b"!"), client.get("/in/w/x")
        assert out(client.get("/own")) == ["app"]
        assert client.get("/absent").status_code == 404
    assert (posted.status_code, posted.text, out(posted)) == (202, "asgi!", ["app"])
    assert (streamed.status_code, streamed.text) == (203, "wsgi")
    assert out(streamed) == ["inner", "app"]
    assert streamed.headers["x-inner"] == "wsgi"


def test_a_large_upload_passes_to_an_application() -> None:
    async def count(scope: Any, receive: Any, send: Any) -> None:
        total, more = 0, True
        while more:
            event = await receive()
            total += len(event["body"])
            more = event.get("more_body", False)
        head = {"type": "http.response.start", "status": 200, "headers": []}
        await send(head)
        await send({"type": "http.response.body", "body": str(total).encode()})

    app = volo.App(layers=[mark("app")])
    app.mount("/a", count, kind="asgi")
    with Served(app) as server:
        assert server.request("POST", "/a/x", b"x" * 900_000).text == "900000"


# ---- What layers may do ------------------------------------------------------


@pytest.mark.parametrize("make", BOTH)
def test_a_layer_may_answer_without_going_on(make: Any) -> None:
    app, ran = volo.App(layers=[make("outer")]), []

    @app.layer
    def guard(request: Request, next: Next) -> Any:
        return (403, "no") if request.headers.get("x-key") != "1" else next(request)

    app.layer(stock())

    @app.get("/")
    def handler() -> str:
        ran.append(1)
        return "yes"

    with TestClient(app) as client:
        refused = client.get("/")
        assert (refused.status_code, refused.text, ran) == (403, "no", [])
        assert out(refused) == ["outer"] and "x-stock" not in refused.headers
        assert client.get("/", headers={"x-key": "1"}).text == "yes"


def test_a_layer_may_change_all_of_a_response() -> None:
    app = volo.App()

    @app.layer
    def change(request: Request, next: Next) -> Response:
        response = next(request)
        assert (response.status, response.body) == (200, b"hello")
        assert response.headers["content-type"] == "text/plain; charset=utf-8"
        response.status = 299
        response.body = response.body.upper() + b"!"
        del response.headers["x-gone"]
        response.headers["x-new"] = "\xe9"
        response.set_cookie("a", "b")
        return response

    app.layer(stock())
    app.get("/")(lambda: Response("hello", headers={"x-gone": "1", "x-kept": "2"}))
    with TestClient(app) as client:
        response = client.get("/")
    assert (response.status_code, response.text) == (299, "HELLO!")
    assert response.headers["x-kept"] == "2" and "x-gone" not in response.headers
    assert response.headers.get_list("content-type") == ["text/plain; charset=utf-8"]
    assert "x-stock" in response.headers
    assert response.cookies["a"] == "b"


def test_what_a_layer_returns_is_an_answer_like_that_of_a_handler() -> None:
    values = {
        "text": ("text", 200, b"text", "text/plain; charset=utf-8"),
        "octets": (b"octets", 200, b"octets", "application/octet-stream"),
        "status": (202, 202, b"", None),
        "none": (Response(None, 204), 204, b"", None),
        "json": ({"a": 1}, 200, b'{"a":1}', "application/json"),
        "pair": ((201, "made"), 201, b"made", "text/plain; charset=utf-8"),
        "large": ("x" * 200_000, 200, b"x" * 200_000, "text/plain; charset=utf-8"),
    }
    app = volo.App()

    @app.layer
    def answer(request: Request, next: Next) -> Any:
        next(request)
        return values[request.path[1:]][0]

    app.layer(stock())
    app.get("/{name}")(lambda: volo.HTML("<p>"))
    with TestClient(app) as client:
        for name, (_, status, content, kind) in values.items():
            response = client.get(f"/{name}")
            assert (response.status_code, response.content) == (status, content)
            assert response.headers.get("content-type") == kind


@pytest.mark.parametrize("make", BOTH)
def test_a_stream_passes_and_its_head_can_be_changed(make: Any) -> None:
    app, seen = volo.App(layers=[make("outer")]), []

    @app.layer
    async def look(request: Request, next: AsyncNext) -> Response:
        response = await next(request)
        seen.append(response.body)
        response.headers["x-seen"] = "1"
        return response

    app.layer(stock())

    @app.get("/")
    async def numbers() -> Any:
        async def all_of_them() -> Any:
            for i in range(100):
                await asyncio.sleep(0)
                yield f"{i}\n"

        return all_of_them()

    with TestClient(app) as client:
        response = client.get("/")
    assert response.text.splitlines() == [str(i) for i in range(100)]
    assert response.headers["x-seen"] == "1" and out(response) == ["outer"]
    assert not isinstance(seen[0], (bytes, str)) and "streamed" in repr(seen[0])


def test_a_stream_may_be_replaced_by_octets_but_not_by_a_stream() -> None:
    app = volo.App()

    @app.layer
    def replace(request: Request, next: Next) -> Any:
        next(request)
        return "octets" if request.path == "/octets" else volo.Stream([b"a", b"b"])

    app.layer(stock())

    @app.get("/{how}")
    def endless() -> Any:
        while True:
            yield b"x" * 1000

    with Served(app) as server:
        assert server.get("/octets").text == "octets"
        assert server.get("/stream").status == 500


def test_a_layer_may_answer_with_a_stream_before_it_goes_on() -> None:
    app = volo.App()

    @app.layer
    def stream(request: Request, next: Next) -> Any:
        return volo.Stream([b"a", b"b"], media_type="text/plain")

    app.layer(stock())
    with TestClient(app) as client:
        assert client.get("/").text == "ab"


def test_the_body_of_the_request_is_for_what_is_inside() -> None:
    app, errors = volo.App(), []

    @app.layer
    def read(request: Request, next: Next) -> Response:
        with pytest.raises(RuntimeError) as caught:
            request.body  # noqa: B018
        errors.append(str(caught.value))
        return next(request)

    app.layer(layers.body_limit(10))

    @app.post("/")
    def echo(request: Request) -> bytes:
        return request.body

    with TestClient(app) as client:
        assert client.post("/", content=b"hello").content == b"hello"
        assert client.post("/", content=b"hello hello").status_code == 413
    assert len(errors) == 2 and "body" in errors[0]


@pytest.mark.parametrize("make", BOTH)
def test_going_on_twice_is_an_error(make: Any) -> None:
    app = volo.App()

    if make is mark:

        @app.layer
        def twice(request: Request, next: Next) -> Response:
            next(request)
            return next(request)

    else:

        @app.layer
        async def twice_async(request: Request, next: AsyncNext) -> Response:
            await next(request)
            return await next(request)

    app.layer(stock())
    app.get("/")(trail)
    with TestClient(app) as client, pytest.raises(RuntimeError, match="once"):
        client.get("/")


# ---- Errors ------------------------------------------------------------------


def test_a_layer_sees_the_answer_to_an_http_error() -> None:
    app = volo.App(layers=[mark("layer"), stock()])

    @app.get("/")
    def refuse() -> None:
        raise HTTPError(418, "short and stout")

    with TestClient(app) as client:
        response = client.get("/")
    assert (response.status_code, out(response)) == (418, ["layer"])
    assert "short and stout" in response.text


@pytest.mark.parametrize("handler_is_async", [False, True])
@pytest.mark.parametrize("make", BOTH)
def test_an_exception_goes_through_the_layers_and_is_told_once(
    make: Any, handler_is_async: bool, caplog: pytest.LogCaptureFixture
) -> None:
    app, seen = volo.App(), []

    def catch(request: Request, next: Next) -> Response:
        try:
            return next(request)
        except ZeroDivisionError:
            seen.append("caught")
            raise

    async def catch_async(request: Request, next: AsyncNext) -> Response:
        try:
            return await next(request)
        except ZeroDivisionError:
            seen.append("caught")
            raise

    for _ in range(2):
        app.layer(catch if make is mark else catch_async)
        app.layer(stock())

    def divide() -> float:
        return 1 / 0

    async def divide_async() -> float:
        await asyncio.sleep(0)
        return 1 / 0

    app.get("/")(divide_async if handler_is_async else divide)
    with TestClient(app, raise_exceptions=False) as client:
        assert client.get("/").status_code == 500
    assert seen == ["caught", "caught"]
    assert len([r for r in caplog.records if r.exc_info]) == 1
    with TestClient(app) as client, pytest.raises(ZeroDivisionError):
        client.get("/")


def test_a_layer_may_swallow_an_exception() -> None:
    app = volo.App()

    @app.layer
    def calm(request: Request, next: Next) -> Any:
        try:
            return next(request)
        except ZeroDivisionError:
            return 503, "later"

    app.layer(stock())
    app.get("/")(lambda: 1 / 0)
    with TestClient(app) as client:
        response = client.get("/")
    assert (response.status_code, response.text) == (503, "later")
    assert "x-stock" not in response.headers  # of the response that was not


def test_an_exception_that_comes_too_late_for_the_layer_is_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    app = volo.App(layers=[mark("layer"), layers.timeout(0.05)])
    done = threading.Event()

    @app.get("/")
    def late() -> None:
        done.wait()
        raise ZeroDivisionError

    with TestClient(app, raise_exceptions=False) as client:
        response = client.get("/")
        assert (response.status_code, out(response)) == (504, ["layer"])
        done.set()
        eventually(lambda: [r for r in caplog.records if r.exc_info])


def test_a_handler_of_exceptions_answers_inside_and_outside() -> None:
    app, inner = volo.App(layers=[mark("app"), stock()]), Router()

    @app.exception_handler(ZeroDivisionError)
    def outer_handler(request: Request, error: Exception) -> Any:
        return 507, "outer"

    @inner.exception_handler(KeyError)
    async def inner_handler(request: Request, error: Exception) -> Any:
        return 508, "inner"

    inner.layer(mark("inner"))
    inner.layer(stock())
    inner.get("/zero")(lambda: 1 / 0)
    inner.get("/key")(lambda: {}["x"])
    app.nest("/in", inner)

    @app.layer
    def last(request: Request, next: Next) -> Response:
        return next(request)

    with TestClient(app) as client:
        zero, key = client.get("/in/zero"), client.get("/in/key")
    assert (zero.status_code, out(zero)) == (507, ["inner", "app"])
    assert (key.status_code, out(key)) == (508, ["inner", "app"])


def test_an_exception_of_the_layer_itself_is_answered() -> None:
    app = volo.App(layers=[mark("outer")])

    @app.layer
    def breaks(request: Request, next: Next) -> Response:
        next(request)
        raise HTTPError(401, headers={"www-authenticate": "Basic"})

    app.layer(stock())
    app.get("/")(trail)
    with TestClient(app) as client:
        response = client.get("/")
    assert (response.status_code, out(response)) == (401, ["outer"])
    assert response.headers["www-authenticate"] == "Basic"


# ---- Contexts, cancellation, crowds --------------------------------------------

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


async def read_number_at_once() -> str:
    return str(number.get())


@pytest.mark.parametrize(
    "handler", [read_number, read_number_async, read_number_at_once]
)
@pytest.mark.parametrize("mix", ["sc", "ac", "scac", "acsca"])
def test_context_variables_reach_what_is_inside(handler: Any, mix: str) -> None:
    app = volo.App()
    for how in mix:
        app.layer({"s": set_number, "a": set_number_async, "c": stock()}[how])
    app.get("/")(handler)
    with TestClient(app) as client:
        answers = [client.get("/").text for _ in range(3)]
    assert answers == [str(len(mix.replace("c", "")))] * 3


def test_a_time_out_inside_is_a_response_for_the_layer() -> None:
    app = volo.App(layers=[mark("layer"), layers.timeout(0.05)])

    @app.get("/")
    async def never() -> None:
        await asyncio.Event().wait()

    with TestClient(app) as client:
        response = client.get("/")
    assert (response.status_code, out(response)) == (504, ["layer"])


def test_a_time_out_outside_cancels_layer_and_handler() -> None:
    app, ends = volo.App(layers=[layers.timeout(1)]), []

    @app.layer
    async def wait(request: Request, next: AsyncNext) -> Response:
        try:
            return await next(request)
        except asyncio.CancelledError:
            ends.append("layer")
            raise

    app.layer(stock())

    @app.get("/")
    async def never() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ends.append("handler")

    with Served(app) as server:
        assert server.get("/").status == 504
        eventually(lambda: ends == ["handler", "layer"])


def test_a_time_out_outside_counts_on_the_way_out_too() -> None:
    app = volo.App(layers=[layers.timeout(0.2)])

    @app.layer
    async def slow(request: Request, next: AsyncNext) -> Response:
        response = await next(request)
        await asyncio.Event().wait()
        return response

    app.layer(stock())
    app.get("/")(trail)
    with TestClient(app) as client:
        assert client.get("/").status_code == 504


def test_a_layer_may_give_up_on_what_is_inside() -> None:
    app, ends = volo.App(), []

    @app.layer
    async def hurry(request: Request, next: AsyncNext) -> Any:
        try:
            return await asyncio.wait_for(next(request), 0.1)
        except asyncio.TimeoutError:
            return 599, "given up"

    app.layer(stock())

    @app.get("/")
    async def never() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ends.append("handler")

    with TestClient(app) as client:
        response = client.get("/")
    assert (response.status_code, response.text, ends) == (
        599,
        "given up",
        ["handler"],
    )


def test_more_requests_than_threads_do_not_wait_for_each_other() -> None:
    """Each request holds a thread in three layers, and wants another one."""
    app = volo.App()
    for _ in range(3):
        app.layer(mark("x"))
        app.layer(stock())

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


def test_clients_that_leave_harm_nobody() -> None:
    app = volo.App(layers=[mark("a"), stock(), mark_async("b"), stock()])

    @app.get("/")
    async def slow() -> str:
        await asyncio.sleep(0.01)
        return "ok"

    async def crowd(port: int) -> bytes:
        for _ in range(100):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            await writer.drain()
            writer.close()
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        answer = await reader.read()
        writer.close()
        return answer

    async def main() -> bytes:
        async with volo.Server(app, port=0) as server:
            return await asyncio.wait_for(crowd(server.port), 60)

    assert asyncio.run(main()).startswith(b"HTTP/1.1 200 OK\r\n")


def test_a_server_that_is_stopped_at_once_leaves_nobody_waiting() -> None:
    app, began = volo.App(layers=[mark("a"), stock(), mark_async("b"), stock()]), []

    @app.get("/")
    async def never() -> None:
        began.append(1)
        await asyncio.Event().wait()

    async def main() -> None:
        async with volo.Server(app, port=0, stop_timeout=0.1) as server:
            _, writer = await asyncio.open_connection("127.0.0.1", server.port)
            writer.write(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            while not began:
                await asyncio.sleep(0.01)
        writer.close()

    asyncio.run(asyncio.wait_for(main(), 30))
