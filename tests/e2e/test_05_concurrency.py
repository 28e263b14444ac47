# SPDX-License-Identifier: Apache-2.0
"""Many at once, clients that vanish, and resources that run out."""

import resource
import shutil
import socket
import struct
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from wire import Connection, chunked, request, settles


def test_asynchronous_answers_keep_their_order(server):
    with server.connect() as c:
        c.send(request("GET", "/slow?ms=200") +
               request("GET", "/users/1/posts/1") +
               request("GET", "/slow?ms=10") +
               request("GET", "/users/2/posts/2"))
        assert [c.answer().body for _ in range(4)] == \
            [b"ok\n", b"1 1", b"ok\n", b"2 2"]


def test_slow_answers_run_beside_each_other(server):
    """100 that take half a second each, far less than 50 seconds in all."""
    start = time.monotonic()
    conns = [server.connect() for _ in range(100)]
    for c in conns:
        c.send(request("GET", "/slow?ms=500"))
    assert all(c.answer().body == b"ok\n" for c in conns)
    assert time.monotonic() - start < 40
    for c in conns:
        c.sock.close()


def test_many_threads_of_clients(server):
    def client(n):
        with server.connect() as c:
            for i in range(100):
                body = f"{n} {i}".encode() * (i + 1)
                assert c.ask("POST", "/echo", body=body).body == body
                assert c.ask("GET", f"/users/{n}/posts/{i}").body == \
                    f"{n} {i}".encode()
        return True

    with ThreadPoolExecutor(16) as pool:
        assert all(pool.map(client, range(16)))


def test_several_workers_serve(start):
    server = start(workers=3)
    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(lambda _: server.serves(), range(200)))


# ---- Clients that vanish -----------------------------------------------------

CHUNKED = (b"POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n"
           b"\r\n" + chunked(b"hello" * 100, b"more"))

CONVERSATIONS = [
    request("GET", "/"),
    request("GET", "/") * 5,
    request("GET", "/slow?ms=100"),
    request("GET", "/slow?ms=100") * 3,
    request("POST", "/echo", body=b"x" * 200),
    CHUNKED,
    request("GET", "/bytes/10000000"),
    request("GET", "/stream/10000000"),
    request("GET", "/stream/10000000") + request("GET", "/slow?ms=50"),
    request("GET", "/drop") + CHUNKED,
]


def vanish(server, data, reset, read):
    with server.connect() as c:
        try:
            c.send(data)
            if read:
                c.sock.settimeout(0.05)
                c.sock.recv(read)
        except OSError:
            pass
        if reset:
            c.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                              struct.pack("ii", 1, 0))


def vanish_everywhere(server):
    for data in CONVERSATIONS:
        step = max(1, len(data) // 12)
        for cut in [*range(1, len(data), step), len(data)]:
            for reset in (False, True):
                for read in (0, 100) if cut == len(data) else (0,):
                    vanish(server, data[:cut], reset, read)


def test_clients_vanish_at_every_moment(own):
    base = own.descriptors()
    vanish_everywhere(own)
    assert own.serves()
    assert settles(own.descriptors, base) <= base
    warm = own.rss_anon()
    # A heap that is collected comes and goes by megabytes: more of them show
    # what is lost.
    rounds, most = (3, 1024) if own.in_c else (12, 6 * 1024)
    for _ in range(rounds):
        vanish_everywhere(own)
    assert own.serves()
    assert settles(own.descriptors, base) <= base
    assert own.rss_anon() - warm < most, "memory is lost with clients"


def test_a_server_under_load_does_not_grow(own):
    def load():
        with own.connect() as c:
            for _ in range(300):
                c.send(request("GET", "/json") + request("GET", "/layers") +
                       request("POST", "/echo", body=b"x" * 500) +
                       request("GET", "/query?a=1&b=2") +
                       request("GET", "/headers"))
                for _ in range(5):
                    assert c.answer().status == 200

    for _ in range(2):
        load()
    before = own.rss_anon()
    rounds, most = (5, 256) if own.in_c else (30, 4 * 1024)
    for _ in range(rounds):
        load()
    assert own.rss_anon() - before < most


# ---- Resources ---------------------------------------------------------------

IDLE = 10000


def raise_limit():
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def test_ten_thousand_idle_connections(start):
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    if hard != resource.RLIM_INFINITY and hard < IDLE + 200:
        pytest.skip(f"only {hard} descriptors are allowed here")
    raise_limit()
    server = start(preexec=raise_limit)
    for _ in range(200):
        server.serves()
    before = server.rss_anon()
    conns = []
    for i in range(IDLE):
        c = Connection(server.port, timeout=30)
        c.send(request("GET", "/plaintext"))
        assert c.answer().status == 200
        conns.append(c)
    grown = (server.rss_anon() - before) * 1024 / IDLE
    print(f"{grown:.0f} octets for each idle connection")
    assert server.serves()
    for c in conns:
        c.sock.close()
    assert grown <= 1536


def test_out_of_descriptors_others_are_served(start):
    def few():
        resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))

    server = start(preexec=few)
    first = server.connect()
    assert first.ask("GET", "/").status == 200
    conns = []
    for _ in range(150):
        s = socket.socket()
        s.settimeout(2)
        try:
            s.connect(("127.0.0.1", server.port))
        except OSError:
            pass
        conns.append(s)
    before = server.cpu_seconds()
    for _ in range(10):
        assert first.ask("GET", "/").status == 200, "who is in is served"
        time.sleep(0.2)
    assert server.cpu_seconds() - before < 1, "it spins"
    for s in conns:
        s.close()
    until = time.monotonic() + 15
    while time.monotonic() < until:
        try:
            if server.serves():
                break
        except Exception:
            time.sleep(0.2)
    assert server.serves(), "accepts again when descriptors are there"
    first.sock.close()


# ---- System calls ------------------------------------------------------------


def calls(start, tmp_path, requests, path, depth):
    """Reads and writes on sockets in the life of a server."""
    log = tmp_path / f"trace-{requests}-{depth}"
    server = start(wrap=(
        "strace", "-f", "-qq", "-o", str(log), "-e",
        "trace=read,readv,recvfrom,recvmsg,write,writev,sendto,sendmsg"))
    with server.connect() as c:
        for _ in range(requests):
            c.send(request("GET", path) * depth)
            for _ in range(depth):
                assert c.answer().status == 200
    server.stop()
    text = log.read_text()
    reads = sum(text.count(f"{n}(") for n in
                ("read", "readv", "recvfrom", "recvmsg"))
    writes = sum(text.count(f"{n}(") for n in
                 ("write", "writev", "sendto", "sendmsg"))
    return reads, writes


@pytest.mark.in_c("a loop that others answer for is woken by a write, and reads")
@pytest.mark.skipif(not shutil.which("strace"), reason="strace is missing")
@pytest.mark.parametrize("path,depth", [
    ("/plaintext", 1), ("/users/1/posts/2", 1), ("/layers", 1), ("/json", 1),
    ("/plaintext", 16),
])
def test_one_read_and_one_write_per_batch(start, tmp_path, path, depth):
    few = calls(start, tmp_path, 20, path, depth)
    many = calls(start, tmp_path, 220, path, depth)
    assert (many[0] - few[0], many[1] - few[1]) == (200, 200)
