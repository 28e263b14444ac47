# SPDX-License-Identifier: Apache-2.0
"""Requests through the whole way: bound, refused, and handed to handlers."""

from __future__ import annotations

import enum
import uuid
from typing import Annotated, Any

import msgspec
import pytest

import volo
from volo import (
    Body,
    Cookie,
    Extension,
    Form,
    Header,
    Json,
    Query,
    Reader,
    Request,
    State,
    Text,
)
from volo.testing import TestClient


class User(msgspec.Struct):
    name: str
    tags: list[str] = []


class Filter(msgspec.Struct):
    search: str
    limit: Annotated[int, msgspec.Meta(le=100)] = 20


class Color(enum.Enum):
    RED = "red"


class Store:
    name = "store"


def call(handler: Any, method: str, url: str, pattern: str = "/", **given: Any) -> Any:
    """One request to an app that has only this route."""
    app = volo.App()
    app.provide(Store())

    @app.layer
    def layer(request: Request, next: Any) -> Any:
        request.state.user = "ada"
        return next(request)

    app.route(pattern, [method])(handler)
    with TestClient(app) as client:
        return client.request(method, url, **given)


def test_path_and_query_are_read_as_their_types() -> None:
    def handler(
        id: int, word: str, ratio: float = 0.5, flag: bool = False
    ) -> list[Any]:
        return [id, word, ratio, flag]

    url = "/42?word=a%20b&ratio=1e3&flag=on"
    assert call(handler, "GET", url, "/{id}").json() == [42, "a b", 1000.0, True]
    assert call(handler, "GET", "/-1?word=", "/{id}").json() == [-1, "", 0.5, False]


def test_all_that_is_refused_is_told_at_once() -> None:
    def handler(
        id: int,
        page: Annotated[int, Query(ge=1)],
        color: Color,
        x_token: Annotated[uuid.UUID, Header()],
    ) -> None: ...

    answer = call(
        handler,
        "GET",
        "/x?page=0&color=blue",
        "/{id}",
        headers={"accept": "application/json", "x-token": "?"},
    )
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"
    told = {(e["in"], e["field"]): e["reason"] for e in answer.json()["errors"]}
    assert told == {
        ("path", "id"): "must be an integer",
        ("query", "page"): "must be an integer >= 1",
        ("query", "color"): "must be one of red",
        ("header", "x-token"): "must be a UUID",
    }


def test_what_could_be_read_but_does_not_fit_is_422() -> None:
    def handler(page: Annotated[int, Query(ge=1)]) -> int:
        return 204

    assert call(handler, "GET", "/?page=0").status_code == 422
    assert call(handler, "GET", "/?page=x").status_code == 400
    missing = call(handler, "GET", "/")
    assert missing.status_code == 400
    assert missing.text == "Bad Request\nquery page: is missing\n"


def test_keys_that_are_repeated_are_a_list() -> None:
    def handler(n: list[int], tags: set[str] = frozenset()) -> Any:  # type: ignore[assignment]
        return {"n": n, "tags": sorted(tags)}

    answer = call(handler, "GET", "/?n=1&n=2&tags=b&tags=a&tags=a")
    assert answer.json() == {"n": [1, 2], "tags": ["a", "b"]}
    assert call(handler, "GET", "/?tags=a").status_code == 400


def test_headers_and_cookies() -> None:
    def handler(
        user_agent: Annotated[str, Header()],
        x_many: Annotated[list[str], Header()],
        session: Annotated[str, Cookie()],
        theme: Annotated[str, Cookie()] = "light",
    ) -> list[Any]:
        return [user_agent, x_many, session, theme]

    answer = call(
        handler,
        "GET",
        "/",
        headers=[("User-Agent", "me"), ("X-Many", "1"), ("X-Many", "2")],
        cookies={"session": "s"},
    )
    assert answer.json() == ["me", ["1", "2"], "s", "light"]


def test_json_is_validated_into_a_struct() -> None:
    def handler(user: User) -> User:
        return user

    answer = call(handler, "POST", "/", json={"name": "ada", "tags": ["x"]})
    assert answer.json() == {"name": "ada", "tags": ["x"]}
    refused = call(handler, "POST", "/", json={"name": "ada", "tags": [1]})
    assert refused.status_code == 422
    assert refused.text == "Unprocessable Content\nbody tags[0]: must be a string\n"


@pytest.mark.parametrize(
    ("content", "media_type", "status"),
    [
        (b"{", "application/json", 400),
        (b"", "application/json", 400),
        (b"{}", "application/json", 422),
        (b'{"name": "x"}', "text/plain", 415),
        (b'{"name": "x"}', "application/vnd.x+json", 200),
    ],
)
def test_a_body_that_is_no_json_of_the_type_is_refused(
    content: bytes, media_type: str, status: int
) -> None:
    def handler(user: User) -> User:
        return user

    headers = {"content-type": media_type}
    answer = call(handler, "POST", "/", content=content, headers=headers)
    assert answer.status_code == status


def test_an_optional_body_may_be_absent() -> None:
    def handler(user: User | None = None) -> dict[str, bool]:
        return {"there": user is not None}

    assert call(handler, "POST", "/").json() == {"there": False}
    assert call(handler, "POST", "/", json={"name": "x"}).json() == {"there": True}


def test_a_body_in_a_get_that_was_asked_for_is_read() -> None:
    def handler(user: Annotated[User, Json()]) -> User:
        return user

    assert call(handler, "GET", "/", json={"name": "x"}).json()["name"] == "x"


def test_forms_field_by_field_and_as_a_model() -> None:
    def fields(
        search: Annotated[str, Form()], limit: Annotated[int, Form()] = 1
    ) -> Any:
        return [search, limit]

    def model(filter: Annotated[Filter, Form()]) -> Filter:
        return filter

    assert call(fields, "POST", "/", data={"search": "ä b"}).json() == ["ä b", 1]
    made = call(model, "POST", "/", data={"search": "x", "limit": "7"})
    assert made.json() == {"search": "x", "limit": 7}
    refused = call(model, "POST", "/", data={"limit": "700"})
    assert refused.status_code == 400
    assert refused.text == (
        "Bad Request\nform search: is missing\nform limit: must be an integer <= 100\n"
    )


def test_a_model_in_the_query_has_its_defaults() -> None:
    def handler(filter: Annotated[Filter, Query()]) -> Filter:
        return filter

    answer = call(handler, "GET", "/?search=x")
    assert answer.json() == {"search": "x", "limit": 20}


def test_octets_and_text() -> None:
    def octets(data: bytes) -> bytes:
        return data[::-1]

    def text(data: Annotated[str, Text()]) -> str:
        return data.upper()

    def both(user: User, raw: Annotated[bytes, Body()]) -> Any:
        return [user.name, len(raw)]

    assert call(octets, "POST", "/", content=b"\x00\xff").content == b"\xff\x00"
    assert call(text, "POST", "/", content="ä".encode()).text == "Ä"
    assert call(text, "POST", "/", content=b"\xff").status_code == 400
    assert call(both, "POST", "/", json={"name": "x"}).json() == ["x", 12]


def test_a_body_may_be_read_as_it_comes_in_both_kinds_of_handlers() -> None:
    def sync(body: Reader) -> dict[str, int]:
        return {"octets": sum(len(piece) for piece in body)}

    async def waits(body: Reader) -> dict[str, int]:
        count = 0
        async for piece in body:
            count += len(piece)
        return {"octets": count}

    for handler in (sync, waits):
        answer = call(handler, "POST", "/", content=b"x" * 300_000)
        assert answer.json() == {"octets": 300_000}


def test_request_state_and_shared_values() -> None:
    def handler(
        request: Request, user: Annotated[str, Extension()], store: State[Store]
    ) -> list[Any]:
        return [request.method, request.path, user, store.name]

    answer = call(handler, "GET", "/a%20b", "/{x}")
    assert answer.json() == ["GET", "/a b", "ada", "store"]


def test_keyword_only_parameters_of_an_async_handler() -> None:
    async def handler(*, id: int, request: Request, page: int = 1) -> list[Any]:
        return [id, request.method, page]

    assert call(handler, "GET", "/7", "/{id}").json() == [7, "GET", 1]


def test_objects_and_methods_answer() -> None:
    class Greeter:
        def __init__(self, word: str) -> None:
            self.word = word

        def greet(self, name: str) -> str:
            return f"{self.word} {name}"

        async def __call__(self, name: str) -> str:
            return self.greet(name)

    greeter = Greeter("hello")
    assert call(greeter.greet, "GET", "/?name=x").text == "hello x"
    assert call(greeter, "GET", "/?name=x").text == "hello x"
