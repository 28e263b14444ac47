# SPDX-License-Identifier: Apache-2.0
"""A plan says where arguments come from; what does not fit is refused with the
field, the place and the reason, all of it at once."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from call_rig import REQUEST, Answer, rig

from volo import HTTPError, Rejection, _cvolo
from volo.errors import Invalid

JSON = ("content-type", "application/json")
FORM = ("content-type", "application/x-www-form-urlencoded")
ACCEPT = ("accept", "application/json")


def leaf(
    source: str,
    name: str,
    mode: str = "str",
    convert: Callable[[Any], Any] | None = None,
    **default: Any,
) -> tuple[Any, ...]:
    return (
        source,
        name,
        mode,
        convert,
        default.get("default"),
        "default" not in default,
    )


def give(
    plan: list[Any],
    target: str = "/",
    *headers: tuple[str, str],
    body: bytes | None = None,
    pattern: str = "/",
) -> tuple[Any, Answer]:
    """The arguments that a handler was called with (None: it was not), and the
    answer."""
    seen: list[Any] = []

    def handler(*args: Any) -> str:
        seen.append(args)
        return ""

    with rig() as r:
        r.add(pattern, handler, plan, method="GET" if body is None else "POST")
        answer = r.send(target, ACCEPT, *headers, body=body)
    return (seen[0] if seen else None), answer


def refused(*args: Any, **named: Any) -> tuple[int, list[tuple[str, str, str]]]:
    got, answer = give(*args, **named)
    assert got is None
    assert answer.header("content-type") == "application/problem+json"
    told = json.loads(answer.body)
    assert told["status"] == answer.status
    return answer.status, [(e["in"], e["field"], e["reason"]) for e in told["errors"]]


# ---- Sources -----------------------------------------------------------------


def test_each_source_gives_its_value() -> None:
    plan = [
        leaf("path", "id"),
        leaf("query", "q"),
        leaf("header", "X-Token"),
        leaf("header", "user-agent"),
        leaf("cookie", "c"),
    ]
    got, _ = give(
        plan,
        "/a%2Fb?q=x%20y+z",
        ("x-token", "caf\u00e9"),
        ("user-agent", "me"),
        ("cookie", "b=1; c=2"),
        pattern="/{id}",
    )
    # The client in memory sends str as UTF-8; fields are octets.
    token = "caf\u00e9".encode().decode("latin-1")
    assert got == ("a/b", "x y z", token, "me", "2")


def test_a_form_gives_its_fields() -> None:
    plan = [leaf("form", "a"), leaf("form", "b", "list"), leaf("form", "n", "int")]
    got, _ = give(plan, "/", FORM, body=b"a=x+y&b=1&b=%C3%A9&n=7")
    assert got == ("x y", ["1", "\u00e9"], 7)


def test_a_body_is_bytes_text_or_json() -> None:
    plan = [
        leaf("body", "body"),
        leaf("text", "body"),
        leaf("json", "body", "convert", json.loads),
    ]
    got, _ = give(plan, "/", JSON, body=b'{"a":"\xc3\xa9"}')
    assert got == (b'{"a":"\xc3\xa9"}', '{"a":"\u00e9"}', {"a": "\u00e9"})


def test_json_may_be_of_a_type_with_a_suffix() -> None:
    plan = [leaf("json", "body", "convert", json.loads)]
    got, _ = give(plan, "/", ("content-type", "application/x.y+json"), body=b"1")
    assert got == (1,)


def test_the_request_its_state_and_what_is_made_of_it() -> None:
    def first(request: Any) -> str:
        request.state.user = "me"
        return str(request.path)

    plan = [
        leaf("custom", "a", "convert", first),
        leaf("state", "user"),
        leaf("state", "none", default="d"),
        leaf("depends", "b", "convert", lambda request: request.method),
        REQUEST,
    ]
    got, _ = give(plan)
    assert got[:4] == ("/", "me", "d", "GET")
    assert isinstance(got[4], _cvolo.Request)


def test_what_no_layer_has_set_in_the_state_is_an_error_of_the_program(
    caplog: pytest.LogCaptureFixture,
) -> None:
    _, answer = give([leaf("state", "user")])
    assert answer.status == 500
    assert "request.state.user" in caplog.text


def test_lists_take_all_values_of_a_name() -> None:
    plan = [
        leaf("query", "a", "list"),
        leaf("header", "x-a", "list"),
        leaf("query", "n", "list", lambda texts: [int(t) for t in texts]),
        leaf("query", "none", "list", default=()),
    ]
    got, _ = give(plan, "/?a=1&n=3&a=%32&n=4", ("x-a", "p"), ("x-a", "q"))
    assert got == (["1", "2"], ["p", "q"], [3, 4], ())


def test_what_is_absent_has_its_default() -> None:
    default = object()
    sources = ["query", "header", "cookie", "form", "json", "body", "text"]
    plan = [
        leaf(s, "x", "convert" if s == "json" else "str", json.loads, default=default)
        for s in sources
    ]
    got, _ = give(plan, "/?y=1", body=b"")
    assert got == (default,) * len(sources)


def test_an_empty_value_is_not_absent() -> None:
    got, _ = give([leaf("query", "a", default="d"), leaf("query", "b")], "/?a=&b")
    assert got == ("", "")


# ---- Types -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("mode", "text", "value"),
    [
        ("int", "0", 0),
        ("int", "-17", -17),
        ("int", "%2B17", 17),
        ("int", "007", 7),
        ("int", "999999999999999999", 10**18 - 1),
        ("int", "9223372036854775808", 2**63),
        ("int", "-" + "9" * 40, -(10**40) + 1),
        ("float", "1.5", 1.5),
        ("float", "-2e3", -2000.0),
        ("float", ".5", 0.5),
        ("float", "1e-400", 0.0),
        ("bool", "true", True),
        ("bool", "FALSE", False),
        ("bool", "on", True),
        ("bool", "0", False),
        ("str", "%C3%A9", "\u00e9"),
        ("convert", "ab", "AB"),
    ],
)
def test_text_becomes_the_type(mode: str, text: str, value: Any) -> None:
    plan = [leaf("query", "x", mode, str.upper if mode == "convert" else None)]
    got, _ = give(plan, f"/?x={text}")
    assert got == (value,)
    assert type(got[0]) is type(value)


@pytest.mark.parametrize(
    ("mode", "text", "status", "reason"),
    [
        ("int", "", 400, "must be an integer"),
        ("int", "-", 400, "must be an integer"),
        ("int", "1.0", 400, "must be an integer"),
        ("int", "1_000", 400, "must be an integer"),
        ("int", "%201", 400, "must be an integer"),
        ("int", "%D9%A1", 400, "must be an integer"),
        ("int", "9" * 4301, 422, "is out of range"),
        ("float", "", 400, "must be a number"),
        ("float", "nan", 400, "must be a number"),
        ("float", "inf", 400, "must be a number"),
        ("float", "0x1p3", 400, "must be a number"),
        ("float", "1e", 400, "must be a number"),
        ("float", ".", 400, "must be a number"),
        ("float", "1e999", 422, "is out of range"),
        ("float", "1" * 600, 422, "is out of range"),
        ("bool", "2", 400, "must be true or false"),
        ("bool", "tru", 400, "must be true or false"),
        ("str", "%ff", 400, "is not UTF-8"),
        ("str", "%zz", 400, "has a broken escape"),
    ],
)
def test_text_of_another_type_is_refused(
    mode: str, text: str, status: int, reason: str
) -> None:
    assert refused([leaf("query", "x", mode)], f"/?x={text}") == (
        status,
        [("query", "x", reason)],
    )


# ---- Refusals ----------------------------------------------------------------


def test_all_that_is_wrong_is_told_at_once_and_400_goes_before_422() -> None:
    def odd(text: str) -> int:
        raise ValueError("must be odd")

    plan = [
        leaf("path", "id", "int"),
        leaf("query", "q"),
        leaf("header", "x-n", "int"),
        leaf("cookie", "c"),
        leaf("query", "odd", "convert", odd),
    ]
    assert refused(plan, "/x?odd=2", ("x-n", "y"), pattern="/{id}") == (
        400,
        [
            ("path", "id", "must be an integer"),
            ("query", "q", "is missing"),
            ("header", "x-n", "must be an integer"),
            ("cookie", "c", "is missing"),
            ("query", "odd", "must be odd"),
        ],
    )


def test_what_a_converter_refuses_is_422_with_its_reason() -> None:
    def odd(text: str) -> int:
        raise ValueError(f"must be odd, not {text}")

    assert refused([leaf("query", "x", "convert", odd)], "/?x=2") == (
        422,
        [("query", "x", "must be odd, not 2")],
    )
    assert refused([leaf("query", "x", "list", odd)], "/?x=2")[0] == 422


@pytest.mark.parametrize(
    ("headers", "body", "status", "error"),
    [
        ([JSON], b'{"a":"x"}', 422, ("body", "body")),
        ([JSON], b"{", 400, ("body", "body")),
        ([JSON], b"", 400, ("body", "body")),
        ([], b"{}", 415, ("header", "content-type")),
        ([("content-type", "text/plain")], b"{}", 415, ("header", "content-type")),
    ],
)
def test_json_is_refused_by_what_is_wrong_with_it(
    headers: list[tuple[str, str]], body: bytes, status: int, error: tuple[str, str]
) -> None:
    decode = msgspec.json.Decoder(dict[str, int]).decode
    plan = [leaf("json", "body", "convert", decode)]
    got, errors = refused(plan, "/", *headers, body=body)
    assert got == status
    assert [e[:2] for e in errors] == [error]


def test_a_form_of_another_media_type_is_refused_once() -> None:
    plan = [leaf("form", "a"), leaf("form", "b", "list"), leaf("query", "q")]
    assert refused(plan, "/", ("content-type", "text/plain"), body=b"a=1") == (
        415,
        [
            (
                "header",
                "content-type",
                "must be application/x-www-form-urlencoded",
            ),
            ("query", "q", "is missing"),
        ],
    )


def test_a_body_that_is_no_text_is_refused() -> None:
    assert refused([leaf("text", "body")], "/", body=b"\xff") == (
        400,
        [("body", "body", "is not UTF-8")],
    )
    latin = ("content-type", "text/plain; charset=latin-1")
    assert refused([leaf("text", "body")], "/", latin, body=b"x")[0] == 415


def test_a_rejection_of_ones_own_is_told_with_the_others() -> None:
    def look(request: Any) -> str:
        raise Rejection([Invalid("token", "header", "is too old")], 403)

    plan = [leaf("query", "q", "int"), leaf("custom", "token", "convert", look)]
    assert refused(plan, "/?q=x") == (
        403,
        [("query", "q", "must be an integer"), ("header", "token", "is too old")],
    )


def test_what_a_dependency_raises_else_is_as_if_the_handler_had_raised_it() -> None:
    def gone(request: Any) -> str:
        raise HTTPError(410, "gone")

    def broken(request: Any) -> str:
        raise ValueError("a mistake of the program")

    plan = [leaf("query", "q", "int")]
    assert give([*plan, leaf("depends", "d", "convert", gone)])[1].status == 410
    assert give([*plan, leaf("depends", "d", "convert", broken)])[1].status == 500


def test_a_refusal_is_a_short_text_for_who_does_not_name_json() -> None:
    with rig() as r:
        r.add("/{id}", lambda i: "", [leaf("path", "id", "int")])
        got = r.send("/a%0Ab")
    assert got.header("content-type") == "text/plain; charset=utf-8"
    assert got.text == "Bad Request\npath id: must be an integer\n"


# ---- Plans -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("plan", "error"),
    [
        (3, TypeError),
        ([3], TypeError),
        ([("path", "x")], TypeError),
        ([leaf("nowhere", "x")], ValueError),
        ([leaf("query", "x", "complex")], ValueError),
        ([leaf("query", "x", "convert")], TypeError),
        ([leaf("json", "x")], TypeError),
        ([leaf("depends", "x")], TypeError),
        ([leaf("query", "x", "str", 3)], TypeError),  # type: ignore[arg-type]
        ([leaf("query", "a\0b")], ValueError),
        ([leaf("query", 3)], TypeError),  # type: ignore[arg-type]
        ([leaf("query", "\ud800")], UnicodeEncodeError),
    ],
)
def test_a_plan_that_makes_no_sense_is_refused_when_it_is_made(
    plan: Any, error: type[Exception]
) -> None:
    with pytest.raises(error):
        _cvolo.Handler(len, plan, 0)


def test_a_handler_must_be_callable_and_of_a_kind_that_there_is() -> None:
    no_function: Any = 3
    with pytest.raises(TypeError):
        _cvolo.Handler(no_function, (), 0)
    with pytest.raises(TypeError):
        _cvolo.Handler(len, (), 0, dumps=no_function)
    for kind in (-1, 3):
        with pytest.raises(ValueError):
            _cvolo.Handler(len, (), kind)
