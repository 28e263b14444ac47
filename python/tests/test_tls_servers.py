# SPDX-License-Identifier: Apache-2.0
"""Certificates: which one a client gets, and how they are replaced."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import ssl
from pathlib import Path
from typing import Any

import httpx
import pytest
from certificates import (
    authority,
    certificate,
    needs_openssl,
    revoking,
    trusting,
)
from command import Command, write_app
from served import Served, read_all
from waiting import DEADLINE

import volo

pytestmark = needs_openssl

APP = """
import os, volo
app = volo.App()

@app.get("/")
def root() -> str:
    return str(os.getpid())
"""


def subject(port: int, name: str = "localhost") -> str:
    """The common name of the certificate that a client gets who asks for
    ``name``."""
    context = trusting()
    context.check_hostname = False
    with (
        socket.create_connection(("127.0.0.1", port), DEADLINE) as plain,
        context.wrap_socket(plain, server_hostname=name) as wrapped,
    ):
        found = wrapped.getpeercert()
        assert found is not None
        subject: Any = found["subject"]
        return str(dict(pair for [pair] in subject)["commonName"])


def copied(folder: Path, name: str) -> tuple[Path, Path]:
    """The files of that certificate, where they can be replaced."""
    cert, key = folder / "cert.pem", folder / "key.pem"
    for source, target in zip(certificate(name), (cert, key), strict=True):
        shutil.copy(source, target.with_suffix(".new"))
        os.replace(target.with_suffix(".new"), target)
    return cert, key


def test_a_client_gets_the_certificate_for_the_name_it_asks_for() -> None:
    tls = volo.TLS(*certificate("localhost")).add(*certificate("other.test"))
    with Served(volo.App(), tls=tls) as served:
        assert subject(served.port, "localhost") == "localhost"
        assert subject(served.port, "other.test") == "other.test"
        assert subject(served.port, "nobody.test") == "localhost"


def test_certificates_may_come_from_memory() -> None:
    chain, key = (file.read_bytes() for file in certificate("localhost"))
    tls = volo.TLS().add_pem(chain, key).add_pem(chain + key)
    with Served(volo.App(), tls=tls) as served:
        assert subject(served.port) == "localhost"


def test_new_connections_get_what_has_been_reloaded(tmp_path: Path) -> None:
    tls = volo.TLS(*copied(tmp_path, "localhost"))
    with Served(volo.App(), tls=tls) as served:
        assert subject(served.port) == "localhost"
        copied(tmp_path, "other.test")
        assert subject(served.port) == "localhost"
        tls.reload()
        assert subject(served.port) == "other.test"


def test_a_reload_of_a_broken_file_changes_nothing(tmp_path: Path) -> None:
    cert, key = copied(tmp_path, "localhost")
    tls = volo.TLS(cert, key)
    with Served(volo.App(), tls=tls) as served:
        cert.write_text("no certificate")
        with pytest.raises(volo.VoloError, match=r"cert\.pem") as caught:
            tls.reload()
        assert caught.value.name == "VOLO_ETLS"
        assert subject(served.port) == "localhost"


def test_a_file_that_is_not_there_is_named() -> None:
    with pytest.raises(volo.VoloError, match=r"/nowhere/cert\.pem"):
        volo.TLS("/nowhere/cert.pem", "/nowhere/key.pem")


def test_a_key_of_another_certificate_is_refused() -> None:
    cert, _ = certificate("localhost")
    _, key = certificate("other.test")
    with pytest.raises(volo.VoloError):
        volo.TLS(cert, key)


def test_what_openssl_does_not_understand_is_refused() -> None:
    with pytest.raises(volo.VoloError):
        volo.TLS(ciphers="no such cipher")


def test_mistakes_are_found_when_they_are_made() -> None:
    files = certificate("localhost")
    with pytest.raises(TypeError, match="needs ca_certs"):
        volo.TLS(*files, client_cert="required")
    with pytest.raises(ValueError, match="client_cert is one of"):
        volo.TLS(*files, client_cert="maybe")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"1\.2 or 1\.3"):
        volo.TLS(*files, min_version="1.1")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="without certfile"):
        volo.TLS(keyfile="key.pem")
    with pytest.raises(TypeError, match="certfile, keyfile"):
        volo.Server(volo.App(), tls="cert.pem")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="https needs tls"):
        volo.Server(volo.App(), bind=["https://127.0.0.1:0"])
    with pytest.raises(volo.VoloError):
        volo.TLS(*files, tickets=9)
    with pytest.raises(TypeError, match="needs ca_certs"):
        volo.TLS(*files, client_crl="list.pem")
    with pytest.raises(ValueError, match="no colon"):
        volo.TLS(*files, ticket_keys=["a:b"])
    with pytest.raises(ValueError, match="80 octets"):
        volo.TLS(*files).set_ticket_keys([b"short"])
    with pytest.raises(volo.VoloError):
        volo.TLS(*files).set_ticket_keys([bytes(80)] * 17)


def test_every_option_is_taken(tmp_path: Path) -> None:
    keylog = tmp_path / "keys"
    tls = volo.TLS(
        *certificate("localhost"),
        ca_certs=authority()[0],
        client_cert="none",
        client_crl=revoking(),
        min_version="1.2",
        max_version="1.3",
        ciphers="ECDHE-ECDSA-AES128-GCM-SHA256",
        ciphersuites="TLS_AES_128_GCM_SHA256",
        groups="X25519",
        alpn=["http/1.1"],
        tickets=0,
        ticket_lifetime=60,
        keylog=keylog,
    )
    context = trusting("h2", "http/1.1")
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    with (
        Served(volo.App(), tls=tls) as served,
        socket.create_connection(("127.0.0.1", served.port), DEADLINE) as plain,
        context.wrap_socket(plain, server_hostname="localhost") as wrapped,
    ):
        cipher = wrapped.cipher()
        assert cipher is not None and cipher[0] == "ECDHE-ECDSA-AES128-GCM-SHA256"
        assert wrapped.selected_alpn_protocol() == "http/1.1"
    assert "CLIENT_RANDOM" in keylog.read_text()


def test_one_server_may_speak_both_with_and_without_tls() -> None:
    tls = certificate("localhost")
    bind = ["http://127.0.0.1:0", "https://127.0.0.1:0", "127.0.0.1:0"]
    options: dict[str, Any] = {"host": None, "port": None, "bind": bind, "tls": tls}
    with Served(volo.App(), **options) as served:
        schemes = [url.partition(":")[0] for url in served.server.urls]
        assert schemes == ["http", "https", "https"]
        assert served.get("/").status == 404
        for url in served.server.urls[1:]:
            assert subject(int(url.rpartition(":")[2])) == "localhost"


def test_a_proxy_that_is_trusted_says_who_the_client_is() -> None:
    app = volo.App()

    @app.get("/")
    def who(request: volo.Request) -> str:
        return f"{request.client_ip} {request.scheme}"

    files = certificate("localhost")
    with (
        Served(app, tls=files, proxy_protocol="127.0.0.1/32") as served,
        socket.create_connection(("127.0.0.1", served.port), DEADLINE) as plain,
    ):
        plain.sendall(b"PROXY TCP4 192.0.2.7 127.0.0.1 4711 443\r\n")
        with trusting().wrap_socket(plain, server_hostname="localhost") as wrapped:
            wrapped.sendall(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            assert read_all(wrapped).endswith(b"192.0.2.7 https")


# ---- volo run --------------------------------------------------------------------


def start(folder: Path, *options: str) -> Command:
    target = write_app(folder, APP)
    cert, key = copied(folder, "localhost")
    files = ("--certfile", str(cert), "--keyfile", str(key))
    return Command(folder, target, "--port", "0", *files, *options)


def pid_over_tls(port: int) -> int:
    with httpx.Client(http2=True, verify=trusting("h2"), timeout=DEADLINE) as http:
        answer = http.get(f"https://127.0.0.1:{port}/")
    assert answer.http_version == "HTTP/2"
    return int(answer.text)


def test_the_command_speaks_tls_and_reads_files_again_for_sighup(
    tmp_path: Path,
) -> None:
    with start(tmp_path) as command:
        port = command.port
        assert pid_over_tls(port) == command.pid
        assert f"https://127.0.0.1:{port}" in command.log
        copied(tmp_path, "other.test")
        command.signal(signal.SIGHUP)
        command.wait_for("have been read again")
        assert subject(port) == "other.test"
        (tmp_path / "cert.pem").write_text("none")
        command.signal(signal.SIGHUP)
        command.wait_for("the certificates stay as they are")
        assert subject(port) == "other.test"
        command.signal(signal.SIGTERM)
        assert command.code() == 0


def test_workers_that_replace_others_have_new_certificates(tmp_path: Path) -> None:
    with start(tmp_path, "--workers", "2") as command:
        port = command.port
        before = pid_over_tls(port)
        assert before != command.pid
        copied(tmp_path, "other.test")
        command.signal(signal.SIGHUP)
        command.wait_for("has stopped", 2)
        assert subject(port) == "other.test"
        assert pid_over_tls(port) != before
        command.signal(signal.SIGTERM)
        assert command.code() == 0


def test_the_command_names_a_file_that_is_missing(tmp_path: Path) -> None:
    target = write_app(tmp_path, APP)
    with Command(tmp_path, target, "--certfile", "nowhere.pem") as command:
        assert command.code() == 1
    assert "nowhere.pem" in command.log


@pytest.mark.parametrize(
    "options",
    [
        ["--keyfile", "k.pem"],
        ["--ca-certs", "c.pem"],
        ["--ticket-key", "k"],
        ["--certfile", "c.pem", "--client-crl", "l.pem"],
        ["--certfile", "c.pem", "--client-cert", "required"],
        ["--certfile", "a.pem", "--certfile", "b.pem", "--keyfile", "k.pem"],
    ],
)
def test_options_that_do_not_fit_together_are_refused(
    tmp_path: Path, options: list[str]
) -> None:
    target = write_app(tmp_path, APP)
    with Command(tmp_path, target, *options) as command:
        assert command.code() == 2
    assert "--certfile" in command.log or "--ca-certs" in command.log
