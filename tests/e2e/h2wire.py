# SPDX-License-Identifier: Apache-2.0
"""A client of HTTP/2 that shows every frame, and sends whatever it is told to.

Frames are put together and taken apart here; only header compression comes
from a package.  What a polite client does by itself (to acknowledge, to give
back window) can be switched off, so that impolite ones can be played.
"""

import base64
import contextlib
import select
import struct
import threading
import time
from typing import NamedTuple

import hpack

from wire import Closed, Connection, request

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS = 0, 1, 2, 3, 4
PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = 5, 6, 7, 8, 9

END_STREAM = ACK = 1
END_HEADERS, PADDED, PRIORITIZED = 4, 8, 32

NO_ERROR, PROTOCOL_ERROR, INTERNAL_ERROR, FLOW_CONTROL_ERROR = 0, 1, 2, 3
STREAM_CLOSED, FRAME_SIZE_ERROR, REFUSED_STREAM, CANCEL = 5, 6, 7, 8
COMPRESSION_ERROR, ENHANCE_YOUR_CALM = 9, 11

(HEADER_TABLE_SIZE, ENABLE_PUSH, MAX_CONCURRENT_STREAMS, INITIAL_WINDOW_SIZE,
 MAX_FRAME_SIZE, MAX_HEADER_LIST_SIZE) = range(1, 7)

WINDOW = 65535
MOST = 2**31 - 1


class Frame(NamedTuple):
    kind: int
    flags: int
    stream: int
    payload: bytes


def pack(kind, flags=0, stream=0, payload=b""):
    return struct.pack(">I", len(payload))[1:] + \
        struct.pack(">BBI", kind, flags, stream) + payload


def settings(values=()):
    values = values.items() if isinstance(values, dict) else values
    return pack(SETTINGS, payload=b"".join(
        struct.pack(">HI", key, value) for key, value in values))


def rst(stream, code=CANCEL):
    return pack(RST_STREAM, 0, stream, struct.pack(">I", code))


def window_update(stream, size):
    return pack(WINDOW_UPDATE, 0, stream, struct.pack(">I", size))


def pairs(method="GET", path="/", fields=(), scheme="http",
          authority="localhost"):
    """The fields of a request that is well formed."""
    return [(":method", method), (":scheme", scheme), (":path", path),
            (":authority", authority), *fields]


class Reset(Exception):
    """The server has reset the stream."""

    def __init__(self, stream):
        super().__init__(f"stream {stream.id} was reset with {stream.reset}")
        self.code = stream.reset


class Stream:
    """What is known of one stream, and what has come on it."""

    def __init__(self, number, window):
        self.id = number
        self.window = window  # what we may send
        self.interim = []  # heads before the last one
        self.status, self.fields, self.trailers = None, None, None
        self.body, self.pieces = b"", 0
        self.ended, self.reset = False, None

    def get(self, name, default=None):
        values = [v for n, v in self.fields if n == name]
        assert len(values) <= 1, f"{name} is there {len(values)} times"
        return values[0] if values else default

    def head(self, fields):
        if self.status is not None:
            self.trailers = fields
            return
        status = int(dict(fields)[":status"])
        rest = [(n, v) for n, v in fields if n != ":status"]
        if status < 200:
            self.interim.append((status, rest))
        else:
            self.status, self.fields = status, rest

    def __repr__(self):
        return f"<{self.id}: {self.status} {self.fields} {self.body[:80]!r}>"


class H2:
    """One connection, by prior knowledge or with a context of TLS."""

    def __init__(self, port, timeout=15, values=(), context=None, polite=True,
                 rcvbuf=None, hello=True, wire=None):
        self.wire = wire or Connection(port, timeout, rcvbuf, context)
        self.scheme = "https" if context else "http"
        self.polite = polite  # whether windows are given back
        self.encoder, self.decoder = hpack.Encoder(), hpack.Decoder()
        self.decoder.max_header_list_size = 2**20
        self.streams, self.last = {}, -1
        self.ours = {INITIAL_WINDOW_SIZE: WINDOW, **dict(values)}
        self.theirs = {INITIAL_WINDOW_SIZE: WINDOW, MAX_FRAME_SIZE: 16384}
        self.window = WINDOW  # what we may send in all
        self.settled = False  # their settings have come
        self.goaways = []  # (last stream, code)
        self.seen = []  # every frame
        self.block = None  # header block that is not at its end
        if hello:
            self.send(PREFACE + settings(values))

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.wire.sock.close()

    def send(self, data):
        self.wire.send(data)

    # ---- What comes

    def frame(self):
        head = self.wire.exactly(9)
        size, kind, flags, stream = \
            int.from_bytes(head[:3], "big"), head[3], head[4], head[5:]
        frame = Frame(kind, flags, int.from_bytes(stream, "big") & MOST,
                      self.wire.exactly(size))
        self.seen.append(frame._replace(payload=frame.payload[:64]))
        return frame

    def step(self):
        """Take in one frame, and do what is due."""
        frame = self.frame()
        take = {DATA: self.on_data, HEADERS: self.on_headers,
                CONTINUATION: self.on_headers, RST_STREAM: self.on_reset,
                SETTINGS: self.on_settings, PING: self.on_ping,
                GOAWAY: self.on_goaway, WINDOW_UPDATE: self.on_window}
        take.get(frame.kind, lambda frame: None)(frame)
        return frame

    def on_data(self, frame):
        s = self.streams[frame.stream]
        content = frame.payload
        if frame.flags & PADDED:
            content = content[1:len(content) - content[0]]
        s.body += content
        s.pieces += 1
        s.ended |= bool(frame.flags & END_STREAM)
        if self.polite and frame.payload:
            self.give(0, len(frame.payload))
            if not s.ended:
                self.give(s.id, len(frame.payload))

    def on_headers(self, frame):
        if frame.kind == HEADERS:
            assert not frame.flags & (PADDED | PRIORITIZED)
            self.block = (frame.flags, b"")
        flags, before = self.block
        self.block = (flags, before + frame.payload)
        if frame.flags & END_HEADERS:
            s = self.streams[frame.stream]
            s.head(self.decoder.decode(self.block[1]))
            s.ended |= bool(flags & END_STREAM)
            self.block = None

    def on_reset(self, frame):
        if frame.stream in self.streams:
            self.streams[frame.stream].reset = \
                int.from_bytes(frame.payload, "big")

    def on_settings(self, frame):
        if frame.flags & ACK:
            return
        self.settled = True
        for key, value in struct.iter_unpack(">HI", frame.payload):
            if key == INITIAL_WINDOW_SIZE:
                for s in self.streams.values():
                    s.window += value - self.theirs[key]
            self.theirs[key] = value
        self.send(pack(SETTINGS, ACK))

    def on_ping(self, frame):
        if not frame.flags & ACK:
            self.send(pack(PING, ACK, 0, frame.payload))

    def on_goaway(self, frame):
        last, code = struct.unpack(">II", frame.payload[:8])
        self.goaways.append((last, code))

    def on_window(self, frame):
        size = int.from_bytes(frame.payload, "big")
        if frame.stream == 0:
            self.window += size
        elif frame.stream in self.streams:
            self.streams[frame.stream].window += size

    def until(self, true):
        while not true():
            self.step()

    def settle(self):
        """Until their settings are known."""
        self.until(lambda: self.settled)

    def sync(self):
        """All that the server had to say of what was sent so far."""
        mark = struct.pack(">Q", len(self.seen))
        self.send(pack(PING, 0, 0, mark))
        while True:
            frame = self.step()
            if frame.kind == PING and frame.flags & ACK and \
                    frame.payload == mark:
                return

    def rest(self):
        """Everything until the server closes."""
        try:
            while True:
                self.step()
        except (Closed, OSError):
            return self.goaways

    # ---- What goes

    def give(self, stream, size):
        self.send(window_update(stream, size))

    def number(self):
        """That of a new stream."""
        self.last += 2
        self.streams[self.last] = Stream(self.last,
                                         self.theirs[INITIAL_WINDOW_SIZE])
        return self.last

    def headers(self, fields, end=True, stream=None):
        """A header block as it is given, right or wrong."""
        number = stream or self.number()
        block = self.encoder.encode(fields, huffman=False)
        pieces = [block[i:i + 16384] for i in range(0, len(block), 16384)]
        out = b""
        for i, piece in enumerate(pieces or [b""]):
            flags = END_HEADERS if i >= len(pieces) - 1 else 0
            if i == 0:
                flags |= END_STREAM if end else 0
            out += pack(CONTINUATION if i else HEADERS, flags, number, piece)
        self.send(out)
        return number

    def raw(self, block, end=True, stream=None):
        """A header block that is packed already."""
        number = stream or self.number()
        self.send(pack(HEADERS, END_HEADERS | (END_STREAM if end else 0),
                       number, block))
        return number

    def request(self, method="GET", path="/", fields=(), end=True):
        return self.headers(pairs(method, path, fields, self.scheme), end)

    def data(self, stream, content=b"", end=False):
        """One frame, whatever the window says."""
        self.send(pack(DATA, END_STREAM if end else 0, stream, content))

    def body(self, stream, content, end=True):
        """Content in as many frames as the windows ask for."""
        s = self.streams[stream]
        while content or end:
            self.until(lambda: s.reset is not None or not content or
                       min(s.window, self.window) > 0)
            if s.reset is not None:
                raise Reset(s)
            size = min(len(content), s.window, self.window,
                       self.theirs[MAX_FRAME_SIZE])
            piece, content = content[:size], content[size:]
            s.window -= size
            self.window -= size
            self.data(stream, piece, end and not content)
            if not content:
                return

    def answer(self, stream):
        """The whole answer; raises Reset if the server lets go of it."""
        s = self.streams[stream]
        self.until(lambda: s.ended or s.reset is not None)
        if not s.ended:
            raise Reset(s)
        return s

    def outcome(self, stream):
        """The answer's status, or "reset N", or "goaway N" at the end."""
        try:
            return self.answer(stream).status
        except Reset as reset:
            return f"reset {reset.code}"
        except (Closed, OSError):
            return f"goaway {self.goaways[-1][1] if self.goaways else None}"

    def ask(self, method="GET", path="/", fields=(), body=b""):
        stream = self.request(method, path, fields, end=not body)
        with contextlib.suppress(Reset):
            # An answer may be complete before the request is.
            self.body(stream, body) if body else None
        return self.answer(stream)

    # ---- Floods

    def flood(self, pieces, reading=True):
        """Send all these octets, reading meanwhile what comes, until they are
        sent or the server ends it.  How many pieces were begun."""
        sock, out, sent = self.wire.sock, b"", 0
        pieces = iter(pieces)
        sock.setblocking(False)
        idle = 0
        try:
            while True:
                while len(out) < 65536:
                    piece = next(pieces, None)
                    if piece is None:
                        break
                    out += piece
                    sent += 1
                if not out:
                    return sent
                r, w, _ = select.select([sock] if reading else [], [sock], [],
                                        5 if reading else 0.3)
                idle = 0 if r or w else idle + 1
                if r:
                    got = sock.recv(262144)
                    if not got:
                        return sent
                    self.wire.buffer += got
                if w:
                    out = out[sock.send(out):]
                if idle == 3:
                    return sent  # the server takes no more
        except (BlockingIOError, ConnectionError):
            return sent
        finally:
            sock.settimeout(15)

    def was_calmed(self):
        """Whether it ended with ENHANCE_YOUR_CALM."""
        return any(code == ENHANCE_YOUR_CALM for _, code in self.rest())


class Bystander(threading.Thread):
    """Asks on a connection of its own all the while, politely."""

    def __init__(self, port, version=2):
        super().__init__(daemon=True)
        self.port, self.version = port, version
        self.answered, self.failure, self.done = 0, None, threading.Event()

    def run(self):
        try:
            with (H2(self.port, timeout=30) if self.version == 2 else
                  Connection(self.port, timeout=30)) as c:
                while not self.done.is_set():
                    a = c.ask("GET", "/plaintext")
                    assert (a.status, a.body) == (200, b"Hello, World!"), a
                    self.answered += 1
                    self.done.wait(0.01)
        except (Closed, OSError, AssertionError, Reset) as e:
            self.failure = repr(e)

    def __enter__(self):
        self.start()
        until = time.monotonic() + 30
        while not self.answered and not self.failure and \
                time.monotonic() < until:
            time.sleep(0.01)
        return self

    def __exit__(self, kind, *exc):
        before = self.answered
        until = time.monotonic() + 30
        # It is served behind the attack as well.
        while self.answered < before + 3 and not self.failure and \
                time.monotonic() < until:
            time.sleep(0.01)
        self.done.set()
        self.join(30)
        if kind is None:
            assert self.failure is None, self.failure
            assert self.answered >= before + 3


def upgraded(port, fields=(), method="GET", path="/", body=b"", values=()):
    """What an upgrade by hand says: the connection, and its first answer."""
    wire = Connection(port)
    payload = settings(values)[9:]
    token = base64.urlsafe_b64encode(payload).rstrip(b"=").decode()
    wire.send(request(method, path, [
        ("Connection", "Upgrade, HTTP2-Settings"), ("Upgrade", "h2c"),
        ("HTTP2-Settings", token), *fields], body))
    return wire, wire.answer(method)


def after_upgrade(wire, values=()):
    """The connection of HTTP/2 behind 101, whose stream 1 is answered."""
    c = H2(0, wire=wire, values=values)
    c.number()
    return c
