# SPDX-License-Identifier: Apache-2.0
"""Bodies of any size, in memory that does not grow with them."""

import socket
import threading
from pathlib import Path

import pytest

from wire import Server, free_port, request

MIB = 1 << 20
GIB = 1 << 30
ALLOWED_KIB = 4 * 1024


def upload(c, size, fields=b"", path=b"/echo"):
    c.send(b"POST " + path + b" HTTP/1.1\r\nHost: localhost\r\n" + fields +
           b"Content-Length: %d\r\n\r\n" % size)
    block = bytes(range(256)) * 4096
    for _ in range(size // len(block)):
        c.send(block)


def drain(c, size):
    """Read so many octets and keep none."""
    left = size - len(c.buffer)
    c.buffer = b""
    while left > 0:
        piece = c.sock.recv(min(left, MIB))
        assert piece, f"cut off {left} octets before the end"
        left -= len(piece)


def warm(server):
    with server.connect() as c:
        upload(c, MIB)
        c.answer()
        c.ask("GET", "/stream/1000000")
        c.ask("GET", "/bytes/1000000")


def test_a_gibibyte_echoed_in_bodies_of_the_limit(own):
    warm(own)
    before = own.rss_anon()
    with own.connect() as c:
        for _ in range(GIB // (16 * MIB)):
            writer = threading.Thread(target=upload, args=(c, 16 * MIB))
            writer.start()
            head = c.head()
            assert head.status == 200
            drain(c, 16 * MIB)
            writer.join()
    assert own.rss_anon() - before < ALLOWED_KIB


@pytest.mark.parametrize("route", ["bytes", "stream"])
def test_a_gibibyte_downloaded(own, route):
    warm(own)
    size = 64 * MIB
    before = own.rss_anon()
    with own.connect() as c:
        for _ in range(GIB // size):
            c.send(request("GET", f"/{route}/{size}"))
            head = c.head()
            assert head.status == 200
            if route == "bytes":
                drain(c, size)
                continue
            got = 0
            while n := int(c.line(), 16):
                drain(c, n) if n > len(c.buffer) else c.exactly(n)
                assert c.exactly(2) == b"\r\n"
                got += n
            assert got == size and c.line() == b""
    assert own.rss_anon() - before < ALLOWED_KIB


@pytest.fixture
def streams(program):
    """The example about streams: it has no limit on a body."""
    built = Path(program[0]).parents[2] / "c/05_streams"
    if not built.exists():
        pytest.skip("the example in C is not built beside this server")
    port = free_port()
    s = Server([str(built), f"127.0.0.1:{port}"], port=port)
    yield s
    s.stop()


def test_one_upload_of_a_gibibyte(streams):
    with streams.connect() as c:
        upload(c, MIB, path=b"/upload")
        assert c.answer().status == 200
        before = streams.rss_anon()
        upload(c, GIB, path=b"/upload")
        assert str(GIB).encode() in c.answer().body
        assert streams.rss_anon() - before < ALLOWED_KIB


def test_one_download_of_a_gibibyte(streams):
    with streams.connect() as c:
        c.ask("GET", "/download/1000000")
        before = streams.rss_anon()
        c.send(request("GET", f"/download/{GIB}"))
        head = c.head()
        assert head.get("content-length") == str(GIB)
        drain(c, GIB)
        assert streams.rss_anon() - before < ALLOWED_KIB


def flood(sock, data):
    """Send until nothing more goes in for a while; how much did."""
    sock.settimeout(1)
    sent = 0
    try:
        while sent < len(data):
            sent += sock.send(data[sent:sent + 65536])
    except socket.timeout:
        pass
    sock.settimeout(15)
    return sent


def test_who_does_not_read_is_not_read_from(own):
    """20 clients send 16 MiB each to /echo and read nothing: what the server
    keeps for them is bounded, and when they read, all of it is there."""
    warm(own)
    body = bytes(range(256)) * (16 * MIB // 256)
    head = (b"POST /echo HTTP/1.1\r\nHost: localhost\r\n"
            b"Content-Length: %d\r\n\r\n" % len(body))
    before = own.rss_anon()
    clients = [own.connect(rcvbuf=65536) for _ in range(20)]
    sent = []
    threads = []

    def one(c):
        c.send(head)
        sent.append((c, flood(c.sock, body)))

    for c in clients:
        threads.append(threading.Thread(target=one, args=(c,)))
        threads[-1].start()
    for t in threads:
        t.join()
    assert any(n < len(body) for _, n in sent), "nobody was held back"
    # A write buffer of 64 KiB and a read buffer of as much for each, at most;
    # another language has as much again on its way, and twice before it is
    # collected.
    each = 160 if own.in_c else 480
    assert own.rss_anon() - before < 20 * each + 1024
    assert own.serves()
    # Who reads at last gets all of it; the others have a write timeout.
    c, n = sent[0]
    rest = threading.Thread(target=c.send, args=(body[n:],))
    rest.start()
    a = c.answer()
    rest.join()
    assert a.body == body
    for c in clients:
        c.sock.close()


def test_a_body_over_the_limit_is_413_before_it_is_sent(server):
    with server.connect() as c:
        c.send(b"POST /echo HTTP/1.1\r\nHost: localhost\r\n"
               b"Content-Length: 16777217\r\n\r\n")
        assert c.answer().status == 413


def test_a_chunked_body_over_the_limit_is_cut(own):
    """The length is not known before: the echo has begun, and ends without
    the end of its chunks."""
    warm(own)
    before = own.rss_anon()
    with own.connect() as c:
        c.send(b"POST /echo HTTP/1.1\r\nHost: localhost\r\n"
               b"Transfer-Encoding: chunked\r\n\r\n")

        def feed():
            piece = b"10000\r\n" + b"x" * 65536 + b"\r\n"
            try:
                for _ in range(300):
                    c.send(piece)
            except OSError:
                pass

        t = threading.Thread(target=feed)
        t.start()
        got = c.rest()
        t.join()
        assert not got.endswith(b"0\r\n\r\n")
        assert len(got) < 17 * MIB
    assert own.rss_anon() - before < ALLOWED_KIB
    assert own.serves()
