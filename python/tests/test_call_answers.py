# SPDX-License-Identifier: Apache-2.0
"""What a handler returns becomes an answer, and what it must not return an error
that says so."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from typing import Any

import pytest
from call_rig import Answer, rig

from volo import _cvolo

TEXT = "text/plain; charset=utf-8"
OCTETS = "application/octet-stream"


def answer_to(value: Any, *headers: tuple[str, str]) -> Answer:
    with rig() as r:
        r.add("/", lambda: value)
        return r.send("/", *headers)


@pytest.mark.parametrize(
    ("value", "status", "media", "body"),
    [
        ("text", 200, TEXT, b"text"),
        ("h\u00e9\U0001f600", 200, TEXT, "h\u00e9\U0001f600".encode()),
        ("", 200, None, b""),
        (b"\x00\xff", 200, OCTETS, b"\x00\xff"),
        (bytearray(b"ab"), 200, OCTETS, b"ab"),
        (memoryview(b"ab"), 200, OCTETS, b"ab"),
        (None, 204, None, b""),
        ({"a": [1, None]}, 200, "application/json", b'{"a":[1,null]}'),
        ([], 200, "application/json", b"[]"),
        (200, 200, TEXT, b"OK"),
        (204, 204, None, b""),
        (304, 304, None, b""),
        (404, 404, TEXT, b"Not Found\n"),
        ((201, "made"), 201, TEXT, b"made"),
        ((202, None), 202, None, b""),
        ((201, {"a": 1}), 201, "application/json", b'{"a":1}'),
        ((200, {"Content-Type": "text/csv"}, "a,b"), 200, "text/csv", b"a,b"),
    ],
)
def test_a_plain_value_is_answered_with_its_type(
    value: Any, status: int, media: str | None, body: bytes
) -> None:
    got = answer_to(value)
    assert (got.status, got.header("content-type"), got.body) == (status, media, body)


def test_headers_of_a_tuple_are_added_and_may_repeat() -> None:
    pairs = [("Set-Cookie", "a=1"), ("set-cookie", "b=2"), ("X-Name", "caf\u00e9")]
    got = answer_to((200, pairs, "x"))
    assert got.all("set-cookie") == ["a=1", "b=2"]
    assert got.header("x-name") == "caf\u00e9"


def test_a_response_gives_body_status_headers_and_type() -> None:
    got = answer_to(_cvolo.Response("<p>", 203, {"x-a": "b"}, "text/html"))
    assert (got.status, got.text) == (203, "<p>")
    assert (got.header("content-type"), got.header("x-a")) == ("text/html", "b")


def test_what_stands_beside_a_response_in_a_tuple_goes_before_its_own() -> None:
    response = _cvolo.Response("x", 200, {"x-a": "inner", "x-b": "kept"})
    got = answer_to((202, {"x-a": "outer"}, response))
    assert (got.status, got.all("x-a"), got.header("x-b")) == (202, ["outer"], "kept")


def test_a_response_that_is_returned_again_stays_as_it_was() -> None:
    constant = _cvolo.Response("x", 200, {"x-a": "own"}, "text/html")
    with rig() as r:
        r.add("/a", lambda: (202, {"x-b": "more"}, constant))
        r.add("/b", lambda: constant)
        first, second = r.send("/a"), r.send("/b")
    assert (first.status, first.header("x-b"), first.header("x-a")) == (
        202,
        "more",
        "own",
    )
    assert first.header("content-type") == "text/html"
    assert (second.status, second.header("x-b")) == (200, None)


def test_an_error_status_is_a_problem_where_the_client_names_json() -> None:
    got = answer_to(404, ("accept", "application/json"))
    assert got.header("content-type") == "application/problem+json"
    assert json.loads(got.body) == {"title": "Not Found", "status": 404}


@pytest.mark.parametrize("size", [65535, 65536, 3_000_000])
@pytest.mark.parametrize("make", [lambda n: b"x" * n, lambda n: "x" * n])
def test_large_bodies_arrive_whole(make: Callable[[int], Any], size: int) -> None:
    with rig() as r:
        r.add("/", lambda: make(size))
        for _ in range(3):
            assert r.send("/").body == b"x" * size


def test_an_encoder_of_the_route_goes_before_the_common_one() -> None:
    with rig() as r:
        r.add("/", lambda: {"a": 1}, dumps=lambda value: b"<" + repr(value).encode())
        assert r.send("/").body == b"<{'a': 1}"


# ---- What is refused ---------------------------------------------------------


@pytest.fixture
def broken(caplog: pytest.LogCaptureFixture) -> Callable[[Any], str]:
    """The words that are logged when a value is answered with 500."""

    def answer(value: Any) -> str:
        with caplog.at_level(logging.ERROR, "volo"):
            caplog.clear()
            got = answer_to(value)
        assert (got.status, got.header("x-bad")) == (500, None)
        assert len(caplog.records) == 1
        error = caplog.records[0].exc_info
        assert error is not None
        return f"{type(error[1]).__name__}: {error[1]}"

    return answer


@pytest.mark.parametrize("value", [True, False, (200, True), (True, "x")])
def test_a_bool_is_neither_a_status_nor_content(
    value: Any, broken: Callable[[Any], str]
) -> None:
    assert broken(value).startswith("TypeError: ")


@pytest.mark.parametrize("status", [0, 99, 100, 199, 1000, -1, 2**70])
def test_a_status_must_be_one(status: int, broken: Callable[[Any], str]) -> None:
    assert "200 to 999" in broken(status)
    assert "200 to 999" in broken((status, "x"))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("x-bad", "a\r\nx-evil: 1"),
        ("x-bad", "a\x00b"),
        ("x-bad", "\u20ac"),
        ("x bad", "a"),
        ("", "a"),
        ("x-bad\n", "a"),
        ("content-length", "3"),
        ("Transfer-Encoding", "chunked"),
        ("connection", "close"),
    ],
)
def test_a_field_that_would_break_the_message_is_a_logged_500(
    name: str, value: str, broken: Callable[[Any], str]
) -> None:
    assert "Error: " in broken((200, {name: value}, "x"))


@pytest.mark.parametrize("value", [(), (200,), (200, {}, "x", "y"), (200, {}, (1,))])
def test_a_tuple_of_another_shape_is_refused(
    value: Any, broken: Callable[[Any], str]
) -> None:
    assert broken(value).startswith("TypeError: ")


def test_a_media_type_with_a_line_feed_is_refused(
    broken: Callable[[Any], str],
) -> None:
    assert "media_type" in broken(_cvolo.Response("x", 200, None, "a\nb"))


def test_what_cannot_be_encoded_is_a_logged_500(broken: Callable[[Any], str]) -> None:
    assert "TypeError" in broken({"a": object()})
    assert "UnicodeEncodeError" in broken("\ud800")


# ---- What is raised ----------------------------------------------------------


@pytest.mark.parametrize("kind", [0, 1, 2])
@pytest.mark.parametrize("error", [SystemExit(3), GeneratorExit(), BaseException("x")])
def test_what_would_end_the_program_is_logged_and_answered_with_500(
    error: BaseException, kind: int, caplog: pytest.LogCaptureFixture
) -> None:
    def fail() -> str:
        raise error

    async def fail_later() -> str:
        raise error

    with rig() as r:
        r.add("/", fail_later if kind else fail, (), kind)
        r.add("/next", lambda: "still here")
        assert r.send("/").status == 500
        assert r.send("/next").text == "still here"
    assert "end the program" in caplog.text


def test_an_interrupt_on_a_thread_of_the_pool_ends_nothing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def interrupt() -> str:
        raise KeyboardInterrupt

    with rig() as r:
        r.add("/", interrupt)
        assert [r.send("/").status for _ in range(3)] == [500] * 3
    assert caplog.text.count("end the program") == 3


def test_on_error_that_fails_itself_leaves_a_plain_500(
    caplog: pytest.LogCaptureFixture,
) -> None:
    from volo import runtime

    def worse(request: Any, error: BaseException) -> Any:
        raise RuntimeError("worse")

    def fail() -> str:
        raise ValueError("bad")

    try:
        _cvolo.set_hooks(on_error=worse)
        with rig() as r:
            r.add("/", fail)
            got = r.send("/")
    finally:
        runtime.install()
    assert (got.status, got.text) == (500, "Internal Server Error\n")
    assert "could not be answered" in caplog.text
    assert "worse" in caplog.text


def test_hooks_that_do_not_exist_are_refused() -> None:
    no_function: Any = 3
    no_hook: dict[str, Any] = {"on_whatever": len}
    with pytest.raises(TypeError, match="knows no"):
        _cvolo.set_hooks(**no_hook)
    with pytest.raises(TypeError, match="callable"):
        _cvolo.set_hooks(dumps=no_function)


def test_one_answer_does_not_show_in_the_next() -> None:
    values: list[Any] = [(500, {"x-a": "1"}, "err"), None, {"a": 1}, "x"]
    with rig() as r:

        def turn() -> Any:
            return values[0]

        r.add("/", turn)
        got: list[tuple[int, Any, bytes]] = []
        while values:
            a = r.send("/")
            got.append((a.status, a.header("x-a"), a.body))
            values.pop(0)
    assert got == [
        (500, "1", b"err"),
        (204, None, b""),
        (200, None, b'{"a":1}'),
        (200, None, b"x"),
    ]
