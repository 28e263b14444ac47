# SPDX-License-Identifier: Apache-2.0
"""A client that shows every octet: sockets, and answers taken apart strictly.

It knows nothing of the server but its port, so that the same tests can be run
against every one that has the same behaviour.
"""

import contextlib
import os
import signal
import socket
import subprocess
import time
from pathlib import Path


class Answer:
    def __init__(self, version, status, reason, fields, body):
        self.version, self.status, self.reason = version, status, reason
        self.fields, self.body = fields, body

    def get(self, name, default=None):
        values = [v for n, v in self.fields if n == name]
        assert len(values) <= 1, f"{name} is there {len(values)} times"
        return values[0] if values else default

    def __repr__(self):
        return f"<{self.status} {self.fields} {self.body[:80]!r}>"


class Closed(Exception):
    """The connection ended where more had to come."""


class Connection:
    """In the clear, or with a context of TLS."""

    def __init__(self, port, timeout=15, rcvbuf=None, context=None,
                 name="localhost"):
        self.sock = socket.socket()
        if rcvbuf:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, rcvbuf)
        self.sock.settimeout(timeout)
        self.sock.connect(("127.0.0.1", port))
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if context:
            try:
                self.sock = context.wrap_socket(self.sock, server_hostname=name)
            except BaseException:
                self.sock.close()
                raise
        self.buffer = b""

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.sock.close()

    def send(self, data):
        self.sock.sendall(data)

    def more(self):
        piece = self.sock.recv(65536)
        if not piece:
            raise Closed(f"closed after {self.buffer[:200]!r}")
        self.buffer += piece

    def line(self):
        while b"\r\n" not in self.buffer:
            self.more()
        line, self.buffer = self.buffer.split(b"\r\n", 1)
        return line

    def exactly(self, n):
        while len(self.buffer) < n:
            self.more()
        data, self.buffer = self.buffer[:n], self.buffer[n:]
        return data

    def rest(self):
        """All that comes until the server closes."""
        try:
            while True:
                self.more()
        except (Closed, ConnectionResetError):
            pass
        data, self.buffer = self.buffer, b""
        return data

    def is_closed(self):
        """Whether the server closes, with nothing more to say."""
        return self.rest() == b""

    def fields(self):
        out = []
        while line := self.line():
            name, colon, value = line.partition(b":")
            assert colon and name and name == name.strip(), line
            out.append((name.decode().lower(), value.strip().decode("latin-1")))
        return out

    def head(self):
        version, status, reason = self.line().split(b" ", 2)
        assert version in (b"HTTP/1.1", b"HTTP/1.0"), version
        assert len(status) == 3 and status.isdigit(), status
        return Answer(version.decode(), int(status), reason.decode(),
                      self.fields(), b"")

    def chunks(self, answer):
        while True:
            size = int(self.line().split(b";")[0], 16)
            if size == 0:
                answer.trailers = self.fields()
                return
            answer.body += self.exactly(size)
            assert self.exactly(2) == b"\r\n"

    def answer(self, method="GET", interim=False):
        """The next answer, its body by the rules of RFC 9112 section 6.3."""
        a = self.head()
        while a.status < 200 and not interim and a.status != 101:
            a = self.head()
        length, coding = a.get("content-length"), a.get("transfer-encoding")
        assert not (length and coding), "both ways to frame a body"
        if method == "HEAD" or a.status < 200 or a.status in (204, 304):
            pass
        elif coding:
            assert coding == "chunked"
            self.chunks(a)
        elif length is not None:
            a.body = self.exactly(int(length))
        else:
            a.body = self.rest()
        return a

    def ask(self, method="GET", target="/", fields=(), body=b"", version="1.1"):
        self.send(request(method, target, fields, body, version))
        return self.answer(method)


def request(method="GET", target="/", fields=(), body=b"", version="1.1"):
    lines = [f"{method} {target} HTTP/{version}", "Host: localhost"]
    lines += [f"{n}: {v}" for n, v in fields]
    if body:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


def chunked(*pieces, trailers=b"", ext=b""):
    out = b"".join(b"%x%s\r\n%s\r\n" % (len(p), ext, p) for p in pieces)
    return out + b"0\r\n" + trailers + b"\r\n"


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def in_c(program):
    """Whether its handlers are functions of C, which answer before the loop
    looks at anything else, and have no memory of their own."""
    return Path(program[0]).parent.name == "c"


class Server:
    """A behaviour server of its own, as a process; with a certificate (see
    pki.py), it serves TLS on a second port.  What it says goes to a file if
    one is named."""

    def __init__(self, program, workers=1, wrap=(), preexec=None, port=None,
                 half_close=False, tls=None, env=(), log=None, http1=True):
        self.port = port or free_port()
        self.tls_port = free_port() if tls else None
        self.in_c = in_c(program)
        env = {**os.environ, "PORT": str(self.port), "WORKERS": str(workers),
               "HALF_CLOSE": str(int(half_close)),
               "HTTP1": str(int(http1)), **dict(env)}
        if tls:
            env |= {"TLS_PORT": str(self.tls_port), "TLS_CERT": tls.cert,
                    "TLS_KEY": tls.key}
        with open(log or os.devnull, "wb") as out:
            self.proc = subprocess.Popen(
                [*wrap, *program], env=env, stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL, stderr=out if log else None,
                preexec_fn=preexec, start_new_session=True)
        until = time.monotonic() + 30
        while not self.accepts():
            assert self.proc.poll() is None, "the server has ended"
            assert time.monotonic() < until, "the server does not accept"
            time.sleep(0.02)
        # It may have bound its socket and not be ready: its descriptors, and
        # what memory it begins with, are there once it has answered.
        if http1:
            self.ask("GET", "/")

    def accepts(self):
        with socket.socket() as s:
            return s.connect_ex(("127.0.0.1", self.port)) == 0

    def connect(self, **kw):
        return Connection(self.port, **kw)

    def ask(self, *args, **kw):
        with self.connect() as c:
            return c.ask(*args, **kw)

    def status_field(self, name):
        text = Path(f"/proc/{self.proc.pid}/status").read_text()
        return int(text.split(f"{name}:")[1].split()[0])

    def rss_anon(self):
        """KiB of memory that is the process's own."""
        return self.status_field("RssAnon")

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.proc.pid}/fd"))

    def cpu_seconds(self):
        text = Path(f"/proc/{self.proc.pid}/stat").read_text()
        fields = text[text.rindex(")") + 2:].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def serves(self):
        a = self.ask("GET", "/")
        return a.status == 200 and a.body == b"ok\n"

    def stop(self):
        if self.proc.poll() is None:
            # All of them: a tracer does not pass it on.
            os.killpg(self.proc.pid, signal.SIGTERM)
            try:
                self.proc.wait(10)
            except subprocess.TimeoutExpired:
                self.proc.kill()
        code = self.proc.wait()
        # What it was wrapped in may have left the server itself behind.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.proc.pid, signal.SIGKILL)
        return code


def settles(measure, target, seconds=10):
    """Wait until measure() is at most target; what it is at last."""
    until = time.monotonic() + seconds
    while (value := measure()) > target and time.monotonic() < until:
        time.sleep(0.05)
    return value
