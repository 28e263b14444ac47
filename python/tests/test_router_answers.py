# SPDX-License-Identifier: Apache-2.0
"""Which route answers: nests, groups, hosts, slashes, methods."""

from __future__ import annotations

from typing import Annotated, Any

import pytest

import volo
from volo import Path, Request, Router, TestClient


def say(words: str) -> Any:
    return lambda: words


def test_methods_of_one_pattern() -> None:
    app = volo.App()
    for method in ("get", "post", "put", "patch", "delete"):
        getattr(app, method)("/")(say(method))
    app.any("/any")(lambda request: request.method)
    app.route("/two", ["purge", "REPORT"])(lambda request: request.method)
    with TestClient(app) as client:
        for method in ("get", "post", "put", "patch", "delete"):
            assert client.request(method.upper(), "/").text == method
        assert client.request("PURGE", "/any").text == "PURGE"
        assert client.request("PURGE", "/two").text == "PURGE"
        assert client.get("/two").status_code == 405
        assert client.head("/").headers["content-length"] == "3"
        assert "PATCH" in client.options("/").headers["allow"]


def test_head_and_options_can_be_overridden() -> None:
    app = volo.App()
    app.get("/")(say("get"))

    @app.head("/")
    def head() -> volo.Response:
        return volo.Response(None, 200, {"x-own": "1"})

    app.options("/")(say("own options"))
    with TestClient(app) as client:
        assert client.head("/").headers["x-own"] == "1"
        assert client.options("/").text == "own options"


def test_a_nested_router_sees_the_path_without_the_prefix() -> None:
    app, inner = volo.App(), Router()

    @inner.get("/{id}")
    def show(request: Request, tenant: str, id: int) -> list[object]:
        return [tenant, id, request.path, request.pattern]

    app.nest("/t/{tenant}", inner)
    with TestClient(app) as client:
        assert client.get("/t/acme/7").json() == [
            "acme",
            7,
            "/t/acme/7",
            "/t/{tenant}/{id}",
        ]


def test_a_parameter_of_a_prefix_may_be_named_before_it_is_nested() -> None:
    inner = Router()

    @inner.get("/")
    def show(tenant: Annotated[str, Path()]) -> str:
        return tenant

    app = volo.App()
    app.nest("/{tenant}", inner)
    with TestClient(app) as client:
        assert client.get("/acme").text == "acme"
    with pytest.raises(volo.RegistrationError, match="tenant"):
        volo.App().nest("/other", inner)


def test_a_fallback_is_inherited_and_replaced() -> None:
    app, plain, own = volo.App(), Router(), Router()
    app.fallback(say("outer"))
    own.fallback(say("inner"))
    app.nest("/plain", plain)
    app.nest("/own", own)
    with TestClient(app) as client:
        assert client.get("/x").text == "outer"
        assert client.get("/plain/x").text == "outer"
        assert client.get("/own/x").text == "inner"


def test_a_method_fallback_has_allow_set() -> None:
    app = volo.App()
    app.get("/")(say("get"))
    app.method_fallback(lambda: (405, "not so"))
    with TestClient(app) as client:
        response = client.post("/")
        assert client.options("/").status_code == 204
    assert (response.status_code, response.text) == (405, "not so")
    assert "GET" in response.headers["allow"]


def test_hosts_have_routers_of_their_own() -> None:
    app, api, tenants = volo.App(), Router(), Router()
    app.get("/")(say("site"))
    api.get("/")(say("api"))
    tenants.get("/")(lambda tenant: tenant)
    app.host("api.example.com", api)
    app.host("{tenant}.example.com", tenants)

    def at(client: TestClient, host: str) -> str:
        return client.get("/", headers={"host": host}).text

    with TestClient(app) as client:
        assert at(client, "api.example.com") == "api"
        assert at(client, "acme.example.com") == "acme"
        assert at(client, "elsewhere.org") == "site"


@pytest.mark.parametrize(
    "slash,status", [("strict", 404), ("redirect", 308), ("ignore", 200)]
)
def test_what_a_trailing_slash_means(slash: Any, status: int) -> None:
    app = volo.App(slash=slash)
    app.get("/a")(say("a"))
    with TestClient(app) as client:
        assert client.get("/a/").status_code == status


def test_paths_are_cleaned_and_options_refused_where_asked_for() -> None:
    app = volo.App(clean=True, auto_options=False)
    app.get("/a/b")(say("b"))
    with TestClient(app) as client:
        assert client.get("/a//x/../b").status_code == 308
        assert client.options("/a/b").status_code == 405


def test_one_router_may_be_nested_in_two_places() -> None:
    app, inner = volo.App(), Router()
    inner.get("/x")(lambda request: request.path)
    app.nest("/one", inner)
    app.nest("/two", inner)
    with TestClient(app) as client:
        assert client.get("/one/x").text == "/one/x"
        assert client.get("/two/x").text == "/two/x"


def test_the_limit_of_one_route_counts_before_python_layers() -> None:
    app, seen = volo.App(), []

    @app.layer
    def note(request: Request, next: Any) -> Any:
        seen.append(request.path)
        return next(request)

    app.post("/small", body_limit=3)(lambda: "ok")
    app.post("/large", body_limit=4 * 1024 * 1024)(lambda: "ok")
    with TestClient(app) as client:
        assert client.post("/small", content=b"1234").status_code == 413
        assert client.post("/large", content=bytes(3 * 1024 * 1024)).text == "ok"
    assert seen == ["/large"]


def test_overrides_replace_providers_in_tests() -> None:
    app = volo.App()

    def provider() -> str:
        return "real"

    @app.get("/")
    def show(value: Annotated[str, volo.Depends(provider)]) -> str:
        return value

    with TestClient(app) as client:
        assert client.get("/").text == "real"
    with TestClient(app, overrides={provider: lambda: "fake"}) as client:
        assert client.get("/").text == "fake"
