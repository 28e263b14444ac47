# SPDX-License-Identifier: Apache-2.0
"""TLS: the certificates of a server, who may connect to it, and how.

app.run(port=8443, tls=("chain.pem", "key.pem"))

tls = volo.TLS("chain.pem", "key.pem", min_version="1.3")
tls.add("other.pem", "other-key.pem")       # chosen by the name asked for
app.run(port=8443, tls=tls)
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any, Literal

from . import cvolo

__all__ = ["TLS", "ClientCert", "Path", "TLSLike", "Version"]

Path = str | os.PathLike[str]
Version = Literal["1.2", "1.3"]
ClientCert = Literal["none", "optional", "required"]

TICKET_KEY = 80
"""Octets of a key for session tickets."""

_VERSIONS: dict[str, int] = {"1.2": 12, "1.3": 13}
_MODES: dict[str, int] = {"none": 0, "optional": 1, "required": 2}


class TLS:
    """TLS 1.2 and 1.3 with safe settings, for :class:`volo.Server` and whatever
    runs one.

    ``certfile`` is a chain in PEM: the certificate, then those that signed it;
    ``keyfile`` its key, which may also stand in the same file.  :meth:`add` and
    :meth:`add_pem` add more: a client gets that for the server name it asks
    for, else the first.  ``ocsp`` is a response to be stapled to it, DER.

    ``ca_certs`` are the authorities of clients, PEM; ``client_cert`` says
    whether a client must have a certificate of one (``"required"``, the default
    with ``ca_certs``) or may (``"optional"``).  ``client_crl`` are lists of
    revoked ones, PEM, for each authority; whom they name is refused.

    ``ciphers`` are those of TLS 1.2, ``ciphersuites`` those of TLS 1.3,
    ``groups`` the curves, all in the words of OpenSSL.  ``alpn`` are protocols,
    the best first.  ``tickets`` are those that a TLS 1.3 client gets, to resume
    its session (0: none), good for ``ticket_lifetime`` seconds.  ``ticket_keys``
    are files of 80 random octets each, so that several processes or hosts resume
    each other's sessions: the first makes tickets, all are known.  ``keylog`` is
    a file for the secrets of connections, to look into captured traffic with.

    One may serve several servers; settings are taken when the first is bound.
    Raises VoloError, which names the file, for one that will not do.
    """

    def __init__(
        self,
        certfile: Path | None = None,
        keyfile: Path | None = None,
        *,
        ocsp: Path | None = None,
        ca_certs: Path | None = None,
        client_cert: ClientCert | None = None,
        client_crl: Path | None = None,
        min_version: Version = "1.2",
        max_version: Version = "1.3",
        ciphers: str | None = None,
        ciphersuites: str | None = None,
        groups: str | None = None,
        alpn: Iterable[str] | None = None,
        tickets: int | None = None,
        ticket_lifetime: float | None = None,
        ticket_keys: Iterable[Path] | None = None,
        keylog: Path | None = None,
    ) -> None:
        self._c = cvolo.volo_tls_new()
        self._count = 0
        self._set(cvolo.VOLO_TLS_MIN_VERSION, _version(min_version))
        self._set(cvolo.VOLO_TLS_MAX_VERSION, _version(max_version))
        if tickets is not None:
            self._set(cvolo.VOLO_TLS_TICKETS, tickets)
        if ticket_lifetime is not None:
            self._set(cvolo.VOLO_TLS_TICKET_LIFETIME, round(ticket_lifetime * 1000))
        self._text(cvolo.VOLO_TLS_CIPHERS, ciphers)
        self._text(cvolo.VOLO_TLS_CIPHERSUITES, ciphersuites)
        self._text(cvolo.VOLO_TLS_GROUPS, groups)
        self._text(cvolo.VOLO_TLS_ALPN, None if alpn is None else ",".join(alpn))
        self._text(cvolo.VOLO_TLS_KEYLOG, None if keylog is None else _file(keylog))
        if ticket_keys is not None:
            self._text(cvolo.VOLO_TLS_TICKET_KEYS, _files(ticket_keys))
        self._set_client(ca_certs, client_cert)
        if client_crl is not None:
            if ca_certs is None:
                raise TypeError("client_crl needs ca_certs")
            cvolo.volo_tls_set_client_crl(self._c, _file(client_crl))
        if certfile is not None:
            self.add(certfile, keyfile, ocsp=ocsp)
        elif keyfile is not None or ocsp is not None:
            raise TypeError(
                "a keyfile or an OCSP response is of no use without certfile"
            )

    def _set(self, option: int, value: int) -> None:
        cvolo.volo_tls_set(self._c, option, value)

    def _text(self, option: int, text: str | None) -> None:
        if text is not None:
            cvolo.volo_tls_set_text(self._c, option, text)

    def _set_client(self, ca_certs: Path | None, mode: ClientCert | None) -> None:
        if mode is None:
            mode = "none" if ca_certs is None else "required"
        if mode not in _MODES:
            raise ValueError(f"client_cert is one of {', '.join(_MODES)}, not {mode!r}")
        if mode == "none":
            return
        if ca_certs is None:
            raise TypeError(f"client_cert={mode!r} needs ca_certs")
        cvolo.volo_tls_set_client_ca(self._c, _file(ca_certs), _MODES[mode])

    # ---- Certificates --------------------------------------------------------

    def add(
        self, certfile: Path, keyfile: Path | None = None, *, ocsp: Path | None = None
    ) -> TLS:
        """One more certificate, from files, which :meth:`reload` reads again;
        returns this."""
        key = None if keyfile is None else _file(keyfile)
        cvolo.volo_tls_add_cert(self._c, _file(certfile), key)
        return self._added(ocsp)

    def add_pem(
        self,
        chain: str | bytes,
        key: str | bytes | None = None,
        *,
        ocsp: Path | None = None,
    ) -> TLS:
        """The same from PEM itself; without ``key`` that is in the chain."""
        cvolo.volo_tls_add_cert_pem(self._c, chain, key)
        return self._added(ocsp)

    def _added(self, ocsp: Path | None) -> TLS:
        index, self._count = self._count, self._count + 1
        if ocsp is not None:
            cvolo.volo_tls_set_ocsp(self._c, index, _file(ocsp))
        return self

    def set_ticket_keys(self, keys: Iterable[bytes]) -> None:
        """Keys for session tickets in place of files with them, used at once: up
        to 16 of 80 random octets each.  The first makes tickets, all are known;
        whoever gives keys also changes them.  None: those of its own again.
        From any thread."""
        given = list(keys)
        if any(len(key) != TICKET_KEY for key in given):
            raise ValueError(f"a key for tickets has {TICKET_KEY} octets")
        cvolo.volo_tls_set_ticket_keys(self._c, b"".join(given))

    def reload(self) -> None:
        """Read all files again, for connections that come from now on.  If
        anything is wrong with them, VoloError says so and all stays as it was.
        From any thread; a server that :func:`volo.serve` or :meth:`App.run` runs
        does it for SIGHUP."""
        cvolo.volo_tls_reload(self._c)


TLSLike = TLS | tuple[Path, Path] | tuple[Path]
"""A TLS, or the arguments of one: (certfile, keyfile)."""


def tls_of(given: Any) -> TLS | None:
    """A TLS of what a server was given.  TypeError for anything else."""
    if given is None or isinstance(given, TLS):
        return given
    if isinstance(given, (tuple, list)) and 1 <= len(given) <= 2:
        return TLS(*given)
    raise TypeError(f"tls is a TLS or (certfile, keyfile), not {given!r}")


def _file(path: Path) -> str:
    return os.fspath(path)


def _files(paths: Iterable[Path]) -> str | None:
    names = [_file(path) for path in paths]
    if any(":" in name for name in names):
        raise ValueError("the name of a file with a key for tickets has no colon")
    return ":".join(names) or None


def _version(text: str) -> int:
    if text not in _VERSIONS:
        raise ValueError(f"a version of TLS is 1.2 or 1.3, not {text!r}")
    return _VERSIONS[text]
