# SPDX-License-Identifier: Apache-2.0
"""Slow clients.  Each state that a client can hold a connection in has an
end; the times are asserted from below only, because a busy machine is late.
All scenarios run beside each other, so the file takes as long as the longest.
"""

import threading
import time

import pytest

from wire import request

PATIENCE = 60  # seconds after which a connection counts as held for ever


class Held(threading.Thread):
    """One client; how long it was borne, and what it was told."""

    def __init__(self, server, play):
        super().__init__(daemon=True)
        self.server, self.play = server, play
        self.error = self.took = self.got = None
        self.start()

    def run(self):
        try:
            with self.server.connect(timeout=PATIENCE) as c:
                start = time.monotonic()
                self.got = self.play(c)
                self.took = time.monotonic() - start
        except BaseException as e:  # told to the test, not to a thread
            self.error = e


def silent(c):
    return c.rest()


def part_of_a_head(c):
    c.send(b"GET / HTTP/1.1\r\nHo")
    return c.rest()


def drip(c, data, pause):
    """Send an octet now and then until the server has had enough."""
    c.sock.settimeout(0.01)
    got = b""
    for octet in data:
        try:
            c.sock.send(bytes([octet]))
            time.sleep(pause)
            piece = c.sock.recv(65536)
            if not piece:
                return got
            got += piece
        except TimeoutError:
            continue
        except OSError:
            return got
    raise AssertionError("it was borne to the end")


def slowloris(c):
    return drip(c, b"GET / HTTP/1.1\r\nHost: a\r\n" + b"X: y\r\n" * 30, 0.5)


def part_of_a_body(c):
    c.send(request("POST", "/echo", body=b"x" * 100)[:-50])
    return c.rest()


def trickled_body(c):
    c.send(b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n")
    return drip(c, b"x" * 120, 0.5)


def trickled_chunks(c):
    c.send(b"POST /echo HTTP/1.1\r\nHost: a\r\n"
           b"Transfer-Encoding: chunked\r\n\r\n")
    return drip(c, b"1\r\nx\r\n" * 20, 0.5)


def idle(c):
    assert c.ask("GET", "/").status == 200
    return c.rest()


def reads_nothing(c):
    c.send(request("GET", "/bytes/67108864"))
    # The server gives up while nothing is read; then the rest is not there.
    time.sleep(20)
    total = 0
    try:
        while piece := c.sock.recv(1 << 20):
            total += len(piece)
    except ConnectionResetError:
        pass
    assert total < 67108864, "it waited all the time"
    return b""


def keeps_asking(c):
    """Not slow: a request now and then keeps a connection for ever."""
    for _ in range(9):
        time.sleep(2)
        assert c.ask("GET", "/").status == 200
    return b""


# play: (seconds it is borne at least, what it may be told)
SCENARIOS = {
    silent: (8, (b"", b"408")),
    part_of_a_head: (8, (b"", b"408")),
    slowloris: (8, (b"", b"408")),
    part_of_a_body: (8, (b"", b"408", b"200")),
    trickled_body: (8, (b"", b"408", b"200")),
    trickled_chunks: (8, (b"", b"408", b"200")),
    idle: (13, (b"",)),
    reads_nothing: (0, (b"",)),
    keeps_asking: (18, (b"",)),
}


@pytest.fixture(scope="module")
def held(program):
    from wire import Server
    server = Server(program)
    descriptors = server.descriptors()
    clients = {play: Held(server, play) for play in SCENARIOS}
    time.sleep(3)
    assert server.serves(), "slow clients hold up others"
    for client in clients.values():
        client.join(PATIENCE + 30)
    yield clients
    assert server.serves()
    assert server.descriptors() <= descriptors + 1
    server.stop()


@pytest.mark.parametrize("play", SCENARIOS, ids=lambda p: p.__name__)
def test_slow_clients_are_borne_so_long(held, play):
    client = held[play]
    least, told = SCENARIOS[play]
    assert not client.is_alive(), "still held"
    if client.error:
        raise client.error
    assert client.took >= least
    status = client.got[9:12] if client.got else b""
    assert status in told, client.got[:200]
