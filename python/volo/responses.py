# SPDX-License-Identifier: Apache-2.0
"""Answers that say more than a plain value does.

    return volo.Redirect("/login")
    return volo.File("report.pdf", download="report-2026.pdf")

``Response(body, status, headers, media_type)`` is the type of C, and what layers
see; these are its subclasses. ``response.headers`` can be changed, and
``response.set_cookie(...)`` adds a cookie.
"""

from __future__ import annotations

import os
import stat
from collections.abc import AsyncIterable, Iterable, Mapping
from typing import Any
from urllib.parse import quote

from . import cvolo
from . import problem as problems
from ._cvolo import Response
from .cookies import delete_cookie, set_cookie
from .errors import HTTPError, Invalid
from .json import dumps

__all__ = [
    "HTML",
    "JSON",
    "Empty",
    "File",
    "PlainText",
    "Problem",
    "Redirect",
    "Response",
    "Stream",
    "delete_cookie",
    "set_cookie",
]

Headers = Mapping[str, str] | Iterable[tuple[str, str]] | None
Chunk = bytes | bytearray | memoryview | str
Chunks = Iterable[Chunk] | AsyncIterable[Chunk]

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_URI = "!#$%&'()*+,/:;=?@[]~"

# Methods of every response, also of those that C makes.
for _method in (set_cookie, delete_cookie):
    setattr(Response, _method.__name__, _method)


class JSON(Response):
    """``value`` as JSON, which is encoded at once: TypeError if it can't be."""

    def __init__(
        self,
        value: Any,
        status: int = 200,
        headers: Headers = None,
        media_type: str = "application/json",
    ) -> None:
        super().__init__(dumps(value), status, headers, media_type)


class HTML(Response):
    """A page."""

    def __init__(self, body: str, status: int = 200, headers: Headers = None) -> None:
        super().__init__(body, status, headers, "text/html; charset=utf-8")


class PlainText(Response):
    """Text, as a plain ``str`` is, with a status and headers."""

    def __init__(
        self,
        body: str,
        status: int = 200,
        headers: Headers = None,
        media_type: str = "text/plain; charset=utf-8",
    ) -> None:
        super().__init__(body, status, headers, media_type)


class Empty(Response):
    """No content."""

    def __init__(self, status: int = 204, headers: Headers = None) -> None:
        super().__init__(None, status, headers)


class Redirect(Response):
    """To ``location``, a URI reference; what may not stand in one is encoded.

    ``status``: 307 and 308 keep the method, 303 makes it GET, 301 and 302 do
    either. ValueError for others.
    """

    def __init__(
        self, location: str, status: int = 307, headers: Headers = None
    ) -> None:
        if status not in _REDIRECTS:
            raise ValueError(f"{status} is no status of a redirection")
        super().__init__(None, status, headers)
        self.headers["location"] = quote(location, safe=_URI)


class Problem(Response):
    """An error as application/problem+json (RFC 9457), whatever the client
    accepts; ``raise HTTPError`` looks at that."""

    def __init__(
        self,
        status: int,
        detail: str | None = None,
        headers: Headers = None,
        *,
        type: str | None = None,
        title: str | None = None,
        errors: Iterable[Invalid] = (),
        extra: Mapping[str, Any] | None = None,
    ) -> None:
        body = problems.members(status, detail, type, title, errors, extra)
        super().__init__(dumps(body), status, headers, problems.JSON_TYPE)

    @staticmethod
    def of(error: HTTPError, accept: str | None) -> Response:
        """What answers ``error`` for a client with that Accept field."""
        body, media_type = problems.render(error, accept)
        return Response(body, error.status, error.headers, media_type)


class Stream(Response):
    """Content that is made while it is sent.

    ``content`` gives bytes or str (sent in UTF-8): an iterable, or an async one;
    it is asked for more only when the client has taken most of what there is.
    When the client leaves, it is closed. ``length`` in octets if it is known;
    otherwise the end is told by chunks.

    In a plain ``def`` handler an iterable keeps its thread as long as the client
    takes; a handler that is a generator itself, or ``async``, does not.
    """

    def __init__(
        self,
        content: Chunks,
        status: int = 200,
        headers: Headers = None,
        media_type: str | None = "application/octet-stream",
        *,
        length: int | None = None,
    ) -> None:
        if length is not None and length < 0:
            raise ValueError(f"{length} is no length")
        super().__init__(content, status, headers, media_type)
        self.length = length


class FileBody:
    """The content of a file that is opened when it is sent."""

    __slots__ = ("path",)

    def __init__(self, path: str) -> None:
        self.path = path


class File(Response):
    """A regular file, which C sends when it is answered with.

    Raises HTTPError: 404 if there is none, 403 if it may not be read. That can
    be caught, or left to be the answer.

    ``media_type`` is told by the name if it is not given. ``download`` is the
    name under which a browser is to save it; True: the file's own.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        status: int = 200,
        headers: Headers = None,
        media_type: str | None = None,
        *,
        download: str | bool = False,
    ) -> None:
        where = os.fspath(path)
        _check_file(where)
        super().__init__(FileBody(where), status, headers, media_type or type_of(where))
        if download:
            name = os.path.basename(where) if download is True else download
            self.headers["content-disposition"] = disposition(name)


def _check_file(path: str) -> None:
    try:
        status = os.stat(path)
        allowed = os.access(path, os.R_OK)
    except PermissionError:
        raise HTTPError(403) from None
    except (OSError, ValueError):  # the latter for a NUL
        raise HTTPError(404) from None
    if not stat.S_ISREG(status.st_mode):
        raise HTTPError(404)
    if not allowed:
        raise HTTPError(403)


def type_of(path: str) -> str:
    """The media type that a file's name tells."""
    found: str = cvolo.volo_mime_of(path)
    return found


def disposition(name: str) -> str:
    """Content-Disposition of a download (RFC 6266)."""
    plain = "".join(c if " " <= c <= "~" and c not in '"\\%' else "_" for c in name)
    if plain == name:
        return f'attachment; filename="{name}"'
    encoded = quote(name, safe="")
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{encoded}"
