# SPDX-License-Identifier: Apache-2.0
"""What handlers return, and raise, as clients see it."""

from __future__ import annotations

import dataclasses
import logging
from http import HTTPStatus
from typing import Any

import msgspec
import pytest

import volo
from volo import HTML, JSON, Empty, HTTPError, PlainText, Problem, Redirect, Response
from volo.respond import respond
from volo.testing import TestClient


class User(msgspec.Struct):
    name: str


@dataclasses.dataclass
class Point:
    x: int


def answer_of(value: Any, **given: Any) -> Any:
    app = volo.App()

    @app.get("/")
    def handler() -> Any:
        if isinstance(value, Exception):
            raise value
        return value

    with TestClient(app, raise_exceptions=False) as client:
        return client.get("/", **given)


@pytest.mark.parametrize(
    ("value", "status", "media_type", "content"),
    [
        ("ä", 200, "text/plain; charset=utf-8", "ä".encode()),
        (b"x", 200, "application/octet-stream", b"x"),
        (bytearray(b"x"), 200, "application/octet-stream", b"x"),
        ({"a": 1}, 200, "application/json", b'{"a":1}'),
        ([1], 200, "application/json", b"[1]"),
        (User("x"), 200, "application/json", b'{"name":"x"}'),
        (Point(1), 200, "application/json", b'{"x":1}'),
        ([User("x")], 200, "application/json", b'[{"name":"x"}]'),
        (None, 204, None, b""),
        (202, 202, "text/plain; charset=utf-8", b"Accepted"),
        (HTTPStatus.NO_CONTENT, 204, None, b""),
        (404, 404, "text/plain; charset=utf-8", b"Not Found\n"),
        ((201, {"a": 1}), 201, "application/json", b'{"a":1}'),
        ((201, User("x")), 201, "application/json", b'{"name":"x"}'),
        ((201, {"x-a": "b"}, "t"), 201, "text/plain; charset=utf-8", b"t"),
        (JSON([1], 203), 203, "application/json", b"[1]"),
        (HTML("<p>"), 200, "text/html; charset=utf-8", b"<p>"),
        (PlainText("x", 400), 400, "text/plain; charset=utf-8", b"x"),
        (Empty(), 204, None, b""),
        (Response("x", 299, None, "text/x-a"), 299, "text/x-a", b"x"),
        ((418, JSON([1])), 418, "application/json", b"[1]"),
    ],
)
def test_values_are_answers(
    value: Any, status: int, media_type: str | None, content: bytes
) -> None:
    answer = answer_of(value)
    assert answer.status_code == status
    assert answer.headers.get("content-type") == media_type
    assert answer.content == content


def test_headers_of_a_tuple_and_of_a_response_are_sent() -> None:
    assert answer_of((200, {"x-a": "b"}, User("x"))).headers["x-a"] == "b"
    assert answer_of(JSON(1, headers={"x-a": "b"})).headers["x-a"] == "b"
    assert answer_of(Redirect("/x", 303)).headers["location"] == "/x"


def test_cookies_are_set() -> None:
    response = PlainText("x")
    response.set_cookie("a", "1")
    response.set_cookie("b", "2", http_only=True)
    assert answer_of(response).cookies == {"a": "1", "b": "2"}


@pytest.mark.parametrize("value", [object(), True, (1, 2, 3, 4), (99, "x"), User])
def test_what_is_no_answer_is_500_and_logged(
    value: Any, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR, "volo"):
        answer = answer_of(value)
    assert answer.status_code == 500
    assert answer.text == "Internal Server Error\n"
    assert len(caplog.records) == 1


@pytest.mark.parametrize(
    "error", [HTTPError(409, "taken"), HTTPError(400), HTTPError(599, "odd")]
)
@pytest.mark.parametrize("accept", [None, "application/json"])
def test_an_error_reads_as_one_from_c_does(error: HTTPError, accept: Any) -> None:
    """The library answers a status by itself; the same words come from here."""
    headers = None if accept is None else {"accept": accept}
    ours = answer_of(error, headers=headers)
    app = volo.App()

    @app.get("/")
    def handler(request: volo.Request) -> Any:
        return volo._cvolo.problem(request, error.status, error.detail)

    with TestClient(app) as client:
        theirs = client.get("/", headers=headers)
    assert ours.status_code == theirs.status_code == error.status
    assert ours.headers["content-type"] == theirs.headers["content-type"]
    assert ours.content == theirs.content


def test_a_problem_with_members_of_its_own() -> None:
    error = HTTPError(403, "no", {"x-a": "b"}, "/kinds/no", extra={"left": 0})
    answer = answer_of(error, headers={"accept": "application/problem+json"})
    assert answer.headers["x-a"] == "b"
    assert answer.json() == {
        "type": "/kinds/no",
        "title": "Forbidden",
        "status": 403,
        "detail": "no",
        "left": 0,
    }
    assert answer_of(Problem(403, "no")).json()["status"] == 403


def test_an_unexpected_error_is_500_and_tells_nothing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.ERROR, "volo"):
        answer = answer_of(ValueError("a secret"))
    assert answer.status_code == 500
    assert "secret" not in answer.text
    (record,) = caplog.records
    assert record.exc_info is not None and str(record.exc_info[1]) == "a secret"


def test_a_header_that_can_not_be_is_refused_where_it_is_set() -> None:
    with pytest.raises(ValueError, match="control character"):
        JSON(1, headers={"x-a": "b\r\nx: y"})


def test_structs_are_encoded_by_c_and_their_classes_are_not() -> None:
    def never(request: Any, value: Any) -> Any:
        raise AssertionError(f"asked for {value!r}")

    volo._cvolo.set_hooks(respond=never)
    try:
        assert answer_of(User("x")).json() == {"name": "x"}
        assert answer_of((201, {"x-a": "b"}, User("x"))).status_code == 201
        assert answer_of(User).status_code == 500
    finally:
        volo._cvolo.set_hooks(respond=respond)
