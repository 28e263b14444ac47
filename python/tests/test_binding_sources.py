# SPDX-License-Identifier: Apache-2.0
"""Where a parameter's value comes from, by its name, its type and its marker."""

from __future__ import annotations

import dataclasses
import datetime
import decimal
import enum
import ipaddress
import uuid
from typing import Annotated, Any, Literal, NamedTuple, NewType, Optional, TypedDict

import msgspec
import pytest

from volo import _cvolo
from volo.binding import bind
from volo.params import (
    Body,
    Cookie,
    Extension,
    Form,
    Header,
    Json,
    Query,
    State,
    Text,
)


class User(msgspec.Struct):
    name: str
    age: int = 0


@dataclasses.dataclass
class Point:
    x: int
    y: int = 0


class Options(TypedDict, total=False):
    depth: int


class Pair(NamedTuple):
    left: str
    right: str


class Color(enum.Enum):
    RED = "red"
    BLUE = "blue"


UserId = NewType("UserId", int)


def leaves(fn: Any, *parameters: str, methods: Any = ("POST",)) -> list[Any]:
    """(source, name, mode, required) of each argument."""
    plan = bind(fn, parameters=parameters, methods=methods).plan
    return [(leaf[0], leaf[1], leaf[2], leaf[5]) for leaf in plan]


def read(fn: Any, value: Any) -> Any:
    """What the converter of the only argument makes of a value."""
    (leaf,) = bind(fn, methods=("POST",)).plan
    assert leaf[3] is not None
    return leaf[3](value)


def refusal(fn: Any, value: Any) -> tuple[int, str]:
    """The status that C makes of what the converter raises, and its reason."""
    with pytest.raises(msgspec.DecodeError) as caught:
        read(fn, value)
    fits = caught.type is msgspec.ValidationError
    assert fits or caught.type is msgspec.DecodeError  # C asks for their names
    return 422 if fits else 400, str(caught.value)


def test_a_name_in_the_pattern_is_a_parameter_of_the_path() -> None:
    def handler(id: int, other: int) -> None: ...

    assert leaves(handler, "id") == [
        ("path", "id", "int", True),
        ("query", "other", "int", True),
    ]


def test_scalars_come_from_the_query_and_c_reads_the_plain_ones() -> None:
    def handler(a: str, b: int, c: float, d: bool, e: uuid.UUID) -> None: ...

    assert leaves(handler) == [
        ("query", "a", "str", True),
        ("query", "b", "int", True),
        ("query", "c", "float", True),
        ("query", "d", "bool", True),
        ("query", "e", "convert", True),
    ]


def test_a_default_makes_a_parameter_optional() -> None:
    def handler(page: int = 3) -> None: ...

    (leaf,) = bind(handler).plan
    assert leaf == ("query", "page", "int", None, 3, False)


def test_none_in_the_type_makes_a_parameter_optional() -> None:
    def new(page: int | None) -> None: ...
    def old(page: Optional[int]) -> None: ...  # noqa: UP045

    for handler in (new, old):
        (leaf,) = bind(handler).plan
        assert leaf == ("query", "page", "int", None, None, False)


def test_a_parameter_without_a_type_is_of_the_type_of_its_default() -> None:
    def handler(id, page=1, word="x"): ...  # type: ignore[no-untyped-def]

    assert leaves(handler, "id") == [
        ("path", "id", "str", True),
        ("query", "page", "int", False),
        ("query", "word", "str", False),
    ]


@pytest.mark.parametrize("kind", [list, set, frozenset])
def test_several_values_of_a_name_come_as_a_collection(kind: Any) -> None:
    def handler(tags) -> None: ...  # type: ignore[no-untyped-def]

    handler.__annotations__["tags"] = kind[int]
    assert leaves(handler) == [("query", "tags", "list", True)]
    assert read(handler, ["1", "2"]) == kind([1, 2])


def test_tuples_are_read_by_their_length() -> None:
    def some(v: tuple[int, ...]) -> None: ...
    def two(v: tuple[int, str]) -> None: ...

    assert read(some, ["1", "2", "3"]) == (1, 2, 3)
    assert read(two, ["1", "2"]) == (1, "2")
    with pytest.raises(msgspec.ValidationError, match="must be a list of length 2"):
        read(two, ["1"])


def test_a_list_of_plain_strings_needs_no_conversion() -> None:
    def handler(tags: list[str]) -> None: ...

    (leaf,) = bind(handler).plan
    assert leaf[2:4] == ("list", None)


def test_a_value_that_does_not_fit_is_told_with_its_number() -> None:
    def handler(tags: list[int]) -> None: ...
    def limited(tags: list[Annotated[int, msgspec.Meta(ge=1)]]) -> None: ...

    assert refusal(handler, ["1", "x"]) == (400, "value 2 must be an integer")
    assert refusal(handler, ["x"]) == (400, "must be an integer")
    assert refusal(limited, ["1", "0"]) == (422, "value 2 must be an integer >= 1")
    assert refusal(limited, ["0"]) == (422, "must be an integer >= 1")


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        (uuid.UUID, "12345678123456781234567812345678", uuid.UUID(int=0)),
        (decimal.Decimal, "1.50", decimal.Decimal("1.50")),
        (datetime.date, "2026-01-31", datetime.date(2026, 1, 31)),
        (datetime.time, "12:30:00", datetime.time(12, 30)),
        (datetime.timedelta, "PT90S", datetime.timedelta(seconds=90)),
        (Color, "red", Color.RED),
        (Literal["a", "b"], "b", "b"),
        (Literal[1, 2], "2", 2),
        (ipaddress.IPv4Address, "127.0.0.1", ipaddress.IPv4Address("127.0.0.1")),
        (int | uuid.UUID, "7", 7),
        (Annotated[int, msgspec.Meta(ge=1)], "7", 7),
        (Annotated[bool, msgspec.Meta(title="x")], "yes", True),
    ],
)
def test_other_scalars_are_converted(kind: Any, text: str, value: Any) -> None:
    def handler(v) -> None: ...  # type: ignore[no-untyped-def]

    handler.__annotations__["v"] = kind
    if kind is uuid.UUID:
        value = uuid.UUID(text)
    (leaf,) = bind(handler).plan
    made = leaf[3](text) if leaf[3] else {"yes": True}[text]
    assert made == value
    assert type(made) is type(value)


@pytest.mark.parametrize(
    ("kind", "text", "status", "reason"),
    [
        (uuid.UUID, "x", 400, "must be a UUID"),
        (decimal.Decimal, "x", 400, "must be a decimal number"),
        (datetime.date, "x", 400, "must be a date, as 2026-01-31"),
        (datetime.time, "x", 400, "must be a time, as 12:00:00"),
        (
            datetime.datetime,
            "x",
            400,
            "must be a date and time, as 2026-01-31T12:00:00Z",
        ),
        (datetime.timedelta, "x", 400, "must be a duration, as PT15M, or seconds"),
        (Color, "green", 422, "must be one of red, blue"),
        (Literal["a", "b"], "c", 422, "must be one of a, b"),
        (ipaddress.IPv4Address, "x", 400, "must be an IPv4 address"),
        (Annotated[int, msgspec.Meta(ge=1)], "0", 422, "must be an integer >= 1"),
        (Annotated[int, msgspec.Meta(ge=1)], "1.0", 400, "must be an integer"),
        (Annotated[int, msgspec.Meta(ge=1)], "9" * 5000, 422, "is out of range"),
        (Annotated[float, msgspec.Meta(gt=0)], "nan", 400, "must be a number"),
        (Annotated[float, msgspec.Meta(gt=0)], "1e999", 422, "is out of range"),
        (Annotated[float, msgspec.Meta(gt=0)], "0", 422, "must be a number > 0.0"),
        (
            Annotated[str, msgspec.Meta(max_length=2)],
            "abc",
            422,
            "must be a string of length <= 2",
        ),
    ],
)
def test_a_refusal_names_what_was_expected(
    kind: Any, text: str, status: int, reason: str
) -> None:
    def handler(v) -> None: ...  # type: ignore[no-untyped-def]

    handler.__annotations__["v"] = kind
    assert refusal(handler, text) == (status, reason)


def test_new_types_are_what_they_are_made_of() -> None:
    def handler(id: UserId) -> None: ...

    assert leaves(handler) == [("query", "id", "int", True)]


def test_header_names_have_dashes() -> None:
    def handler(
        user_agent: Annotated[str, Header()],
        x: Annotated[list[str], Header(alias="X-Forwarded_For")],
    ) -> None: ...

    assert leaves(handler) == [
        ("header", "user-agent", "str", True),
        ("header", "X-Forwarded_For", "list", True),
    ]


def test_markers_stand_in_annotations_or_as_defaults_with_or_without_a_call() -> None:
    def handler(
        a: Annotated[int, Query],
        b: int = Query(5, alias="bee"),
        c: Annotated[str, Cookie(alias="session")] = "none",
        d: str = Form("x"),
    ) -> None: ...

    assert bind(handler).plan == (
        ("query", "a", "int", None, None, True),
        ("query", "bee", "int", None, 5, False),
        ("cookie", "session", "str", None, "none", False),
        ("form", "d", "str", None, "x", False),
    )


def test_constraints_of_a_marker_are_kept() -> None:
    def handler(n: Annotated[int, Query(ge=1, le=9)] = 1) -> None: ...

    assert read(handler, "9") == 9
    assert refusal(handler, "10") == (422, "must be an integer <= 9")


@pytest.mark.parametrize("kind", [User, Point, Options, Pair, dict, list[User], Any])
def test_models_are_read_from_a_body_of_json(kind: Any) -> None:
    def handler(data) -> None: ...  # type: ignore[no-untyped-def]

    handler.__annotations__["data"] = kind
    assert leaves(handler) == [("json", "body", "convert", True)]


def test_json_is_decoded_into_the_type() -> None:
    def handler(user: User) -> None: ...
    def maybe(user: User | None = None) -> None: ...

    assert read(handler, b'{"name": "ada"}') == User("ada")
    assert read(maybe, b"null") is None
    assert leaves(maybe) == [("json", "body", "convert", False)]


def test_a_marker_makes_json_of_what_else_would_be_a_query() -> None:
    def handler(numbers: Annotated[list[int], Json(max_length=2)]) -> None: ...

    assert leaves(handler) == [("json", "body", "convert", True)]
    assert read(handler, b"[1, 2]") == [1, 2]


def test_octets_and_text_of_the_body() -> None:
    def octets(data: bytes) -> None: ...
    def marked(data: Annotated[bytes, Body()]) -> None: ...
    def text(data: Annotated[str, Text()]) -> None: ...

    assert leaves(octets) == [("body", "body", "str", True)]
    assert leaves(marked, methods=("GET",)) == [("body", "body", "str", True)]
    assert leaves(text) == [("text", "body", "str", True)]


def test_the_request_comes_by_its_type_or_by_its_name() -> None:
    def typed(r: _cvolo.Request) -> None: ...
    def named(request) -> None: ...  # type: ignore[no-untyped-def]

    assert leaves(typed) == [("request", "request", "str", True)]
    assert leaves(named) == [("request", "request", "str", True)]


def test_what_layers_have_left_and_what_is_shared() -> None:
    def handler(user: Annotated[str, Extension()], value: State[User]) -> User:
        return value

    bound = bind(handler, values={User: User("shared")})
    assert [leaf[:2] for leaf in bound.plan] == [("state", "user")]
    assert bound.shared == {User}
    assert bound.call("layer") == User("shared")


def test_a_shared_value_that_nobody_provides_is_told() -> None:
    def handler(value: State[User]) -> None: ...

    with pytest.raises(LookupError, match="nothing has been provided as User"):
        bind(handler).call()


def test_the_body_may_be_read_while_it_arrives() -> None:
    def handler(body: _cvolo.Reader) -> None: ...

    bound = bind(handler, methods=("POST",))
    assert bound.streaming
    assert len(bound.plan) == 1
