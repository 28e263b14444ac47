# SPDX-License-Identifier: Apache-2.0
"""The ``volo`` command."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from typing import Any

from .settings import FLAGS, Flag, Settings, from_environment

__all__ = ["main"]

_EPILOG = """\
Each option can also be given as a variable of the environment: --limit-body as
VOLO_LIMIT_BODY.  The command line comes first.

Signals: SIGINT and SIGTERM stop gracefully, a second one at once.  SIGHUP reads
certificates again; with several workers, it replaces them one by one, and
SIGTTIN and SIGTTOU make them one more and one less.
"""


def _add(parser: argparse.ArgumentParser, flag: Flag) -> None:
    name = f"--{flag.name}"
    options: dict[str, Any] = {"dest": flag.field, "help": flag.help, "default": None}
    if flag.kind is bool:
        parser.add_argument(name, action=argparse.BooleanOptionalAction, **options)
    elif flag.many:
        parser.add_argument(name, action="append", metavar="PATH", **options)
    elif flag.choices is not None:
        parser.add_argument(name, choices=flag.choices, **options)
    else:
        metavar = {int: "N", float: "SECONDS"}.get(flag.kind, "TEXT")
        parser.add_argument(name, type=flag.kind, metavar=metavar, **options)


def _parser() -> argparse.ArgumentParser:
    from . import __version__

    parser = argparse.ArgumentParser("volo", description="HTTP services on libvolo.")
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    run = commands.add_parser(
        "run",
        help="serve an application",
        description="Serve a volo.App, or an ASGI or WSGI application.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    run.add_argument("target", metavar="MODULE:NAME", help="the application")
    for flag in FLAGS:
        _add(run, flag)
    return parser


def _settings(parser: argparse.ArgumentParser, args: argparse.Namespace) -> Settings:
    given = {k: v for k, v in vars(args).items() if v is not None}
    try:
        values = {**from_environment(os.environ), **given}
        settings = Settings.of(args.target, values)
        _check(settings)
    except ValueError as error:
        parser.error(str(error))
    return settings


def _check(settings: Settings) -> None:
    if settings.workers < 1:
        raise ValueError("--workers must be at least 1")
    if settings.reload and settings.workers > 1:
        raise ValueError("--reload is for one worker")
    if not settings.certfile and (settings.keyfile or settings.ca_certs):
        raise ValueError("--keyfile and --ca-certs need --certfile")
    if settings.ticket_key and not settings.certfile:
        raise ValueError("--ticket-key needs --certfile")
    if settings.client_crl and not settings.ca_certs:
        raise ValueError("--client-crl needs --ca-certs")
    if settings.keyfile and len(settings.keyfile) != len(settings.certfile):
        raise ValueError("--keyfile is to be given for each --certfile, or for none")
    if settings.client_cert in ("optional", "required") and not settings.ca_certs:
        raise ValueError("--client-cert needs --ca-certs")
    places = (settings.uds, settings.fd, settings.host or settings.port)
    if sum(place is not None for place in places) > 1:
        raise ValueError("--uds, --fd, and --host with --port exclude each other")
    if settings.port is not None and not 0 <= settings.port <= 65535:
        raise ValueError(f"--port {settings.port}: from 0 to 65535")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns what the process is to exit with."""
    parser = _parser()
    settings = _settings(parser, parser.parse_args(argv))
    from .run import run

    return run(settings)


if __name__ == "__main__":
    sys.exit(main())
