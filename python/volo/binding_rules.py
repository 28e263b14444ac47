# SPDX-License-Identifier: Apache-2.0
"""The rules of ``volo.binding``: from one parameter to where it comes from."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable, Iterable
from typing import Annotated, Any, get_origin

import msgspec

from . import _cvolo
from .binding_plan import Arg, Expr, Made, Plan, SharedValue
from .binding_types import (
    Form,
    Shape,
    annotated,
    bare,
    json_reader,
    model_fields,
    shape_of,
)
from .errors import RegistrationError, Rejection
from .params import BARE, MISSING, Dependency, Marker, Shared

__all__ = ["Parameter", "Rules"]

EMPTY = inspect.Parameter.empty

_NAMED = frozenset({"path", "query", "header", "cookie", "form"})
_BODYLESS = frozenset({"GET", "HEAD"})
_WHERE = {"json": "body", "body": "body", "text": "body"}


@dataclasses.dataclass(frozen=True)
class Parameter:
    """One parameter, with its marker taken out of annotation and default."""

    owner: str
    name: str
    annotation: Any
    default: Any
    marker: Marker | Dependency | Shared | None
    keyword: bool

    def refuse(self, reason: str) -> RegistrationError:
        """The error that says that this parameter ``reason``."""
        return RegistrationError(self.owner, self.name, reason)


def _markers_of(annotation: Any) -> tuple[Any, list[Any]]:
    """``annotation`` without markers, and these."""
    if get_origin(annotation) is not Annotated:
        return annotation, []
    pairs = [(item, _marker(item)) for item in annotation.__metadata__]
    rest = [item for item, mark in pairs if mark is None]
    found = [mark for _, mark in pairs if mark is not None]
    return annotated(annotation.__origin__, rest), found


def _marker(item: Any) -> Marker | Dependency | Shared | None:
    if isinstance(item, (Marker, Dependency, Shared)):
        return item
    if not isinstance(item, type) and _extractor_of(item):
        return Dependency(item.__volo_extract__, cache=True, blocking=False)
    try:
        return BARE.get(item)
    except TypeError:  # not hashable
        return None


def _extractor_of(cls: Any) -> Callable[..., Any] | None:
    found = getattr(cls, "__volo_extract__", None)
    return found if callable(found) else None


def read_parameter(owner: str, parameter: inspect.Parameter) -> Parameter:
    """Take a parameter apart; RegistrationError for more than one marker."""
    annotation, markers = _markers_of(parameter.annotation)
    default = MISSING if parameter.default is EMPTY else parameter.default
    mark = _marker(default) if default is not MISSING else None
    if mark is not None:
        markers.append(mark)
        default = MISSING
    if len(markers) > 1:
        raise RegistrationError(owner, parameter.name, "has more than one source")
    found = markers[0] if markers else None
    if default is MISSING and isinstance(found, Marker):
        default = found.default
    return Parameter(
        owner=owner,
        name=parameter.name,
        annotation=annotation,
        default=default,
        marker=found,
        keyword=parameter.kind is parameter.KEYWORD_ONLY,
    )


def _constrained(annotation: Any, meta: msgspec.Meta | None) -> Any:
    return annotation if meta is None else annotated(annotation, [meta])


def _type_of_default(p: Parameter) -> Any:
    """The type where none is given: that of the default, else str."""
    if p.annotation is not EMPTY:
        return p.annotation
    if p.default is MISSING or p.default is None:
        return str
    return type(p.default)


class Rules:
    """The rules for one route; what is found is added to ``plan``."""

    def __init__(
        self, parameters: frozenset[str], methods: frozenset[str], plan: Plan
    ) -> None:
        self.parameters = parameters
        self.methods = methods
        self.plan = plan
        self.streaming = False
        self._guessed: list[Parameter] = []

    def dependency_of(self, p: Parameter) -> Dependency | None:
        """What a parameter depends on; None if it is no matter of providers."""
        if isinstance(p.marker, Dependency):
            return self._provider_of(p, p.marker)
        extract = _extractor_of(p.annotation) if p.marker is None else None
        if extract is None:
            return None
        return Dependency(extract, cache=True, blocking=False)

    def _provider_of(self, p: Parameter, mark: Dependency) -> Dependency:
        if mark.provider is not None:
            if not callable(mark.provider):
                raise p.refuse(f"depends on {mark.provider!r}, which can't be called")
            return mark
        if not callable(p.annotation) or p.annotation is EMPTY:
            raise p.refuse("depends on nothing: it needs a type, or Depends(provider)")
        return dataclasses.replace(mark, provider=p.annotation)

    def expression(self, p: Parameter) -> Expr:
        """Where the value of ``p``, which is no dependency, comes from.

        Raises RegistrationError.
        """
        if isinstance(p.marker, Shared):
            return SharedValue(p.marker.kind)
        if isinstance(p.marker, Marker):
            return self._marked(p, p.marker)
        special = self._special(p)
        if special is not None:
            return special
        if p.name in self.parameters:
            return self._named(p, Marker("path"))
        return self._by_type(p)

    # ---- Without a marker ----------------------------------------------------

    def _special(self, p: Parameter) -> Expr | None:
        kind = p.annotation
        if kind is EMPTY and p.name == "request":
            return self.plan.request()
        if not isinstance(kind, type):
            return None
        if issubclass(kind, _cvolo.Request):
            return self.plan.request()
        if issubclass(kind, _cvolo.Reader):
            return self._reader(p)
        return None

    def _reader(self, p: Parameter) -> Expr:
        self.streaming = True
        leaf = ("stream", p.name, "str", None, None, True)
        return self.plan.leaf(leaf, p.name)

    def _by_type(self, p: Parameter) -> Expr:
        if p.annotation is EMPTY and p.default in (MISSING, None):
            raise p.refuse("has no type, and no parameter of the path has its name")
        shape = shape_of(_type_of_default(p))
        if shape.form is Form.UNFIT:
            raise p.refuse(shape.reason)
        if shape.form in (Form.SCALAR, Form.LIST):
            if p.default is MISSING and not shape.nullable:
                self._guessed.append(p)
            return self._named(p, Marker("query"))
        self._check_method(p)
        source = "body" if shape.form is Form.BYTES else "json"
        return self._marked(p, Marker(source))

    def check_taken(self, own: Iterable[str]) -> None:
        """Raise RegistrationError for what looks like a path parameter under a
        wrong name: see ``volo.binding``."""
        leaves = self.plan.leaves
        taken = {key for source, key, *_ in leaves if source == "path"}
        left = sorted(set(own) - taken)
        if not left or any(leaf[0] == "request" for leaf in leaves):
            return
        for p in self._guessed:
            raise p.refuse(
                f"would be read from the query, while nothing takes {{{left[0]}}} of "
                "the path: give it that name, or say Query() if that is meant"
            )

    def _check_method(self, p: Parameter) -> None:
        found = sorted(self.methods & _BODYLESS)
        if found:
            raise p.refuse(
                f"would read a body, which {found[0]} does not have: "
                "say Json() or Body() if that is meant"
            )

    # ---- With a marker -------------------------------------------------------

    def _marked(self, p: Parameter, mark: Marker) -> Expr:
        if mark.source in _NAMED:
            return self._named(p, mark)
        if mark.source == "state":
            key = mark.alias or p.name
            return self._leaf(p, "state", key, Shape(Form.SCALAR, object))
        if mark.source == "json":
            return self._json(p, mark)
        return self._octets(p, mark.source)

    def _json(self, p: Parameter, mark: Marker) -> Expr:
        kind = Any if p.annotation is EMPTY else p.annotation
        shape = shape_of(_constrained(kind, mark.meta))
        if shape.form is Form.UNFIT:
            raise p.refuse(shape.reason)
        try:
            read = json_reader(shape)
        except TypeError as error:
            raise p.refuse(f"can't be read from JSON: {error}") from error
        made = dataclasses.replace(shape, mode="convert", convert=read)
        return self._leaf(p, "json", "body", made)

    def _octets(self, p: Parameter, source: str) -> Expr:
        want: type = str if source == "text" else bytes
        shape = shape_of(want if p.annotation is EMPTY else p.annotation)
        if shape.kind is not want:
            raise p.refuse(f"must be of type {want.__name__}")
        return self._leaf(p, source, "body", Shape(Form.BYTES, want, shape.nullable))

    def _named(self, p: Parameter, mark: Marker) -> Expr:
        shape = shape_of(_constrained(_type_of_default(p), mark.meta))
        if shape.form is Form.MODEL and mark.source != "path":
            return self._model(p, mark, shape)
        if shape.form not in (Form.SCALAR, Form.LIST):
            reason = shape.reason or "is of a type that has no text"
            raise p.refuse(reason)
        key = mark.alias or _key(mark.source, p.name)
        if mark.source == "path":
            self._check_path(p, key, shape)
        return self._leaf(p, mark.source, key, shape)

    def _check_path(self, p: Parameter, key: str, shape: Shape) -> None:
        if key not in self.parameters:
            raise p.refuse(f"is no parameter of the path: the pattern has no {{{key}}}")
        if shape.form is Form.LIST:
            raise p.refuse("is a list, and a path has one value for a name")

    def _leaf(self, p: Parameter, source: str, key: str, shape: Shape) -> Arg:
        required = p.default is MISSING and not shape.nullable
        default = None if p.default is MISSING else p.default
        leaf = (source, key, shape.mode, shape.convert, default, required)
        return self.plan.leaf(leaf, p.name)

    # ---- Models, field by field ----------------------------------------------

    def _model(self, p: Parameter, mark: Marker, shape: Shape) -> Expr:
        fields = model_fields(shape.kind)
        if fields is None:
            raise p.refuse("is of a type whose fields can't be read one by one")
        if shape.nullable or p.default is not MISSING:
            raise p.refuse("is read field by field: these may be optional, it can't")
        parts, names = [], []
        for field in fields:
            inner = Parameter(
                p.owner,
                f"{p.name}.{field.name}",
                field.annotation,
                MISSING,
                None,
                False,
            )
            key = _key(mark.source, field.key)
            parts.append(self._field(inner, mark.source, key, field.required))
            names.append(field.name)
        make = _maker(shape.kind, tuple(names), mark.source)
        return Made(make, tuple(parts))

    def _field(self, p: Parameter, source: str, key: str, required: bool) -> Arg:
        shape = shape_of(p.annotation)
        if shape.form not in (Form.SCALAR, Form.LIST):
            raise p.refuse(shape.reason or "is of a type that has no text")
        needed = required and not shape.nullable
        default = None if required else MISSING
        leaf = (source, key, shape.mode, shape.convert, default, needed)
        return self.plan.leaf(leaf, p.name)


def _key(source: str, name: str) -> str:
    return name.replace("_", "-") if source == "header" else name


def _maker(kind: Any, names: tuple[str, ...], source: str) -> Callable[..., Any]:
    """Make a model of the values of its fields, without those that are absent."""
    cls = bare(kind)

    def make(*values: Any) -> Any:
        pairs = zip(names, values, strict=True)
        given = {name: value for name, value in pairs if value is not MISSING}
        try:
            return cls(**given)
        except (TypeError, ValueError) as error:
            raise Rejection.of(source, source, str(error)) from None

    return make
