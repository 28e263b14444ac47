# SPDX-License-Identifier: Apache-2.0
"""Streams and files, as clients see them, and what becomes of their sources."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import logging
import pathlib
import socket
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest

import volo
from volo import File, HTTPError, Stream
from volo.testing import TestClient

DEADLINE = 30.0  # seconds, against hanging
PIECE = b"x" * 65536


def request(handler: Any, method: str = "GET", **given: Any) -> Any:
    app = volo.App()
    app.get("/")(handler)
    with TestClient(app, raise_exceptions=False) as client:
        return client.request(method, "/", **given)


def test_a_generator_of_text_is_text_and_one_of_octets_is_not() -> None:
    def text() -> Iterator[str]:
        yield "ä"
        yield "b"

    def octets() -> Iterator[bytes]:
        yield b"\xff"
        yield b""
        yield b"\x00"

    answer = request(text)
    assert answer.text == "äb"
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    answer = request(octets)
    assert answer.content == b"\xff\x00"
    assert answer.headers["content-type"] == "application/octet-stream"


def test_a_generator_that_gives_nothing_is_an_empty_answer() -> None:
    def handler() -> Iterator[str]:
        yield from ()

    answer = request(handler)
    assert (answer.status_code, answer.content) == (200, b"")


async def async_pieces() -> AsyncIterator[str]:
    yield "a"
    await asyncio.sleep(0)
    yield "b"


async def nowait_list() -> Any:
    return Stream(["a", "b"], media_type="text/x-a")


async def nowait_async() -> Any:
    return Stream(async_pieces(), media_type="text/x-a")


async def nowait_generator() -> Any:
    return (piece for piece in "ab")


async def waits_list() -> Any:
    await asyncio.sleep(0)
    return Stream(["a", "b"], 201, {"x-a": "b"})


def plain_list() -> Any:
    return Stream([bytearray(b"a"), memoryview(b"b")], length=2)


@pytest.mark.parametrize(
    "handler",
    [
        async_pieces,
        nowait_list,
        nowait_async,
        nowait_generator,
        waits_list,
        plain_list,
    ],
)
def test_every_kind_of_handler_streams_every_kind_of_source(handler: Any) -> None:
    assert request(handler).content == b"ab"


def test_status_headers_and_length_are_those_of_the_stream() -> None:
    answer = request(waits_list)
    assert answer.status_code == 201
    assert answer.headers["x-a"] == "b"
    assert "content-length" not in answer.headers
    assert request(plain_list).headers["content-length"] == "2"


def test_a_stream_in_a_tuple_has_its_status_and_headers() -> None:
    def handler() -> Any:
        return 202, {"x-a": "b"}, iter(["a"])

    answer = request(handler)
    assert (answer.status_code, answer.headers["x-a"]) == (202, "b")
    assert answer.content == b"a"


@pytest.mark.parametrize("is_async", [False, True])
def test_what_is_raised_before_the_first_piece_is_answered(is_async: bool) -> None:
    def plain() -> Iterator[str]:
        raise HTTPError(403, "not you")
        yield "a"

    async def waits() -> AsyncIterator[str]:
        raise HTTPError(403, "not you")
        yield "a"

    answer = request(waits if is_async else plain)
    assert answer.status_code == 403
    assert answer.text == "Forbidden: not you\n"


@pytest.mark.parametrize("is_async", [False, True])
def test_what_is_raised_later_cuts_the_answer_off(
    is_async: bool, caplog: pytest.LogCaptureFixture
) -> None:
    def plain() -> Iterator[str]:
        yield "a"
        raise ValueError("late")

    async def waits() -> AsyncIterator[str]:
        yield "a"
        raise ValueError("late")

    with caplog.at_level(logging.ERROR, "volo"), pytest.raises(volo.VoloError):
        request(waits if is_async else plain)
    (record,) = caplog.records
    assert record.exc_info is not None
    assert str(record.exc_info[1]) == "late"


@pytest.mark.parametrize("content", [[b"ab"], [b"abcd"]])
def test_a_stream_of_another_length_than_announced_is_cut_off(
    content: list[bytes], caplog: pytest.LogCaptureFixture
) -> None:
    def handler() -> Any:
        return Stream(content, length=3)

    with caplog.at_level(logging.ERROR, "volo"), pytest.raises(volo.VoloError):
        request(handler)
    assert "broke off" in caplog.text


def test_a_piece_that_is_neither_octets_nor_text_is_an_error(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def handler() -> Iterator[Any]:
        yield 3

    assert request(handler).status_code == 500
    assert "a stream gives bytes or str, and not int: 3" in caplog.text


def test_a_plain_handler_can_not_send_an_async_iterable(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def handler() -> Any:
        return Stream(async_pieces())

    assert request(handler).status_code == 500
    assert "async def" in caplog.text


def test_a_head_request_has_the_head_of_a_stream() -> None:
    answer = request(plain_list, "HEAD")
    assert answer.content == b""
    assert answer.headers["content-length"] == "2"


# ---- Back-pressure, and clients that leave ---------------------------------------


class Source:
    """Gives pieces for ever, and knows how many and when it was closed."""

    def __init__(self) -> None:
        self.given = 0
        self.closed = threading.Event()

    def plain(self) -> Iterator[bytes]:
        try:
            while True:
                self.given += 1
                yield PIECE
        finally:
            self.closed.set()

    async def waiting(self) -> AsyncIterator[bytes]:
        try:
            while True:
                self.given += 1
                yield PIECE
        finally:
            self.closed.set()


def serve(app: volo.App, act: Callable[[socket.socket], Any]) -> Any:
    """Run ``act`` on a thread with a connection to a server of ``app``."""

    async def main() -> Any:
        async with volo.Server(app, host="127.0.0.1", port=0) as server:
            return await asyncio.to_thread(with_socket, server.port)

    def with_socket(port: int) -> Any:
        with socket.create_connection(("127.0.0.1", port), DEADLINE) as s:
            s.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            return act(s)

    return asyncio.run(main())


@pytest.mark.parametrize("kind", ["plain", "waiting", "nowait"])
def test_who_reads_slowly_holds_the_source_up_and_who_leaves_ends_it(
    kind: str,
) -> None:
    source, app = Source(), volo.App()

    def plain() -> Any:
        return Stream(source.plain())

    async def waiting() -> Any:
        await asyncio.sleep(0)
        return Stream(source.waiting())

    async def nowait() -> Any:
        return Stream(source.waiting())

    app.get("/")({"plain": plain, "waiting": waiting, "nowait": nowait}[kind])

    def act(s: socket.socket) -> int:
        s.recv(1000)
        # It stops by itself: nobody reads. Until then, it goes on.
        before, quiet = -1, 0
        while quiet < 5:
            quiet = quiet + 1 if source.given == before else 0
            before = source.given
            threading.Event().wait(0.05)
        return before

    given = serve(app, act)
    assert source.closed.wait(DEADLINE)
    assert given * len(PIECE) < 64 << 20
    assert source.given <= given + 1


# ---- Files -----------------------------------------------------------------------


@pytest.fixture
def page(tmp_path: pathlib.Path) -> pathlib.Path:
    path = tmp_path / "page.html"
    path.write_bytes(b"<p>" * 100_000)
    return path


@pytest.mark.parametrize("kind", ["plain", "waiting", "nowait"])
def test_a_file_is_sent_with_length_type_and_date(
    kind: str, page: pathlib.Path
) -> None:
    def plain() -> Any:
        return page

    async def waiting() -> Any:
        await asyncio.sleep(0)
        return File(page)

    async def nowait() -> Any:
        return File(page)

    handler = {"plain": plain, "waiting": waiting, "nowait": nowait}[kind]
    answer = request(handler)
    assert answer.content == page.read_bytes()
    assert answer.headers["content-length"] == "300000"
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["last-modified"].endswith(" GMT")
    head = request(handler, "HEAD")
    assert head.content == b""
    assert head.headers["content-length"] == "300000"


@pytest.mark.parametrize("name", ["missing", ".", "missing/page", "page.html/x"])
def test_a_file_that_is_none_is_404(name: str, page: pathlib.Path) -> None:
    def handler() -> Any:
        return File(page.parent / name)

    assert request(handler).status_code == 404


def test_a_file_may_have_another_type_status_and_name(page: pathlib.Path) -> None:
    def handler() -> Any:
        return File(page, 203, {"x-a": "b"}, "text/x-a", download="a b.html")

    answer = request(handler)
    assert answer.status_code == 203
    assert answer.headers["content-type"] == "text/x-a"
    assert answer.headers["content-disposition"] == 'attachment; filename="a b.html"'


def test_an_empty_file_is_an_empty_answer(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "empty"
    path.touch()
    answer = request(lambda: path)
    assert (answer.status_code, answer.content) == (200, b"")


def test_a_generator_keeps_its_context_variables() -> None:
    name = contextvars.ContextVar("name", default="none")

    def handler() -> Iterator[str]:
        name.set("mine")
        yield "x" * 300_000
        yield name.get()

    assert request(handler).text.endswith("xmine")


def test_slow_clients_of_generators_hold_no_thread() -> None:
    app = volo.App()

    @app.get("/")
    def endless() -> Iterator[bytes]:
        while True:
            yield PIECE

    app.get("/quick")(lambda: "quick")

    def act(first: socket.socket) -> bytes:
        with contextlib.ExitStack() as stack:
            slow = [first]
            for _ in range(60):  # more than there are threads
                s = socket.create_connection(first.getpeername(), DEADLINE)
                slow.append(stack.enter_context(s))
                s.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            for s in slow:
                assert s.recv(1) == b"H"
            return quick(first)

    assert serve(app, act).endswith(b"quick")


def quick(other: socket.socket) -> bytes:
    """What a plain handler of the same server answers."""
    with socket.create_connection(other.getpeername(), DEADLINE) as s:
        s.sendall(b"GET /quick HTTP/1.0\r\n\r\n")
        return s.makefile("rb").read()


def test_a_file_name_with_a_nul_in_it_is_404() -> None:
    assert request(lambda: File("a\0b")).status_code == 404


def test_a_file_that_may_not_be_read_is_403(
    page: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Who runs this may be root, for whom no file is closed.
    monkeypatch.setattr("os.access", lambda path, mode: False)
    assert request(lambda: File(page)).status_code == 403


def test_a_missing_file_is_seen_by_a_handler_of_exceptions(
    tmp_path: pathlib.Path,
) -> None:
    app = volo.App()

    @app.exception_handler(404)
    def missing(request: volo.Request, error: HTTPError) -> Any:
        return 404, "gone"

    @app.get("/")
    def handler() -> Any:
        return File(tmp_path / "missing")

    with TestClient(app) as client:
        assert client.get("/").text == "gone"


def test_slow_clients_of_files_hold_no_thread(tmp_path: pathlib.Path) -> None:
    path, app = tmp_path / "large", volo.App()
    path.write_bytes(bytes(32 << 20))
    app.get("/")(lambda: path)
    app.get("/quick")(lambda: "quick")

    def act(first: socket.socket) -> bytes:
        with contextlib.ExitStack() as stack:
            slow = [first]
            for _ in range(60):  # more than there are threads
                s = socket.create_connection(first.getpeername(), DEADLINE)
                slow.append(stack.enter_context(s))
                s.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            for s in slow:
                assert s.recv(1) == b"H"
            return quick(first)

    assert serve(app, act).endswith(b"quick")
