# SPDX-License-Identifier: Apache-2.0
"""Certificates for tests, made by the openssl command; each is made once."""

from __future__ import annotations

import functools
import shutil
import ssl
import subprocess
import tempfile
from pathlib import Path

import pytest

needs_openssl = pytest.mark.skipif(
    shutil.which("openssl") is None, reason="there is no openssl command"
)


@functools.cache
def _folder() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="volo-tls-")


def _openssl(*arguments: str) -> None:
    subprocess.run(["openssl", *arguments], check=True, capture_output=True)


def _paths(name: str) -> tuple[Path, Path]:
    folder = Path(_folder().name)
    return folder / f"{name}.pem", folder / f"{name}-key.pem"


def _request(name: str, *more: str) -> None:
    """Have a key made, and what ``more`` says of it."""
    key = str(_paths(name)[1])
    curve = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
    _openssl("req", *curve, "-keyout", key, "-subj", f"/CN={name}", *more)


@functools.cache
def authority() -> tuple[Path, Path]:
    """(certificate, key) of who signs certificates."""
    cert, key = _paths("authority")
    uses = "keyUsage=critical,keyCertSign,cRLSign"
    _request("authority", "-x509", "-out", str(cert), "-days", "2", "-addext", uses)
    return cert, key


@functools.cache
def certificate(name: str) -> tuple[Path, Path]:
    """(certificate, key) of a server ``name``, or of such a client."""
    (cert, key), signer = _paths(name), [str(file) for file in authority()]
    asked, more = str(cert.with_suffix(".csr")), cert.with_suffix(".cnf")
    more.write_text(
        f"subjectAltName=DNS:{name},IP:127.0.0.1\n"
        "basicConstraints=critical,CA:FALSE\n"
        "subjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n"
    )
    _request(name, "-new", "-out", asked)
    by = ("-CA", signer[0], "-CAkey", signer[1], "-CAcreateserial", "-days", "2")
    what = ("-in", asked, "-out", str(cert), "-extfile", str(more))
    _openssl("x509", "-req", *what, *by)
    return cert, key


@functools.cache
def revoking(name: str | None = None) -> Path:
    """A list by the authority that revokes the certificate of ``name``, or none."""
    folder = Path(_folder().name)
    lists, index = folder / f"{name}.crl", folder / f"{name}.index"
    (folder / "ca.cnf").write_text(
        f"[ca]\ndefault_ca=c\n[c]\ndatabase={index}\ndefault_md=sha256\n"
    )
    index.write_text("")
    cert, key = map(str, authority())
    by = ("-config", str(folder / "ca.cnf"), "-cert", cert, "-keyfile", key)
    if name is not None:
        _openssl("ca", *by, "-revoke", str(certificate(name)[0]))
    _openssl("ca", *by, "-gencrl", "-crldays", "2", "-out", str(lists))
    return lists


def trusting(*protocols: str, client: str | None = None) -> ssl.SSLContext:
    """What a client that trusts the authority connects with."""
    context = ssl.create_default_context(cafile=str(authority()[0]))
    context.set_alpn_protocols(list(protocols) or ["http/1.1"])
    if client is not None:
        context.load_cert_chain(*map(str, certificate(client)))
    return context
