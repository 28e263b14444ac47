# SPDX-License-Identifier: Apache-2.0
"""HTTP/1 octet by octet (RFC 9110, RFC 9112)."""

import socket
import time

import pytest

from wire import Closed, chunked, request

HOST = b"Host: localhost\r\n"


def test_pipelined_requests_are_answered_in_order(server):
    with server.connect() as c:
        c.send(b"".join(request("GET", f"/users/{i}/posts/0")
                        for i in range(200)))
        for i in range(200):
            assert c.answer().body == b"%d 0" % i


def test_pipelined_posts_are_answered_in_order(server):
    with server.connect() as c:
        c.send(b"".join(request("POST", "/echo", body=b"%d" % i)
                        for i in range(50)))
        for i in range(50):
            assert c.answer().body == b"%d" % i


def test_pipelined_answers_leave_together(server):
    """One segment in, one read gets all: they were one write."""
    with server.connect() as c:
        c.send(request("GET", "/plaintext") * 16)
        time.sleep(0.2)
        assert c.sock.recv(1 << 20).count(b"Hello, World!") == 16


@pytest.mark.parametrize("version,fields,kept", [
    ("1.1", [], True),
    ("1.1", [("Connection", "close")], False),
    ("1.1", [("Connection", "Keep-Alive, CLOSE")], False),
    ("1.0", [], False),
    ("1.0", [("Connection", "keep-alive")], True),
    ("1.0", [("Connection", "close")], False),
])
def test_keep_alive_rules(server, version, fields, kept):
    with server.connect() as c:
        a = c.ask("GET", "/", fields, version=version)
        assert a.body == b"ok\n"
        said = (a.get("connection") or "").lower()
        if kept:
            assert "close" not in said
            assert version == "1.1" or said == "keep-alive"
            assert c.ask("GET", "/", version=version).status == 200
        else:
            assert said == "close" or version == "1.0"
            assert c.is_closed()


def test_http_10_without_host_is_fine(server):
    with server.connect() as c:
        c.send(b"GET / HTTP/1.0\r\n\r\n")
        assert c.answer().body == b"ok\n"
        assert c.is_closed()


def test_http_10_is_never_answered_in_chunks(server):
    with server.connect() as c:
        a = c.ask("GET", "/stream/100000", version="1.0")
        assert a.get("transfer-encoding") is None
        assert len(a.body) == 100000


def test_head_of_a_stream_has_no_body(server):
    with server.connect() as c:
        assert c.ask("HEAD", "/stream/1000").body == b""
        assert c.ask("GET", "/").body == b"ok\n"


def test_options_asterisk(server):
    with server.connect() as c:
        assert c.ask("OPTIONS", "*").status in (200, 204)
        assert c.ask("GET", "/").status == 200


def test_absolute_form(server):
    with server.connect() as c:
        assert c.ask("GET", f"http://localhost:{server.port}/").status == 200


def test_empty_lines_before_a_request_are_skipped(server):
    with server.connect() as c:
        c.send(b"\r\n\r\n" + request())
        assert c.answer().status == 200


# ---- Expect ------------------------------------------------------------------


def test_expect_continue_is_answered_before_the_body(server):
    with server.connect() as c:
        c.send(b"POST /echo HTTP/1.1\r\n" + HOST + b"Content-Length: 5\r\n"
               b"Expect: 100-continue\r\n\r\n")
        assert c.answer(interim=True).status == 100
        c.send(b"hello")
        assert c.answer().body == b"hello"


def test_expect_continue_of_a_refused_body_is_the_refusal(server):
    with server.connect() as c:
        c.send(b"POST /echo HTTP/1.1\r\n" + HOST + b"Content-Length: 99999999\r\n"
               b"Expect: 100-continue\r\n\r\n")
        assert c.answer(interim=True).status == 413


def test_an_unknown_expectation_is_417(server):
    a = server.ask("POST", "/echo", [("Expect", "miracles")], b"x")
    assert a.status == 417


# ---- Chunked -----------------------------------------------------------------


def chunked_request(body, fields=b""):
    return (b"POST /echo HTTP/1.1\r\n" + HOST + fields +
            b"Transfer-Encoding: chunked\r\n\r\n" + body)


@pytest.mark.parametrize("body,want", [
    (chunked(), b""),
    (chunked(b"a"), b"a"),
    (chunked(b"hello", b" ", b"world"), b"hello world"),
    (chunked(b"x" * 70000), b"x" * 70000),
    (chunked(b"abc", ext=b";name=value;q=\"a;b\""), b"abc"),
    (chunked(b"abc", trailers=b"X-Sum: 1\r\n"), b"abc"),
    (b"00000A\r\n0123456789\r\n000\r\n\r\n", b"0123456789"),
])
def test_chunked_bodies(server, body, want):
    with server.connect() as c:
        c.send(chunked_request(body) + request())
        assert c.answer().body == want
        assert c.answer().body == b"ok\n"


@pytest.mark.parametrize("body", [
    b"x\r\nabc\r\n0\r\n\r\n",
    b"-1\r\nabc\r\n0\r\n\r\n",
    b"3\r\nabcd\r\n0\r\n\r\n",
    b"3\nabc\n0\n\n",
    b"3 \r\nabc\r\n0\r\n\r\n",
    b"0x3\r\nabc\r\n0\r\n\r\n",
    b"FFFFFFFFFFFFFFFFF\r\nabc\r\n0\r\n\r\n",
    b"\r\nabc\r\n0\r\n\r\n",
    b"3\r\nabc0\r\n\r\n",
    b"3;\x00=1\r\nabc\r\n0\r\n\r\n",
    b"3\r\nabc\r\n0\r\nBad Name: 1\r\n\r\n",
])
def test_malformed_chunks_end_the_connection(server, body):
    with server.connect() as c:
        c.send(chunked_request(body))
        data = c.rest()
        # Before the answer has begun it is 400; after, it is cut off without
        # the end that a chunked body has.
        assert data.startswith(b"HTTP/1.1 400 ") or \
            not data.endswith(b"0\r\n\r\n"), data
    assert server.serves()


# ---- Splits ------------------------------------------------------------------

SPLIT = [
    (request("GET", "/users/1/posts/2"), [b"1 2"]),
    (request("POST", "/echo", body=b"hello"), [b"hello"]),
    (chunked_request(chunked(b"hello", b"you", trailers=b"A: b\r\n")),
     [b"helloyou"]),
    (request("GET", "/") * 3, [b"ok\n"] * 3),
]


@pytest.mark.parametrize("data,bodies", SPLIT)
def test_an_octet_at_a_time(server, data, bodies):
    with server.connect() as c:
        for i in range(len(data)):
            c.send(data[i:i + 1])
            if i % 7 == 0:
                time.sleep(0.0005)
        for body in bodies:
            a = c.answer()
            assert (a.status, a.body) == (200, body)


@pytest.mark.parametrize("data,bodies", SPLIT)
def test_in_two_pieces_at_every_place(server, data, bodies):
    with server.connect() as c:
        for i in range(1, len(data)):
            c.send(data[:i])
            time.sleep(0.001)
            c.send(data[i:])
            for body in bodies:
                a = c.answer()
                assert (a.status, a.body) == (200, body), i


# ---- What is refused ---------------------------------------------------------

START = b"GET / HTTP/1.1\r\n"

REFUSED = [
    # The request line
    (b"GET / HTTP/2.0\r\n" + HOST, 505),
    (b"GET / HTTP/1.2\r\n" + HOST, (400, 505)),
    (b"GET / HTTP/11\r\n" + HOST, 400),
    (b"GET / http/1.1\r\n" + HOST, 400),
    (b"GET /\r\n" + HOST, 400),
    (b"GET  / HTTP/1.1\r\n" + HOST, 400),
    (b"GET / HTTP/1.1 \r\n" + HOST, 400),
    (b"GET /\tHTTP/1.1\r\n" + HOST, 400),
    (b"GET /a b HTTP/1.1\r\n" + HOST, 400),
    (b"G\x00T / HTTP/1.1\r\n" + HOST, 400),
    (b"GE(T / HTTP/1.1\r\n" + HOST, 400),
    (b"GET /\x00 HTTP/1.1\r\n" + HOST, 400),
    (b"GET /\x80 HTTP/1.1\r\n" + HOST, 400),
    (b"GET /%zz HTTP/1.1\r\n" + HOST, 400),
    (b"GET /%00 HTTP/1.1\r\n" + HOST, 400),
    (b"GET /#f HTTP/1.1\r\n" + HOST, 400),
    (b"GET nothing HTTP/1.1\r\n" + HOST, 400),
    (b"GET * HTTP/1.1\r\n" + HOST, 400),
    (b" GET / HTTP/1.1\r\n" + HOST, 400),
    # Host (RFC 9112 section 3.2)
    (START, 400),
    (START + b"Host: a\r\nHost: a\r\n", 400),
    (START + b"Host: a, b\r\n", 400),
    (START + b"Host: a b\r\n", 400),
    (START + b"Host: a/b\r\n", 400),
    (START + b"Host: u@a\r\n", 400),
    (START + b"Host: a:port\r\n", 400),
    # Field lines (section 5)
    (START + HOST + b"Name : value\r\n", 400),
    (START + HOST + b" Name: value\r\n", 400),
    (START + HOST + b"Name: a\r\n b\r\n", 400),
    (START + HOST + b"Name: a\r\n\tb\r\n", 400),
    (START + HOST + b": value\r\n", 400),
    (START + HOST + b"Name\r\n", 400),
    (START + HOST + b"Na me: value\r\n", 400),
    (START + HOST + b"Na\x00me: value\r\n", 400),
    (START + HOST + b"Name: va\x00lue\r\n", 400),
    (START + HOST + b"Name: va\x01lue\r\n", 400),
    (START + HOST + b"Name: va\x7flue\r\n", 400),
    (START + HOST + b"Name: va\rlue\r\n", 400),
    (START + b"Host: localhost\n", 400),
    (START + HOST + b"Name: value\n", 400),
    (b"GET / HTTP/1.1\n" + HOST, 400),
    # Framing (section 6)
    (START + HOST + b"Content-Length: -1\r\n", 400),
    (START + HOST + b"Content-Length: +1\r\n", 400),
    (START + HOST + b"Content-Length: 0x1\r\n", 400),
    (START + HOST + b"Content-Length: 1 2\r\n", 400),
    (START + HOST + b"Content-Length: \r\n", 400),
    (START + HOST + b"Content-Length: 1, 1\r\n", 400),
    (START + HOST + b"Content-Length: 1\r\nContent-Length: 1\r\n", 400),
    (START + HOST + b"Content-Length: 1\r\nContent-Length: 2\r\n", 400),
    (START + HOST + b"Content-Length: 99999999999999999999\r\n", (400, 413)),
    (START + HOST + b"Content-Length: 1\r\nTransfer-Encoding: chunked\r\n", 400),
    (START + HOST + b"Transfer-Encoding: chunked\r\nContent-Length: 1\r\n", 400),
    (START + HOST + b"Transfer-Encoding: gzip\r\n", (400, 501)),
    (START + HOST + b"Transfer-Encoding: gzip, chunked\r\n", 501),
    (START + HOST + b"Transfer-Encoding: xchunked\r\n", (400, 501)),
    (START + HOST + b"Transfer-Encoding: chunked, chunked\r\n", 400),
    (START + HOST + b"Transfer-Encoding: chunked, gzip\r\n", (400, 501)),
    (START + HOST + b"Transfer-Encoding: \r\n", (400, 501)),
    (START + HOST + b"Transfer-Encoding: identity\r\n", (400, 501)),
    (START + HOST + b"Transfer-Encoding: chunked;a=b\r\n", (400, 501)),
    (START + HOST + b"Transfer-Encoding:\x0bchunked\r\n", (400, 501)),
    (START + HOST + b"Transfer_Encoding: chunked\r\n", 200),
    (b"POST / HTTP/1.0\r\n" + HOST + b"Transfer-Encoding: chunked\r\n", 400),
    # Limits
    (b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\n" + HOST, 414),
    (b"GET /" + b"a" * 8000 + b" HTTP/1.1\r\n" + HOST, 404),
    (START + HOST + b"A: " + b"a" * 17000 + b"\r\n", 431),
    (START + HOST + b"A: b\r\n" * 100, 431),
    (START + HOST + b"A: b\r\n" * 99, 200),
    (START + HOST + b"A" * 17000 + b": b\r\n", 431),
    (b"M" * 20000 + b" / HTTP/1.1\r\n" + HOST, (400, 414, 431, 501)),
    (b"POST /echo HTTP/1.1\r\n" + HOST + b"Content-Length: 16777217\r\n", 413),
    # Other protocols
    (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"x" * 32, 400),
    (b"SSH-2.0-OpenSSH_9.2\r\n", 400),
]


@pytest.mark.parametrize("head,status", REFUSED)
@pytest.mark.parametrize("split", ["whole", "octets"])
def test_refused(server, head, status, split):
    wanted = status if isinstance(status, tuple) else (status,)
    with server.connect() as c:
        try:
            if split == "whole":
                c.send(head + b"\r\n")
            else:
                # Some octets alone, where they are few: the reading must not
                # depend on how they come.
                step = max(1, len(head) // 300)
                for i in range(0, len(head), step):
                    c.send(head[i:i + step])
                c.send(b"\r\n")
        except (BrokenPipeError, ConnectionResetError):
            pass
        a = c.answer()
        assert a.status in wanted, a
        if status not in (200, 404):
            assert (a.get("connection") or "").lower() == "close"
            assert c.is_closed()
    assert server.serves()


def test_nothing_behind_a_refused_request_is_read(server):
    """No smuggling: what follows is not another request."""
    with server.connect() as c:
        c.send(START + HOST + b"Content-Length: 1\r\n"
               b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + request())
        assert c.rest().count(b"HTTP/1.1") == 1


def test_a_body_that_was_not_read_is_not_the_next_request(server):
    """/plaintext reads no body: it is thrown away, or the connection ends."""
    inner = request("GET", "/users/1/posts/2")
    with server.connect() as c:
        c.send(request("GET", "/plaintext", body=inner) + request("GET", "/"))
        assert c.answer().body == b"Hello, World!"
        try:
            assert c.answer().body == b"ok\n"
        except Closed:
            pass


def test_a_request_cut_short_is_not_answered(server):
    with server.connect() as c:
        c.send(b"GET / HTTP/1.1\r\nHost: loc")
        c.sock.shutdown(socket.SHUT_WR)
        assert b" 200 " not in c.rest()
    with server.connect() as c:
        c.send(request("POST", "/echo", body=b"x" * 100)[:-50])
        c.sock.shutdown(socket.SHUT_WR)
        assert not c.rest().endswith(b"x" * 100)
    assert server.serves()
