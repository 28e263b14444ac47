# SPDX-License-Identifier: Apache-2.0
"""What is wrong with a route is said when it is registered."""

from __future__ import annotations

from typing import Any

import pytest

import volo
from volo import Router, VoloError


def answer() -> str:
    return "here"


def middleware(request: Any, next: Any) -> Any:
    return next(request)


def test_two_routes_of_one_method_and_pattern_conflict() -> None:
    router = Router()
    router.get("/users/{id}")(answer)
    with pytest.raises(VoloError) as told:
        router.get("/users/{name}")(answer)
    assert "/users/{id}" in str(told.value) and "/users/{name}" in str(told.value)


def test_get_and_post_are_registered_apart() -> None:
    router = Router()
    router.get("/users")(answer)
    router.post("/users")(answer)
    assert [r.methods for r in router.routes()] == [("GET",), ("POST",)]


def test_a_route_that_was_refused_is_not_there() -> None:
    router = Router()
    router.get("/a")(answer)
    with pytest.raises(VoloError):
        router.get("/a")(answer)
    assert len(list(router.routes())) == 1


@pytest.mark.parametrize("pattern", ["users", "/{}", "/{a}/{a}", "/{*rest}/more", "/{"])
def test_a_malformed_pattern_is_refused(pattern: str) -> None:
    with pytest.raises(VoloError):
        Router().get(pattern)(answer)


@pytest.mark.parametrize("methods", [[""], ["GET POST"], [], ["GÉT"]])
def test_a_method_that_is_none_is_refused(methods: list[str]) -> None:
    with pytest.raises(ValueError):
        Router().route("/", methods)(answer)


def test_one_string_is_no_list_of_methods() -> None:
    with pytest.raises(TypeError):
        Router().route("/", "GET")(answer)


def test_what_cannot_be_extracted_is_refused() -> None:
    router = Router()
    with pytest.raises(volo.RegistrationError):

        @router.get("/")
        def bad(*args: int) -> None: ...

    assert list(router.routes()) == []


def test_a_nested_router_conflicts_with_what_is_there() -> None:
    outer, inner = Router(), Router()
    outer.nest("/api", inner)
    with pytest.raises(VoloError):
        outer.nest("/api", Router())


def test_a_router_inside_itself_is_refused() -> None:
    one, other = Router(), Router()
    one.nest("/a", other)
    with pytest.raises(VoloError):
        other.nest("/b", one)
    with pytest.raises(VoloError):
        one.nest("/c", one)


def test_routes_may_be_added_after_nesting() -> None:
    outer, inner = Router(), Router()
    outer.nest("/api", inner)
    inner.get("/late")(answer)
    assert [r.pattern for r in outer.routes()] == ["/api/late"]


def test_a_merged_router_takes_no_more_routes() -> None:
    outer, inner = Router(), Router()
    inner.get("/early")(answer)
    outer.merge(inner)
    with pytest.raises(VoloError):
        inner.get("/late")(answer)
    assert [r.pattern for r in outer.routes()] == ["/early"]


def test_include_nests_with_a_prefix_and_merges_without() -> None:
    outer, one, other = Router(), Router(), Router()
    one.get("/x")(answer)
    other.get("/y")(answer)
    outer.include(one, "/one")
    outer.include(other)
    assert [r.pattern for r in outer.routes()] == ["/one/x", "/y"]


def test_routes_are_told_with_the_prefixes_around_them() -> None:
    app = volo.App()
    group = app.group("/v1")
    inner = Router()
    inner.get("/", name="root")(answer)
    inner.post("/{id}", name="one")(answer)
    group.nest("/users", inner)
    told = [(r.methods, r.pattern, r.name) for r in app.routes()]
    assert told == [
        (("GET",), "/v1/users", "root"),
        (("POST",), "/v1/users/{id}", "one"),
    ]


# ---- Layers ------------------------------------------------------------------


def test_what_is_no_layer_is_refused() -> None:
    with pytest.raises(TypeError):
        Router().layer("cors")  # type: ignore[arg-type]


# ---- Fallbacks, handlers of exceptions ---------------------------------------


def test_there_is_one_fallback() -> None:
    router = Router()
    router.fallback(answer)
    with pytest.raises(VoloError):
        router.fallback(answer)


def test_an_exception_handler_is_for_a_type_or_a_status() -> None:
    with pytest.raises(TypeError):
        Router().exception_handler("ValueError")(answer)  # type: ignore[arg-type]


# ---- Names -------------------------------------------------------------------


def test_the_url_of_a_named_route_is_encoded() -> None:
    app = volo.App()
    inner = Router()
    inner.get("/files/{name}", name="file")(answer)
    app.nest("/v1", inner)
    assert app.url_for("file", name="a b/c") == "/v1/files/a%20b%2Fc"


def test_the_url_of_no_route_and_a_missing_parameter_are_errors() -> None:
    router = Router()
    router.get("/{id}", name="one")(answer)
    with pytest.raises(VoloError):
        router.url_for("other")
    with pytest.raises(VoloError):
        router.url_for("one")


def test_a_name_is_given_once() -> None:
    router = Router()
    router.get("/a", name="same")(answer)
    with pytest.raises(ValueError, match="same"):
        router.get("/b", name="same")(answer)
