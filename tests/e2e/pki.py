# SPDX-License-Identifier: Apache-2.0
"""Authorities and certificates, made with the openssl program: good ones, and
all kinds of bad ones."""

import subprocess
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Identity:
    """A certificate with its chain, and its key: names of PEM files."""

    cert: str
    key: str


def openssl(*args, stdin=""):
    done = subprocess.run(["openssl", *args], input=stdin, text=True,
                          capture_output=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


CURVE = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1")
LOCAL = ("DNS:localhost", "IP:127.0.0.1", "IP:::1")


def identity(folder, name="localhost", sans=LOCAL, days=2, algorithm=CURVE):
    """A certificate that has signed itself."""
    cert, key = (str(Path(folder, f"{name}.{kind}"))
                 for kind in ("cert.pem", "key.pem"))
    openssl("req", "-x509", *algorithm, "-nodes", "-keyout", key, "-out", cert,
            "-days", str(days), "-subj", f"/CN={name}",
            "-addext", "subjectAltName=" + ",".join(sans))
    return Identity(cert, key)


class Authority:
    """Issues certificates, for servers and for clients."""

    def __init__(self, folder, name="authority"):
        self.folder = Path(folder)
        self.cert = str(self.folder / f"{name}.pem")
        self.key = str(self.folder / f"{name}.key")
        openssl("req", "-x509", *CURVE, "-nodes", "-keyout", self.key, "-out",
                self.cert, "-days", "3", "-subj", f"/CN={name}",
                "-addext", "keyUsage=critical,keyCertSign,cRLSign")

    def issue(self, name, sans=LOCAL, usage="serverAuth", days=2):
        cert, key, ask, more = (str(self.folder / f"{name}.{kind}") for kind in
                                ("cert.pem", "key.pem", "csr", "ext"))
        openssl("req", "-new", *CURVE, "-nodes", "-keyout", key, "-out", ask,
                "-subj", f"/O=Volo/CN={name}")
        Path(more).write_text(
            f"subjectAltName={','.join(sans)}\nextendedKeyUsage={usage}\n"
            "basicConstraints=critical,CA:FALSE\n")
        openssl("x509", "-req", "-in", ask, "-CA", self.cert, "-CAkey",
                self.key, "-CAcreateserial", "-out", cert, "-days", str(days),
                "-extfile", more)
        return Identity(cert, key)
