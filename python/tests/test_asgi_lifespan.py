# SPDX-License-Identifier: Apache-2.0
"""The lifespan protocol, with applications that know it and that do not."""

from __future__ import annotations

from typing import Any

import pytest
from served import Served

from volo.asgi import LifespanError

OK = {"type": "http.response.start", "status": 200, "headers": []}


class App:
    """Answers with what it has heard, and with the state of its lifespan."""

    def __init__(self, *answers: dict[str, Any]) -> None:
        self.heard: list[str] = []
        self.answers = list(answers)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await self.lifespan(scope, receive, send)
            return
        text = repr((self.heard, scope.get("state"))).encode()
        if "state" in scope:
            scope["state"]["n"] += 1
        await send(OK)
        await send({"type": "http.response.body", "body": text})

    async def lifespan(self, scope: Any, receive: Any, send: Any) -> None:
        assert scope["asgi"] == {"version": "3.0", "spec_version": "2.0"}
        scope["state"]["n"] = 1
        for answer in self.answers:
            self.heard.append((await receive())["type"])
            await send(answer)


STARTED = {"type": "lifespan.startup.complete"}
STOPPED = {"type": "lifespan.shutdown.complete"}


def test_it_starts_before_the_first_request_and_ends_after_the_last() -> None:
    app = App(STARTED, STOPPED)
    with Served(app) as server:
        assert server.get("/").text == "(['lifespan.startup'], {'n': 1})"
    assert app.heard == ["lifespan.startup", "lifespan.shutdown"]
    assert server.log.text == ""


def test_each_request_gets_a_copy_of_the_state() -> None:
    with Served(App(STARTED, STOPPED)) as server:
        assert server.get("/").text == server.get("/").text


@pytest.mark.parametrize("mode", ["auto", "on"])
def test_a_startup_that_fails_ends_the_start(mode: Any) -> None:
    app = App({"type": "lifespan.startup.failed", "message": "no database"})
    with pytest.raises(LifespanError, match="no database"), Served(app, lifespan=mode):
        pass


def test_a_shutdown_that_fails_is_told() -> None:
    app = App(STARTED, {"type": "lifespan.shutdown.failed", "message": "still busy"})
    with pytest.raises(LifespanError, match="still busy"), Served(app):
        pass


async def refuses(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] != "http":
        raise AssertionError("http only")
    assert "state" not in scope
    await send(OK)
    await send({"type": "http.response.body", "body": b"served"})


async def returns(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] == "http":
        await refuses(scope, receive, send)


@pytest.mark.parametrize("app", [refuses, returns])
def test_an_application_without_lifespan_is_served_all_the_same(app: Any) -> None:
    with Served(app) as server:
        assert server.get("/").text == "served"
    assert server.log.text == ""


@pytest.mark.parametrize("app", [refuses, returns])
def test_an_application_without_lifespan_is_refused_where_one_is_wanted(
    app: Any,
) -> None:
    with pytest.raises(LifespanError, match="no lifespan"), Served(app, lifespan="on"):
        pass


def test_a_lifespan_that_is_off_is_never_heard_of() -> None:
    app = App(STARTED, STOPPED)
    with Served(app, lifespan="off") as server:
        assert server.get("/").text == "([], None)"
    assert app.heard == []


def test_an_application_that_ends_its_lifespan_early_is_served_on() -> None:
    app = App(STARTED)
    with Served(app) as server:
        assert server.get("/").status == 200
    assert server.log.text == ""


def test_a_shutdown_that_raises_is_told() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send(STARTED)
        await receive()
        raise ValueError("at the end")

    with pytest.raises(LifespanError, match="shutdown") as caught, Served(app):
        pass
    assert isinstance(caught.value.__cause__, ValueError)
