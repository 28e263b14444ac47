# SPDX-License-Identifier: Apache-2.0
"""The PROXY protocol, which tells who is behind a proxy that passes octets on:
believed on a listener that was told to, from addresses that it trusts.

The behaviour server takes $TRUST_PROXY for its first port, a list of networks,
and says at /connection whom it takes its client for.
"""

import json
import socket
import struct

import pytest

from h2wire import H2
from wire import Server, request

SIGNATURE = b"\r\n\r\n\x00\r\nQUIT\n"


def v2(command=1, family=0x11, addresses=b"", more=b"", length=None):
    size = len(addresses) + len(more) if length is None else length
    return SIGNATURE + bytes([0x20 | command, family]) + \
        struct.pack(">H", size) + addresses + more


def inet(source, target, sport, dport, family=socket.AF_INET):
    return socket.inet_pton(family, source) + \
        socket.inet_pton(family, target) + struct.pack(">HH", sport, dport)


V4 = inet("192.0.2.7", "198.51.100.1", 4321, 80)
V6 = inet("2001:db8::7", "2001:db8::1", 4321, 80, socket.AF_INET6)
TLV = b"\x01\x00\x02h2" + b"\x04\x00\x04noop"

# What comes first, and whom it names.
GOOD = {
    "1, IPv4": (b"PROXY TCP4 192.0.2.7 198.51.100.1 4321 80\r\n",
                ("192.0.2.7", 4321)),
    "1, IPv6": (b"PROXY TCP6 2001:db8::7 2001:db8::1 4321 80\r\n",
                ("2001:db8::7", 4321)),
    "1, the longest": (b"PROXY TCP6 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff "
                       b"ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe 65535 65534"
                       b"\r\n", ("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
                                 65535)),
    "2, IPv4": (v2(addresses=V4), ("192.0.2.7", 4321)),
    "2, IPv6": (v2(family=0x21, addresses=V6), ("2001:db8::7", 4321)),
    "2, IPv4 and more": (v2(addresses=V4, more=TLV), ("192.0.2.7", 4321)),
    "2, IPv6 and much more": (v2(family=0x21, addresses=V6,
                                 more=b"\x04\x01\x00" + bytes(256)),
                              ("2001:db8::7", 4321)),
}
# These name nobody: the connection's own address it is.
NOBODY = {
    "1, unknown": b"PROXY UNKNOWN\r\n",
    "1, unknown with more":
        b"PROXY UNKNOWN ffff::1 ffff::2 65535 65535\r\n",
    "2, local": v2(command=0, family=0),
    "2, local with addresses": v2(command=0, addresses=V4),
    "2, unspecified": v2(family=0),
}
BAD = {
    "nothing of it": b"",
    "1, other word": b"PROXI TCP4 192.0.2.7 198.51.100.1 4321 80\r\n",
    "1, lower case": b"proxy TCP4 192.0.2.7 198.51.100.1 4321 80\r\n",
    "1, other family": b"PROXY TCP5 192.0.2.7 198.51.100.1 4321 80\r\n",
    "1, wrong family": b"PROXY TCP4 2001:db8::7 2001:db8::1 4321 80\r\n",
    "1, no address": b"PROXY TCP4 192.0.2 198.51.100.1 4321 80\r\n",
    "1, no port": b"PROXY TCP4 192.0.2.7 198.51.100.1 4321\r\n",
    "1, port too large": b"PROXY TCP4 192.0.2.7 198.51.100.1 65536 80\r\n",
    "1, port with zeros": b"PROXY TCP4 192.0.2.7 198.51.100.1 0004321 80\r\n",
    "1, port with a sign": b"PROXY TCP4 192.0.2.7 198.51.100.1 +4321 80\r\n",
    "1, two spaces": b"PROXY  TCP4 192.0.2.7 198.51.100.1 4321 80\r\n",
    "1, more": b"PROXY TCP4 192.0.2.7 198.51.100.1 4321 80 x\r\n",
    "1, line feed alone": b"PROXY TCP4 192.0.2.7 198.51.100.1 4321 80\n",
    "1, without end": b"PROXY TCP4 " + b"1" * 200,
    "2, version 1": SIGNATURE + b"\x11\x11\x00\x0c" + V4,
    "2, command 2": v2(command=2, addresses=V4),
    "2, too short": v2(addresses=V4[:8]),
    "2, too short for IPv6": v2(family=0x21, addresses=V4),
    "2, other signature": b"\r\n\r\n\x00\r\nQUIX\n" + v2(addresses=V4)[12:],
}


@pytest.fixture(scope="module")
def behind(program):
    s = Behind(program, env={"TRUST_PROXY": "127.0.0.0/8, ::1"})
    yield s
    assert s.serves()
    assert s.stop() == 0


class Behind(Server):
    """A server whose first port is behind a proxy."""

    def connect(self, first=NOBODY["1, unknown"], **kw):
        c = super().connect(**kw)
        if first:
            c.send(first)
        return c


def client_of(c):
    a = c.ask("GET", "/connection")
    if a.status == 404:
        pytest.skip("no such route in this language")
    got = json.loads(a.body)
    return got["peer"], got["port"]


@pytest.mark.parametrize("name", GOOD)
def test_the_client_behind_the_proxy_is_believed(behind, name):
    first, who = GOOD[name]
    with behind.connect(first) as c:
        assert client_of(c) == who
        assert client_of(c) == who, "for every request"


@pytest.mark.parametrize("name", NOBODY)
def test_where_nobody_is_named_it_is_the_proxy_itself(behind, name):
    with behind.connect(NOBODY[name]) as c:
        assert client_of(c) == c.sock.getsockname()


@pytest.mark.parametrize("name", ["1, IPv4", "2, IPv4 and more"])
def test_it_may_come_in_pieces_and_with_the_request(behind, name):
    first, who = GOOD[name]
    data = first + request("GET", "/connection")
    for cuts in (range(1, len(data)), [len(first) - 1], [len(first)],
                 [len(first) + 1], []):
        with behind.connect(None) as c:
            at = 0
            for cut in [*cuts, len(data)]:
                c.send(data[at:cut])
                at = cut
            a = c.answer()
            if a.status == 404:
                pytest.skip("no such route in this language")
            assert json.loads(a.body)["peer"] == who[0]


def test_http_2_may_follow_it(behind):
    first, who = GOOD["2, IPv6"]
    with H2(0, wire=behind.connect(first)) as c:
        assert client_of(c) == who


@pytest.mark.parametrize("name", BAD)
def test_anything_else_is_not_served(behind, name):
    with behind.connect(None) as c:
        c.send(BAD[name] + request("GET", "/", [("Connection", "close")]))
        c.sock.shutdown(socket.SHUT_WR)
        got = c.rest()
        assert b" 200 " not in got and b"ok\n" not in got, got[:200]
    assert behind.serves()


def test_it_may_be_cut_off_anywhere(behind):
    for first in (GOOD["1, IPv4"][0], GOOD["2, IPv6"][0]):
        for cut in range(len(first)):
            with behind.connect(first[:cut]):
                pass
    assert behind.serves()


def test_it_has_as_long_as_a_head(behind):
    with behind.connect(b"PROXY TCP4 192.0.2.7", timeout=40) as c:
        assert b" 200 " not in c.rest()
    assert behind.serves()


def test_only_who_is_trusted_is_believed(program):
    """From others it is no request at all."""
    s = Server(program, env={"TRUST_PROXY": "192.0.2.0/24"})
    try:
        with s.connect() as c:
            c.send(GOOD["1, IPv4"][0] + request("GET", "/"))
            assert b"ok\n" not in c.rest()
        with s.connect() as c:
            peer, _ = client_of(c)
            assert peer == "127.0.0.1"
    finally:
        assert s.stop() == 0


def test_a_listener_that_was_not_told_believes_nobody(server):
    for first in (GOOD["1, IPv4"][0], GOOD["2, IPv4"][0]):
        with server.connect() as c:
            c.send(first + request("GET", "/"))
            c.sock.shutdown(socket.SHUT_WR)
            assert b"ok\n" not in c.rest()
    assert server.serves()
