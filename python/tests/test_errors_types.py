# SPDX-License-Identifier: Apache-2.0
"""Exceptions, who answers them, and what the answer says."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest

from volo.errors import (
    ErrorHandlers,
    HTTPError,
    Invalid,
    RegistrationError,
    Rejection,
    VoloError,
)
from volo.problem import render, wants_json
from volo.respond import on_error


class Broken(Exception):
    pass


class VeryBroken(Broken):
    pass


class FakeRequest:
    method = "GET"
    path = "/broken"

    def __init__(self, accept: str | None = None) -> None:
        self.headers = {} if accept is None else {"accept": accept}


def handler(request: Any, error: Any) -> Any:
    return None


def other(request: Any, error: Any) -> Any:
    return None


def test_an_http_error_keeps_what_it_was_told() -> None:
    error = HTTPError(404, "no such user", {"x-a": "b"}, "/problems/user")
    assert (error.status, error.detail, error.type) == (
        404,
        "no such user",
        "/problems/user",
    )
    assert error.headers == {"x-a": "b"}
    assert str(error) == "404 Not Found: no such user"
    assert str(HTTPError(503)) == "503 Service Unavailable"
    assert str(HTTPError(599)) == "599"


@pytest.mark.parametrize("status", [0, 200, 399, 600])
def test_a_status_that_is_no_error_is_refused(status: int) -> None:
    with pytest.raises(ValueError, match=str(status)):
        HTTPError(status)


def test_errors_of_the_library_have_code_name_and_text() -> None:
    error = VoloError(-3, "VOLO_EEXIST", "GET /a exists already")
    assert (error.code, error.name) == (-3, "VOLO_EEXIST")
    assert str(error) == "GET /a exists already (VOLO_EEXIST)"


def test_a_registration_error_is_a_type_error() -> None:
    error = RegistrationError("app.user", "id", "is odd")
    assert isinstance(error, TypeError)
    assert str(error) == "app.user: parameter 'id' is odd"
    assert str(RegistrationError("app.user", None, "is odd")) == "app.user: is odd"


def test_a_rejection_is_made_of_tuples_too() -> None:
    error = Rejection([("page", "query", "is missing")], 400)
    assert error.errors == (Invalid("page", "query", "is missing"),)
    assert error.status == 400
    assert "query page is missing" in str(error)
    assert Rejection.of("a", "body", "is odd").status == 422


# ---- Who answers ---------------------------------------------------------------


def test_the_nearest_base_of_an_exception_is_asked() -> None:
    handlers = ErrorHandlers({Broken: handler, Exception: other})
    assert handlers.find(VeryBroken()) is handler
    assert handlers.find(ValueError()) is other
    assert handlers.find(KeyboardInterrupt()) is None


def test_a_status_goes_before_the_type() -> None:
    handlers = ErrorHandlers({HTTPError: other, 404: handler})
    assert handlers.find(HTTPError(404)) is handler
    assert handlers.find(HTTPError(403)) is other
    assert handlers.find(Rejection([], 404)) is handler


def test_handlers_around_are_asked_for_what_is_not_found() -> None:
    outer = ErrorHandlers({Broken: other})
    inner = ErrorHandlers({VeryBroken: handler}, outer)
    assert inner.find(VeryBroken()) is handler
    assert inner.find(Broken()) is other
    assert inner.find(ValueError()) is None
    assert bool(inner) and bool(ErrorHandlers(outer=outer))
    assert not ErrorHandlers()


@pytest.mark.parametrize("what", [int, "x", True, BaseException, None])
def test_what_can_not_be_raised_and_is_no_status_is_refused(what: Any) -> None:
    with pytest.raises(TypeError):
        ErrorHandlers().add(what, handler)


def test_a_handler_that_can_not_be_called_is_refused() -> None:
    with pytest.raises(TypeError, match="called"):
        ErrorHandlers().add(ValueError, 3)  # type: ignore[arg-type]


# ---- What the answer says --------------------------------------------------------


@pytest.mark.parametrize(
    ("accept", "json_wanted"),
    [
        (None, False),
        ("", False),
        ("*/*", False),
        ("text/html, */*;q=0.8", False),
        ("application/json", True),
        ("text/html, Application/Problem+JSON; q=0.1", True),
        ("application/json;q=0", False),
        ("application/json;q=0.000", False),
        ("application/json;q=high", False),
        ("application/json;charset=utf-8;q=1.0", True),
    ],
)
def test_only_who_names_json_gets_it(accept: str | None, json_wanted: bool) -> None:
    assert wants_json(accept) is json_wanted


def test_a_problem_as_text() -> None:
    body, media_type = render(HTTPError(404, "no\nuser"), None)
    assert body == b"Not Found: no?user\n"
    assert media_type == "text/plain; charset=utf-8"
    assert render(HTTPError(404, "not found"), None)[0] == b"Not Found\n"
    assert render(HTTPError(599), None)[0] == b"599\n"


def test_a_problem_as_json() -> None:
    error = HTTPError(
        409, "by ada", type="/taken", title="Taken", extra={"owner": "ada"}
    )
    body, media_type = render(error, "application/json")
    assert media_type == "application/problem+json"
    assert json.loads(body) == {
        "type": "/taken",
        "title": "Taken",
        "status": 409,
        "detail": "by ada",
        "owner": "ada",
    }


def test_a_rejection_names_fields_places_and_reasons() -> None:
    error = Rejection([("id", "path", "is odd"), ("body", "body", "is no JSON")], 400)
    text = b"Bad Request\npath id: is odd\nbody: is no JSON\n"
    assert render(error, None)[0] == text
    problem = json.loads(render(error, "application/json")[0])
    assert problem == {
        "title": "Bad Request",
        "status": 400,
        "errors": [
            {"field": "id", "in": "path", "reason": "is odd"},
            {"field": "body", "in": "body", "reason": "is no JSON"},
        ],
    }


def test_members_of_ones_own_do_not_replace_those_there_are() -> None:
    error = HTTPError(400, "x", extra={"status": 200, "more": 1})
    assert json.loads(render(error, "application/json")[0])["status"] == 400


def test_what_nobody_expected_is_500_and_logged_with_its_traceback(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.ERROR, "volo"):
        response = on_error(FakeRequest(), Broken("inside"))
    assert response.status == 500
    assert response.body == b"Internal Server Error\n"
    (record,) = caplog.records
    assert record.name == "volo"
    assert "GET /broken" in record.getMessage()
    assert record.exc_info is not None
    assert isinstance(record.exc_info[1], Broken)


def test_an_http_error_is_answered_and_not_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    error = HTTPError(401, headers={"www-authenticate": "Bearer"})
    response = on_error(FakeRequest("application/json"), error)
    assert response.status == 401
    assert response.media_type == "application/problem+json"
    assert response.headers["www-authenticate"] == "Bearer"
    assert not caplog.records
