# SPDX-License-Identifier: Apache-2.0
"""What no request could give is refused when the handler is registered."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

import msgspec
import pytest

from volo import _cvolo
from volo.binding import bind
from volo.errors import RegistrationError
from volo.params import Body, Depends, Form, Header, Json, Path, Query, Text


class User(msgspec.Struct):
    name: str


class Connection:
    """Of no use to msgspec."""


class Wrapper(msgspec.Struct):
    connection: Connection


def refusal(fn: Any, *parameters: str, methods: Any = ("POST",)) -> RegistrationError:
    with pytest.raises(RegistrationError) as caught:
        bind(fn, parameters=parameters, methods=methods)
    assert fn.__name__ in str(caught.value)
    return caught.value


def test_the_error_names_handler_parameter_and_reason() -> None:
    def handler(db: Connection) -> None: ...

    error = refusal(handler)
    assert isinstance(error, TypeError)
    assert error.parameter == "db"
    assert error.handler.endswith("handler")
    assert "Connection" in error.reason
    assert str(error) == f"{error.handler}: parameter 'db' {error.reason}"


def test_a_type_that_msgspec_does_not_know_is_refused_wherever_it_is() -> None:
    def nested(w: Wrapper) -> None: ...
    def listed(w: list[Connection]) -> None: ...
    def function(w: Callable[[], None]) -> None: ...
    def union(w: User | Connection) -> None: ...

    assert "'connection'" in refusal(nested).reason
    assert "Connection" in refusal(listed).reason
    for fn in (function, union):
        assert refusal(fn).parameter == "w"


def test_star_arguments_are_refused() -> None:
    def many(*args: int) -> None: ...
    def named(**kwargs: int) -> None: ...

    assert refusal(many).parameter == "*args"
    assert refusal(named).parameter == "**kwargs"


def test_a_parameter_without_type_name_or_default_is_refused() -> None:
    def handler(thing): ...  # type: ignore[no-untyped-def]
    def defaulted(thing=None): ...  # type: ignore[no-untyped-def]

    assert "has no type" in refusal(handler).reason
    assert "has no type" in refusal(defaulted).reason


def test_a_parameter_of_the_path_that_the_pattern_lacks_is_refused() -> None:
    def handler(id: Annotated[int, Path()]) -> None: ...
    def other(id: Annotated[int, Path(alias="key")]) -> None: ...

    assert "the pattern has no {id}" in refusal(handler, "name").reason
    assert "the pattern has no {key}" in refusal(other, "id").reason
    assert bind(other, parameters=["key"]).plan[0][:2] == ("path", "key")


def test_a_parameter_of_the_path_is_no_list_and_no_model() -> None:
    def several(id: list[int]) -> None: ...
    def model(id: User) -> None: ...

    assert "one value" in refusal(several, "id").reason
    assert "no text" in refusal(model, "id").reason


def test_the_body_is_decoded_once() -> None:
    def two(a: User, b: dict[str, int]) -> None: ...
    def form(a: User, b: Annotated[str, Form()]) -> None: ...
    def stream(a: User, b: _cvolo.Reader) -> None: ...

    for fn in (two, form, stream):
        error = refusal(fn)
        assert error.parameter == "b"
        assert "'a'" in error.reason


def test_the_octets_may_be_had_beside_what_they_mean() -> None:
    def handler(user: User, raw: Annotated[bytes, Body()]) -> None: ...

    assert [x[0] for x in bind(handler, methods=["POST"]).plan] == ["json", "body"]


@pytest.mark.parametrize("method", ["GET", "HEAD", "get"])
def test_a_body_where_the_method_has_none_must_be_asked_for(method: str) -> None:
    def model(user: User) -> None: ...
    def octets(data: bytes) -> None: ...
    def asked(user: Annotated[User, Json()]) -> None: ...

    for fn in (model, octets):
        assert method.upper() in refusal(fn, methods=[method]).reason
    assert bind(asked, methods=[method]).plan[0][0] == "json"


def test_any_method_is_not_get() -> None:
    def model(user: User) -> None: ...

    assert bind(model, methods=["*"]).plan[0][0] == "json"


def test_two_parameters_of_the_same_name_are_refused() -> None:
    def handler(
        a: Annotated[int, Query(alias="n")], b: Annotated[str, Query(alias="n")]
    ) -> None: ...

    def same(
        a: Annotated[int, Query(alias="n")], b: Annotated[int, Query(alias="n")]
    ) -> None: ...

    for fn in (handler, same):
        error = refusal(fn)
        assert error.parameter == "b"
        assert "'n'" in error.reason


def test_two_markers_are_refused() -> None:
    def one(a: Annotated[int, Query(), Header()]) -> None: ...
    def two(a: Annotated[int, Query()] = Header()) -> None: ...

    for fn in (one, two):
        assert "more than one source" in refusal(fn).reason


def test_body_and_text_have_types_of_their_own() -> None:
    def octets(a: Annotated[str, Body()]) -> None: ...
    def text(a: Annotated[bytes, Text()]) -> None: ...

    assert "bytes" in refusal(octets).reason
    assert "str" in refusal(text).reason


def test_an_annotation_that_names_nothing_is_refused() -> None:
    def handler(a: Nowhere) -> None: ...  # type: ignore[name-defined] # noqa: F821

    error = refusal(handler)
    assert error.parameter == "a"
    assert "Nowhere" in error.reason


def test_what_can_not_be_called_is_refused() -> None:
    with pytest.raises(TypeError, match="can't be called"):
        bind(3)  # type: ignore[arg-type]


def test_a_dependency_on_nothing_is_refused() -> None:
    def handler(a=Depends()): ...  # type: ignore[no-untyped-def] # noqa: B008
    def number(a: Annotated[int, Depends(3)]) -> None: ...

    assert "depends on nothing" in refusal(handler).reason
    assert "can't be called" in refusal(number).reason


def test_constraints_that_do_not_suit_the_type_are_refused() -> None:
    def handler(a: Annotated[int, Query(max_length=3)]) -> None: ...

    assert refusal(handler).parameter == "a"


def test_a_marker_knows_only_the_constraints_there_are() -> None:
    with pytest.raises(TypeError):
        Query(least=3)  # type: ignore[call-arg]


def own(fn: Any, *parameters: str) -> Any:
    return bind(fn, parameters=parameters, own=parameters)


def test_a_path_parameter_under_a_wrong_name_is_refused() -> None:
    def handler(user_id: int, verbose: bool = False) -> None: ...

    with pytest.raises(RegistrationError) as caught:
        own(handler, "id")
    assert caught.value.parameter == "user_id"
    assert "nothing takes {id}" in caught.value.reason


def test_a_path_parameter_may_be_left_to_who_takes_the_request_or_nothing() -> None:
    def nothing() -> None: ...
    def request(q: str, request: _cvolo.Request) -> None: ...
    def optional(q: str = "", page: int | None = None) -> None: ...
    def marked(q: Annotated[str, Query()]) -> None: ...
    def provider(id: int) -> int:
        return id

    def depends(q: str, id: Annotated[int, Depends(provider)]) -> None: ...

    for fn in (nothing, request, optional, marked, depends):
        own(fn, "id")


def test_a_parameter_of_a_prefix_may_be_left() -> None:
    def handler(q: str) -> None: ...

    bind(handler, parameters={"tenant"}, own=())
