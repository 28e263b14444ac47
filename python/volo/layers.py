# SPDX-License-Identifier: Apache-2.0
"""The stock layers, which run in C and never enter Python.

    app.layer(volo.layers.cors(["https://example.com"]))

Each function makes a :class:`Layer`, which an app, a router, a group or a
route takes beside layers written in Python, in one order.  It is cheapest
outside of those: one in Python around it has to go by way of C, see
:meth:`volo.Router.layer`.

There is no ``filter`` that asks a Python function: it would have to be called
on the thread of a loop, which must not wait for the interpreter.  Middleware
that answers without calling ``next`` does the same on the handlers' threads.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Iterable
from typing import Any, Literal

from . import cvolo

__all__ = [
    "Layer",
    "access_log",
    "body_limit",
    "client_ip",
    "concurrency",
    "cors",
    "etag",
    "hsts",
    "https_redirect",
    "request_id",
    "secure_headers",
    "timeout",
]


class Setup:
    """What is begun and ended with a service that is being built."""

    def __init__(self) -> None:
        self.on_stop: list[Callable[[], None]] = []


class Layer:
    """A stock layer, to be given to ``layer()`` or ``layers=``.

    It may be added in more than one place.
    """

    __slots__ = ("_make", "name")

    def __init__(self, name: str, make: Callable[[Setup], Any]) -> None:
        self.name = name
        self._make = make

    def __repr__(self) -> str:
        return f"<volo layer {self.name}>"

    def build(self, setup: Setup) -> Any:
        """The C layer, a reference of the caller's."""
        return self._make(setup)


def _shared(name: str, layer: Any) -> Layer:
    """One that holds nothing, made at once so that a mistake shows at once."""
    return Layer(name, lambda setup: layer)


def _milliseconds(seconds: float) -> int:
    if seconds < 0.001:
        raise ValueError(f"a time of at least a millisecond, not {seconds!r} s")
    return round(seconds * 1000)


def timeout(seconds: float, status: int = 504) -> Layer:
    """Give up after ``seconds`` without an answer: the client gets
    ``status`` (400 to 599), and an ``async def`` handler is cancelled."""
    layer = cvolo.volo_layer_timeout(_milliseconds(seconds), status)
    return _shared("timeout", layer)


def body_limit(octets: int) -> Layer:
    """Accept bodies of at most ``octets``, be that more or less than the
    server does; larger ones get 413."""
    return _shared("body_limit", cvolo.volo_layer_body_limit(octets))


def concurrency(limit: int, queue: int = 0) -> Layer:
    """At most ``limit`` requests inside at once; ``queue`` more wait for their
    turn, the rest get 503 with Retry-After."""
    return _shared("concurrency", cvolo.volo_layer_concurrency(limit, queue))


def request_id(header: str = "x-request-id", trust: bool = False) -> Layer:
    """Give each request an id, and send it back in ``header``: the one that
    came in it if ``trust``, else a new UUID."""
    layer = cvolo.volo_layer_request_id(header, int(trust))
    return _shared("request_id", layer)


def secure_headers(hsts: int = 0, csp: str | None = None) -> Layer:
    """Set the headers that keep browsers from guessing, framing and leaking,
    where the answer does not set them itself.  ``hsts`` is the max-age of
    Strict-Transport-Security in seconds (0: none), ``csp`` a
    Content-Security-Policy."""
    layer = cvolo.volo_layer_secure_headers(hsts, csp)
    return _shared("secure_headers", layer)


def hsts(seconds: int, *, subdomains: bool = False, preload: bool = False) -> Layer:
    """Tell browsers that come over https to do so for ``seconds`` to come (0:
    not any more), with all ``subdomains``; ``preload`` asks for a place in the
    lists that browsers ship, who want subdomains and a year at least."""
    flags = subdomains * int(cvolo.VOLO_HSTS_SUBDOMAINS)
    flags |= preload * int(cvolo.VOLO_HSTS_PRELOAD)
    return _shared("hsts", cvolo.volo_layer_hsts(seconds, flags))


def https_redirect(port: int = 443, *, exempt: str | Iterable[str] = ()) -> Layer:
    """Send who comes over plain http to the same place over https, on
    ``port``, by a 308; except below the paths in ``exempt``, such as
    ``"/.well-known/acme-challenge/"``.  Not for a server behind a proxy that
    ends TLS: there, all comes over plain http."""
    paths = exempt if isinstance(exempt, str) else ", ".join(exempt)
    return _shared("https_redirect", cvolo.volo_layer_https_redirect(port, paths))


def client_ip(trusted: str | Iterable[str], header: str | None = None) -> Layer:
    """Find the client's address behind the proxies in ``trusted`` (networks
    such as ``"10.0.0.0/8"``, or ``"unix"``), from X-Forwarded-For, or
    ``header`` (``"forwarded"`` for RFC 7239)."""
    networks = trusted if isinstance(trusted, str) else ", ".join(trusted)
    layer = cvolo.volo_layer_client_ip(networks, header)
    return _shared("client_ip", layer)


def etag(weak: bool = False) -> Layer:
    """Give answers to GET an ETag, and answer 304 or 412 by If-None-Match and
    If-Match."""
    return _shared("etag", cvolo.volo_layer_etag(int(weak)))


# ---- CORS --------------------------------------------------------------------


def _listed(value: str | Iterable[str]) -> str:
    return value if isinstance(value, str) else ", ".join(value)


def cors(
    origins: str | Iterable[str] = "*",
    *,
    methods: str | Iterable[str] | None = None,
    headers: str | Iterable[str] | None = None,
    expose: str | Iterable[str] | None = None,
    credentials: bool = False,
    max_age: int | None = None,
) -> Layer:
    """The CORS protocol of the Fetch standard.

    ``origins`` are such as ``"https://example.com"``, ``"https://*.example.com"``
    or ``"*"``; ``methods`` default to GET, HEAD and POST; ``"*"`` for methods
    or headers allows what is asked for.  ``max_age`` is in seconds.  Raises
    VoloError for an origin that is none, or credentials for all of them.
    """
    rules = cvolo.volo_cors_new()
    for origin in [origins] if isinstance(origins, str) else origins:
        cvolo.volo_cors_origin(rules, origin)
    if methods is not None:
        cvolo.volo_cors_methods(rules, _listed(methods))
    if headers is not None:
        cvolo.volo_cors_headers(rules, _listed(headers))
    if expose is not None:
        cvolo.volo_cors_expose(rules, _listed(expose))
    if credentials:
        cvolo.volo_cors_credentials(rules, 1)
    if max_age is not None:
        cvolo.volo_cors_max_age(rules, max_age)
    return _shared("cors", cvolo.volo_layer_cors(rules))


# ---- Access log --------------------------------------------------------------


def access_log(
    to: int | str | logging.Logger = 1,
    format: Literal["common", "combined", "json"] = "common",
) -> Layer:
    """A line for each request when it is over.

    ``to`` is a file descriptor (1: standard output), a logger or the name of
    one.  A loop never waits for the log: lines that a pipe, terminal or logger
    does not take in time are dropped.
    """
    number = _log_format(format)
    if isinstance(to, int):
        layer = cvolo.volo_layer_access_log_fd(number, to)
        return _shared("access_log", layer)
    logger = logging.getLogger(to) if isinstance(to, str) else to
    return Layer("access_log", lambda setup: _logged(setup, number, logger))


def _log_format(name: str) -> int:
    try:
        return int(getattr(cvolo, f"VOLO_LOG_{name.upper()}"))
    except AttributeError:
        raise ValueError(f"no access log format {name!r}") from None


def _logged(setup: Setup, format: int, logger: logging.Logger) -> Any:
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    thread = threading.Thread(
        target=_forward, args=(reader, logger), name="volo-log", daemon=True
    )

    def stop() -> None:
        os.close(writer)
        thread.join()

    thread.start()
    setup.on_stop.append(stop)
    return cvolo.volo_layer_access_log_fd(format, writer)


def _forward(reader: int, logger: logging.Logger) -> None:
    """Log every line that comes out of the pipe, until its other end goes."""
    with open(reader, encoding="utf-8", errors="replace") as lines:
        for line in lines:
            logger.info("%s", line.rstrip("\n"))
