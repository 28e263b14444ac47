# SPDX-License-Identifier: Apache-2.0
"""Bodies of ASGI applications in both directions, clients that are slow or
leave, and the tasks that requests are."""

from __future__ import annotations

import asyncio
import contextvars
import gc
import socket
import threading
import time
import weakref
from typing import Any

from served import Served, read_all
from waiting import until

OK = {"type": "http.response.start", "status": 200, "headers": []}
GET = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"


def body(data: bytes = b"", more: bool = False) -> dict[str, Any]:
    return {"type": "http.response.body", "body": data, "more_body": more}


def served(app: Any, **options: Any) -> Served:
    return Served(app, lifespan="off", interface="asgi", **options)


def small_window(server: Served) -> socket.socket:
    """A client for whom the kernel holds little."""
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.settimeout(30)
    client.connect(("127.0.0.1", server.port))
    return client


# ---- Back-pressure ---------------------------------------------------------------


def test_an_application_waits_for_a_client_that_does_not_read() -> None:
    sent = [0]
    total = 32 * 1024 * 1024

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send(OK)
        while sent[0] < total:
            await send(body(b"x" * 65536, True))
            sent[0] += 65536
        await send(body())

    with served(app) as server, small_window(server) as client:
        client.sendall(GET)
        until(lambda: sent[0] > 0)
        before = -1
        while before != sent[0]:  # until it has stood still for a while
            before = sent[0]
            server.call(asyncio.sleep(0.2))
        assert sent[0] < 16 * 1024 * 1024
        assert server.call(_answers(server)) == 1
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        found = len(read_all(client))
    assert sent[0] == total
    assert found > total


async def _answers(server: Served) -> int:
    return server.server._guest._app.active  # type: ignore[union-attr]


def test_a_body_that_nobody_reads_holds_the_client_back() -> None:
    go = asyncio.Event()
    got = [0]

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await go.wait()
        more = True
        while more:
            message = await receive()
            got[0] += len(message["body"])
            more = message["more_body"]
        await send(OK)
        await send(body(b"read"))

    total = 64 * 1024 * 1024
    with served(app, body_limit=None) as server, server.raw() as client:
        client.sendall(
            b"POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
            b"Content-Length: %d\r\n\r\n" % total
        )
        client.setblocking(False)
        sent = 0
        stalled = 0
        while stalled < 20:
            try:
                sent += client.send(b"y" * min(65536, total - sent))
                stalled = 0
            except BlockingIOError:
                stalled += 1
                server.call(asyncio.sleep(0.02))
        assert sent < 32 * 1024 * 1024
        client.settimeout(30)
        server.loop.call_soon_threadsafe(go.set)
        while sent < total:
            sent += client.send(b"y" * min(65536, total - sent))
        assert read_all(client).endswith(b"read")
    assert got[0] > total - 10 * 65536


def test_a_body_can_be_sent_back_while_it_comes() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send(OK)
        more = True
        while more:
            message = await receive()
            more = message["more_body"]
            await send(body(message["body"], more))

    data = bytes(range(256)) * 8000
    with served(app) as server, server.raw() as client:
        client.sendall(
            b"POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
            b"Transfer-Encoding: chunked\r\n\r\n1\r\n-\r\n"
        )
        assert client.recv(15) == b"HTTP/1.1 200 OK"
    with served(app) as server:
        assert server.request("POST", "/", data).body == data


def test_a_large_answer_in_one_piece_arrives_whole() -> None:
    data = bytes(range(256)) * 40_000

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send(OK)
        await send(body(data))

    with served(app) as server:
        assert server.get("/").body == data


# ---- Clients that leave ----------------------------------------------------------


def test_a_stream_to_a_client_that_has_left_raises_an_oserror() -> None:
    seen: list[BaseException] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send(OK)
        try:
            while True:
                await send(body(b"x" * 65536, True))
                await asyncio.sleep(0)
        except OSError as error:
            seen.append(error)
            raise

    with served(app) as server:
        with server.raw() as client:
            client.sendall(GET)
            client.recv(100)
        until(lambda: seen)
    assert type(seen[0]).__name__ == "ClientDisconnected"
    assert server.log.text == ""


def test_a_send_that_waits_for_room_ends_when_the_client_leaves() -> None:
    seen: list[BaseException] = []
    waits = [False]

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send(OK)
        try:
            while True:
                waits[0] = True
                await send(body(b"x" * 65536, True))
                waits[0] = False
        except OSError as error:
            seen.append(error)

    with served(app) as server:
        with small_window(server) as client:
            client.sendall(GET)
            until(lambda: waits[0])
            server.call(asyncio.sleep(0.1))
            assert not seen
        until(lambda: seen)


def test_who_streams_hears_in_receive_that_the_client_has_left() -> None:
    heard: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send(OK)
        await send(body(b"x", True))
        heard.append(await receive())

    with served(app) as server:
        with server.raw() as client:
            client.sendall(GET)
            client.recv(100)
        until(lambda: heard)
    assert heard == [{"type": "http.disconnect"}]


def test_an_answer_to_a_client_that_has_left_is_thrown_away() -> None:
    go = asyncio.Event()
    ended: list[bool] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await receive()
        await go.wait()
        await send(OK)
        await send(body(b"late"))
        ended.append(True)

    with served(app) as server:
        with server.raw() as client:
            client.sendall(GET)
            until(lambda: server.call(_answers(server)) == 1)
        server.loop.call_soon_threadsafe(go.set)
        until(lambda: ended)
    assert server.log.text == ""


def test_a_body_that_breaks_off_is_a_disconnect() -> None:
    heard: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        while not heard or heard[-1]["type"] != "http.disconnect":
            heard.append(await receive())

    with served(app) as server:
        with server.raw() as client:
            client.sendall(
                b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 500000\r\n\r\nabc"
            )
            until(lambda: heard)
        until(lambda: heard[-1]["type"] == "http.disconnect")
    assert heard[0] == {"type": "http.request", "body": b"abc", "more_body": True}


# ---- Tasks -----------------------------------------------------------------------


def test_each_request_is_a_task_of_its_own_with_its_own_context() -> None:
    variable: contextvars.ContextVar[int] = contextvars.ContextVar("x", default=0)
    seen: list[tuple[Any, int]] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        task = asyncio.current_task()
        assert task is not None and task in asyncio.all_tasks()
        seen.append((task, variable.get()))
        variable.set(1)
        await asyncio.sleep(0)
        assert asyncio.current_task() is task
        await send(OK)
        await send(body())

    with served(app) as server:
        for _ in range(3):
            assert server.get("/").status == 200
    assert [value for _, value in seen] == [0, 0, 0]
    assert len({id(task) for task, _ in seen}) == 3


def test_timeouts_and_awaitables_work_as_with_coroutines() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        message = await asyncio.create_task(receive())
        assert message["type"] == "http.request"
        try:
            await asyncio.wait_for(asyncio.sleep(10), 0.01)
        except asyncio.TimeoutError:
            await asyncio.gather(send(OK))
            await asyncio.create_task(send(body(b"in time")))

    with served(app) as server:
        assert server.get("/").body == b"in time"


def test_a_cancelled_request_is_500() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        task = asyncio.current_task()
        assert task is not None
        task.cancel()
        await asyncio.sleep(1)

    with served(app) as server:
        assert server.get("/").status == 500


def test_many_at_once_each_get_their_own_answer() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["path"][1:] in "13579":
            await asyncio.sleep(0.001)
        await send(OK)
        await send(body(scope["path"].encode()))

    request = b"GET /%d HTTP/1.1\r\nHost: a\r\n\r\n"
    last = b"GET /end HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
    with served(app) as server:
        octets = b"".join(request % (i % 10) for i in range(500)) + last
        found = server.exchange(octets)
    paths = [part.split(b"HTTP/1.1")[0] for part in found.split(b"\r\n\r\n")[1:]]
    assert paths == [b"/%d" % (i % 10) for i in range(500)] + [b"/end"]


def test_requests_that_come_together_are_taken_and_answered_together() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send(OK)
        await send(body(b"x"))

    count = 3200
    request = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
    with served(app) as server, server.raw() as client:
        client.sendall(request * count)
        found = b""
        while found.count(b"\r\n\r\nx") < count:
            found += client.recv(1 << 20)
        guest: Any = server.server._guest
        stats = guest._app.stats()
    assert stats["jobs"] == count
    assert stats["takes"] <= count / 8
    assert stats["flushes"] <= count / 8


def test_an_answer_does_not_wait_for_a_slow_step_of_another_request() -> None:
    taken = threading.Event()
    ended: list[str] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["path"] != "/fast":
            taken.set()
            time.sleep(float(scope["query_string"]))
            ended.append(scope["path"])
        await send(OK)
        await send(body(scope["path"].encode()))

    with served(app) as server:
        server.get("/first?0.2")
        clients = [server.client() for _ in range(3)]
        taken.clear()
        clients[0].request("GET", "/holds?0.5")
        assert taken.wait(30)
        clients[1].request("GET", "/fast")
        clients[2].request("GET", "/slow?2")
        assert clients[1].getresponse().read() == b"/fast"
        assert "/slow" not in ended
        for client in clients:
            client.close()


def test_what_runs_on_after_the_answer_is_waited_for_at_the_end() -> None:
    ended: list[bool] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send(OK)
        await send(body(b"x"))
        await asyncio.sleep(0.3)
        ended.append(True)

    with served(app) as server:
        server.get("/")
    assert ended == [True]


def test_nothing_of_a_request_is_left_behind() -> None:
    class Mark:
        pass

    marks: list[weakref.ref[Mark]] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        scope["mark"] = mark = Mark()
        marks.append(weakref.ref(mark))
        message = await receive()
        assert message["type"] == "http.request"
        if scope["path"] == "/wait":
            await receive()
            return
        await send(OK)
        await send(body(b"x" * 100_000, True))
        await send(body(b"y"))

    with served(app) as server:
        server.get("/")
        server.request("POST", "/", b"z" * 100)
        server.request("POST", "/", b"z" * 100_000)
        with server.raw() as client:
            client.sendall(b"GET /wait HTTP/1.1\r\nHost: a\r\n\r\n")
            until(lambda: len(marks) == 4)
        until(lambda: server.call(_answers(server)) == 0)
        gc.collect()
        until(lambda: not any(mark() for mark in marks))
