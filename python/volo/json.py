# SPDX-License-Identifier: Apache-2.0
"""JSON, by msgspec: the one place that chooses how.

``dumps`` is what answers are encoded with, unless an application brings its own.
"""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from os import PathLike, fspath
from typing import Any, TypeVar, overload

import msgspec

__all__ = ["DecodeError", "Decoder", "dumps", "is_pydantic", "loads"]

T = TypeVar("T")

DecodeError = msgspec.DecodeError
Decoder = Callable[[bytes], Any]


def is_pydantic(cls: object) -> bool:
    """Whether ``cls`` is a model of pydantic, which is not imported for that."""
    pydantic = sys.modules.get("pydantic")
    model = getattr(pydantic, "BaseModel", None)
    return model is not None and isinstance(cls, type) and issubclass(cls, model)


def _plain(value: Any) -> Any:
    """Turn what msgspec does not know into what it does; TypeError if nothing."""
    if is_pydantic(type(value)):
        return value.model_dump(mode="json")
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, str):
        return str(value)
    if isinstance(value, (AbstractSet, Sequence)):
        return list(value)
    if isinstance(value, PathLike):
        return fspath(value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return dataclasses.asdict(value)
    raise TypeError(f"{type(value).__qualname__} can't be written as JSON")


_encoder = msgspec.json.Encoder(enc_hook=_plain)


def dumps(value: object) -> bytes:
    """``value`` as JSON.

    Takes what msgspec does (dict, list, str, numbers, None, Struct, dataclass,
    attrs, Enum, UUID, Decimal, date, time, bytes as base64), mappings, sets,
    paths and models of pydantic.  TypeError for anything else.
    """
    return _encoder.encode(value)


@overload
def loads(data: bytes | str) -> Any: ...
@overload
def loads(data: bytes | str, type: type[T]) -> T: ...
def loads(data: bytes | str, type: Any = Any) -> Any:
    """Read JSON, as ``type`` if that is given.

    ``msgspec.DecodeError`` if it is malformed, its subclass
    ``msgspec.ValidationError`` if it does not fit ``type``.
    """
    return msgspec.json.decode(data, type=type)
