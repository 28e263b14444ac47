# SPDX-License-Identifier: Apache-2.0
"""From text to values, for what C does not read by itself; and from msgspec's
messages to reasons in the words of the library.

A converter raises what C makes statuses of, with the reason as its text ("must
be an integer >= 1"): Malformed (400) for what can't be read as the type, Unfit
(422) for what can and does not fit; or, where it reads the whole body, Rejection.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from .errors import Invalid, Rejection

__all__ = [
    "adapter_decoder",
    "constructed",
    "fitted_list",
    "json_decoder",
    "list_reader",
    "number_reader",
    "parse_bool",
    "parse_float",
    "parse_int",
    "reason_and_field",
    "scalar_reader",
]

Read = Callable[[str], Any]

Malformed = msgspec.DecodeError
Unfit = msgspec.ValidationError  # a subclass of the other

_INTEGER = re.compile(r"[+-]?[0-9]+")
_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_TRUE = frozenset({"true", "1", "on", "yes"})
_FALSE = frozenset({"false", "0", "off", "no"})
_DIGITS = 4300

_WORDS = {
    "`int`": "an integer",
    "`float`": "a number",
    "`int | float`": "a number",
    "`str`": "a string",
    "`bool`": "true or false",
    "`array`": "a list",
    "`object`": "an object",
    "`null`": "null",
    "`uuid`": "a UUID",
    "`date`": "a date",
    "`datetime`": "a date and time",
    "`time`": "a time",
    "`duration`": "a duration",
    "`decimal`": "a decimal number",
    "`bytes`": "base64",
}
_INVALID = {
    "Invalid UUID": "must be a UUID",
    "Invalid decimal string": "must be a decimal number",
    "Invalid base64 encoded string": "must be base64",
    "Invalid RFC3339 encoded date": "must be a date, as 2026-01-31",
    "Invalid RFC3339 encoded datetime": (
        "must be a date and time, as 2026-01-31T12:00:00Z"
    ),
    "Invalid RFC3339 encoded time": "must be a time, as 12:00:00",
    "Invalid ISO8601 duration": "must be a duration, as PT15M",
}
_AT = re.compile(r"(?P<text>.*) - at `(?P<path>[^`]*)`\Z", re.DOTALL)
_EXPECTED = re.compile(r"Expected (?P<what>`[^`]*`)(?P<rest>.*)\Z", re.DOTALL)
_GOT = re.compile(r", got `[^`]*`\Z")
_LACKING = re.compile(r"Object missing required field `(?P<name>.*)`\Z", re.DOTALL)
_UNKNOWN = re.compile(r"Object contains unknown field `(?P<name>.*)`\Z", re.DOTALL)


# ---- Reasons -----------------------------------------------------------------


def _reason(text: str) -> str:
    if text in _INVALID:
        return _INVALID[text]
    if text.startswith("Invalid enum value "):
        return "is none of the allowed values"
    match = _EXPECTED.match(text)
    if not match:
        return text[:1].lower() + text[1:]
    what = _WORDS.get(match["what"], match["what"].strip("`"))
    return f"must be {what}{_GOT.sub('', match['rest'])}"


def _joined(path: str, name: str | None) -> str:
    inside = path.removeprefix("$").removeprefix(".").replace("[...]", "[]")
    if name is None:
        return inside
    return f"{inside}.{name}" if inside else name


def reason_and_field(error: Exception) -> tuple[str, str]:
    """What a ValidationError of msgspec says, and the path of the value that it
    is about ("tags[1].name"); "" for the whole."""
    text, path = str(error), "$"
    if match := _AT.match(text):
        text, path = match["text"], match["path"]
    if match := _LACKING.match(text):
        return "is missing", _joined(path, match["name"])
    if match := _UNKNOWN.match(text):
        return "is not known", _joined(path, match["name"])
    return _reason(text), _joined(path, None)


def _kind_of(error: Exception) -> type[msgspec.DecodeError]:
    """Whether a value that msgspec refuses is malformed, or does not fit."""
    text = str(error)
    if text.startswith("Invalid enum value "):
        return Unfit
    is_malformed = text.startswith("Invalid ") or ", got `" in text
    return Malformed if is_malformed else Unfit


# ---- One value ---------------------------------------------------------------


def parse_int(text: str) -> int:
    """As C does: decimal digits with a sign, and nothing else."""
    if not _INTEGER.fullmatch(text):
        raise Malformed("must be an integer")
    if len(text) > _DIGITS:
        raise Unfit("is out of range")
    return int(text)


def parse_float(text: str) -> float:
    """As C does: a finite decimal number."""
    if not _NUMBER.fullmatch(text):
        raise Malformed("must be a number")
    value = float(text)
    if not math.isfinite(value):
        raise Unfit("is out of range")
    return value


def parse_bool(text: str) -> bool:
    """As C does: true, 1, on, yes and false, 0, off, no."""
    if text.lower() in _TRUE:
        return True
    if text.lower() in _FALSE:
        return False
    raise Malformed("must be true or false")


def _fitted(value: Any, kind: Any, strict: bool, words: str | None) -> Any:
    try:
        return msgspec.convert(value, type=kind, strict=strict)
    except msgspec.ValidationError as error:
        reason, _ = reason_and_field(error)
        raise _kind_of(error)(words or reason) from None


def scalar_reader(kind: Any, words: str | None = None) -> Read:
    """Read text as ``kind``, by msgspec; ``words`` say what it must be, where
    msgspec would not say it well."""

    def read(text: str) -> Any:
        return _fitted(text, kind, False, words)

    return read


def number_reader(parse: Callable[[str], Any], kind: Any) -> Read:
    """Read text with ``parse``, then see whether it keeps to ``kind``."""

    def read(text: str) -> Any:
        return _fitted(parse(text), kind, True, None)

    return read


def constructed(kind: type, words: str) -> Read:
    """Read text with a class that raises ValueError for what it refuses."""

    def read(text: str) -> Any:
        try:
            return kind(text)
        except ValueError:
            raise Malformed(f"must be {words}") from None

    return read


# ---- Several values ----------------------------------------------------------


def list_reader(
    item: Read | None, make: Callable[[list[Any]], Any]
) -> Callable[[Sequence[str]], Any]:
    """Read each text with ``item`` (None: as it is), and ``make`` one of all."""

    def read(texts: Sequence[str]) -> Any:
        values: list[Any] = []
        for number, text in enumerate(texts, 1):
            try:
                values.append(item(text) if item else text)
            except Malformed as error:
                if len(texts) == 1:
                    raise
                raise type(error)(f"value {number} {error}") from None
        return make(values)

    return read


def fitted_list(kind: Any) -> Callable[[list[Any]], Any]:
    """Make a list, set or tuple of ``kind`` of values."""

    def make(values: list[Any]) -> Any:
        try:
            return msgspec.convert(values, type=kind, strict=False)
        except msgspec.ValidationError as error:
            reason, field = reason_and_field(error)
            number = re.fullmatch(r"\[([0-9]+)\]", field)
            if number and len(values) > 1:
                reason = f"value {int(number[1]) + 1} {reason}"
            raise (_kind_of(error) if field else Unfit)(reason) from None

    return make


# ---- The whole body ----------------------------------------------------------


def _malformed(error: Exception) -> Rejection:
    text = str(error).removeprefix("JSON is malformed: ")
    reason = f"is no JSON: {text[:1].lower()}{text[1:]}"
    return Rejection([Invalid("body", "body", reason)], 400)


def _check_whole(body: bytes) -> None:
    """Whether it is JSON at all: what does not fit may end before its mistake."""
    try:
        msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise _malformed(error) from None


def json_decoder(kind: Any) -> Callable[[bytes], Any]:
    """Decode and validate JSON.

    Rejection: 400 for what is malformed, 422 for what does not fit.
    TypeError at once if msgspec can't decode into ``kind``.
    """
    decode = msgspec.json.Decoder(kind).decode

    def read(body: bytes) -> Any:
        try:
            return decode(body)
        except msgspec.ValidationError as error:
            _check_whole(body)
            reason, field = reason_and_field(error)
            raise Rejection.of(field or "body", "body", reason) from None
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise _malformed(error) from None

    return read


def adapter_decoder(kind: Any) -> Callable[[bytes], Any]:
    """The same for types that have models of pydantic in them."""
    from pydantic import TypeAdapter, ValidationError

    adapter: TypeAdapter[Any] = TypeAdapter(kind)

    def read(body: bytes) -> Any:
        try:
            return adapter.validate_json(body)
        except ValidationError as error:
            raise _from_pydantic(error) from None

    return read


def _from_pydantic(error: Any) -> Rejection:
    found = error.errors(include_url=False, include_input=False)
    if any(e["type"] == "json_invalid" for e in found):
        reason = f"is no JSON: {found[0].get('ctx', {}).get('error', '')}"
        return Rejection([Invalid("body", "body", reason.rstrip(": "))], 400)
    return Rejection(
        Invalid(".".join(map(str, e["loc"])) or "body", "body", e["msg"]) for e in found
    )
