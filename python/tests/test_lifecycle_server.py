# SPDX-License-Identifier: Apache-2.0
"""A server in a program's own event loop: where it listens, how it ends, and
that nothing begins before."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import socket
import sys
import threading
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from programs import eventually, get, running

import volo
from volo import Request, Server, TestClient, VoloError

app = volo.App()


@app.get("/")
def root() -> str:
    return "ok"


async def ask(reader: Any, writer: Any, target: str = "/") -> bytes:
    writer.write(f"GET {target} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
    head = await reader.readuntil(b"\r\n\r\n")
    length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
    body: bytes = await reader.readexactly(length)
    return body


@contextlib.asynccontextmanager
async def connected(port: int) -> AsyncIterator[tuple[Any, Any]]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        yield reader, writer
    finally:
        writer.close()


def test_it_serves_and_stops_in_a_loop_that_is_there() -> None:
    async def main() -> None:
        async with Server(app, port=0) as server:
            assert server.url == f"http://127.0.0.1:{server.port}"
            async with connected(server.port) as (reader, writer):
                assert await ask(reader, writer) == b"ok"
            assert server.stat("requests") == 1
            port = server.port
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", port)
        with pytest.raises(RuntimeError):
            server.stat("requests")

    asyncio.run(main())


def test_one_server_can_be_started_again() -> None:
    async def main() -> None:
        server = Server(app, port=0)
        for _ in range(3):
            async with server, connected(server.port) as (reader, writer):
                assert await ask(reader, writer) == b"ok"

    asyncio.run(main())


def test_it_does_not_start_twice() -> None:
    async def main() -> None:
        async with Server(app, port=0) as server:
            with pytest.raises(RuntimeError):
                await server.start()

    asyncio.run(main())


def test_it_listens_on_a_unix_socket(tmp_path: Path) -> None:
    path = tmp_path / "volo.sock"

    async def main() -> bytes:
        async with Server(app, uds=path) as server:
            assert (server.port, server.url) == (0, f"unix:{path}")
            reader, writer = await asyncio.open_unix_connection(str(path))
            body = await ask(reader, writer)
            writer.close()
            return body

    assert asyncio.run(main()) == b"ok"


def test_it_listens_on_a_socket_that_is_there() -> None:
    async def main(listener: socket.socket) -> bytes:
        port = listener.getsockname()[1]
        async with Server(app, fd=listener.fileno()) as server:
            assert server.port == port
            async with connected(port) as (reader, writer):
                return await ask(reader, writer)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        assert asyncio.run(main(listener)) == b"ok"
        assert listener.fileno() >= 0


def test_it_listens_in_several_places(tmp_path: Path) -> None:
    path = tmp_path / "volo.sock"

    async def main() -> None:
        async with Server(app, port=0, bind=[f"unix:{path}"]) as server:
            async with connected(server.port) as (reader, writer):
                assert await ask(reader, writer) == b"ok"
            reader, writer = await asyncio.open_unix_connection(str(path))
            assert await ask(reader, writer) == b"ok"
            writer.close()

    asyncio.run(main())


def test_a_port_that_is_taken_is_an_error_and_ends_the_lifespan() -> None:
    own, seen = volo.App(), []
    own.on_stop(lambda: seen.append("stop"))

    async def main(port: int) -> None:
        with pytest.raises(VoloError) as told:
            await Server(own, port=port).start()
        assert told.value.name == "VOLO_EADDRINUSE"

    with socket.create_server(("127.0.0.1", 0)) as listener:
        asyncio.run(main(listener.getsockname()[1]))
    assert seen == ["stop"]


def test_what_excludes_each_other_is_refused() -> None:
    with pytest.raises(TypeError):
        Server(app, port=1, uds="/x")
    with pytest.raises(TypeError):
        Server(app, port=1, body_limits=3)  # type: ignore[call-arg]


@pytest.mark.parametrize("value", [-1, "10"])
def test_a_limit_that_is_no_number_is_refused(value: Any) -> None:
    async def main() -> None:
        with pytest.raises(ValueError):
            await Server(app, port=0, idle_timeout=value).start()

    asyncio.run(main())


def test_limits_reach_the_server() -> None:
    own = volo.App()
    own.post("/")(lambda: "ok")
    own.post("/large", body_limit=100)(lambda: "ok")

    async def main() -> list[bytes]:
        found = []
        async with Server(own, port=0, body_limit=10) as server:
            for path, size in (("/", 10), ("/", 11), ("/large", 100), ("/large", 101)):
                async with connected(server.port) as (reader, writer):
                    head = f"POST {path} HTTP/1.1\r\nHost: a\r\nContent-Length: {size}"
                    writer.write(head.encode() + b"\r\n\r\n" + b"x" * size)
                    found.append((await reader.readline()).split(b" ")[1])
        return found

    assert asyncio.run(main()) == [b"200", b"413", b"200", b"413"]


# ---- Cancellation ------------------------------------------------------------


def test_a_client_that_leaves_cancels_the_handler() -> None:
    own = volo.App()

    async def main() -> None:
        told = asyncio.Event()
        entered = asyncio.Event()

        @own.get("/")
        async def wait() -> None:
            entered.set()
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                told.set()
                raise

        async with Server(own, port=0) as server:
            async with connected(server.port) as (_, writer):
                writer.write(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
                await asyncio.wait_for(entered.wait(), 60)
            await asyncio.wait_for(told.wait(), 60)

    asyncio.run(main())


def test_a_timeout_cancels_the_handler_inside_python_layers() -> None:
    own = volo.App(layers=[volo.layers.timeout(0.05)])
    cancelled = threading.Event()

    @own.layer
    def in_thread(request: Request, next: Any) -> Any:
        return next(request)

    @own.layer
    async def on_loop(request: Request, next: Any) -> Any:
        return await next(request)

    @own.get("/")
    async def wait() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()

    with TestClient(own) as client:
        assert client.get("/").status_code == 504
        assert cancelled.wait(60)


def test_a_stop_that_does_not_wait_cancels_handlers() -> None:
    own = volo.App()

    async def main() -> None:
        entered, cancelled = asyncio.Event(), asyncio.Event()

        @own.get("/")
        async def wait() -> None:
            entered.set()
            try:
                await asyncio.Event().wait()
            finally:
                cancelled.set()

        server = Server(own, port=0)
        await server.start()
        async with connected(server.port) as (_, writer):
            writer.write(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            await asyncio.wait_for(entered.wait(), 60)
            server.stop(now=True)
            await asyncio.wait_for(server.wait(), 60)
        assert cancelled.is_set()

    asyncio.run(main())


# ---- Beside a thread that computes -------------------------------------------


def test_c_answers_while_python_computes() -> None:
    """404, 405 and refusals need no interpreter; and Python's turn comes."""
    stop = threading.Event()

    def compute() -> None:
        while not stop.is_set():
            sum(range(1000))

    thread = threading.Thread(target=compute)

    async def main() -> None:
        async with Server(app, port=0) as server:
            thread.start()
            for _ in range(20):
                async with connected(server.port) as (reader, writer):
                    assert b"Not Found" in await ask(reader, writer, "/absent")
                async with connected(server.port) as (reader, writer):
                    assert await ask(reader, writer) == b"ok"

    try:
        asyncio.run(main())
    finally:
        stop.set()
        thread.join()


# ---- Nothing begins before, nothing is left after ----------------------------


def test_importing_and_registering_starts_nothing() -> None:
    source = """
    import os, threading
    before = sorted(os.listdir("/proc/self/fd"))
    import volo
    app = volo.App(layers=[volo.layers.cors("*")])
    app.get("/")(lambda: "ok")
    print("0")
    print(threading.active_count(), len(os.listdir("/proc/self/task")))
    print(before == sorted(os.listdir("/proc/self/fd")))
    """
    if not os.path.exists("/proc/self/task"):
        pytest.skip("there is no /proc")
    with running(source) as program:
        program.port()
        assert program.end() == (0, "1 1\nTrue\n", "")


def test_a_process_may_fork_before_it_serves() -> None:
    source = """
    import os, volo
    app = volo.App()
    app.get("/")(lambda: str(os.getpid()))
    children = [os.fork() for _ in range(1)]
    def ready(server):
        # In one piece, as the other process writes there too.
        os.write(1, f"{server.port}\\n".encode())
    app.run(port=0, log_level=None, on_ready=ready)
    if children[0]:
        os.waitpid(children[0], 0)
    """
    with running(source) as program:
        ports = [program.port(), program.port()]
        pids = {int(get(port)[1]) for port in ports}
        assert len(pids) == 2 and program.process.pid in pids
        for pid in pids:
            os.kill(pid, 15)
        assert program.end() == (0, "", "")


def test_descriptors_and_threads_go_with_the_server() -> None:
    def serve() -> None:
        with TestClient(app) as client:
            for _ in range(10):
                assert client.get("/").text == "ok"

    serve()
    gc.collect()
    fds, threads = len(os.listdir("/proc/self/fd")), threading.active_count()
    for _ in range(5):
        serve()
    gc.collect()
    eventually(lambda: threading.active_count() <= threads)
    assert len(os.listdir("/proc/self/fd")) <= fds


# ---- Requests beyond their life ----------------------------------------------


def test_a_request_can_be_read_long_after_its_answer() -> None:
    own, kept = volo.App(), []

    @own.post("/{name}")
    def keep(request: Request, name: str) -> str:
        kept.append(request)
        return "ok"

    @own.post("/async/{name}")
    async def keep_async(request: Request, name: str) -> str:
        await asyncio.sleep(0)
        kept.append(request)
        return "ok"

    with TestClient(own) as client:
        for i in range(50):
            for path in (f"/a{i}", f"/async/a{i}"):
                client.post(path, content=f"body {i}", headers={"x-n": str(i)})
        for i in range(0, 100, 2):
            for request, path in zip(kept[i : i + 2], ("/a", "/async/a"), strict=True):
                assert request.path.startswith(path)
                assert request.headers["x-n"] == str(i // 2)
                assert request.body == f"body {i // 2}".encode()
    assert kept[0].path == "/a0"
    kept.clear()


def count_references(things: list[Any]) -> list[int]:
    gc.collect()
    return [sys.getrefcount(x) for x in things]


def test_references_are_back_where_they_were() -> None:
    own = volo.App()
    marker = object()

    class Known(Exception):
        pass

    @own.exception_handler(Known)
    def known(request: Request, error: Known) -> tuple[int, str]:
        return 400, "known"

    @own.layer
    def layer(request: Request, next: Any) -> Any:
        request.state.marker = marker
        return next(request)

    @own.layer
    async def layer_async(request: Request, next: Any) -> Any:
        return await next(request)

    def plain(name: str, q: int = 1) -> dict[str, Any]:
        return {"name": name, "q": q}

    async def later(request: Request, name: str) -> str:
        await asyncio.sleep(0)
        return name

    def fail(name: str) -> None:
        raise Known

    for path, handler in (("/p", plain), ("/l", later), ("/f", fail)):
        own.get(path + "/{name}")(handler)
    things = [marker, known, layer, layer_async, plain, later, fail, Known]
    with TestClient(own) as client:

        def load(n: int) -> None:
            for i in range(n):
                assert client.get(f"/p/{i}?q=2").status_code == 200
                assert client.get(f"/p/{i}?q=x").status_code == 400
                assert client.get(f"/l/{i}").status_code == 200
                assert client.get(f"/f/{i}").status_code == 400
                assert client.get("/absent").status_code == 404

        load(20)
        before = count_references(things)
        load(200)
        eventually(lambda: count_references(things) == before)
