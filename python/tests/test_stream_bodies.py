# SPDX-License-Identifier: Apache-2.0
"""Bodies as they come and as they go, from threads and from asyncio."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from live import ASYNC, SYNC, Live
from waiting import DEADLINE, until

from volo import Response, VoloError, _cvolo

KINDS = pytest.mark.parametrize("kind", [SYNC, ASYNC], ids=["thread", "asyncio"])


def _either(kind: int, thread: Any, aio: Any) -> Any:
    return thread if kind == SYNC else aio


# ---- Reading -----------------------------------------------------------------------


def _lengths(request: Any) -> str:
    return str(sum(len(piece) for piece in _cvolo.Reader(request)))


async def _alengths(request: Any) -> str:
    return str(sum([len(piece) async for piece in _cvolo.Reader(request)]))


def _whole(request: Any) -> bytes:
    reader = _cvolo.Reader(request)
    body = reader.read()
    assert reader.read() == reader.read(5) == b""
    return bytes(body)


async def _awhole(request: Any) -> bytes:
    reader = _cvolo.Reader(request)
    body = await reader.aread()
    assert await reader.aread() == await reader.aread(5) == b""
    return bytes(body)


def _by_seven(request: Any) -> bytes:
    reader = _cvolo.Reader(request)
    pieces = list(iter(lambda: reader.read(7), b""))
    assert all(0 < len(piece) <= 7 for piece in pieces)
    return b"".join(pieces)


async def _aby_seven(request: Any) -> bytes:
    reader, pieces = _cvolo.Reader(request), []
    while piece := await reader.aread(7):
        assert len(piece) <= 7
        pieces.append(piece)
    return b"".join(pieces)


def _pieces(size: int, step: int = 50_000) -> Iterator[bytes]:
    whole = bytes(range(256)) * (size // 256 + 1)
    for at in range(0, size, step):
        yield whole[at : min(at + step, size)]


@KINDS
@pytest.mark.parametrize("size", [0, 1, 70_000, 1_500_000])
def test_a_body_is_iterated_to_its_end(kind: int, size: int) -> None:
    live = Live()
    live.add("POST", "/", _either(kind, _lengths, _alengths), kind, streaming=True)
    with live:
        body = b"".join(_pieces(size))
        assert live.call("POST", "/", body) == (200, str(size).encode())
        answer = live.call("POST", "/", _pieces(size), encode_chunked=True)
        assert answer == (200, str(size).encode())


@KINDS
@pytest.mark.parametrize("size", [0, 1, 70_000, 1_500_000])
def test_a_body_is_read_whole(kind: int, size: int) -> None:
    live = Live()
    live.add("POST", "/", _either(kind, _whole, _awhole), kind, streaming=True)
    with live:
        body = b"".join(_pieces(size))
        assert live.call("POST", "/", body) == (200, body)


@KINDS
def test_a_body_is_read_in_pieces_of_any_size(kind: int) -> None:
    live = Live()
    live.add("POST", "/", _either(kind, _by_seven, _aby_seven), kind, streaming=True)
    with live:
        body = b"".join(_pieces(20_000))
        assert live.call("POST", "/", body) == (200, body)


@KINDS
def test_a_body_beyond_its_limit_is_an_error_that_makes_413(kind: int) -> None:
    errors: list[str] = []

    def thread(request: Any) -> str:
        try:
            return _lengths(request)
        except VoloError as error:
            errors.append(error.name)
            raise

    async def aio(request: Any) -> str:
        try:
            return await _alengths(request)
        except VoloError as error:
            errors.append(error.name)
            raise

    live = Live()
    live.add("POST", "/", _either(kind, thread, aio), kind, streaming=True)
    with live:
        pieces = _pieces(2_100_000)
        status, _ = live.call("POST", "/", pieces, encode_chunked=True)
        assert status == 413
    assert errors == ["VOLO_ETOOBIG"]


@KINDS
def test_a_client_that_leaves_in_the_middle_ends_the_reading(kind: int) -> None:
    ended = threading.Event()
    began = threading.Event()

    def thread(request: Any) -> str:
        try:
            for _ in _cvolo.Reader(request):
                began.set()
        except VoloError as error:
            assert error.name == "VOLO_ECANCELED"
            ended.set()
        return ""

    async def aio(request: Any) -> str:
        try:
            async for _ in _cvolo.Reader(request):
                began.set()
        except (VoloError, asyncio.CancelledError):
            ended.set()
            raise
        return ""

    live = Live()
    live.add("POST", "/", _either(kind, thread, aio), kind, streaming=True)
    with live:
        client = live.connect()
        client.socket.sendall(
            b"POST / HTTP/1.1\r\nHost: t\r\nContent-Length: 1000\r\n\r\nsome"
        )
        assert began.wait(DEADLINE)
        client.close()
        assert ended.wait(DEADLINE)


@KINDS
def test_who_does_not_read_holds_the_peer_back(kind: int) -> None:
    go = threading.Event()
    waiting: list[asyncio.Event] = []

    def thread(request: Any) -> str:
        reader = _cvolo.Reader(request)
        first = len(reader.read(1))
        assert go.wait(DEADLINE)
        return str(first + sum(len(piece) for piece in reader))

    async def aio(request: Any) -> str:
        reader = _cvolo.Reader(request)
        first = len(await reader.aread(1))
        waiting.append(asyncio.Event())
        await waiting[0].wait()
        return str(first + sum([len(piece) async for piece in reader]))

    def release() -> None:
        go.set()
        if kind == ASYNC:
            until(lambda: bool(waiting))
            live.on_loop(waiting[0].set)

    size = 64 << 20
    live = Live()
    live.add("POST", "/", _either(kind, thread, aio), kind, streaming=True)
    live.body_limit = size
    with live:
        client = live.connect()
        client.socket.sendall(
            b"POST / HTTP/1.1\r\nHost: t\r\nContent-Length: %d\r\n\r\n" % size
        )
        client.socket.setblocking(False)
        sent = _send_what_fits(client.socket, size)
        assert sent < size, "all of it was taken"
        release()
        client.socket.settimeout(DEADLINE)
        client.socket.sendall(bytes(size - sent))
        assert client.receive() == (200, str(size).encode())
        client.close()


def _send_what_fits(socket: Any, size: int) -> int:
    """Until nothing more has been taken for a while."""
    sent = quiet = 0
    piece = bytes(1 << 20)
    pause = threading.Event()
    while quiet < 20 and sent < size:
        try:
            sent += socket.send(piece[: size - sent])
            quiet = 0
        except BlockingIOError:
            quiet += 1
            pause.wait(0.01)
    return sent


def test_reading_would_not_block_the_event_loop() -> None:
    async def wrong(request: Any) -> str:
        with pytest.raises(RuntimeError, match="await"):
            _cvolo.Reader(request).read()
        return "refused"

    live = Live()
    live.add("POST", "/", wrong, ASYNC, streaming=True)
    with live:
        client = live.connect()
        client.socket.sendall(
            b"POST / HTTP/1.1\r\nHost: t\r\nContent-Length: 4\r\n\r\n"
        )
        assert client.receive() == (200, b"refused")
        client.close()


def test_what_is_not_read_is_no_harm() -> None:
    def some(request: Any) -> str:
        return str(len(_cvolo.Reader(request).read(1)))

    live = Live()
    live.add("POST", "/", some, SYNC, streaming=True)
    with live:
        assert live.call("POST", "/", b"x" * 300_000) == (200, b"1")
        assert live.call("POST", "/", b"x") == (200, b"1")


# ---- Writing -----------------------------------------------------------------------


def _writing(kind: int, count: int, piece: bytes, seen: Callable[[Any], None]) -> Any:
    def thread(request: Any) -> Response:
        writer = _cvolo.Writer(request, Response(None, 200, {"x-a": "b"}, "text/x"))
        for _ in range(count):
            while not writer.write(piece):
                seen(writer)
                assert writer.wait()
        writer.trailer("x-sum", "17")
        writer.end()
        return Response(None)

    async def aio(request: Any) -> Response:
        writer = _cvolo.Writer(request, Response(None, 200, {"x-a": "b"}, "text/x"))
        for _ in range(count):
            while not writer.write(piece):
                seen(writer)
                await writer.drained()
        writer.trailer("x-sum", "17")
        writer.end()
        return Response(None)

    return _either(kind, thread, aio)


@KINDS
@pytest.mark.parametrize("size", [1, 5000])
def test_an_answer_is_written_piece_by_piece(kind: int, size: int) -> None:
    live = Live()
    live.add("GET", "/", _writing(kind, 100, b"x" * size, lambda w: None), kind)
    with live:
        assert live.call("GET", "/") == (200, b"x" * size * 100)
        client = live.connect()
        client.socket.sendall(b"GET / HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n")
        octets = b"".join(iter(lambda: client.socket.recv(65536), b""))
        head = octets[: octets.index(b"\r\n\r\n")].lower()
        assert b"\r\nx-a: b\r\n" in head
        assert b"content-type: text/x" in head
        assert octets.endswith(b"\r\n0\r\nx-sum: 17\r\n\r\n")
        client.close()


@KINDS
def test_a_slow_client_holds_the_writer_back(kind: int) -> None:
    held = threading.Event()
    most = 0

    def seen(writer: Any) -> None:
        nonlocal most
        most = max(most, writer.pending)
        held.set()

    piece = b"x" * 10_000
    live = Live()
    live.add("GET", "/", _writing(kind, 3000, piece, seen), kind)
    with live:
        client = live.connect()
        client.send("/")
        assert held.wait(DEADLINE)
        assert live.call("GET", "/missing")[0] == 404
        client.socket.settimeout(DEADLINE)
        got = 0
        while got < 3000 * len(piece):
            got += len(client.socket.recv(1 << 20))
        client.close()
    assert most <= 65536 + len(piece)


@KINDS
def test_a_client_that_leaves_wakes_who_waits_for_room(kind: int) -> None:
    held = threading.Event()
    ended = threading.Event()

    def thread(request: Any) -> None:
        writer = _cvolo.Writer(request)
        try:
            while True:
                while not writer.write(bytes(10_000)):
                    held.set()
                    writer.wait()
        except VoloError as error:
            assert error.name == "VOLO_ECANCELED"
            assert writer.canceled
            ended.set()

    async def aio(request: Any) -> None:
        writer = _cvolo.Writer(request)
        try:
            while True:
                while not writer.write(bytes(10_000)):
                    held.set()
                    await writer.drained()
        except VoloError as error:
            assert error.name == "VOLO_ECANCELED"
            assert writer.canceled
            ended.set()

    live = Live()
    live.add("GET", "/", _either(kind, thread, aio), kind)
    with live:
        client = live.connect()
        client.send("/")
        assert held.wait(DEADLINE)
        client.close()
        assert ended.wait(DEADLINE)


@KINDS
def test_head_is_answered_and_the_writer_told_that_nobody_reads(kind: int) -> None:
    ended = threading.Semaphore(0)

    def thread(request: Any) -> None:
        writer = _cvolo.Writer(request)
        try:
            while True:
                while not writer.write(bytes(10_000)):
                    writer.wait()
        except VoloError as error:
            assert error.name == "VOLO_ECANCELED"
            ended.release()

    async def aio(request: Any) -> None:
        writer = _cvolo.Writer(request)
        try:
            while True:
                while not writer.write(bytes(10_000)):
                    await writer.drained()
        except VoloError as error:
            assert error.name == "VOLO_ECANCELED"
            ended.release()

    live = Live()
    live.add("GET", "/", _either(kind, thread, aio), kind)
    with live:
        for _ in range(20):
            assert live.call("HEAD", "/") == (200, b"")
            assert ended.acquire(timeout=DEADLINE)


def test_a_wait_may_have_an_end() -> None:
    timed_out = threading.Event()
    go = threading.Event()

    def handler(request: Any) -> None:
        writer = _cvolo.Writer(request)
        while writer.write(bytes(10_000)):
            pass
        while writer.wait(0.01):
            while writer.write(bytes(10_000)):
                pass
        timed_out.set()
        assert go.wait(DEADLINE)

    live = Live()
    live.add("GET", "/", handler)
    with live:
        client = live.connect()
        client.send("/")
        assert timed_out.wait(DEADLINE)
        go.set()
        client.close()


def _all_of(socket: Any) -> bytes:
    """Up to the end, or the reset."""
    octets = b""
    try:
        while piece := socket.recv(65536):
            octets += piece
    except ConnectionResetError:
        pass
    return octets


@pytest.mark.parametrize("how", ["close", "drop", "short"])
def test_an_answer_without_its_end_is_cut_off(how: str) -> None:
    def handler(request: Any) -> None:
        writer = _cvolo.Writer(request, None, 10 if how == "short" else -1)
        writer.write(b"some")
        if how == "close":
            writer.close()
            writer.close()
            with pytest.raises(VoloError):
                writer.write(b"more")
        elif how == "short":
            with pytest.raises(VoloError):
                writer.end()

    live = Live()
    live.add("GET", "/", handler)
    with live:
        client = live.connect()
        client.send("/")
        octets = _all_of(client.socket)
        assert octets.startswith(b"HTTP/1.1 200 ")
        assert not octets.endswith(b"0\r\n\r\n")
        client.close()


def test_more_than_was_announced_is_refused() -> None:
    refused: list[str] = []

    def handler(request: Any) -> None:
        writer = _cvolo.Writer(request, None, 3)
        assert writer.write(b"abc")
        try:
            writer.write(b"d")
        except VoloError as error:
            refused.append(error.name)
        writer.end()

    live = Live()
    live.add("GET", "/", handler)
    with live:
        assert live.call("GET", "/") == (200, b"abc")
    assert refused == ["VOLO_ETOOBIG"]


def test_an_answer_is_begun_only_once() -> None:
    def handler(request: Any) -> None:
        writer = _cvolo.Writer(request)
        with pytest.raises(VoloError):
            _cvolo.Writer(request)
        writer.write(b"one")
        writer.end()

    live = Live()
    live.add("GET", "/", handler)
    with live:
        assert live.call("GET", "/") == (200, b"one")


def test_what_is_no_bytes_is_refused() -> None:
    def handler(request: Any) -> None:
        writer = _cvolo.Writer(request)
        with pytest.raises(TypeError):
            writer.write("text")
        writer.end()

    live = Live()
    live.add("GET", "/", handler)
    with live:
        assert live.call("GET", "/") == (200, b"")
    with pytest.raises(TypeError):
        _cvolo.Writer("no request")
    with pytest.raises(TypeError):
        _cvolo.Reader("no request")


def test_who_waits_in_a_stream_does_not_hold_the_pool_back() -> None:
    held = threading.Event()

    def stream(request: Any) -> None:
        writer = _cvolo.Writer(request)
        try:
            while True:
                while not writer.write(bytes(10_000)):
                    held.set()
                    writer.wait()
        except VoloError:
            pass

    live = Live()
    live.add("GET", "/stream", stream)
    live.add("GET", "/", lambda request: "ok")
    with live:
        client = live.connect()
        client.send("/stream")
        assert held.wait(DEADLINE)
        for _ in range(10):
            assert live.call("GET", "/") == (200, b"ok")
        client.close()
