# SPDX-License-Identifier: Apache-2.0
"""What an annotation means: one value, several, a model, the octets, or nothing
that a request could give.

The types are those of msgspec, which is asked what it makes of an annotation;
it decodes and validates them later.
"""

from __future__ import annotations

import dataclasses
import enum
import functools
import ipaddress
import types
import typing
from collections.abc import Callable, Iterable
from typing import Annotated, Any, Union, get_args, get_origin

from msgspec import inspect as look

from . import binding_convert as conv
from .json import is_pydantic

__all__ = [
    "Form",
    "ModelField",
    "Shape",
    "annotated",
    "bare",
    "json_reader",
    "model_fields",
    "shape_of",
]


_REMEMBERED = 1024


class Form(enum.Enum):
    """How many values a type is read from."""

    SCALAR = "scalar"
    """One text."""
    LIST = "list"
    """Several texts."""
    MODEL = "model"
    """Fields with names; from a body of JSON if nothing else is said."""
    JSON = "json"
    """Anything else that JSON can give."""
    BYTES = "bytes"
    UNFIT = "unfit"
    """Nothing that a request can give; ``Shape.reason`` says why."""


@dataclasses.dataclass(frozen=True)
class Shape:
    """What a parameter of some type is read from, and how.

    ``mode`` and ``convert`` are those of the plan, for SCALAR and LIST.
    ``kind`` is the type without "or None", which is ``nullable``.
    """

    form: Form
    kind: Any
    nullable: bool = False
    mode: str = "str"
    convert: Callable[[Any], Any] | None = None
    reason: str = ""


_PLAIN: dict[type, tuple[str, Callable[[str], Any]]] = {
    look.IntType: ("int", conv.parse_int),
    look.FloatType: ("float", conv.parse_float),
    look.BoolType: ("bool", conv.parse_bool),
}
_SCALARS = (
    look.IntType,
    look.FloatType,
    look.BoolType,
    look.StrType,
    look.UUIDType,
    look.DecimalType,
    look.DateTimeType,
    look.DateType,
    look.TimeType,
    look.TimeDeltaType,
    look.EnumType,
    look.LiteralType,
)
_LISTS = (look.ListType, look.SetType, look.FrozenSetType, look.VarTupleType)
_MODELS = (
    look.StructType,
    look.DataclassType,
    look.TypedDictType,
    look.NamedTupleType,
)
_CONSTRUCTED: dict[Any, str] = {
    ipaddress.IPv4Address: "an IPv4 address",
    ipaddress.IPv6Address: "an IPv6 address",
    ipaddress.IPv4Network: "an IPv4 network",
    ipaddress.IPv6Network: "an IPv6 network",
}


# ---- Taking annotations apart ------------------------------------------------


def _alias_value(kind: Any) -> Any:
    """What ``type X = ...`` and NewType stand for."""
    while True:
        if isinstance(kind, typing.NewType):
            kind = kind.__supertype__
        elif type(kind).__name__ == "TypeAliasType":
            kind = kind.__value__
        else:
            return kind


def annotated(kind: Any, rest: Iterable[Any]) -> Any:
    """``Annotated`` of ``kind`` with what ``rest`` gives; ``kind`` if nothing."""
    parts = (kind, *rest)
    form: Any = Annotated
    return form[parts] if len(parts) > 1 else kind


def _without_none(kind: Any) -> tuple[Any, bool]:
    """``kind`` without None, and whether there was one."""
    kind = _alias_value(kind)
    if get_origin(kind) is Annotated:
        inner, nullable = _without_none(kind.__origin__)
        return (annotated(inner, kind.__metadata__) if nullable else kind), nullable
    if get_origin(kind) not in (Union, types.UnionType):
        return kind, False
    rest = [arg for arg in get_args(kind) if arg is not type(None)]
    if len(rest) == len(get_args(kind)) or not rest:
        return kind, False
    return Union[tuple(rest)], True  # noqa: UP007


def bare(kind: Any) -> Any:
    """The class behind Annotated, NewType and ``type X = ...``."""
    kind = _alias_value(kind)
    while get_origin(kind) is Annotated:
        kind = _alias_value(kind.__origin__)
    return kind


# ---- Asking msgspec ----------------------------------------------------------


def _inner(info: look.Type) -> Iterable[tuple[str, look.Type]]:
    """What has to be there for a value of this type, with names of fields."""
    if isinstance(info, look.UnionType):
        return [("", t) for t in info.types]
    if isinstance(info, look.TupleType):
        return [("", t) for t in info.item_types]
    if isinstance(info, (look.DictType,)):
        return [("", info.key_type), ("", info.value_type)]
    if isinstance(info, look.CollectionType):
        return [("", info.item_type)]
    if isinstance(info, _MODELS):
        return [(f.encode_name, f.type) for f in info.fields if f.required]
    return []


def _customs(
    info: look.Type, seen: frozenset[int] = frozenset()
) -> list[tuple[str, type]]:
    """The classes in a type that msgspec knows nothing of, and where."""
    if isinstance(info, look.CustomType):
        return [("", info.cls)]
    if id(info) in seen:
        return []
    found = []
    for name, inner in _inner(info):
        for below, cls in _customs(inner, seen | {id(info)}):
            found.append((".".join(filter(None, (name, below))), cls))
    return found


def _class_name(cls: Any) -> str:
    return getattr(cls, "__qualname__", None) or str(cls)


def _constrained(info: look.Type) -> bool:
    return any(
        getattr(info, name, None) is not None
        for name in (
            "gt",
            "ge",
            "lt",
            "le",
            "multiple_of",
            "min_length",
            "max_length",
            "pattern",
        )
    )


# ---- One value and several ---------------------------------------------------


def _words_for(info: look.Type) -> str | None:
    if isinstance(info, look.LiteralType):
        return "must be one of " + ", ".join(str(v) for v in info.values)
    if isinstance(info, look.EnumType):
        return "must be one of " + ", ".join(str(m.value) for m in info.cls)
    if isinstance(info, look.TimeDeltaType):
        return "must be a duration, as PT15M, or seconds"
    return None


def _read_scalar(kind: Any, info: look.Type) -> tuple[str, Any]:
    """The mode and the converter for one value."""
    plain = _PLAIN.get(type(info))
    if plain is not None:
        mode, parse = plain
        if not _constrained(info):
            return mode, None
        return "convert", conv.number_reader(parse, kind)
    if isinstance(info, look.StrType) and not _constrained(info):
        return "str", None
    return "convert", conv.scalar_reader(kind, _words_for(info))


def _is_scalar(info: look.Type) -> bool:
    if isinstance(info, look.UnionType):
        return all(_is_scalar(t) for t in info.types)
    return isinstance(info, _SCALARS)


def _item_reader(info: look.Type) -> Callable[[str], Any] | None:
    plain = _PLAIN.get(type(info))
    return plain[1] if plain else None


def _read_list(kind: Any, info: look.Type) -> Callable[[Any], Any] | None:
    if isinstance(info, look.ListType):
        item = info.item_type
        if isinstance(item, look.StrType) and not _constrained(item):
            return None if not _constrained(info) else _by_convert(kind, None)
    if isinstance(info, look.TupleType):
        return _by_convert(kind, None)
    assert isinstance(info, _LISTS)
    return _by_convert(kind, _item_reader(info.item_type))


def _by_convert(kind: Any, item: Callable[[str], Any] | None) -> Callable[[Any], Any]:
    return conv.list_reader(item, conv.fitted_list(kind))


def _list_items(info: look.Type) -> tuple[look.Type, ...] | None:
    if isinstance(info, _LISTS):
        return (info.item_type,)
    if isinstance(info, look.TupleType):
        return info.item_types
    return None


# ---- The whole ---------------------------------------------------------------


def shape_of(annotation: Any) -> Shape:
    """What ``annotation`` is read from.  Never raises: what can't be read has
    the form UNFIT.  The same for the same annotation, as far as it has a hash:
    so that what a handler and a provider both ask for is read once."""
    try:
        return _shape_of(annotation)
    except TypeError:
        return _shape_of.__wrapped__(annotation)


@functools.lru_cache(_REMEMBERED)
def _shape_of(annotation: Any) -> Shape:
    kind, nullable = _without_none(annotation)
    if bare(kind) in _CONSTRUCTED:
        read = conv.constructed(bare(kind), _CONSTRUCTED[bare(kind)])
        return Shape(Form.SCALAR, kind, nullable, "convert", read)
    try:
        info = look.type_info(kind)
    except Exception as error:
        return Shape(Form.UNFIT, kind, nullable, reason=f"is of no use: {error}")
    if isinstance(info, look.Metadata):
        info = info.type
    return _shape_of_info(kind, nullable, info)


def _shape_of_info(kind: Any, nullable: bool, info: look.Type) -> Shape:
    if isinstance(info, look.BytesType):
        return Shape(Form.BYTES, kind, nullable)
    if _is_scalar(info):
        mode, convert = _read_scalar(kind, info)
        return Shape(Form.SCALAR, kind, nullable, mode, convert)
    items = _list_items(info)
    if items is not None and all(_is_scalar(t) for t in items):
        return Shape(Form.LIST, kind, nullable, "list", _read_list(kind, info))
    reason = _unfit_reason(info)
    if reason:
        return Shape(Form.UNFIT, kind, nullable, reason=reason)
    if isinstance(info, _MODELS) or is_pydantic(bare(kind)):
        return Shape(Form.MODEL, kind, nullable)
    return Shape(Form.JSON, kind, nullable)


def _unfit_reason(info: look.Type) -> str:
    for where, cls in _customs(info):
        if not is_pydantic(cls):
            inside = f" (in {where!r})" if where else ""
            return (
                f"is of type {_class_name(cls)}{inside}, "
                "which can't be read from a request"
            )
    return ""


def json_reader(shape: Shape) -> Callable[[bytes], Any]:
    """The decoder of a body of JSON for ``shape``; TypeError if there is none.
    The same for the same type."""
    try:
        return _json_reader(shape.kind, shape.nullable)
    except TypeError:
        return _json_reader.__wrapped__(shape.kind, shape.nullable)


@functools.lru_cache(_REMEMBERED)
def _json_reader(inner: Any, nullable: bool) -> Callable[[bytes], Any]:
    kind = Union[inner, None] if nullable else inner  # noqa: UP007
    try:
        customs = _customs(look.type_info(inner))
    except TypeError:
        customs = [("", object)]
    if any(is_pydantic(cls) for _, cls in customs):
        return conv.adapter_decoder(kind)
    return conv.json_decoder(kind)


@dataclasses.dataclass(frozen=True)
class ModelField:
    """A field of a model that is read from named values."""

    name: str
    key: str
    annotation: Any
    required: bool


def model_fields(kind: Any) -> list[ModelField] | None:
    """The fields of a Struct, dataclass, TypedDict, NamedTuple or attrs class;
    None for what has none to be read one by one."""
    cls = bare(kind)
    info = look.type_info(cls)
    if not isinstance(info, _MODELS) or get_origin(cls) is not None:
        return None
    hints = typing.get_type_hints(cls, include_extras=True)
    return [
        ModelField(f.name, f.encode_name, _unwrapped(hints[f.name]), f.required)
        for f in info.fields
    ]


def _unwrapped(annotation: Any) -> Any:
    """Without Required[...] and NotRequired[...] of TypedDicts."""
    if getattr(get_origin(annotation), "__name__", get_origin(annotation)) in (
        "Required",
        "NotRequired",
    ) or str(get_origin(annotation)).endswith(("Required", "NotRequired")):
        return get_args(annotation)[0]
    return annotation
