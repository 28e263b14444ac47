# SPDX-License-Identifier: Apache-2.0
"""Signals are Python's: the first stops in good order, the second at once."""

from __future__ import annotations

import signal

import pytest
from programs import Client, eventually, get, running

SERVE = """
import asyncio, sys, threading, time, volo

app = volo.App()
entered = lambda: print("entered", flush=True)

@app.on_stop
def stopped():
    print("stopped", flush=True)

@app.get("/")
def root():
    return "ok"

@app.get("/slow")
async def slow(ms: int):
    entered()
    await asyncio.sleep(ms / 1000)
    return "slow"

@app.get("/block")
def block(ms: int):
    entered()
    time.sleep(ms / 1000)
    return "block"

@app.get("/spin")
async def spin():
    entered()
    while True:
        pass

app.run(port=0, log_level=None, on_ready=lambda server: print(server.port, flush=True))
print("after", flush=True)
"""

BOTH = [signal.SIGINT, signal.SIGTERM]


@pytest.mark.parametrize("number", BOTH)
def test_a_signal_stops_it_and_run_returns(number: int) -> None:
    with running(SERVE) as program:
        assert get(program.port()) == (200, b"ok")
        program.signal(number)
        status, out, err = program.end()
    assert (status, out, err) == (0, "stopped\nafter\n", "")


@pytest.mark.parametrize("path,said", [("/slow", b"slow"), ("/block", b"block")])
def test_the_first_signal_lets_requests_finish(path: str, said: bytes) -> None:
    with running(SERVE) as program, Client(program.port()) as client:
        client.send(f"{path}?ms=500")
        assert program.line() == "entered"
        program.signal(signal.SIGTERM)
        assert client.rest().endswith(b"\r\n\r\n" + said)
        assert program.end()[:2] == (0, "stopped\nafter\n")


@pytest.mark.parametrize("number", BOTH)
def test_the_second_signal_does_not_wait_for_a_task(number: int) -> None:
    with running(SERVE) as program, Client(program.port()) as client:
        client.send("/slow?ms=600000")
        assert program.line() == "entered"
        program.signal(number)
        assert get_refused(client)
        program.signal(number)
        assert program.end()[0] == 0
        assert b"200" not in client.rest()


@pytest.mark.parametrize("path", ["/block?ms=600000", "/spin"])
@pytest.mark.parametrize("number", BOTH)
def test_the_second_signal_always_ends_it(number: int, path: str) -> None:
    """A thread that sleeps, and an event loop that never comes back."""
    with running(SERVE) as program, Client(program.port()) as client:
        client.send(path)
        assert program.line() == "entered"
        program.signal(number)
        assert get_refused(client)
        program.signal(number)
        status, _, _ = program.end()
    assert status in (0, 128 + number)


def get_refused(client: Client) -> bool:
    """Whether the server has closed its listener by now, or does so soon."""
    port = client.socket.getpeername()[1]

    def refuses() -> bool:
        try:
            get(port)
        except (ConnectionError, IndexError):
            return True
        return False

    eventually(refuses)
    return True


def test_a_signal_while_it_starts_ends_it() -> None:
    source = """
    import asyncio, volo
    app = volo.App()

    @app.on_start
    async def for_ever():
        print("0", flush=True)
        try:
            await asyncio.Event().wait()
        finally:
            print("told", flush=True)

    app.run(port=0)
    """
    with running(source) as program:
        program.port()
        program.signal(signal.SIGTERM)
        assert program.end() == (0, "told\n", "")


def test_the_handlers_of_signals_are_put_back() -> None:
    source = """
    import signal, sys, volo
    before = [signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM)]
    interval = sys.getswitchinterval()
    app = volo.App()
    app.run(port=0, log_level=None,
            on_ready=lambda server: (print(server.port), server.stop()))
    after = [signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM)]
    print(before == after and interval == sys.getswitchinterval())
    """
    with running(source) as program:
        program.port()
        assert program.end() == (0, "True\n", "")


def test_a_start_that_fails_is_the_error_of_run() -> None:
    source = """
    import volo
    app = volo.App()

    @app.on_start
    def fail():
        raise LookupError("no database")

    try:
        app.run(port=0)
    except LookupError as error:
        print("0")
        print(error)
    """
    with running(source) as program:
        program.port()
        assert program.end() == (0, "no database\n", "")


def test_run_off_the_main_thread_serves_until_it_is_stopped() -> None:
    source = """
    import threading, volo
    app = volo.App()
    app.get("/")(lambda: "ok")
    ready = threading.Event()

    def told(server):
        global it
        it = server
        ready.set()

    run = lambda: app.run(port=0, log_level=None, on_ready=told)
    thread = threading.Thread(target=run)
    thread.start()
    ready.wait()
    print(it.port, flush=True)
    while it.stat("requests") == 0:
        pass
    it.stop()
    thread.join()
    print("ended")
    """
    with running(source) as program:
        assert get(program.port()) == (200, b"ok")
        assert program.end() == (0, "ended\n", "")


def test_run_says_where_it_listens() -> None:
    source = """
    import volo
    volo.App().run(port=0, bind=["127.0.0.1:0"], on_ready=lambda server:
                   (print(*server.urls), server.stop()))
    """
    with running(source) as program:
        status, out, err = program.end()
    assert status == 0
    urls = out.split()
    assert len(urls) == 2 and all(url.startswith("http://127.0.0.1:") for url in urls)
    lines = err.splitlines()
    assert [line.partition(" listening on ")[2] for line in lines] == urls


def test_a_program_that_has_set_up_logging_has_it_there() -> None:
    source = """
    import logging, sys, volo
    logging.basicConfig(stream=sys.stdout, format="mine: %(message)s")
    volo.App().run(port=0, on_ready=lambda server: server.stop())
    """
    with running(source) as program:
        status, out, err = program.end()
    assert (status, err) == (0, "")
    assert out.startswith("mine: listening on http://127.0.0.1:")
