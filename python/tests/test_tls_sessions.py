# SPDX-License-Identifier: Apache-2.0
"""Sessions that are resumed at another server, or another worker; and clients
that have been revoked."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import ssl
from pathlib import Path

import pytest
from certificates import authority, certificate, needs_openssl, revoking, trusting
from command import Command, write_app
from served import Served, read_all
from waiting import DEADLINE, until

import volo
from volo.tickets import TicketKeys, Told, read_message, write_message

pytestmark = needs_openssl

APP = """
import os, volo
app = volo.App()

@app.get("/")
def root() -> str:
    return str(os.getpid())
"""
VERSIONS = [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3]
ASK = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"


def of_version(version: ssl.TLSVersion, client: str | None = None) -> ssl.SSLContext:
    context = trusting(client=client)
    context.minimum_version = context.maximum_version = version
    return context


class Visit:
    """A request; what was answered, whether a session was resumed, and one."""

    def __init__(
        self, port: int, context: ssl.SSLContext, session: ssl.SSLSession | None = None
    ) -> None:
        with (
            socket.create_connection(("127.0.0.1", port), DEADLINE) as plain,
            context.wrap_socket(
                plain, server_hostname="localhost", session=session
            ) as wrapped,
        ):
            wrapped.sendall(ASK)
            self.text = read_all(wrapped).decode().rpartition("\r\n")[2]
            self.resumed = wrapped.session_reused
            self.session = wrapped.session


@pytest.mark.parametrize("version", VERSIONS)
def test_servers_with_the_same_keys_resume_each_others_sessions(
    version: ssl.TLSVersion, tmp_path: Path
) -> None:
    key, context = os.urandom(80), of_version(version)
    (tmp_path / "key").write_bytes(key)
    one = volo.TLS(*certificate("localhost"), ticket_keys=[tmp_path / "key"])
    two = volo.TLS(*certificate("localhost"))
    with Served(volo.App(), tls=one) as first, Served(volo.App(), tls=two) as second:
        session = Visit(first.port, context).session
        assert not Visit(second.port, context, session).resumed
        two.set_ticket_keys([os.urandom(80), key])
        assert Visit(second.port, context, session).resumed
        two.set_ticket_keys([])
        assert not Visit(second.port, context, session).resumed


def test_what_is_no_key_is_named(tmp_path: Path) -> None:
    (tmp_path / "key").write_bytes(bytes(79))
    with pytest.raises(volo.VoloError, match="key: is no key for tickets"):
        volo.TLS(ticket_keys=[tmp_path / "key"])


# ---- Workers ---------------------------------------------------------------------


def start(folder: Path, *options: str) -> Command:
    cert, key = map(str, certificate("localhost"))
    target = write_app(folder, APP)
    files = ("--certfile", cert, "--keyfile", key)
    return Command(folder, target, "--port", "0", "--workers", "2", *files, *options)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_session_of_one_worker_is_resumed_at_the_other(
    version: ssl.TLSVersion, tmp_path: Path
) -> None:
    context = of_version(version)
    with start(tmp_path) as command:
        command.wait_for("serves", 2)
        first = Visit(command.port, context)
        served_by = {first.text}

        def come_back() -> bool:
            again = Visit(command.port, context, first.session)
            assert again.resumed
            served_by.add(again.text)
            return len(served_by) == 2

        until(come_back)


def test_sessions_outlive_the_workers_that_began_them(tmp_path: Path) -> None:
    context = of_version(ssl.TLSVersion.TLSv1_3)
    with start(tmp_path) as command:
        first = Visit(command.port, context)
        for times in (1, 2):
            command.signal(signal.SIGHUP)
            command.wait_for("has stopped", 2 * times)
            again = Visit(command.port, context, first.session)
            assert again.resumed and again.text != first.text


def test_keys_are_in_no_environment_and_no_command_line(tmp_path: Path) -> None:
    with start(tmp_path) as command:
        worker = Visit(command.port, of_version(ssl.TLSVersion.TLSv1_3)).text
        environ = Path(f"/proc/{worker}/environ").read_bytes()
        assert b'"keys": true' in environ
        assert len(environ.partition(b"VOLO_WORKER=")[2].split(b"\0")[0]) < 4000
        opened = [os.readlink(fd) for fd in Path(f"/proc/{worker}/fd").iterdir()]
        assert not [name for name in opened if name.startswith(str(tmp_path))]


def test_files_of_keys_serve_workers_too(tmp_path: Path) -> None:
    (tmp_path / "key").write_bytes(os.urandom(80))
    context = of_version(ssl.TLSVersion.TLSv1_3)
    with start(tmp_path, "--ticket-key", "key") as command:
        session = Visit(command.port, context).session
        tls = volo.TLS(*certificate("localhost"), ticket_keys=[tmp_path / "key"])
        with Served(volo.App(), tls=tls) as served:
            assert Visit(served.port, context, session).resumed


# ---- Keys of a supervisor --------------------------------------------------------


def keys_of(octets: bytes) -> list[bytes]:
    return [octets[i : i + 80] for i in range(0, len(octets), 80)]


def test_the_second_key_is_the_next_first_and_old_ones_are_known_for_a_while() -> None:
    now = [1000.0]
    keys = TicketKeys(lambda: now[0])
    first, second = keys_of(keys.octets())
    keys.rotate()
    assert keys_of(keys.octets())[0] == second
    assert keys_of(keys.octets())[2:] == [first]
    now[0] = keys.due
    keys.rotate()
    assert keys_of(keys.octets())[2:] == [second]
    for _ in range(40):
        keys.rotate()
    assert len(keys_of(keys.octets())) == 16
    assert len(set(keys_of(keys.octets()))) == 16


def test_a_worker_hears_keys_before_and_after_it_has_tls() -> None:
    reader, writer = os.pipe()
    keys, told = TicketKeys(), Told()
    write_message(writer, keys.octets())
    write_message(writer, b"")
    os.close(writer)
    heard = read_message(reader)
    assert heard == keys.octets()
    told.hear(heard)
    tls = volo.TLS(*certificate("localhost"))
    told.attach(tls)
    other = volo.TLS(*certificate("localhost"))
    other.set_ticket_keys(keys_of(heard))
    context = of_version(ssl.TLSVersion.TLSv1_3)
    with Served(volo.App(), tls=tls) as one, Served(volo.App(), tls=other) as two:
        session = Visit(one.port, context).session
        assert Visit(two.port, context, session).resumed
        keys.rotate()
        told.hear(keys.octets())
        session = Visit(two.port, context).session
        assert Visit(one.port, context, session).resumed
    assert read_message(reader) == b""
    assert read_message(reader) is None
    os.close(reader)


# ---- Revoked clients -------------------------------------------------------------


@pytest.mark.parametrize("version", VERSIONS)
def test_a_revoked_client_is_refused_and_others_are_not(
    version: ssl.TLSVersion, tmp_path: Path
) -> None:
    lists = tmp_path / "lists"
    shutil.copy(revoking(), lists)
    tls = volo.TLS(*certificate("localhost"), ca_certs=authority()[0], client_crl=lists)
    with Served(volo.App(), tls=tls) as served:
        anna = of_version(version, "anna")
        before = Visit(served.port, anna)
        shutil.copy(revoking("anna"), lists)
        tls.reload()
        assert Visit(served.port, of_version(version, "berta")).text
        for session in (None, before.session):
            with pytest.raises(ssl.SSLError, match=r"(?i)revoked"):
                Visit(served.port, anna, session)


def test_the_command_takes_lists_of_revoked_clients(tmp_path: Path) -> None:
    lists = ("--client-crl", str(revoking("anna")))
    with start(tmp_path, "--ca-certs", str(authority()[0]), *lists) as command:
        context = of_version(ssl.TLSVersion.TLSv1_3, "berta")
        assert Visit(command.port, context).text.isdigit()
        with pytest.raises(ssl.SSLError, match=r"(?i)revoked"):
            Visit(command.port, of_version(ssl.TLSVersion.TLSv1_3, "anna"))


def test_what_is_no_list_is_named() -> None:
    cert = authority()[0]
    with pytest.raises(volo.VoloError, match=r"authority\.pem: has no X509 CRL"):
        volo.TLS(ca_certs=cert, client_crl=cert)
