# SPDX-License-Identifier: Apache-2.0
"""HTTP/2, frame by frame: by prior knowledge and by Upgrade, flow control both
ways, trailers, interim answers, the end; what is malformed costs one stream."""

import json
import os
import struct
import time

import pytest

import h2wire
from h2wire import (CANCEL, DATA, END_HEADERS, END_STREAM, GOAWAY, H2, HEADERS,
                    INITIAL_WINDOW_SIZE, MAX_FRAME_SIZE, MOST, PADDED, PREFACE,
                    PRIORITIZED, PROTOCOL_ERROR, RST_STREAM, SETTINGS, Reset,
                    pack, pairs, settings)
from wire import Closed, Connection, request


@pytest.fixture
def c(server):
    with H2(server.port) as c:
        yield c


def offers(server, path):
    return server.ask("GET", path).status != 404


# ---- The same answers ----------------------------------------------------------

ASKED = [
    ("GET", "/", b""), ("GET", "/plaintext", b""), ("GET", "/json", b""),
    ("GET", "/users/7/posts/9", b""), ("GET", "/users/a%2fb/posts/9", b""),
    ("GET", "/query?a=1&b=2", b""), ("GET", "/query?a=1&b=x", b""),
    ("GET", "/query", b""), ("GET", "/layers", b""), ("GET", "/nowhere", b""),
    ("GET", "/bytes/0", b""), ("GET", "/bytes/1", b""),
    ("GET", "/bytes/300000", b""), ("GET", "/stream/0", b""),
    ("GET", "/stream/300000", b""), ("GET", "/status/204", b""),
    ("GET", "/status/304", b""), ("GET", "/status/404", b""),
    ("GET", "/status/999", b""), ("GET", "/status/1000", b""),
    ("GET", "/slow?ms=5", b""), ("GET", "/drop", b""),
    ("HEAD", "/", b""), ("HEAD", "/bytes/300000", b""),
    ("HEAD", "/stream/300000", b""), ("HEAD", "/nowhere", b""),
    ("DELETE", "/", b""), ("OPTIONS", "/", b""), ("OPTIONS", "/nowhere", b""),
    ("BREW", "/", b""), ("POST", "/echo", b"x"), ("POST", "/echo", b""),
    ("PUT", "/echo", b"y" * 200000), ("POST", "/", b"not read"),
    ("POST", "/nowhere", b"z" * 100000),
]
# What a version says in its own way.
OWN = {"connection", "keep-alive", "transfer-encoding", "upgrade", "date"}


@pytest.mark.parametrize(
    "method,path,body", ASKED,
    ids=[f"{m}-{p}-{len(b)}" for m, p, b in ASKED])
def test_answers_are_those_of_http_1(server, c, method, path, body):
    one = server.ask(method, path, [("Accept", "text/plain")], body)
    two = c.ask(method, path, [("accept", "text/plain")], body)
    assert two.status == one.status
    assert two.body == one.body
    fields = [sorted((n, v) for n, v in a.fields if n not in OWN)
              for a in (one, two)]
    # The length is said where it is known: /echo has it from the request,
    # which says none here.
    if one.get("transfer-encoding") or path == "/echo":
        fields = [[f for f in a if f[0] != "content-length"] for a in fields]
    assert fields[1] == fields[0]


def test_fields_are_those_that_http_2_allows(c):
    for path in ("/", "/stream/100", "/nowhere", "/drop", "/status/204"):
        a = c.ask("GET", path)
        names = [n for n, _ in a.fields]
        assert all(n == n.lower() for n in names)
        assert not set(names) & (OWN - {"date"})
        assert names.count("date") == 1
    assert c.goaways == []


def test_the_handler_sees_the_fields_as_in_http_1(server, c):
    fields = [("x-a", "1"), ("x-b", ""), ("x-a", "2"), ("accept", "*/*"),
              ("x-high", "caf\xe9".encode("latin-1"))]
    got = json.loads(c.ask("GET", "/headers", fields).body)
    assert [g for g in got if g[0] != "host"] == \
        [*map(list, fields[:-1]), ["x-high", "caf\xe9"]]
    assert ["host", "localhost"] in got
    assert not any(name.startswith(":") for name, _ in got)


def test_cookies_that_were_split_are_one_field_again(c):
    got = json.loads(c.ask("GET", "/headers", [
        ("cookie", "a=1"), ("x-b", "c"), ("cookie", "b=2"),
        ("cookie", "c=3")]).body)
    assert [v for n, v in got if n == "cookie"] == ["a=1; b=2; c=3"]


def test_host_does_in_place_of_authority(c):
    fields = [(":method", "GET"), (":scheme", "http"), (":path", "/headers"),
              ("host", "example.com")]
    got = json.loads(c.answer(c.headers(fields)).body)
    assert [v for n, v in got if n == "host"] == ["example.com"]


# ---- How it begins ------------------------------------------------------------


def test_the_first_octets_may_come_one_by_one(server):
    data = PREFACE + settings()
    for cuts in ([1], [3], [4], [17], [23], [24], [30], range(1, len(data))):
        with H2(server.port, hello=False) as c:
            at = 0
            for cut in [*cuts, len(data)]:
                c.send(data[at:cut])
                at = cut
                time.sleep(0.002)
            assert c.ask("GET", "/").body == b"ok\n"


def test_all_may_come_at_once(server):
    with H2(server.port, hello=False) as c:
        block = c.encoder.encode(pairs())
        c.send(PREFACE + settings() +
               pack(HEADERS, END_STREAM | END_HEADERS, c.number(), block))
        assert c.answer(1).body == b"ok\n"


def test_the_server_speaks_first_with_settings(c):
    first = c.step()
    assert (first.kind, first.flags, first.stream) == (SETTINGS, 0, 0)
    assert c.theirs[h2wire.MAX_CONCURRENT_STREAMS] == 128
    assert 0 < c.theirs[h2wire.MAX_HEADER_LIST_SIZE] <= 65536
    c.ask("GET", "/")
    assert any(f.kind == SETTINGS and f.flags for f in c.seen), "acknowledged"


@pytest.mark.parametrize("octets", [
    PREFACE[:-1] + b"x", PREFACE.replace(b"SM", b"XX"),
    PREFACE[:20] + request("GET", "/"), PREFACE + request("GET", "/"),
    PREFACE + pack(HEADERS, END_HEADERS, 1, b"\x82"),
    PREFACE + pack(h2wire.PING, 0, 0, bytes(8)),
])
def test_what_only_begins_like_http_2_is_not_served(server, octets):
    with server.connect() as c:
        c.send(octets)
        got = c.rest()
        assert b"200" not in got[:15] and b"ok\n" not in got
    assert server.serves()


def test_http_1_is_served_beside_it(server, c):
    with server.connect() as one:
        for _ in range(3):
            assert one.ask("GET", "/").body == b"ok\n"
            assert c.ask("GET", "/").body == b"ok\n"


# ---- Upgrade ------------------------------------------------------------------


def test_upgrade_goes_on_in_http_2(server):
    wire, a = h2wire.upgraded(server.port)
    assert a.status == 101
    assert a.get("upgrade").lower() == "h2c"
    assert "upgrade" in a.get("connection").lower()
    with h2wire.after_upgrade(wire) as c:
        assert c.answer(1).body == b"ok\n"
        assert c.ask("GET", "/json").status == 200
        assert c.ask("POST", "/echo", body=b"more").body == b"more"


def test_the_settings_of_an_upgrade_count(server):
    values = {INITIAL_WINDOW_SIZE: 10}
    wire, a = h2wire.upgraded(server.port, path="/bytes/100", values=values)
    assert a.status == 101
    with h2wire.after_upgrade(wire, values) as c:
        c.polite = False
        s = c.streams[1]
        c.until(lambda: len(s.body) >= 10)
        c.sync()
        assert (s.status, len(s.body), s.ended) == (200, 10, False)
        c.give(1, 1000)
        assert len(c.answer(1).body) == 100


@pytest.mark.parametrize("path", ["/slow?ms=50", "/stream/300000", "/nowhere"])
def test_whatever_is_asked_with_an_upgrade_is_stream_1(server, path):
    want = server.ask("GET", path)
    wire, a = h2wire.upgraded(server.port, path=path)
    assert a.status == 101
    with h2wire.after_upgrade(wire) as c:
        got = c.answer(1)
        assert (got.status, got.body) == (want.status, want.body)


def test_an_upgrade_with_a_body_loses_nothing(server):
    """Whether it is upgraded or not: the body comes back."""
    wire, a = h2wire.upgraded(server.port, method="POST", path="/echo",
                              body=b"hello")
    if a.status == 101:
        with h2wire.after_upgrade(wire) as c:
            assert c.answer(1).body == b"hello"
    else:
        with wire:
            assert (a.status, a.body) == (200, b"hello")
            assert wire.ask("GET", "/").body == b"ok\n"


TOKEN = "AAMAAABkAAQAAP__"


@pytest.mark.parametrize("fields", [
    [("Connection", "Upgrade"), ("Upgrade", "h2c")],
    [("Connection", "Upgrade"), ("Upgrade", "h2c"), ("HTTP2-Settings", TOKEN)],
    [("Connection", "HTTP2-Settings"), ("Upgrade", "h2c"),
     ("HTTP2-Settings", TOKEN)],
    [("Connection", "Upgrade, HTTP2-Settings"), ("Upgrade", "h2c"),
     ("HTTP2-Settings", TOKEN), ("HTTP2-Settings", TOKEN)],
    [("Connection", "Upgrade, HTTP2-Settings"), ("Upgrade", "h2c"),
     ("HTTP2-Settings", "AAMAAABk!!")],
    [("Connection", "Upgrade, HTTP2-Settings"), ("Upgrade", "h2c"),
     ("HTTP2-Settings", "AAMAAAB")],
    [("Connection", "Upgrade, HTTP2-Settings"), ("Upgrade", "h2"),
     ("HTTP2-Settings", TOKEN)],
])
def test_half_an_upgrade_is_answered_in_http_1(server, fields):
    with server.connect() as c:
        a = c.ask("GET", "/", fields)
        assert a.status in (200, 400)
        if a.status == 200:
            assert c.ask("GET", "/json").status == 200


def test_http_1_0_is_not_upgraded(server):
    with server.connect() as c:
        a = c.ask("GET", "/", [("Connection", "Upgrade, HTTP2-Settings"),
                               ("Upgrade", "h2c"), ("HTTP2-Settings", TOKEN)],
                  version="1.0")
        assert a.status == 200


# ---- Many at once ---------------------------------------------------------------


def test_a_slow_answer_holds_up_nobody(c):
    slow = c.request("GET", "/slow?ms=700")
    for _ in range(20):
        assert c.ask("GET", "/").body == b"ok\n"
    assert not c.streams[slow].ended
    assert c.answer(slow).body == b"ok\n"


def test_a_hundred_at_once(c):
    c.settle()
    streams = [c.request("GET", f"/slow?ms={200 - i}") for i in range(100)]
    assert all(c.answer(s).body == b"ok\n" for s in streams)


def test_one_stream_too_many_is_refused_and_may_be_tried_again(c):
    c.settle()
    streams = [c.request("GET", "/slow?ms=1500") for _ in range(128)]
    more = c.request("GET", "/")
    with pytest.raises(Reset) as reset:
        c.answer(more)
    assert reset.value.code == h2wire.REFUSED_STREAM
    assert all(c.answer(s).body == b"ok\n" for s in streams)
    assert c.ask("GET", "/").body == b"ok\n"


def test_large_answers_take_turns(c):
    c.settle()
    one = c.request("GET", "/stream/2000000")
    two = c.request("GET", "/stream/2000000")
    assert len(c.answer(one).body) == len(c.answer(two).body) == 2000000
    order = [f.stream for f in c.seen if f.kind == DATA and f.payload]
    turns = sum(a != b for a, b in zip(order, order[1:]))
    assert turns >= 4, "neither waits for the whole of the other"


def test_thousands_one_after_the_other_leave_nothing(server):
    with H2(server.port) as c:
        before = None
        for i in range(6000):
            assert c.ask("GET", "/plaintext").status == 200
            c.streams.clear()
            c.seen.clear()
            if i == 1000:
                before = server.rss_anon()
        assert server.rss_anon() - before < 4096


# ---- Flow control ---------------------------------------------------------------


@pytest.mark.parametrize("path", ["/bytes/100000", "/stream/100000"])
def test_no_more_comes_than_the_window_of_the_stream_allows(server, path):
    with H2(server.port, values={INITIAL_WINDOW_SIZE: 1000}) as c:
        c.polite = False
        s = c.streams[c.request("GET", path)]
        c.until(lambda: len(s.body) >= 1000)
        c.sync()
        assert len(s.body) == 1000
        c.give(s.id, 1)
        c.until(lambda: len(s.body) > 1000)
        c.sync()
        assert len(s.body) == 1001
        # Another is not held up by it.
        assert c.ask("GET", "/").body == b"ok\n"
        c.give(0, 200000)
        c.give(s.id, 200000)
        assert len(c.answer(s.id).body) == 100000


def test_no_more_comes_than_the_window_of_the_connection_allows(server):
    with H2(server.port, values={INITIAL_WINDOW_SIZE: MOST}) as c:
        c.polite = False
        s = c.streams[c.request("GET", "/bytes/200000")]
        c.until(lambda: len(s.body) >= h2wire.WINDOW)
        c.sync()
        assert len(s.body) == h2wire.WINDOW
        # An answer without content needs none.
        assert c.ask("GET", "/status/204").status == 204
        c.give(0, 1000000)
        assert len(c.answer(s.id).body) == 200000


def test_a_window_may_be_made_smaller_than_what_is_used_of_it(c):
    c.polite = False
    s = c.streams[c.request("GET", "/bytes/100000")]
    c.until(lambda: len(s.body) >= 20000)
    c.send(settings({INITIAL_WINDOW_SIZE: 0}))
    c.give(0, 200000)
    c.sync()
    held = len(s.body)
    c.give(s.id, held)  # back to nothing
    c.send(settings({INITIAL_WINDOW_SIZE: 65535}))
    c.give(s.id, 100000)
    assert len(c.answer(s.id).body) == 100000


def test_frames_are_as_large_as_the_client_takes_and_no_larger(server):
    for most in (16384, 100000):
        with H2(server.port, values={MAX_FRAME_SIZE: most,
                                     INITIAL_WINDOW_SIZE: 10**6}) as c:
            c.give(0, 10**6)
            assert len(c.ask("GET", "/bytes/600000").body) == 600000
            # What is kept of a frame is cut, so they are counted instead.
            assert c.streams[1].pieces >= 600000 // most


@pytest.mark.parametrize("size", [1, 16384, 65535, 65536, 3_000_000])
def test_a_body_comes_back_while_it_comes(c, size):
    for _ in range(3):
        body = os.urandom(size)
        assert c.ask("POST", "/echo", body=body).body == body


def test_the_answer_begins_before_the_request_ends(c):
    stream = c.request("POST", "/echo", end=False)
    s = c.streams[stream]
    c.body(stream, b"x" * 20000, end=False)
    c.until(lambda: s.status == 200 and len(s.body) >= 16384)
    c.body(stream, b"y" * 20000)
    assert c.answer(stream).body == b"x" * 20000 + b"y" * 20000


def test_who_does_not_read_the_answer_may_not_send_without_end(server):
    """The handler's back-pressure reaches the client as windows not given."""
    with H2(server.port) as c:
        c.polite = False
        before = server.rss_anon()
        stream = c.request("POST", "/echo", end=False)
        s, sent = c.streams[stream], 0
        quiet = 0
        while sent < 8_000_000 and quiet < 20:
            size = min(s.window, c.window, 16384)
            if size > 0:
                c.body(stream, b"z" * size, end=False)
                sent, quiet = sent + size, 0
                continue
            c.sync()
            quiet += 1
            time.sleep(0.01)
        assert sent < 4_000_000, "it would take all"
        assert server.rss_anon() - before < 8192
        assert c.ask("GET", "/status/204").status == 204
        # And goes on where the answer is read.
        c.polite = True
        c.give(0, len(s.body))
        c.give(stream, len(s.body))
        c.body(stream, b"end")
        a = c.answer(stream)
        assert a.body == b"z" * sent + b"end"


def test_padding_counts_and_is_no_content(c):
    stream = c.request("POST", "/echo", end=False)
    for _ in range(500):
        s = c.streams[stream]
        c.until(lambda: min(s.window, c.window) >= 300)
        s.window -= 259
        c.window -= 259
        c.send(pack(DATA, PADDED, stream, b"\xff" + b"ab\n" + bytes(255)))
    c.data(stream, b"", end=True)
    assert c.answer(stream).body == b"ab\n" * 500


def test_a_body_that_nobody_reads_costs_the_others_no_window(c):
    """Refused uploads give back what they took of the common window."""
    for _ in range(30):
        stream = c.request("POST", "/nowhere", end=False)
        try:
            c.body(stream, b"x" * 30000)
        except Reset:
            pass
        assert c.outcome(stream) in (404, "reset 0", "reset 8")
    assert c.ask("POST", "/echo", body=b"x" * 200000).body == b"x" * 200000


def test_a_stream_that_is_reset_gives_its_window_back(c):
    for _ in range(30):
        stream = c.request("POST", "/echo", end=False)
        c.body(stream, b"x" * 20000, end=False)
        c.send(h2wire.rst(stream))
    assert c.ask("POST", "/echo", body=b"x" * 200000).body == b"x" * 200000


# ---- Fields beside the body --------------------------------------------------------


def test_trailers_come_after_a_body(c):
    stream = c.request("POST", "/echo", [("trailer", "x-sum")], end=False)
    c.body(stream, b"hello", end=False)
    c.headers([("x-sum", "12")], stream=stream)
    assert c.answer(stream).body == b"hello"
    # Ones that say what only a head may say cost the stream, no more.
    for bad in ([(":path", "/")], [("Upper", "x")], [("connection", "x")]):
        stream = c.request("POST", "/echo", end=False)
        c.data(stream, b"hello")
        c.headers(bad, stream=stream)
        assert c.outcome(stream) in ("reset 1", 400)
    assert c.ask("GET", "/").body == b"ok\n"


def test_trailers_reach_the_handler_and_come_back(server, c):
    if not offers(server, "/trailers"):
        pytest.skip("no such route in this language")
    stream = c.request("POST", "/trailers", end=False)
    c.body(stream, b"hello", end=False)
    c.headers([("x-sum", "12")], stream=stream)
    a = c.answer(stream)
    assert dict(a.trailers)["x-sum"] == "12"


def test_early_hints_come_before_the_answer(server, c):
    if not offers(server, "/hints"):
        pytest.skip("no such route in this language")
    a = c.ask("GET", "/hints")
    assert [s for s, _ in a.interim] == [103]
    assert dict(a.interim[0][1])["link"] == "</style.css>; rel=preload"
    assert (a.status, a.body) == (200, b"ok\n")
    with server.connect() as one:
        one.send(request("GET", "/hints"))
        assert one.answer(interim=True).status == 103
        assert one.answer().body == b"ok\n"


def test_who_waits_for_100_is_told_to_go_on(c):
    stream = c.request("POST", "/echo", [("expect", "100-continue"),
                                         ("content-length", "5")], end=False)
    s = c.streams[stream]
    c.until(lambda: s.interim or s.status)
    assert [status for status, _ in s.interim] == [100]
    c.body(stream, b"hello")
    assert c.answer(stream).body == b"hello"
    refused = c.request("POST", "/nowhere", [("expect", "100-continue"),
                                             ("content-length", "5")],
                        end=False)
    c.until(lambda: c.streams[refused].status or
            c.streams[refused].reset is not None)
    assert c.streams[refused].interim == []


def test_a_long_block_comes_in_continuations(c):
    fields = [(f"x-{i}", "v" * 200) for i in range(60)]
    block = c.encoder.encode(pairs("GET", "/headers", fields))
    stream = c.number()
    pieces = [block[i:i + 2000] for i in range(0, len(block), 2000)]
    out = pack(HEADERS, END_STREAM, stream, pieces[0])
    for piece in pieces[1:-1]:
        out += pack(h2wire.CONTINUATION, 0, stream, piece)
    c.send(out + pack(h2wire.CONTINUATION, END_HEADERS, stream, pieces[-1]))
    assert len(json.loads(c.answer(stream).body)) >= 60


def test_priorities_of_both_kinds_are_taken(c):
    stream = c.number()
    block = c.encoder.encode(pairs("GET", "/", [("priority", "u=1, i")]))
    c.send(pack(HEADERS, END_STREAM | END_HEADERS | PRIORITIZED, stream,
                struct.pack(">IB", 0, 15) + block))
    assert c.answer(stream).body == b"ok\n"
    c.send(pack(0x10, 0, 0, struct.pack(">I", stream + 2) + b"u=0"))
    assert c.ask("GET", "/").body == b"ok\n"


# ---- Limits ---------------------------------------------------------------------


def test_limits_are_those_of_http_1(c):
    long = [("x-long", "v" * 12000)] * 2
    for fields in (long, [(f"x-{i}", "v") for i in range(120)]):
        assert c.outcome(c.request("GET", "/", fields)) in \
            (431, "reset 11", "reset 7")
    assert c.outcome(c.request("GET", "/" + "a" * 9000)) == 414
    stream = c.request("POST", "/echo", [("content-length", str(2**34))],
                       end=False)
    assert c.outcome(stream) == 413
    assert c.ask("GET", "/").body == b"ok\n"


# ---- What is malformed costs one stream ----------------------------------------------

GET = pairs()
MALFORMED = {
    "upper case": [*GET, ("X-Upper", "1")],
    "connection": [*GET, ("connection", "close")],
    "keep-alive": [*GET, ("keep-alive", "1")],
    "proxy-connection": [*GET, ("proxy-connection", "close")],
    "transfer-encoding": [*GET, ("transfer-encoding", "chunked")],
    "upgrade": [*GET, ("upgrade", "h2c")],
    "te": [*GET, ("te", "gzip")],
    "no method": GET[1:],
    "no scheme": [GET[0], *GET[2:]],
    "no path": [*GET[:2], GET[3]],
    "empty path": [*GET[:2], (":path", ""), GET[3]],
    "path without a slash": [*GET[:2], (":path", "a/b"), GET[3]],
    "method twice": [GET[0], *GET],
    "path twice": [*GET[:3], (":path", "/json"), GET[3]],
    "authority twice": [*GET, (":authority", "other")],
    "unknown pseudo field": [*GET, (":volo", "1")],
    "status of an answer": [*GET, (":status", "200")],
    "pseudo field behind a field": [*GET[:3], ("x-a", "1"), GET[3]],
    "two hosts": [*GET, ("host", "other")],
    "host twice": [*GET[:3], ("host", "a"), ("host", "a")],
    "empty name": [*GET, ("", "x")],
    "space in a name": [*GET, ("x a", "1")],
    "colon in a name": [*GET, ("x:a", "1")],
    "line feed in a value": [*GET, ("x-a", "1\nx-b: 2")],
    "carriage return in a value": [*GET, ("x-a", "1\r")],
    "nul in a value": [*GET, ("x-a", "1\0")],
    "space before a value": [*GET, ("x-a", " 1")],
    "space behind a value": [*GET, ("x-a", "1 ")],
    "method with a space": [(":method", "GET /"), *GET[1:]],
    "path with a space": [*GET[:2], (":path", "/ HTTP/1.1"), GET[3]],
    "path with a line": [*GET[:2], (":path", "/\r\nx: y"), GET[3]],
    "authority with a user": [*GET[:3], (":authority", "u@localhost")],
    "authority with a path": [*GET[:3], (":authority", "localhost/x")],
    "connect with a path": [(":method", "CONNECT"), *GET[1:]],
    "length is no number": [*GET, ("content-length", "5x")],
    "length twice": [*GET, ("content-length", "0"), ("content-length", "1")],
    "length without content": [*GET, ("content-length", "5")],
}


@pytest.mark.parametrize("name", MALFORMED)
def test_a_malformed_message_costs_its_stream_alone(c, name):
    other = c.request("GET", "/slow?ms=100")
    got = c.outcome(c.headers(MALFORMED[name]))
    assert got in (f"reset {PROTOCOL_ERROR}", 400), got
    assert c.answer(other).body == b"ok\n"
    assert c.ask("GET", "/").body == b"ok\n"
    assert c.goaways == []


@pytest.mark.parametrize("said,sent", [(5, 6), (5, 4), (0, 1), (70000, 80000)])
def test_content_of_another_length_costs_the_stream(c, said, sent):
    other = c.request("GET", "/slow?ms=100")
    stream = c.request("POST", "/echo", [("content-length", str(said))],
                       end=False)
    try:
        c.body(stream, b"x" * sent)
    except Reset:
        pass
    # An answer that has begun is cut off; one that has not is an error.
    assert c.outcome(stream) in (f"reset {PROTOCOL_ERROR}", 400, "reset 8",
                                 "reset 2")
    assert c.answer(other).body == b"ok\n"
    assert c.ask("GET", "/").body == b"ok\n"


# What is wrong with the connection itself ends it, and says why.
WRONG = {
    "content on the connection": (pack(DATA, 0, 0, b"x"), 1),
    "content on a stream that is not there": (pack(DATA, 0, 1, b"x"), 1),
    "a stream of an even number":
        (pack(HEADERS, END_HEADERS | END_STREAM, 2, b"\x82\x84\x86"), 1),
    "a push": (pack(h2wire.PUSH_PROMISE, END_HEADERS, 1,
                    struct.pack(">I", 2) + b"\x82"), 1),
    "a continuation of nothing": (pack(h2wire.CONTINUATION, 4, 1, b"\x82"), 1),
    "a reset of nothing": (h2wire.rst(1), 1),
    "settings on a stream": (pack(SETTINGS, 0, 1), 1),
    "settings of a strange size": (pack(SETTINGS, 0, 0, b"12345"), 6),
    "an acknowledgement with settings": (pack(SETTINGS, 1, 0, bytes(6)), 6),
    "push of 2": (settings({h2wire.ENABLE_PUSH: 2}), 1),
    "a window of 2^31": (settings({INITIAL_WINDOW_SIZE: 2**31}), 3),
    "frames of 1": (settings({MAX_FRAME_SIZE: 1}), 1),
    "a short ping": (pack(h2wire.PING, 0, 0, b"1234"), 6),
    "a ping on a stream": (pack(h2wire.PING, 0, 1, bytes(8)), 1),
    "a window of 0": (h2wire.window_update(0, 0), 1),
    "a window too far": (h2wire.window_update(0, MOST), 3),
    "a frame too large": (pack(DATA, 0, 1, bytes(16385)), 6),
    "padding beyond the frame":
        (pack(HEADERS, END_HEADERS | PADDED, 1, b"\xff\x82"), 1),
    "an index that is not there":
        (pack(HEADERS, END_HEADERS, 1, b"\xff\x80\x01"), 9),
    "a table larger than agreed":
        (pack(HEADERS, END_HEADERS, 1, b"\x3f\xe1\xff\x03\x82"), 9),
    "something between two pieces of a head":
        (pack(HEADERS, 0, 1, b"\x82") + pack(h2wire.PING, 0, 0, bytes(8)), 1),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_frame_ends_the_connection_and_is_named(server, name):
    octets, code = WRONG[name]
    with H2(server.port) as c:
        c.sync()
        c.send(octets)
        goaways = c.rest()
        # One of the right size says it; where two are wrong, either will do.
        assert goaways and goaways[-1][1] in {code, PROTOCOL_ERROR}, goaways
    assert server.serves()


def test_unknown_frames_and_settings_are_passed_over(c):
    c.send(pack(0x42, 0xff, 0, b"?") + pack(0xfe, 0, 77, bytes(1000)))
    c.send(settings([(0x4242, 1), (0xfefe, MOST)]))
    assert c.ask("GET", "/").body == b"ok\n"


def test_every_frame_may_be_cut_anywhere(server):
    encoder = h2wire.hpack.Encoder()
    block = encoder.encode(pairs("POST", "/echo", [("x-a", "b")]))
    data = PREFACE + settings() + pack(HEADERS, END_HEADERS, 1, block) + \
        pack(DATA, END_STREAM, 1, b"hello")
    for step in (1, 2, 5, 9, 13):
        with H2(server.port, hello=False) as c:
            c.number()
            for at in range(0, len(data), step):
                c.send(data[at:at + step])
            assert c.answer(1).body == b"hello"


def test_a_client_may_leave_at_every_octet(server):
    encoder = h2wire.hpack.Encoder()
    block = encoder.encode(pairs("POST", "/echo"))
    slow = encoder.encode(pairs("GET", "/slow?ms=20"))
    data = PREFACE + settings() + pack(HEADERS, END_HEADERS, 1, block) + \
        pack(DATA, 0, 1, b"hello") + pack(HEADERS, 5, 3, slow)
    for cut in range(1, len(data) + 1):
        with Connection(server.port) as c:
            c.send(data[:cut])
    assert server.serves()


def test_a_cancelled_stream_stops_and_the_others_go_on(c):
    big = c.request("GET", "/stream/60000000")
    slow = c.request("GET", "/slow?ms=60000")
    c.until(lambda: len(c.streams[big].body) > 100000)
    c.send(h2wire.rst(big) + h2wire.rst(slow))
    c.sync()
    have = len(c.streams[big].body)
    assert c.ask("GET", "/").body == b"ok\n"
    c.sync()
    assert len(c.streams[big].body) == have
    assert have < 60000000


def test_content_that_comes_behind_our_reset_is_borne(c):
    """The server may have been about to answer what we have given up."""
    stream = c.request("POST", "/nowhere", end=False)
    assert c.outcome(stream) in (404, f"reset {CANCEL}", "reset 0")
    c.data(stream, b"late")
    c.data(stream, b"later", end=True)
    assert c.ask("GET", "/").body == b"ok\n"


# ---- The end ------------------------------------------------------------------------


def test_a_stop_says_goaway_twice_and_finishes(own):
    with H2(own.port) as c:
        slow = c.request("GET", "/slow?ms=1500")
        big = c.request("GET", "/stream/3000000")
        c.sync()
        own.proc.terminate()
        c.until(lambda: c.goaways)
        assert c.goaways[0] == (MOST, h2wire.NO_ERROR)
        assert len(c.answer(big).body) == 3000000
        assert c.answer(slow).body == b"ok\n"
        c.rest()
        assert c.goaways[1:] and c.goaways[-1][1] == h2wire.NO_ERROR
        assert slow <= c.goaways[-1][0] < MOST
    assert own.proc.wait(20) == 0


def test_an_idle_connection_is_sent_away_at_once(own):
    with H2(own.port) as c:
        c.ask("GET", "/")
        own.proc.terminate()
        goaways = c.rest()
        assert goaways and all(code == 0 for _, code in goaways)
    assert own.proc.wait(20) == 0


def test_what_came_behind_the_last_goaway_was_not_begun(own):
    """So a client may send it elsewhere: it is above the last stream."""
    with H2(own.port) as c:
        slow = c.request("GET", "/slow?ms=800")
        c.sync()
        own.proc.terminate()
        c.until(lambda: c.goaways and c.goaways[-1][0] < MOST)
        try:
            late = c.request("GET", "/")
            c.rest()
        except (OSError, Closed):
            late = c.last
        assert late > c.goaways[-1][0]
        assert c.streams[late].status is None
        assert c.streams[slow].body == b"ok\n"
    assert own.proc.wait(20) == 0


def test_an_upload_finishes_behind_goaway(own):
    with H2(own.port) as c:
        stream = c.request("POST", "/echo", end=False)
        c.body(stream, b"x" * 100, end=False)
        c.sync()
        own.proc.terminate()
        c.until(lambda: c.goaways)
        c.body(stream, b"y" * 300000)
        assert c.answer(stream).body == b"x" * 100 + b"y" * 300000
    assert own.proc.wait(20) == 0


def test_a_client_that_goes_away_gets_what_it_asked_for(c):
    slow = c.request("GET", "/slow?ms=300")
    c.send(pack(GOAWAY, 0, 0, struct.pack(">II", 0, 0)))
    assert c.answer(slow).body == b"ok\n"


def test_the_frames_of_an_answer_are_few(c):
    """A head, and content with the end in it."""
    c.settle()
    for path in ("/plaintext", "/json", "/users/1/posts/2"):
        mark = len(c.seen)
        c.ask("GET", path)
        kinds = [f.kind for f in c.seen[mark:]
                 if f.kind in (HEADERS, DATA, RST_STREAM)]
        assert kinds == [HEADERS, DATA]
