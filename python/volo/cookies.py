# SPDX-License-Identifier: Apache-2.0
"""Cookies in answers: Set-Cookie with all its attributes (RFC 6265)."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from ._cvolo import Response

__all__ = ["SameSite", "cookie_line", "delete_cookie", "set_cookie"]

SameSite = Literal["lax", "strict", "none"]

_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VALUE = re.compile(r'"?[\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]*"?')
_ATTRIBUTE = re.compile(r"[\x20-\x3a\x3c-\x7e]*")


def _checked(what: str, value: str, allowed: re.Pattern[str]) -> str:
    if not allowed.fullmatch(value):
        raise ValueError(f"{value!r} can't be the {what} of a cookie")
    return value


def _date(expires: datetime | timedelta) -> str:
    if isinstance(expires, timedelta):
        expires = datetime.now(timezone.utc) + expires
    if expires.tzinfo is None:
        raise ValueError("the time when a cookie expires needs a time zone")
    return format_datetime(expires.astimezone(timezone.utc), usegmt=True)


def _checked_prefix(
    name: str, path: str | None, domain: str | None, secure: bool
) -> None:
    """What browsers demand of __Secure- and __Host- (RFC 6265bis)."""
    lower = name.lower()
    if lower.startswith(("__secure-", "__host-")) and not secure:
        raise ValueError(f"the cookie {name} has to be secure")
    if lower.startswith("__host-") and (path != "/" or domain is not None):
        raise ValueError(f"the cookie {name} needs the path / and no domain")


def cookie_line(
    name: str,
    value: str = "",
    *,
    max_age: int | timedelta | None = None,
    expires: datetime | timedelta | None = None,
    path: str | None = "/",
    domain: str | None = None,
    secure: bool = False,
    http_only: bool = False,
    same_site: SameSite | None = "lax",
    partitioned: bool = False,
) -> str:
    """The value of a Set-Cookie field.

    ``max_age`` in seconds; ``expires`` with a time zone, or from now on.
    Without both, the cookie lasts as long as the browser's session.

    Raises ValueError for what may not stand there: a name that is no token,
    control characters, blanks, commas, semicolons and non-ASCII in the value
    (encode them first), SameSite=None or Partitioned without Secure.
    """
    _checked_prefix(name, path, domain, secure)
    if not secure and (partitioned or same_site == "none"):
        raise ValueError("SameSite=None and Partitioned are for secure cookies")
    parts = [f"{_checked('name', name, _NAME)}={_checked('value', value, _VALUE)}"]
    if max_age is not None:
        seconds = max_age.total_seconds() if isinstance(max_age, timedelta) else max_age
        parts.append(f"Max-Age={int(seconds)}")
    if expires is not None:
        parts.append(f"Expires={_date(expires)}")
    if domain is not None:
        parts.append(f"Domain={_checked('domain', domain, _ATTRIBUTE)}")
    if path is not None:
        parts.append(f"Path={_checked('path', path, _ATTRIBUTE)}")
    if secure:
        parts.append("Secure")
    if http_only:
        parts.append("HttpOnly")
    if same_site is not None:
        parts.append(f"SameSite={_same_site(same_site)}")
    if partitioned:
        parts.append("Partitioned")
    return "; ".join(parts)


def _same_site(value: str) -> str:
    if value.lower() not in ("lax", "strict", "none"):
        raise ValueError(f"{value!r} is neither 'lax' nor 'strict' nor 'none'")
    return value.capitalize()


def set_cookie(
    response: Response,
    name: str,
    value: str = "",
    *,
    max_age: int | timedelta | None = None,
    expires: datetime | timedelta | None = None,
    path: str | None = "/",
    domain: str | None = None,
    secure: bool = False,
    http_only: bool = False,
    same_site: SameSite | None = "lax",
    partitioned: bool = False,
) -> None:
    """Add a cookie to ``response``; the arguments are those of ``cookie_line``.

    Also a method of every Response.
    """
    line = cookie_line(
        name,
        value,
        max_age=max_age,
        expires=expires,
        path=path,
        domain=domain,
        secure=secure,
        http_only=http_only,
        same_site=same_site,
        partitioned=partitioned,
    )
    response.headers.add("set-cookie", line)


def delete_cookie(
    response: Response,
    name: str,
    *,
    path: str | None = "/",
    domain: str | None = None,
    secure: bool = False,
    http_only: bool = False,
    same_site: SameSite | None = "lax",
    partitioned: bool = False,
) -> None:
    """Have the browser forget a cookie, which was set with the same ``path`` and
    ``domain`` (and, where it was partitioned, ``partitioned``).

    Also a method of every Response.
    """
    set_cookie(
        response,
        name,
        max_age=0,
        expires=datetime.fromtimestamp(0, timezone.utc),
        path=path,
        domain=domain,
        secure=secure,
        http_only=http_only,
        same_site=same_site,
        partitioned=partitioned,
    )
