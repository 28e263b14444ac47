# SPDX-License-Identifier: Apache-2.0
"""Models whose fields are read one by one, and what JSON is refused for."""

from __future__ import annotations

import dataclasses
from typing import Annotated, Any, NamedTuple, TypedDict

import msgspec
import pytest

from volo.binding import bind
from volo.errors import RegistrationError, Rejection
from volo.params import Form, Header, Query


class Search(msgspec.Struct, rename="camel"):
    search_text: str
    page_size: Annotated[int, msgspec.Meta(le=100)] = 20
    tags: list[str] = []


@dataclasses.dataclass
class Login:
    name: str
    remember: bool = False


class Options(TypedDict, total=False):
    depth: int


class Pair(NamedTuple):
    left: str
    right: str = "r"


class Agent(msgspec.Struct):
    user_agent: str


class Odd(msgspec.Struct):
    a: int
    b: int = 0

    def __post_init__(self) -> None:
        if self.b and self.a >= self.b:
            raise ValueError("a must be below b")


class Item(msgspec.Struct):
    names: list[str]


class Order(msgspec.Struct, forbid_unknown_fields=True):
    id: int
    items: list[Item] = []


ABSENT = object()


def call(fn: Any, *values: Any) -> Any:
    """Call the function with leaves; ABSENT stands for those that are not there."""
    bound = bind(fn, methods=("POST",))
    given = [
        leaf[4] if value is ABSENT else value
        for leaf, value in zip(bound.plan, values, strict=True)
    ]
    return bound.call(*given)


def test_a_struct_in_the_query_is_a_field_for_each_of_its_fields() -> None:
    def handler(search: Annotated[Search, Query()]) -> Search:
        return search

    plan = bind(handler).plan
    assert [(leaf[0], leaf[1], leaf[2], leaf[5]) for leaf in plan] == [
        ("query", "searchText", "str", True),
        ("query", "pageSize", "convert", False),
        ("query", "tags", "list", False),
    ]
    assert call(handler, "x", 5, ["a"]) == Search("x", 5, ["a"])


def test_fields_that_are_absent_get_the_defaults_of_the_model() -> None:
    def handler(search: Annotated[Search, Query()]) -> Search:
        return search

    one = call(handler, "x", ABSENT, ABSENT)
    two = call(handler, "x", ABSENT, ABSENT)
    assert one == Search("x")
    assert one.tags is not two.tags


def test_forms_and_headers_have_models_too() -> None:
    def form(login: Annotated[Login, Form()]) -> Login:
        return login

    def header(agent: Annotated[Agent, Header()]) -> Agent:
        return agent

    def options(given: Annotated[Options, Query()]) -> Options:
        return given

    def pair(given: Annotated[Pair, Query()]) -> Pair:
        return given

    assert call(form, "ada", ABSENT) == Login("ada")
    assert [leaf[:2] for leaf in bind(header).plan] == [("header", "user-agent")]
    assert call(header, "curl") == Agent("curl")
    assert call(options, ABSENT) == {}
    assert call(options, 2) == {"depth": 2}
    assert call(pair, "l", ABSENT) == Pair("l", "r")


def test_what_a_model_itself_refuses_is_a_rejection() -> None:
    def handler(odd: Annotated[Odd, Query()]) -> Odd:
        return odd

    with pytest.raises(Rejection) as caught:
        call(handler, 2, 1)
    assert caught.value.status == 422
    assert caught.value.errors == (("query", "query", "a must be below b"),)


def test_a_model_with_a_field_that_has_no_text_is_refused() -> None:
    def handler(order: Annotated[Order, Query()]) -> None: ...

    with pytest.raises(RegistrationError, match=r"'order\.items'"):
        bind(handler)


def test_a_model_that_is_read_field_by_field_can_not_be_absent() -> None:
    def handler(search: Annotated[Search | None, Query()] = None) -> None: ...

    with pytest.raises(RegistrationError, match="field by field"):
        bind(handler)


@pytest.mark.parametrize(
    ("body", "status", "field", "reason"),
    [
        (b"[", 400, "body", "is no JSON: input data was truncated"),
        (b"[]", 422, "body", "must be an object"),
        (b"", 400, "body", "is no JSON: input data was truncated"),
        (b'{"id": 1} x', 400, "body", None),
        (b'"\xff"', 400, "body", None),
        (b"3", 422, "body", "must be an object"),
        (b"{}", 422, "id", "is missing"),
        (b'{"id": "x"}', 422, "id", "must be an integer"),
        (b'{"id": 1, "more": 1}', 422, "more", "is not known"),
        (b'{"id": 1, "items": [{}]}', 422, "items[0].names", "is missing"),
        (b'{"id": 1, "items": [{"names": ["a", 1]}]}', 422, "items[0].names[1]", None),
    ],
)
def test_json_is_refused_with_the_field_and_the_reason(
    body: bytes, status: int, field: str, reason: str | None
) -> None:
    def handler(order: Order) -> None: ...

    ((*_, read, _default, _required),) = bind(handler, methods=("POST",)).plan
    assert read is not None
    with pytest.raises(Rejection) as caught:
        read(body)
    assert caught.value.status == status
    (error,) = caught.value.errors
    assert (error.field, error.where) == (field, "body")
    if reason is not None:
        assert error.reason == reason


def test_models_of_pydantic_validate_their_own_way() -> None:
    pydantic: Any = pytest.importorskip("pydantic")

    class Account(pydantic.BaseModel):  # type: ignore[misc]
        name: str
        sizes: list[int] = []  # noqa: RUF012

    def one(account: Account) -> None: ...
    def several(accounts: list[Account]) -> None: ...

    def reader(fn: Any) -> Any:
        return bind(fn, methods=("POST",)).plan[0][3]

    assert reader(one)(b'{"name": "x"}') == Account(name="x")
    assert reader(several)(b'[{"name": "x"}]') == [Account(name="x")]
    with pytest.raises(Rejection) as caught:
        reader(one)(b'{"sizes": [1, "x"]}')
    assert caught.value.status == 422
    assert [e.field for e in caught.value.errors] == ["name", "sizes.1"]
    with pytest.raises(Rejection) as caught:
        reader(one)(b"{")
    assert caught.value.status == 400


def test_classes_of_attrs_are_models() -> None:
    attrs: Any = pytest.importorskip("attrs")

    @attrs.define
    class Spot:
        x: int

    def handler(spot: Spot) -> None: ...

    read = bind(handler, methods=("POST",)).plan[0][3]
    assert read is not None
    assert read(b'{"x": 1}').x == 1
