# SPDX-License-Identifier: Apache-2.0
"""What ``volo run`` can be told: one table, from which the command line, the
environment variables and the settings of a worker process are made."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .options import NO_LIMIT
from .tls import TLS

__all__ = ["FLAGS", "Flag", "Settings", "from_environment"]


@dataclass(frozen=True)
class Flag:
    """One option: ``--name``, ``VOLO_NAME``, and a field of Settings."""

    name: str
    help: str
    kind: type = str
    choices: tuple[str, ...] | None = None
    many: bool = False
    server: str | None = None
    """The keyword of :class:`volo.options.Options` that it sets."""

    @property
    def field(self) -> str:
        return self.name.replace("-", "_")

    @property
    def variable(self) -> str:
        return f"VOLO_{self.field.upper()}"


def _limit(name: str, help: str, server: str) -> Flag:
    return Flag(name, help, int, server=server)


def _timeout(name: str, help: str, server: str) -> Flag:
    return Flag(name, help, float, server=server)


FLAGS: tuple[Flag, ...] = (
    Flag("host", "address to listen on (127.0.0.1)"),
    Flag("port", "port to listen on (8080; 0: some free one)", int),
    Flag("uds", "Unix socket to listen on instead"),
    Flag("fd", "listening socket that is open already, by descriptor", int),
    Flag("certfile", "certificate chain, PEM: speak TLS; once for each", many=True),
    Flag("keyfile", "its key, PEM (in the same file); once for each", many=True),
    Flag("ca-certs", "authorities of clients' certificates, PEM"),
    Flag(
        "client-cert",
        "whether clients have a certificate (required, with --ca-certs)",
        choices=("none", "optional", "required"),
    ),
    Flag("client-crl", "lists of revoked ones of them, PEM"),
    Flag(
        "ticket-key",
        "file of 80 random octets, a key for session tickets; the first makes them",
        many=True,
    ),
    Flag("tls-min-version", "of TLS (1.2)", choices=("1.2", "1.3")),
    Flag("ciphers", "of TLS 1.2, as OpenSSL names them"),
    Flag("proxy-protocol", "networks of proxies that speak the PROXY protocol"),
    Flag("http1", "speak HTTP/1 too (yes)", bool, server="http1"),
    Flag("http2", "speak HTTP/2 too (yes)", bool, server="http2"),
    Flag("workers", "processes that serve (1)", int),
    Flag("loops", "loop threads in each process (1; 0: by processors)", int),
    Flag("threads", "most threads for def handlers and WSGI (40)", int),
    Flag("loop", "asyncio's loop", choices=("auto", "asyncio", "uvloop")),
    Flag("interface", "of what kind it is", choices=("auto", "volo", "asgi", "wsgi")),
    Flag("lifespan", "ASGI's lifespan protocol", choices=("auto", "on", "off")),
    Flag("factory", "the name is of a function that makes the application", bool),
    Flag("app-dir", "directory to look for modules in (.)"),
    Flag("root-path", "prefix of paths that a proxy has taken off"),
    Flag("proxy-headers", "believe X-Forwarded-For and -Proto of proxies", bool),
    Flag("forwarded-allow-ips", "which proxies: networks (127.0.0.1/32, ::1, unix)"),
    Flag("reload", "start again when a source file changes", bool),
    Flag("reload-dir", "directory to watch (the app dir)", many=True),
    Flag(
        "log-level",
        "least level to be logged (info)",
        choices=("critical", "error", "warning", "info", "debug"),
    ),
    Flag("access-log", "a line on standard output for each request", bool),
    Flag("access-log-format", "of what form", choices=("common", "combined", "json")),
    Flag("server-header", "value of the Server field (none)"),
    _limit("backlog", "connections that wait to be accepted (4096)", "backlog"),
    Flag("limit-concurrency", "requests at once, in a process; more get 503", int),
    _limit("limit-connections", "connections (65536)", "max_connections"),
    _limit("limit-per-address", "connections of one address", "max_per_address"),
    _limit("limit-body", "octets of a body (2097152; -1: any)", "body_limit"),
    _limit("limit-head", "octets of a head (16384)", "head_limit"),
    _limit("limit-fields", "field lines of a head (100)", "field_limit"),
    _limit("limit-target", "octets of a request target (8192)", "target_limit"),
    _limit("limit-streams", "requests at once of a connection (128)", "stream_limit"),
    _limit("limit-requests", "requests of one connection", "requests_per_connection"),
    _timeout("timeout-handshake", "seconds for TLS (10)", "handshake_timeout"),
    _timeout("timeout-head", "seconds for a head (10)", "head_timeout"),
    _timeout("timeout-keep-alive", "seconds between requests (60)", "idle_timeout"),
    _timeout("timeout-body", "seconds between octets of a body (30)", "body_timeout"),
    _timeout("timeout-write", "seconds without progress (30)", "write_timeout"),
    _timeout("timeout-stop", "seconds for a graceful stop (30)", "stop_timeout"),
)


@dataclass
class Settings:
    """The values of :data:`FLAGS`; None, or empty, for what was not said."""

    target: str = ""
    host: str | None = None
    port: int | None = None
    uds: str | None = None
    fd: int | None = None
    certfile: list[str] = field(default_factory=list[str])
    keyfile: list[str] = field(default_factory=list[str])
    ca_certs: str | None = None
    client_cert: Any = None
    client_crl: str | None = None
    ticket_key: list[str] = field(default_factory=list[str])
    tls_min_version: Any = "1.2"
    ciphers: str | None = None
    proxy_protocol: str | None = None
    workers: int = 1
    loops: int = 1
    threads: int = 40
    loop: Any = "auto"
    interface: Any = "auto"
    lifespan: Any = "auto"
    factory: bool = False
    app_dir: str = "."
    root_path: str = ""
    proxy_headers: bool = False
    forwarded_allow_ips: str = "127.0.0.1/32, ::1/128, unix"
    reload: bool = False
    reload_dir: list[str] = field(default_factory=list[str])
    log_level: str = "info"
    access_log: bool = False
    access_log_format: Any = "common"
    server_header: str | None = None
    limit_concurrency: int | None = None
    limits: dict[str, Any] = field(default_factory=dict[str, Any])
    """Keywords of :class:`volo.options.Options`."""

    @classmethod
    def of(cls, target: str, values: Mapping[str, Any]) -> Settings:
        """From the values of flags, by field; None for those not given."""
        settings = cls(target)
        for flag in FLAGS:
            value = values.get(flag.field)
            if value is None:
                continue
            if flag.server is None:
                setattr(settings, flag.field, value)
            else:
                settings.limits[flag.server] = _number(flag, value)
        return settings

    def tls(self) -> TLS | None:
        """Made of its files, now; VoloError if they will not do."""
        if not self.certfile:
            return None
        tls = TLS(
            ca_certs=self.ca_certs,
            client_cert=self.client_cert,
            client_crl=self.client_crl,
            ticket_keys=self.ticket_key,
            min_version=self.tls_min_version,
            ciphers=self.ciphers,
        )
        keys: list[str | None] = [*self.keyfile] or [None] * len(self.certfile)
        for certfile, keyfile in zip(self.certfile, keys, strict=True):
            tls.add(certfile, keyfile)
        return tls

    def to_json(self) -> str:
        return json.dumps(dataclasses.asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Settings:
        return cls(**json.loads(text))


def _number(flag: Flag, value: float) -> float | None:
    if value == -1 or value == NO_LIMIT:
        return None
    if value < 0:
        raise ValueError(f"--{flag.name} can't be negative: {value}")
    return value


# ---- The environment ---------------------------------------------------------

_WORDS = {
    "1": True,
    "true": True,
    "yes": True,
    "on": True,
    "0": False,
    "false": False,
    "no": False,
    "off": False,
    "": False,
}


def from_environment(environ: Mapping[str, str]) -> dict[str, Any]:
    """The values that ``VOLO_...`` variables give, by field.  Raises
    ValueError, naming the variable, for one that can't be read."""
    values: dict[str, Any] = {}
    for flag in FLAGS:
        text = environ.get(flag.variable)
        if text is not None:
            values[flag.field] = _read(flag, text)
    return values


def _read(flag: Flag, text: str) -> Any:
    try:
        if flag.kind is bool:
            return _WORDS[text.strip().lower()]
        value = flag.kind(text)
    except (KeyError, ValueError):
        raise ValueError(f"{flag.variable}={text!r} is no value of its") from None
    if flag.choices is not None and value not in flag.choices:
        raise ValueError(f"{flag.variable}={text!r}: one of {', '.join(flag.choices)}")
    return value.split(":") if flag.many else value
