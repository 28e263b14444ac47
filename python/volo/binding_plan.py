# SPDX-License-Identifier: Apache-2.0
"""What a handler's arguments are made of: leaves, which C reads from a request,
and what is put together from them in Python.

A leaf is a tuple ``(source, name, mode, convert, default, required)``, and a
plan a list of them.  The same leaf is read once, whoever wants it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

from .errors import RegistrationError

__all__ = ["Arg", "Expr", "Leaf", "Made", "Plan", "Provided", "SharedValue"]

Leaf = tuple[str, str, str, Callable[[Any], Any] | None, Any, bool]

# Bodies that are decoded: there can be but one way to do that.
_DECODED = frozenset({"json", "form", "stream"})


@dataclasses.dataclass(frozen=True)
class Arg:
    """Leaf number ``index``."""

    index: int


@dataclasses.dataclass(frozen=True)
class Made:
    """What ``make`` returns for some expressions."""

    make: Callable[..., Any]
    parts: tuple[Expr, ...]


@dataclasses.dataclass(frozen=True)
class SharedValue:
    """What was provided as ``kind``."""

    kind: Any


@dataclasses.dataclass(frozen=True)
class Provided:
    """What provider number ``index`` gives."""

    index: int


Expr = Arg | Made | SharedValue | Provided


class Plan:
    """The leaves of one handler and of all that it depends on."""

    def __init__(self, handler: str) -> None:
        self.handler = handler
        self.leaves: list[Leaf] = []
        self._body: tuple[str, str] | None = None

    def leaf(self, leaf: Leaf, parameter: str) -> Arg:
        """The leaf as an argument.  RegistrationError if the body would be
        decoded in two ways."""
        for index, known in enumerate(self.leaves):
            if _same(known, leaf):
                return Arg(index)
        self._check_body(leaf[0], parameter)
        self.leaves.append(leaf)
        return Arg(len(self.leaves) - 1)

    def request(self) -> Arg:
        """The request itself."""
        return self.leaf(("request", "request", "str", None, None, True), "request")

    def _check_body(self, source: str, parameter: str) -> None:
        if source not in _DECODED:
            return
        if self._body is not None and (source, self._body[0]) != ("form", "form"):
            raise RegistrationError(
                self.handler,
                parameter,
                f"would read the body again, after {self._body[1]!r}",
            )
        self._body = (source, parameter)


def _same(one: Leaf, other: Leaf) -> bool:
    if one[:3] != other[:3] or one[5] != other[5] or one[3] is not other[3]:
        return False
    return one[4] is other[4] or (
        type(one[4]) is type(other[4]) and bool(one[4] == other[4])
    )
