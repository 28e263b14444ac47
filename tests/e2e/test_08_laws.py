# SPDX-License-Identifier: Apache-2.0
"""What is promised of memory, time and answers, seen from outside: what the
other files, and the conversations of tests/wire, do not show.  Times are
asserted as bounds against hanging only.
"""

import json
import socket
import struct
import threading
import time

import pytest

from wire import Closed, Connection, request, settles

HOST = b"Host: localhost\r\n"


def sanitized(server):
    with open(f"/proc/{server.proc.pid}/maps") as maps:
        text = maps.read()
    return "libasan" in text or "libtsan" in text


def reset(c):
    c.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                      struct.pack("ii", 1, 0))
    c.sock.close()


# ---- Memory is bounded by configuration ----------------------------------------

CROWD = 100


def crowd(server, data):
    """KiB that a connection costs which has sent this and reads nothing."""
    server.serves()
    before = server.rss_anon()
    conns = []
    for _ in range(CROWD):
        c = Connection(server.port, rcvbuf=4096)
        c.send(data)
        conns.append(c)
    for _ in range(20):
        assert server.serves()
    grown = (server.rss_anon() - before) / CROWD
    for c in conns:
        reset(c)
    print(f"{grown:.1f} KiB a connection")
    return grown


@pytest.mark.parametrize("data,most", [
    # A stalled stream: 16 KiB and one write buffer of 64 KiB.
    (request("GET", "/stream/67108864"), 16 + 64),
    (request("GET", "/bytes/67108864"), 16 + 64),
    # n octets make no more than their limit and 64 KiB.
    (b"GET / HTTP/1.1\r\n" + HOST + b"X: " + b"y" * 15000, 16 + 64),
    (b"GET / HTTP/1.1\r\n" + HOST + b"X: y\r\n" * 98, 16 + 64),
    (b"PUT /echo HTTP/1.1\r\n" + HOST + b"Content-Length: 9000000\r\n\r\n" +
     b"z" * 30000, 30 + 64),
    (b"PUT /echo HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n" +
     b"1\r\nz\r\n" * 5000, 30 + 64),
    (b"PUT /echo HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n" +
     b"0\r\nX: " + b"y" * 16000, 16 + 64),
    # A body that its handler does not read, and the request behind it.
    (b"PUT /slow HTTP/1.1\r\n" + HOST + b"Content-Length: 9000000\r\n\r\n" +
     b"z" * 60000, 64),
], ids=["stream", "bytes", "long field", "many fields", "upload", "chunks",
        "trailer", "not read"])
def test_what_a_stalled_peer_costs(own, data, most):
    if not own.in_c:
        most += 80  # for what runs the handler, and its buffer
    if sanitized(own):
        crowd(own, data)
    else:
        assert crowd(own, data) <= most
    assert own.serves()
    assert own.stop() == 0


# ---- A client that leaves cancels ----------------------------------------------


def test_nobody_is_waited_for_who_has_left(own):
    """Timers of a minute do not hold up a stop of which they are canceled."""
    base = own.descriptors()
    conns = [own.connect() for _ in range(200)]
    for i, c in enumerate(conns):
        c.send(request("GET", "/slow?ms=60000") * (1 + i % 5))
    assert own.serves()
    for i, c in enumerate(conns):
        reset(c) if i % 2 else c.sock.close()
    assert settles(own.descriptors, base, 20) <= base
    own.proc.terminate()
    assert own.proc.wait(20) == 0


# ---- Closing -------------------------------------------------------------------


def test_a_refusal_reaches_who_is_still_sending(server):
    """No reset takes the answer from a client that sends on and on."""
    for _ in range(10):
        with server.connect() as c:
            c.send(b"PUT /echo HTTP/1.1\r\n" + HOST +
                   b"Content-Length: 99999999\r\n\r\n")
            try:
                for _ in range(40):
                    c.send(b"x" * 65536)
            except OSError:
                pytest.fail("it was reset while it sent")
            a = c.answer()
            assert a.status == 413
            assert a.get("connection") == "close"
            assert c.is_closed()


def test_a_close_does_not_wait_for_ever(own):
    """The peer was told "close" and does not: after 5 s it is over."""
    base = own.descriptors()
    conns = []
    for data in (request("GET", "/", [("Connection", "close")]),
                 b"nonsense\r\n\r\n",
                 b"PUT /echo HTTP/1.1\r\n" + HOST +
                 b"Content-Length: 99999999\r\n\r\n"):
        c = own.connect()
        c.send(data)
        assert c.answer().get("connection") == "close"
        conns.append(c)
    assert settles(own.descriptors, base, 40) <= base
    for c in conns:
        c.sock.close()


# ---- Time ------------------------------------------------------------------------


def halves(c):
    """Each head takes a fifth of a second, and they come one after another,
    cut in the middle: that is not one slow head."""
    data = request("GET", "/plaintext")
    half = len(data) // 2
    c.send(data[:half])
    until = time.monotonic() + 13
    while time.monotonic() < until:
        time.sleep(0.2)
        c.send(data[half:] + data[:half])
        a = c.answer()
        assert a.status == 200, a


def steady_upload(c):
    """1,000 octets a second, for longer than ten."""
    c.send(b"PUT /echo HTTP/1.1\r\n" + HOST + b"Content-Length: 13000\r\n\r\n")
    for _ in range(26):
        c.send(b"z" * 500)
        time.sleep(0.5)
    assert c.answer().body == b"z" * 13000


def slow_reader(c):
    """A little of a large answer now and then is progress."""
    c.send(request("GET", "/bytes/40000000"))
    total = 0
    until = time.monotonic() + 13
    while time.monotonic() < until:
        total += len(c.sock.recv(300000))
        time.sleep(0.2)
    while total < 40000000:
        piece = c.sock.recv(1 << 20)
        assert piece, "it was cut off"
        total += len(piece)


class Play(threading.Thread):
    def __init__(self, server, play):
        super().__init__(daemon=True)
        self.server, self.play, self.error = server, play, None
        self.start()

    def run(self):
        try:
            with self.server.connect(timeout=30, rcvbuf=65536) as c:
                c.server = self.server
                self.play(c)
        except BaseException as e:  # told to the test, not to a thread
            self.error = e


def unsent(server, c):
    """What the kernel holds of the server's output on this connection."""
    ends = f":{server.port:04X}", f":{c.sock.getsockname()[1]:04X}"
    with open("/proc/net/tcp") as table:
        for line in table:
            words = line.split()
            if (words[1][-5:], words[2][-5:], words[3]) == (*ends, "01"):
                return int(words[4].split(":")[0], 16)
    raise Closed("the server has closed it")


def fed_stall(c):
    """Reads nothing, and asks for a little more now and then: that is no
    progress of what is stalled."""
    before, same = 0, 0
    while same < 4:
        c.send(request("GET", "/bytes/8000"))
        time.sleep(0.005)
        now = unsent(c.server, c)
        same = same + 1 if now == before and now > 65536 else 0
        before = now
    until = time.monotonic() + 28
    while time.monotonic() < until:
        try:
            c.send(request("GET", "/plaintext"))
            time.sleep(1)
            unsent(c.server, c)
        except (Closed, OSError):
            return
    raise AssertionError("it was borne to the end")


PLAYS = [halves, steady_upload, slow_reader, fed_stall]


@pytest.fixture(scope="module")
def plays(server):
    """Beside each other, because each is longer than a timeout."""
    running = {play: Play(server, play) for play in PLAYS}
    for play in running.values():
        play.join(60)
    return running


@pytest.mark.parametrize("play", PLAYS, ids=lambda p: p.__name__)
def test_who_makes_progress_is_not_slow(plays, play):
    assert not plays[play].is_alive()
    if plays[play].error:
        raise plays[play].error


# ---- Answers -------------------------------------------------------------------


@pytest.mark.parametrize("method,target,status", [
    ("GET", "/absent", 404), ("DELETE", "/", 405), ("GET", "/query?a=1", 400),
    ("GET", "/query?a=x&b=1", 400), ("GET", "/bytes/x", 400),
    ("GET", "/bytes/99999999", 422), ("GET", "/drop", 500),
])
def test_errors_are_text_or_a_problem(server, method, target, status):
    """RFC 9457 for who accepts JSON, short text for everybody else."""
    plain = server.ask(method, target)
    assert plain.status == status
    assert plain.get("content-type").startswith("text/plain")
    assert len(plain.body) < 500
    problem = server.ask(method, target,
                         [("Accept", "application/json, text/html;q=0.5")])
    assert problem.status == status
    assert problem.get("content-type") == "application/problem+json"
    assert json.loads(problem.body)["status"] == status
    assert problem.get("allow") == plain.get("allow")


@pytest.mark.parametrize("target,name", [
    ("/query?b=1", "a"), ("/query?a=1&b=9223372036854775808", "b"),
    ("/bytes/-1", "n"), ("/slow?ms=soon", "ms"), ("/status/x", "code"),
])
def test_a_rejection_says_which_field(server, target, name):
    for accept in ("text/plain", "application/problem+json"):
        a = server.ask("GET", target, [("Accept", accept)])
        assert a.status in (400, 422)
        assert name in a.body.decode().replace('"', " ").replace(":", " ") \
            .replace("'", " ").split(), a.body


@pytest.mark.parametrize("target", [
    "/plaintext/", "//plaintext", "/PLAINTEXT", "/plaintext%2f", "/./plaintext",
    "/users/1/posts/", "/users//posts/2", "/layers/x", "/bytes/1/",
])
def test_paths_are_strict(server, target):
    assert server.ask("GET", target).status == 404


def test_allow_lists_what_there_is(server):
    allow = server.ask("POST", "/plaintext").get("allow")
    assert sorted(m.strip() for m in allow.split(",")) == \
        ["GET", "HEAD", "OPTIONS"]
    options = server.ask("OPTIONS", "/plaintext")
    assert options.status in (200, 204)
    assert sorted(m.strip() for m in options.get("allow").split(",")) == \
        ["GET", "HEAD", "OPTIONS"]
    assert server.ask("OPTIONS", "/absent").status == 404


def test_the_limits_over_a_socket(server):
    """At each limit it is served, one octet beyond it is refused."""
    def status(data):
        with server.connect() as c:
            c.send(data)
            try:
                return c.answer().status
            except Closed:
                return 0

    def target(n):
        return b"GET /" + b"a" * (n - 1) + b" HTTP/1.1\r\n" + HOST + b"\r\n"

    def head(n):
        start = b"GET / HTTP/1.1\r\n" + HOST + b"X: "
        return start + b"y" * (n - len(start) - 4) + b"\r\n\r\n"

    assert (status(target(8192)), status(target(8193))) == (404, 414)
    assert len(head(16384)) == 16384
    assert (status(head(16384)), status(head(16385))) == (200, 431)
    fields = b"GET / HTTP/1.1\r\n" + HOST + b"X: y\r\n" * 99
    assert (status(fields + b"\r\n"), status(fields + b"X: y\r\n\r\n")) == \
        (200, 431)
    line = b"PUT /echo HTTP/1.1\r\n" + HOST
    over = line + b"Content-Length: 16777217\r\n\r\n"
    assert status(over) == 413
    assert status(line + b"Transfer-Encoding: chunked\r\n\r\n0\r\n" +
                  b"X: y\r\n" * 100 + b"\r\n") == 200
