# SPDX-License-Identifier: Apache-2.0
"""The end: what is in progress finishes, what is idle goes, nothing hangs."""

import signal
import time

import pytest

from wire import request


def ended(server, seconds=20):
    """Its exit status; it must not need longer than that."""
    return server.proc.wait(seconds)


@pytest.mark.parametrize("sig", [signal.SIGTERM, signal.SIGINT])
def test_an_idle_server_stops_at_once(own, sig):
    with own.connect() as idle:
        assert idle.ask("GET", "/").status == 200
        own.proc.send_signal(sig)
        assert idle.is_closed()
    assert ended(own) == 0


def test_what_is_in_progress_finishes(own):
    with own.connect() as c, own.connect() as other:
        other.ask("GET", "/")
        c.send(request("GET", "/slow?ms=1000"))
        time.sleep(0.2)
        own.proc.terminate()
        assert other.is_closed()
        a = c.answer()
        assert (a.status, a.body) == (200, b"ok\n")
        assert a.get("connection") == "close"
        assert c.is_closed()
    assert ended(own) == 0


def test_an_upload_in_progress_finishes(own):
    with own.connect() as c:
        data = request("POST", "/echo", body=b"x" * 1000)
        c.send(data[:-500])
        time.sleep(0.2)
        own.proc.terminate()
        time.sleep(0.3)
        c.send(data[-500:])
        assert c.answer().body == b"x" * 1000
    assert ended(own) == 0


def test_a_download_in_progress_finishes(own):
    with own.connect(rcvbuf=65536) as c:
        c.send(request("GET", "/stream/20000000"))
        c.more()
        own.proc.terminate()
        time.sleep(0.3)
        assert len(c.answer().body) == 20000000
    assert ended(own) == 0


def test_nobody_new_is_let_in(own):
    with own.connect() as c:
        c.send(request("GET", "/slow?ms=1500"))
        time.sleep(0.2)
        own.proc.terminate()
        time.sleep(0.3)
        assert not own.accepts()
        assert c.answer().status == 200
    assert ended(own) == 0


def test_the_second_signal_does_not_wait(own):
    """It stops at once, in good order."""
    with own.connect() as c:
        c.send(request("GET", "/slow?ms=60000"))
        time.sleep(0.2)
        own.proc.terminate()
        time.sleep(0.2)
        own.proc.terminate()
        assert ended(own) == 0
        assert b" 200 " not in c.rest()


def test_several_workers_stop(start):
    server = start(workers=3)
    conns = [server.connect() for _ in range(30)]
    for c in conns:
        assert c.ask("GET", "/").status == 200
        c.send(request("GET", "/slow?ms=300"))
    time.sleep(0.1)
    server.proc.terminate()
    assert all(c.answer().status == 200 for c in conns)
    assert ended(server) == 0
    for c in conns:
        c.sock.close()
