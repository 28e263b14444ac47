# SPDX-License-Identifier: Apache-2.0
"""Dependencies on the way of real requests, and when their rest is run."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from typing import Annotated, Any

import pytest

import volo
from volo import Depends, Header, HTTPError, Rejection, Request
from volo.testing import TestClient

DEADLINE = 30.0  # seconds, against hanging


class Log(list[str]):
    """What has happened, and a way to wait for the last of it."""

    def __init__(self) -> None:
        super().__init__()
        self.done = threading.Event()

    def end(self, word: str) -> None:
        self.append(word)
        self.done.set()

    def wait(self) -> Log:
        assert self.done.wait(DEADLINE), "the rest was never run"
        return self


@pytest.fixture
def log() -> Log:
    return Log()


def get(handler: Any, url: str = "/", layer: Any = None, **options: Any) -> Any:
    app = volo.App()
    if layer is not None:
        app.layer(layer)
    app.get("/")(handler)
    headers = options.pop("headers", None)
    with TestClient(app, raise_exceptions=False, **options) as client:
        return client.get(url, headers=headers)


def session(log: Log) -> Any:
    def open_session() -> Iterator[str]:
        log.append("open")
        try:
            yield "session"
        except BaseException as error:
            log.append(type(error).__name__)
            raise
        finally:
            log.end("close")

    return open_session


def test_the_rest_is_run_after_the_handler(log: Log) -> None:
    def handler(s: Annotated[str, Depends(session(log))]) -> str:
        log.append("handler")
        return s

    assert get(handler).text == "session"
    assert log.wait() == ["open", "handler", "close"]


def test_the_rest_is_run_after_the_layers(log: Log) -> None:
    def handler(s: Annotated[str, Depends(session(log))]) -> str:
        return s

    def layer(request: Request, next: Any) -> Any:
        response = next(request)
        log.append("layer")
        return response

    assert get(handler, layer=layer).text == "session"
    assert log.wait() == ["open", "layer", "close"]


def test_the_rest_is_run_after_a_stream(log: Log) -> None:
    def handler(s: Annotated[str, Depends(session(log))]) -> Iterator[str]:
        yield "a"
        log.append("between")
        yield "b"

    assert get(handler).text == "ab"
    assert log.wait() == ["open", "between", "close"]


def test_the_rest_is_run_after_an_async_stream(log: Log) -> None:
    async def handler(
        s: Annotated[str, Depends(session(log))],
    ) -> AsyncIterator[str]:
        yield "a"
        await asyncio.sleep(0)
        log.append("between")
        yield "b"

    assert get(handler).text == "ab"
    assert log.wait() == ["open", "between", "close"]


@pytest.mark.parametrize("is_async", [False, True])
def test_what_a_handler_raises_reaches_its_providers(log: Log, is_async: bool) -> None:
    def plain(s: Annotated[str, Depends(session(log))]) -> None:
        raise HTTPError(409, "taken")

    async def waits(s: Annotated[str, Depends(session(log))]) -> None:
        await asyncio.sleep(0)
        raise HTTPError(409, "taken")

    answer = get(waits if is_async else plain)
    assert answer.status_code == 409
    assert log.wait() == ["open", "HTTPError", "close"]


def test_a_value_that_is_no_answer_reaches_the_providers(log: Log) -> None:
    def handler(s: Annotated[str, Depends(session(log))]) -> Any:
        return object()

    assert get(handler).status_code == 500
    assert log.wait() == ["open", "TypeError", "close"]


def test_a_request_that_is_refused_opens_nothing(log: Log) -> None:
    def handler(s: Annotated[str, Depends(session(log))], n: int) -> str:
        return s

    assert get(handler, "/?n=x").status_code == 400
    assert log == []


def test_a_provider_may_refuse(log: Log) -> None:
    def user(authorization: Annotated[str, Header()] = "") -> str:
        if not authorization:
            raise HTTPError(401, headers={"www-authenticate": "Bearer"})
        return authorization

    def handler(u: Annotated[str, Depends(user)]) -> str:
        return u

    refused = get(handler)
    assert refused.status_code == 401
    assert refused.headers["www-authenticate"] == "Bearer"
    assert get(handler, headers={"authorization": "me"}).text == "me"


def test_an_extractor_may_reject_with_a_field_and_a_reason() -> None:
    class Page:
        def __init__(self, number: int) -> None:
            self.number = number

        @classmethod
        def __volo_extract__(cls, request: Request) -> Page:
            text = request.query.get("page", "1")
            if not text.isdigit():
                raise Rejection.of("page", "query", "must be a page")
            return cls(int(text))

    def handler(page: Page) -> dict[str, int]:
        return {"page": page.number}

    assert get(handler, "/?page=3").json() == {"page": 3}
    refused = get(handler, "/?page=x")
    assert refused.status_code == 422
    assert refused.text == "Unprocessable Content\nquery page: must be a page\n"


def test_providers_are_replaced_in_tests() -> None:
    def real() -> str:
        raise AssertionError("not to be called")

    def handler(x: Annotated[str, Depends(real)]) -> str:
        return x

    assert get(handler, overrides={real: lambda: "fake"}).text == "fake"


def test_many_requests_leave_nothing_open(log: Log) -> None:
    is_open: list[int] = []

    def provider() -> Iterator[None]:
        is_open.append(1)
        yield
        is_open.pop()

    async def aprovider() -> AsyncIterator[None]:
        is_open.append(1)
        yield
        is_open.pop()

    async def handler(
        a: Annotated[None, Depends(provider)], b: Annotated[None, Depends(aprovider)]
    ) -> int:
        return 204

    app = volo.App()
    app.get("/")(handler)
    with TestClient(app) as client:
        for _ in range(50):
            assert client.get("/").status_code == 204
    assert is_open == []
