# SPDX-License-Identifier: Apache-2.0
"""The bodies of errors: RFC 9457 for clients that name JSON, else short text.

The same as C makes them, so that a client can't tell who has answered.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from .errors import HTTPError, Invalid, Rejection, reason_of
from .json import dumps

__all__ = ["JSON_TYPE", "TEXT_TYPE", "members", "render", "wants_json"]

JSON_TYPE = "application/problem+json"
TEXT_TYPE = "text/plain; charset=utf-8"

_QUALITY = re.compile(r"(?:0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?)\Z")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def _items(accept: str) -> Iterator[tuple[str, float]]:
    """The media ranges of an Accept field and their weights."""
    for item in accept.split(","):
        name, *parameters = (part.strip() for part in item.split(";"))
        weight = 1.0
        for parameter in parameters:
            key, _, value = parameter.partition("=")
            if key.strip().lower() == "q":
                value = value.strip()
                weight = float(value) if _QUALITY.match(value) else 0.0
        yield name.lower(), weight


def wants_json(accept: str | None) -> bool:
    """Whether an Accept field names JSON: who takes anything reads text."""
    if not accept:
        return False
    return any(
        weight > 0
        for name, weight in _items(accept)
        if name in ("application/json", JSON_TYPE)
    )


def members(
    status: int,
    detail: str | None = None,
    type: str | None = None,
    title: str | None = None,
    errors: Iterable[Invalid] = (),
    extra: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """The members of a problem, in their order."""
    title = reason_of(status) if title is None else title
    found: dict[str, Any] = {} if type is None else {"type": type}
    found |= {"title": title, "status": status}
    if detail is not None and detail.lower() != title.lower():
        found["detail"] = detail
    told = [{"field": e.field, "in": e.where, "reason": e.reason} for e in errors]
    if told:
        found["errors"] = told
    return found | {k: v for k, v in (extra or {}).items() if k not in found}


def _plain(text: str) -> str:
    return _CONTROL.sub("?", text)


def _text(problem: dict[str, Any], errors: Iterable[Invalid]) -> str:
    first = problem["title"] or str(problem["status"])
    if "detail" in problem:
        first = f"{first}: {_plain(problem['detail'])}"
    lines = [first]
    for error in errors:
        where = error.where
        if error.field != where:
            where = f"{where} {_plain(error.field)}".lstrip()
        lines.append(f"{where}: {_plain(error.reason)}")
    return "".join(f"{line}\n" for line in lines)


def render(error: HTTPError, accept: str | None) -> tuple[bytes, str]:
    """The body that says what was wrong, and its media type."""
    errors = error.errors if isinstance(error, Rejection) else ()
    problem = members(
        error.status, error.detail, error.type, error.title, errors, error.extra
    )
    if wants_json(accept):
        return dumps(problem), JSON_TYPE
    return _text(problem, errors).encode("utf-8", "backslashreplace"), TEXT_TYPE
