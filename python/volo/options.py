# SPDX-License-Identifier: Apache-2.0
"""Limits and timeouts of a server, by keyword.

It names what C can be told and in which unit Python says it; what the numbers
do is written in ``volo/server.h``.
"""

from __future__ import annotations

from typing import Any, TypedDict

from . import cvolo

__all__ = ["Options", "apply"]

NO_LIMIT = 2**64 - 1


class Options(TypedDict, total=False):
    """Keywords of :meth:`volo.App.run` and :class:`volo.Server`.

    Times are seconds (fractions are kept to the millisecond), sizes octets;
    ``None`` stands for no limit.  What is not given keeps its default.
    """

    max_connections: int | None
    """65536, and always below the process's limit of descriptors."""
    max_per_address: int | None
    """Connections of one address; no limit."""
    body_limit: int | None
    """2 MiB; a larger body is answered with 413."""
    head_limit: int | None
    """16 KiB; a larger head is answered with 431."""
    field_limit: int | None
    """100 field lines in a head."""
    target_limit: int | None
    """8 KiB; a longer target is answered with 414."""
    head_timeout: float | None
    """10 s for the whole head."""
    idle_timeout: float | None
    """60 s between requests."""
    body_timeout: float | None
    """30 s between octets of a body."""
    body_rate: int | None
    """500 octets a second, after the first 10 s; 0 turns it off."""
    write_timeout: float | None
    """30 s in which a client takes nothing."""
    stop_timeout: float | None
    """30 s for a graceful stop; then everything is closed."""
    pipeline_limit: int | None
    """64 requests read ahead."""
    write_buffer: int | None
    """64 KiB: who writes beyond that waits."""
    linger_timeout: float | None
    """5 s of reading before a close."""
    backlog: int | None
    """4096 connections that wait to be accepted."""
    half_close: bool
    """Whether who has shut down writing is still answered; off."""
    requests_per_connection: int | None
    """No limit."""
    trailer_limit: int | None
    """16 KiB."""
    chunk_ext_limit: int | None
    """16 KiB a body."""
    http1: bool
    """Whether HTTP/1 is spoken; on.  Without it, a client has to know."""
    http2: bool
    """Whether HTTP/2 is spoken, with TLS or without; on."""
    stream_limit: int | None
    """128 requests at once of one HTTP/2 connection."""
    handshake_timeout: float | None
    """10 s for the whole of a TLS handshake."""
    handshake_limit: int | None
    """TLS handshakes at once, in each loop."""


_NAMES = frozenset(Options.__annotations__)


def check(options: dict[str, Any]) -> None:
    """Raise TypeError for a keyword that is no option."""
    for name in options:
        if name not in _NAMES:
            raise TypeError(f"there is no server option {name!r}")


def _number(name: str, value: Any) -> int:
    if value is None:
        return NO_LIMIT
    if not isinstance(value, (int, float)) or value < 0:
        raise ValueError(f"{name} must be a number, not negative: {value!r}")
    return round(value * 1000 if name.endswith("_timeout") else value)


def apply(server: Any, options: dict[str, Any]) -> None:
    """Set ``options`` on a C server.  Raises TypeError for an unknown name,
    ValueError for a bad value, VoloError for one that C refuses."""
    check(options)
    for name, value in options.items():
        option = getattr(cvolo, f"VOLO_SERVER_{name.upper()}")
        cvolo.volo_server_set(server, option, _number(name, value))
