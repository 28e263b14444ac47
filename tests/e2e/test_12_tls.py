# SPDX-License-Identifier: Apache-2.0
"""TLS, as a client meets it: which versions and ciphers, which certificate,
what is resumed, what is refused, and that nobody is stopped by a bad one.

The behaviour server takes $TLS_CERT2 and $TLS_KEY2 (chosen by server name),
$TLS_CLIENT_CA and $TLS_CLIENT ("optional" or "required"), rereads all files on
SIGHUP, and says at /connection what it knows of its client.
"""

import contextlib
import json
import os
import random
import select
import shutil
import signal
import socket
import ssl
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import pki
from h2wire import H2, Bystander
from test_09_attacks import raise_limit, sanitized
from wire import Closed, Connection, Server, request, settles


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return pki.Authority(tmp_path_factory.mktemp("pki"))


@pytest.fixture(scope="module")
def identity(authority):
    return authority.issue("localhost")


@pytest.fixture(scope="module")
def server(program, identity):
    s = Server(program, tls=identity, preexec=raise_limit)
    assert reach(s)
    yield s
    assert s.serves()
    assert s.stop() == 0


def reach(server):
    """Until the port of TLS is open as well."""
    until = time.monotonic() + 30
    while time.monotonic() < until:
        with socket.socket() as s:
            if s.connect_ex(("127.0.0.1", server.tls_port)) == 0:
                return True
        time.sleep(0.02)
    return False


@pytest.fixture
def secured(start, identity):
    """Starts servers of a test's own."""
    def one(tls=identity, **kw):
        server = start(tls=tls, **kw)
        assert reach(server)
        return server

    return one


def client(authority, alpn=("http/1.1",), low=None, high=None, cert=None,
           ciphers=None):
    c = ssl.create_default_context(cafile=authority.cert)
    if alpn:
        c.set_alpn_protocols(list(alpn))
    if ciphers:
        c.set_ciphers(ciphers)
    if high:
        c.minimum_version, c.maximum_version = low or high, high
    if cert:
        c.load_cert_chain(cert.cert, cert.key)
    return c


@pytest.fixture
def context(authority):
    return client(authority)


def connect(server, context, **kw):
    return Connection(server.tls_port, context=context, **kw)


def send_and_read(c, data):
    """Send all, reading meanwhile what comes: on one thread, since two may not
    use one TLS connection."""
    c.sock.setblocking(False)
    waiting = (ssl.SSLWantReadError, ssl.SSLWantWriteError)
    while data:
        with contextlib.suppress(*waiting):
            data = data[c.sock.send(data[:16384]):]
        with contextlib.suppress(*waiting):
            while True:
                c.buffer += c.sock.recv(65536)
        if data:
            select.select([c.sock], [c.sock], [], 15)
    c.sock.settimeout(15)


def known(c):
    """What the server knows of this connection."""
    a = c.ask("GET", "/connection")
    return json.loads(a.body) if a.status == 200 else None


V12, V13 = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3
VERSIONS = pytest.mark.parametrize("version", [V12, V13])


# ---- It works ---------------------------------------------------------------------


@VERSIONS
def test_http_1_over_tls(server, authority, version):
    with connect(server, client(authority, high=version)) as c:
        assert c.sock.selected_alpn_protocol() == "http/1.1"
        assert c.ask("GET", "/").body == b"ok\n"
        for size in (1, 16384, 16385, 3_000_000):
            body = os.urandom(size)
            send_and_read(c, request("POST", "/echo", body=body))
            assert c.answer().body == body
        assert len(c.ask("GET", "/stream/3000000").body) == 3000000
        c.send(request("GET", "/plaintext") * 50)
        assert all(c.answer().body == b"Hello, World!" for _ in range(50))


@VERSIONS
def test_http_2_over_tls(server, authority, version):
    with H2(server.tls_port, context=client(authority, ["h2"],
                                            high=version)) as c:
        assert c.wire.sock.selected_alpn_protocol() == "h2"
        assert c.ask("GET", "/").body == b"ok\n"
        body = os.urandom(3_000_000)
        assert c.ask("POST", "/echo", body=body).body == body
        slow = c.request("GET", "/slow?ms=300")
        assert c.ask("GET", "/json").status == 200
        assert c.answer(slow).body == b"ok\n"


@pytest.mark.parametrize("offered,chosen", [
    (("h2", "http/1.1"), "h2"), (("http/1.1", "h2"), "h2"),
    (("http/1.1",), "http/1.1"), ((), None), (("x", "http/1.1"), "http/1.1"),
])
def test_the_server_chooses_the_protocol(server, authority, offered, chosen):
    with connect(server, client(authority, offered)) as c:
        assert c.sock.selected_alpn_protocol() == chosen
        if chosen != "h2":
            assert c.ask("GET", "/").body == b"ok\n"


def test_who_speaks_neither_is_told_so(server, authority):
    """RFC 7301: no_application_protocol."""
    try:
        with connect(server, client(authority, ["gopher"])) as c:
            c.ask("GET", "/")
        raise AssertionError("it was served")
    except ssl.SSLError as e:
        assert "no application protocol" in str(e)


def test_http_2_without_being_agreed_on_is_not_upgraded_to(server, context):
    with connect(server, context) as c:
        a = c.ask("GET", "/", [("Connection", "Upgrade, HTTP2-Settings"),
                               ("Upgrade", "h2c"),
                               ("HTTP2-Settings", "AAMAAABkAAQAAP__")])
        assert (a.status, a.body) == (200, b"ok\n")


@pytest.mark.parametrize("version", [1, 2])
def test_the_handler_may_ask_what_it_serves(server, authority, version):
    if server.ask("GET", "/connection").status == 404:
        pytest.skip("no such route in this language")
    got = json.loads(server.ask("GET", "/connection").body)
    assert (got["scheme"], got["tls"]) == ("http", 0)
    alpn = ["h2"] if version == 2 else ["http/1.1"]
    context = client(authority, alpn, high=V12)
    with (H2(server.tls_port, context=context) if version == 2 else
          connect(server, context)) as c:
        got = known(c)
    assert got["version"] == {1: "1.1", 2: "2"}[version]
    assert (got["scheme"], got["tls"], got["name"]) == \
        ("https", 12, "localhost")
    assert "ECDHE" in got["cipher"]
    assert got["client"] is None


# ---- What is agreed on, in the manner of testssl -------------------------------------


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1,
                                     ssl.TLSVersion.TLSv1_1])
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_nothing_before_1_2(server, authority, version):
    context = client(authority, high=version, ciphers="ALL:@SECLEVEL=0")
    with pytest.raises(ssl.SSLError) as e:
        connect(server, context)
    assert e.value.reason == "TLSV1_ALERT_PROTOCOL_VERSION"


@pytest.mark.parametrize("ciphers", [
    "AES128-GCM-SHA256", "AES256-SHA256", "AES128-SHA", "ECDHE-ECDSA-AES128-SHA",
    "ECDHE-ECDSA-AES256-SHA384", "NULL", "aNULL", "CAMELLIA128-SHA256",
])
def test_no_cipher_without_forward_secrecy_and_aead(server, authority, ciphers):
    try:
        context = client(authority, high=V12, ciphers=f"{ciphers}:@SECLEVEL=0")
    except ssl.SSLError:
        pytest.skip("not in this OpenSSL")
    with pytest.raises(ssl.SSLError) as e:
        connect(server, context)
    assert e.value.reason == "SSLV3_ALERT_HANDSHAKE_FAILURE"


@VERSIONS
def test_no_compression(server, authority, version):
    context = client(authority, high=version)
    context.options &= ~ssl.OP_NO_COMPRESSION
    with connect(server, context) as c:
        assert c.sock.compression() is None
        assert c.sock.version() == {V12: "TLSv1.2", V13: "TLSv1.3"}[version]
        assert c.ask("GET", "/").status == 200


def s_client(server, *options, stdin=b"", seconds=30):
    """What openssl s_client says, who gets its input a little later."""
    p = subprocess.Popen(
        ["openssl", "s_client", "-connect", f"127.0.0.1:{server.tls_port}",
         "-servername", "localhost", *options],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT)
    try:
        out = b""
        while b"\n---\n" not in out or b"Verify return code" not in out:
            piece = p.stdout.read1(65536)
            out += piece
            if not piece:
                break
        rest, _ = p.communicate(stdin, timeout=seconds)
        return (out + rest).decode(errors="replace")
    finally:
        p.kill()
        p.wait()


def test_the_client_may_not_renegotiate(server):
    said = s_client(server, "-tls1_2", stdin=b"R\n")
    assert "RENEGOTIATING" in said
    assert "no renegotiation" in said or "handshake failure" in said or \
        "unexpected message" in said, said[-2000:]
    assert server.serves()


def test_renegotiation_that_others_force_is_ruled_out(server):
    assert "Secure Renegotiation IS supported" in s_client(server, "-tls1_2")


def test_the_whole_chain_is_sent_and_no_root(server):
    said = s_client(server, "-showcerts")
    assert said.count("BEGIN CERTIFICATE") == 1
    assert "CN = localhost" in said


def test_no_early_data(server):
    said = s_client(server, "-tls1_3")
    assert "Max Early Data: 0" in said or "Max Early Data" not in said


@pytest.mark.parametrize("groups,works", [
    ("X25519", True), ("P-256", True), ("P-384", True),
    ("secp224r1", False), ("secp192k1", False),
])
def test_groups(server, groups, works):
    said = s_client(server, "-groups", groups)
    assert ("Cipher is (NONE)" not in said and "CN = localhost" in said) == \
        works


@VERSIONS
def test_sessions_are_resumed(server, authority, version):
    context = client(authority, high=version)
    with connect(server, context) as c:
        assert not c.sock.session_reused
        assert c.ask("GET", "/").status == 200  # tickets of 1.3 come late
        session = c.sock.session
        assert session.has_ticket
    raw = socket.create_connection(("127.0.0.1", server.tls_port), 15)
    with context.wrap_socket(raw, server_hostname="localhost",
                             session=session) as s:
        assert s.session_reused
        s.sendall(request("GET", "/"))
        assert b"200" in s.recv(4096)


@VERSIONS
def test_a_ticket_of_another_server_is_passed_over(server, secured, authority,
                                                   version):
    """It was encrypted with a key that only that one has."""
    context = client(authority, high=version)
    with connect(secured(), context) as c:
        assert c.ask("GET", "/").status == 200
        session = c.sock.session
    raw = socket.create_connection(("127.0.0.1", server.tls_port), 15)
    with context.wrap_socket(raw, server_hostname="localhost",
                             session=session) as s:
        assert not s.session_reused
        s.sendall(request("GET", "/"))
        assert b"200" in s.recv(4096)


# ---- Certificates -------------------------------------------------------------------


def name_of(server, context, name):
    """The names in the certificate that one gets for a name."""
    context.check_hostname = False
    with connect(server, context, name=name) as c:
        assert c.ask("GET", "/").status == 200
        return {v for k, v in c.sock.getpeercert()["subjectAltName"]
                if k == "DNS"}


def test_the_name_chooses_the_certificate(secured, authority):
    other = authority.issue("other", ["DNS:other.example", "DNS:*.wild.example"])
    server = secured(env={"TLS_CERT2": other.cert, "TLS_KEY2": other.key})
    names = {"other.example", "*.wild.example"}
    for asked, got in [("localhost", {"localhost"}), ("other.example", names),
                       ("a.wild.example", names), ("OTHER.example", names),
                       ("a.b.wild.example", {"localhost"}),
                       ("wild.example", {"localhost"}),
                       ("nobody.example", {"localhost"})]:
        assert name_of(server, client(authority), asked) == got, asked
    assert name_of(server, client(authority), None) == {"localhost"}


def test_a_client_that_distrusts_the_certificate_stops_nobody(server):
    for _ in range(20):
        with pytest.raises(ssl.SSLCertVerificationError):
            connect(server, ssl.create_default_context())
    assert server.serves()


def broken_identities(identity, authority, folder):
    (folder / "garbage.pem").write_text("no certificate")
    (folder / "empty.pem").write_text("")
    cut = Path(identity.cert).read_text()
    (folder / "cut.pem").write_text(cut[:len(cut) // 2])
    other = authority.issue("another")
    garbage, empty, half = (str(folder / f"{n}.pem")
                            for n in ("garbage", "empty", "cut"))
    return {
        garbage: (garbage, identity.key), empty: (empty, identity.key),
        half: (half, identity.key), "absent.pem": ("absent.pem", identity.key),
        identity.key: (identity.cert, garbage),
        other.key: (identity.cert, other.key),
    }


def test_a_bad_certificate_stops_the_start_and_is_named(program, identity,
                                                        authority, tmp_path):
    for i, (cert, key) in enumerate(
            broken_identities(identity, authority, tmp_path).values()):
        log = tmp_path / f"log{i}"
        with pytest.raises((AssertionError, OSError, Closed)):
            # It has bound its other port by then, and may close on who asks.
            Server(program, tls=pki.Identity(cert, key), log=log)
        said = log.read_text()
        # With the name of the file that is to blame, or one of the pair.
        assert cert in said or key in said, said


def certificate(server, context):
    with connect(server, context) as c:
        assert c.ask("GET", "/").status == 200
        return c.sock.getpeercert()["serialNumber"]


def test_files_are_read_again_without_a_stop(secured, authority, context,
                                             tmp_path):
    def put(identity):
        for kind in ("cert", "key"):
            temporary = tmp_path / f"new.{kind}"
            shutil.copy(getattr(identity, kind), temporary)
            temporary.rename(tmp_path / f"{kind}.pem")

    put(authority.issue("localhost"))
    server = secured(tls=pki.Identity(str(tmp_path / "cert.pem"),
                                      str(tmp_path / "key.pem")))
    with connect(server, context) as old:
        first = certificate(server, context)
        put(authority.issue("localhost"))
        assert certificate(server, context) == first, "not before it is told"
        server.proc.send_signal(signal.SIGHUP)
        until = time.monotonic() + 20
        while certificate(server, context) == first:
            assert time.monotonic() < until
            time.sleep(0.05)
        second = certificate(server, context)
        assert old.ask("GET", "/").body == b"ok\n"
        # What is wrong changes nothing.
        (tmp_path / "cert.pem").write_text("garbage")
        server.proc.send_signal(signal.SIGHUP)
        for _ in range(20):
            assert certificate(server, context) == second
            time.sleep(0.01)
        assert old.ask("GET", "/").body == b"ok\n"
    assert server.stop() == 0


# ---- Clients' certificates -------------------------------------------------------------


@pytest.fixture
def strangers(tmp_path):
    return pki.Authority(tmp_path, "strangers")


def asked(server, context):
    """What is known of who asks; None if he is not let in.  In TLS 1.3 a
    client learns of that with the first answer."""
    try:
        with connect(server, context) as c:
            return known(c)
    except (ssl.SSLError, Closed, ConnectionError):
        return None


@VERSIONS
def test_clients_without_a_good_certificate_are_not_let_in(
        secured, authority, strangers, version):
    alice = authority.issue("alice", ["email:alice@example.com"], "clientAuth")
    mallory = strangers.issue("alice", ["email:alice@example.com"],
                              "clientAuth")
    server = secured(env={"TLS_CLIENT_CA": authority.cert,
                          "TLS_CLIENT": "required"})
    got = asked(server, client(authority, high=version, cert=alice))
    assert "CN=alice" in got["client"].replace(" ", "")
    assert asked(server, client(authority, high=version)) is None
    assert asked(server, client(authority, high=version, cert=mallory)) is None
    assert server.serves()


@VERSIONS
def test_a_certificate_may_be_left_to_the_client(secured, authority, strangers,
                                                 version):
    bob = authority.issue("bob", ["email:bob@example.com"], "clientAuth")
    mallory = strangers.issue("bob", ["email:bob@example.com"], "clientAuth")
    server = secured(env={"TLS_CLIENT_CA": authority.cert,
                          "TLS_CLIENT": "optional"})
    got = asked(server, client(authority, high=version, cert=bob))
    assert "CN=bob" in got["client"].replace(" ", "")
    assert asked(server, client(authority, high=version))["client"] is None
    # A bad one is not the same as none.
    assert asked(server, client(authority, high=version, cert=mallory)) is None
    with H2(server.tls_port, context=client(
            authority, ["h2"], high=version, cert=bob)) as c:
        assert "bob" in known(c)["client"]


def test_a_resumed_session_remembers_its_client(secured, authority):
    carol = authority.issue("carol", ["email:carol@example.com"], "clientAuth")
    server = secured(env={"TLS_CLIENT_CA": authority.cert,
                          "TLS_CLIENT": "required"})
    context = client(authority, high=V12, cert=carol)
    with connect(server, context) as c:
        want = known(c)["client"]
        session = c.sock.session
    raw = socket.create_connection(("127.0.0.1", server.tls_port), 15)
    with context.wrap_socket(raw, server_hostname="localhost",
                             session=session) as s:
        assert s.session_reused
        s.sendall(request("GET", "/connection", [("Connection", "close")]))
        got = b""
        while piece := s.recv(65536):
            got += piece
    assert want in got.decode()


# ---- What goes wrong -------------------------------------------------------------------


def hello(context):
    """The first flight of a client, in octets."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = context.wrap_bio(incoming, outgoing, server_hostname="localhost")
    with contextlib.suppress(ssl.SSLWantReadError):
        tls.do_handshake()
    return outgoing.read()


def test_handshakes_that_break_off_anywhere(server, context):
    base = server.descriptors()
    data = hello(context)
    with Bystander(server.port):
        for cut in range(0, len(data), 3):
            with Connection(server.tls_port) as c:
                c.send(data[:cut])
    assert settles(server.descriptors, base + 2, 20) <= base + 2
    assert certificate(server, context)


def test_handshakes_octet_by_octet(server, context):
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = context.wrap_bio(incoming, outgoing, server_hostname="localhost")
    with Connection(server.tls_port) as c:
        def pump(act):
            while True:
                try:
                    return act()
                except ssl.SSLWantReadError:
                    for octet in outgoing.read():
                        c.send(bytes([octet]))
                    incoming.write(c.sock.recv(1))

        pump(tls.do_handshake)
        tls.write(request("GET", "/"))
        got = b""
        while b"ok\n" not in got:
            got += pump(lambda: tls.read(65536))


def test_mutants_of_a_handshake_do_no_harm(server, context):
    rng = random.Random(5)
    data = hello(context)
    with Bystander(server.port):
        for _ in range(300):
            mutant = bytearray(data)
            for _ in range(rng.choice((1, 1, 2, 5))):
                mutant[rng.randrange(len(mutant))] = rng.randrange(256)
            with Connection(server.tls_port) as c, \
                    contextlib.suppress(OSError):
                c.send(bytes(mutant))
                c.sock.shutdown(socket.SHUT_WR)
                c.rest()
    assert certificate(server, context)


def test_broken_records_end_their_connection_alone(server, context):
    with Bystander(server.port):
        for junk in (b"\x17\x03\x03\x00\x20" + bytes(32),
                     b"\x17\x03\x03\xff\xff" + bytes(70000), b"\x00" * 100,
                     b"\x14\x03\x03\x00\x01\x01" * 100,
                     b"\x15\x03\x03\x00\x02\x02\x28"):
            with connect(server, context) as c:
                assert c.ask("GET", "/").status == 200
                raw = socket.socket(fileno=os.dup(c.sock.fileno()))
                with raw, contextlib.suppress(OSError):
                    raw.sendall(junk)
                    raw.settimeout(15)
                    while raw.recv(65536):
                        pass
    assert certificate(server, context)


@pytest.mark.parametrize("octets", [
    b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes(9), b"\x80\x2e\x01\x00\x02",
    bytes(1000), b"\r\n" * 50,
])
def test_what_is_no_tls_is_not_served(server, octets):
    with Connection(server.tls_port, timeout=30) as c:
        c.send(octets)
        c.sock.shutdown(socket.SHUT_WR)
        got = c.rest()
        assert b"200" not in got and b"ok\n" not in got
    assert server.serves()


def test_tls_on_a_port_without_is_not_served(server, context):
    with pytest.raises((ssl.SSLError, OSError)):
        Connection(server.port, context=context)
    assert server.serves()


def test_the_silent_stop_nobody_and_are_sent_away(server, context):
    silent = [Connection(server.tls_port, timeout=40) for _ in range(300)]
    data = hello(context)
    for i, c in enumerate(silent):
        c.send(data[:i % 100])
    assert certificate(server, context)
    with H2(server.port) as other:
        assert other.ask("GET", "/").status == 200
    # A handshake has ten seconds.
    for c in silent:
        c.rest()
        c.sock.close()
    assert server.serves()


def test_many_handshakes_at_once_all_succeed(server, authority):
    def one(i):
        with connect(server, client(authority, high=(V12, V13)[i % 2]),
                     timeout=60) as c:
            return c.ask("GET", "/").body

    with ThreadPoolExecutor(40) as pool:
        assert set(pool.map(one, range(200))) == {b"ok\n"}


@pytest.mark.parametrize("alpn", ["http/1.1", "h2"])
def test_the_end_is_told_within_tls(secured, authority, alpn):
    """So that nobody can cut an answer short unseen: close_notify."""
    server = secured()
    context = client(authority, [alpn])
    raw = socket.create_connection(("127.0.0.1", server.tls_port), 20)
    with context.wrap_socket(raw, server_hostname="localhost",
                             suppress_ragged_eofs=False) as s:
        if alpn == "http/1.1":
            s.sendall(request("GET", "/"))
            assert b"200" in s.recv(65536)
        else:
            s.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes(3) + b"\4" +
                      bytes(5))
            assert s.recv(65536)
        server.proc.terminate()
        while s.recv(65536):  # an end that was not told would raise
            pass
    assert server.proc.wait(20) == 0


def test_a_client_may_end_without_telling(server, context):
    base = server.descriptors()
    for data in (b"", request("GET", "/slow?ms=50"),
                 request("POST", "/echo", body=b"x" * 100)[:-50],
                 request("GET", "/stream/3000000")):
        for _ in range(10):
            with connect(server, context) as c:
                c.send(data)
                os.close(c.sock.detach())
    assert settles(server.descriptors, base, 20) <= base
    assert certificate(server, context)


def test_what_is_in_progress_finishes_at_a_stop(secured, authority, context):
    server = secured()
    with connect(server, context) as one, \
            H2(server.tls_port, context=client(authority, ["h2"])) as two:
        stream = two.request("GET", "/slow?ms=800")
        one.send(request("GET", "/slow?ms=800"))
        two.sync()
        server.proc.terminate()
        assert one.answer().body == b"ok\n"
        assert two.answer(stream).body == b"ok\n"
    assert server.proc.wait(20) == 0


def test_answers_that_nobody_reads_are_bounded(secured, authority):
    server = secured(preexec=raise_limit)
    for _ in range(5):
        assert server.serves()
    before = server.rss_anon()
    conns = []
    for _ in range(50):
        c = connect(server, client(authority), rcvbuf=4096)
        c.send(request("GET", "/stream/60000000"))
        conns.append(c)
    time.sleep(1)
    grown = (server.rss_anon() - before) / 50
    print(f"{grown:.1f} KiB a connection")
    for c in conns:
        c.sock.close()
    assert sanitized(server) or grown < (160 if server.in_c else 600)
    assert server.serves()


def test_an_idle_connection_is_small(secured, authority):
    server = secured(preexec=raise_limit)
    if not server.in_c or sanitized(server):
        pytest.skip("measured in C alone")
    context = client(authority)
    with contextlib.ExitStack() as stack:
        def some(count):
            for _ in range(count):
                c = stack.enter_context(connect(server, context))
                assert c.ask("GET", "/plaintext").status == 200

        some(100)
        before = server.rss_anon()
        some(300)
        each = (server.rss_anon() - before) / 300
    print(f"{each:.2f} KiB a connection")
    assert each <= 24
