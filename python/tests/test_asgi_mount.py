# SPDX-License-Identifier: Apache-2.0
"""ASGI and WSGI applications below a prefix of a volo.App."""

from __future__ import annotations

from typing import Any

from served import Served

import volo

OK = {"type": "http.response.start", "status": 200, "headers": [(b"x-inner", b"1")]}


async def asgi(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] == "lifespan":
        events.append((await receive())["type"])
        scope["state"]["name"] = "mounted"
        await send({"type": "lifespan.startup.complete"})
        events.append((await receive())["type"])
        await send({"type": "lifespan.shutdown.complete"})
        return
    text = repr(
        (scope["root_path"], scope["path"], scope["raw_path"], scope["state"]["name"])
    )
    await send(OK)
    await send({"type": "http.response.body", "body": text.encode()})


def wsgi(environ: Any, start_response: Any) -> list[bytes]:
    start_response("200 OK", [])
    return [repr((environ["SCRIPT_NAME"], environ["PATH_INFO"])).encode()]


events: list[str] = []


def make() -> volo.App:
    app = volo.App()

    @app.get("/own")
    def own() -> str:
        return "own"

    app.mount("/a", asgi)
    app.mount("/w", wsgi)
    inner = volo.Router()
    inner.mount("/a", asgi)
    app.nest("/in/{name}", inner)
    return app


def test_a_mounted_application_sees_its_prefix_as_root_path() -> None:
    with Served(make()) as server:
        assert server.get("/own").text == "own"
        found = server.get("/a/b%20c").text
        assert found == "('/a', '/a/b c', b'/a/b%20c', 'mounted')"
        assert server.get("/a/").text.startswith("('/a', '/a/',")
        assert server.get("/in/x/a/b").text.startswith("('/in/x/a', '/in/x/a/b',")
        assert server.get("/w/b%20c").text == "('/w', '/b c')"
        assert server.get("/none").status == 404


def test_its_lifespan_is_within_that_of_the_app() -> None:
    events.clear()
    app = make()
    app.on_start(lambda: events.append("app starts"))
    app.on_stop(lambda: events.append("app stops"))
    with Served(app):
        pass
    starts, stops = events[:3], events[3:]
    assert starts == ["app starts", "lifespan.startup", "lifespan.startup"]
    assert stops == ["lifespan.shutdown", "lifespan.shutdown", "app stops"]


def test_layers_of_the_app_stand_around_it() -> None:
    app = make()
    app.layer(volo.layers.secure_headers())
    app.layer(volo.layers.request_id())
    with Served(app) as server:
        headers = server.get("/a/b").headers
    assert headers["x-inner"] == "1"
    assert headers["x-content-type-options"] == "nosniff"
    assert len(headers["x-request-id"]) == 36


def test_a_test_client_reaches_it() -> None:
    with volo.TestClient(make()) as client:
        assert client.get("/a/b").text.startswith("('/a', '/a/b',")
        assert client.get("/w/b").text == "('/w', '/b')"
