# SPDX-License-Identifier: Apache-2.0
"""Exceptions that handlers are registered for, and those that nobody expects."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

import volo
from volo import HTTPError, Rejection, Request, Router, TestClient


class Base(Exception):
    pass


class Special(Base):
    pass


def raiser(error: Exception) -> Any:
    def raise_it() -> None:
        raise error

    return raise_it


def raiser_async(error: Exception) -> Any:
    async def raise_it() -> None:
        await asyncio.sleep(0)
        raise error

    return raise_it


RAISERS = [raiser, raiser_async]


@pytest.mark.parametrize("make", RAISERS)
def test_the_most_specific_type_decides(make: Any) -> None:
    app = volo.App()

    @app.exception_handler(Base)
    def base(request: Request, error: Base) -> tuple[int, str]:
        return 400, f"base {error} at {request.path}"

    @app.exception_handler(Special)
    def special(request: Request, error: Special) -> tuple[int, str]:
        return 401, "special"

    app.get("/base")(make(Base("x")))
    app.get("/special")(make(Special()))
    with TestClient(app) as client:
        found = [client.get(p) for p in ("/base", "/special")]
    assert [(r.status_code, r.text) for r in found] == [
        (400, "base x at /base"),
        (401, "special"),
    ]


@pytest.mark.parametrize("make", RAISERS)
def test_a_handler_of_exceptions_may_be_async(make: Any) -> None:
    app = volo.App()

    @app.exception_handler(Base)
    async def base(request: Request, error: Base) -> dict[str, str]:
        await asyncio.sleep(0)
        return {"error": str(error)}

    app.get("/")(make(Base("x")))
    with TestClient(app) as client:
        assert client.get("/").json() == {"error": "x"}


def test_an_inner_router_goes_before_an_outer_one() -> None:
    app, inner = volo.App(), Router()
    app.exception_handler(Base)(lambda request, error: "outer")
    inner.exception_handler(Base)(lambda request, error: "inner")
    app.get("/")(raiser(Base()))
    inner.get("/")(raiser(Base()))
    app.nest("/in", inner)
    with TestClient(app) as client:
        assert client.get("/").text == "outer"
        assert client.get("/in").text == "inner"


def test_a_status_goes_before_the_type() -> None:
    app = volo.App()
    app.exception_handler(HTTPError)(lambda request, error: (error.status, "any"))
    app.exception_handler(418)(lambda request, error: (error.status, "teapot"))
    app.get("/418")(raiser(HTTPError(418)))
    app.get("/409")(raiser(HTTPError(409)))
    with TestClient(app) as client:
        assert client.get("/418").text == "teapot"
        assert client.get("/409").text == "any"


def test_404_and_405_can_be_answered_by_a_handler() -> None:
    app = volo.App()
    app.exception_handler(404)(lambda request, error: (404, "nothing there"))
    app.exception_handler(405)(lambda request, error: (405, "not so"))
    app.get("/here")(lambda: "ok")
    with TestClient(app) as client:
        absent, method = client.get("/absent"), client.post("/here")
        assert client.options("/here").status_code == 204
    assert (absent.status_code, absent.text) == (404, "nothing there")
    assert (method.status_code, method.text) == (405, "not so")
    assert "GET" in method.headers["allow"]


def test_what_cannot_be_bound_reaches_a_handler_too() -> None:
    app = volo.App()

    @app.exception_handler(Rejection)
    def rejected(request: Request, error: Rejection) -> Any:
        return 499, [[e.field, e.where] for e in error.errors]

    @app.get("/{id}")
    def show(id: int) -> str:
        return str(id)

    with TestClient(app) as client:
        response = client.get("/x")
    assert (response.status_code, response.json()) == (499, [["id", "path"]])


def test_a_handler_of_exceptions_that_raises_is_500() -> None:
    app = volo.App()

    @app.exception_handler(Base)
    def worse(request: Request, error: Base) -> None:
        raise ValueError("worse")

    app.get("/")(raiser(Base()))
    with TestClient(app, raise_exceptions=False) as client:
        assert client.get("/").status_code == 500
    with TestClient(app) as client, pytest.raises(ValueError, match="worse"):
        client.get("/")


@pytest.mark.parametrize("make", RAISERS)
def test_what_nobody_expects_is_logged_with_its_traceback(
    make: Any, caplog: pytest.LogCaptureFixture
) -> None:
    app = volo.App()
    app.get("/")(make(ZeroDivisionError("on purpose")))
    with TestClient(app, raise_exceptions=False) as client:
        response = client.get("/", headers={"accept": "application/json"})
    assert response.status_code == 500
    assert response.headers["content-type"] == "application/problem+json"
    assert "on purpose" not in response.text
    (record,) = [r for r in caplog.records if r.name == "volo"]
    assert record.exc_info and record.exc_info[2] is not None
    assert "raise_it" in (caplog.text)
