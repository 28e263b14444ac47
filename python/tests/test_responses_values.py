# SPDX-License-Identifier: Apache-2.0
"""What values become when C does not know them, and what responses say."""

from __future__ import annotations

import asyncio
import dataclasses
import datetime
import enum
import json
import pathlib
import types
import uuid
from collections import OrderedDict, deque
from collections.abc import AsyncIterator, Iterator, Mapping
from typing import Any

import msgspec
import pytest

from volo.errors import HTTPError
from volo.json import dumps, loads
from volo.respond import respond
from volo.responses import (
    HTML,
    JSON,
    Empty,
    File,
    FileBody,
    PlainText,
    Problem,
    Redirect,
    Response,
    Stream,
    disposition,
)


class User(msgspec.Struct):
    name: str


@dataclasses.dataclass
class Point:
    x: int


class Color(enum.Enum):
    RED = "red"


class Table(Mapping[str, int]):
    def __getitem__(self, key: str) -> int:
        return 1

    def __iter__(self) -> Iterator[str]:
        return iter(["a"])

    def __len__(self) -> int:
        return 1


class Unknown:
    pass


def answer(value: Any) -> Any:
    return respond(None, value)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (User("ada"), '{"name":"ada"}'),
        (Point(1), '{"x":1}'),
        (Color.RED, '"red"'),
        (uuid.UUID(int=1), '"00000000-0000-0000-0000-000000000001"'),
        (datetime.date(2026, 1, 31), '"2026-01-31"'),
        (1.5, "1.5"),
        (True, "true"),
        (Table(), '{"a":1}'),
        (OrderedDict(a=1), '{"a":1}'),
        (types.MappingProxyType({"a": User("b")}), '{"a":{"name":"b"}}'),
        ((1, 2, 3, 4), "[1,2,3,4]"),
        ({1}, "[1]"),
        (frozenset({1}), "[1]"),
        (range(3), "[0,1,2]"),
        (deque([1]), "[1]"),
    ],
)
def test_values_of_json_are_that(value: Any, text: str) -> None:
    response = answer(value)
    assert response.body == text.encode()
    assert response.media_type == "application/json"
    assert response.status == 200


def test_models_of_pydantic_are_json() -> None:
    pydantic = pytest.importorskip("pydantic")

    class Account(pydantic.BaseModel):  # type: ignore[misc,name-defined]
        when: datetime.date

    made = Account(when=datetime.date(2026, 1, 31))
    assert answer(made).body == b'{"when":"2026-01-31"}'
    assert dumps([made]) == b'[{"when":"2026-01-31"}]'


def test_buffers_are_octets() -> None:
    assert answer(bytearray(b"x")) == b"x"
    assert answer(memoryview(b"x")) == b"x"


def test_a_path_is_a_file(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "page.html"
    path.touch()
    response = answer(path)
    assert isinstance(response, File)
    assert response.media_type == "text/html; charset=utf-8"


def test_generators_and_async_generators_are_streams() -> None:
    async def agenerator() -> AsyncIterator[str]:
        yield "x"

    for value in ((x for x in "ab"), iter("ab"), agenerator()):
        response = answer(value)
        assert isinstance(response, Stream)
        assert response.length is None


@pytest.mark.parametrize("value", [Unknown(), [Unknown()], User, answer])
def test_a_value_that_is_no_answer_is_told_by_its_type(value: Any) -> None:
    with pytest.raises(TypeError, match=r"returned a .*(Unknown|list|Meta|function)"):
        answer(value)


def test_a_coroutine_of_a_plain_handler_is_told() -> None:
    async def forgotten() -> None: ...

    with pytest.raises(TypeError, match="async def"):
        answer(forgotten())


def test_a_future_of_a_plain_handler_is_told() -> None:
    async def run() -> None:
        with pytest.raises(TypeError, match="async def"):
            answer(asyncio.get_running_loop().create_future())

    asyncio.run(run())


# ---- Responses -------------------------------------------------------------------


def test_json_is_encoded_when_it_is_made() -> None:
    response = JSON({"a": User("b")}, 201, {"x-a": "b"})
    assert (response.status, response.body) == (201, b'{"a":{"name":"b"}}')
    assert response.media_type == "application/json"
    assert response.headers["x-a"] == "b"
    with pytest.raises(TypeError, match="Unknown"):
        JSON(Unknown())


def test_pages_and_texts_have_their_types() -> None:
    assert HTML("<p>").media_type == "text/html; charset=utf-8"
    assert PlainText("x", 404).media_type == "text/plain; charset=utf-8"
    assert PlainText("x", 404).status == 404
    assert (Empty().status, Empty().body) == (204, None)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("/a?b=c#d", "/a?b=c#d"),
        ("https://x.org/%20", "https://x.org/%20"),
        ("/a b", "/a%20b"),
        ("/ä", "/%C3%A4"),
        ("/a\r\nx: y", "/a%0D%0Ax:%20y"),
        ('/"<>', "/%22%3C%3E"),
    ],
)
def test_a_redirect_encodes_what_may_not_stand_in_a_uri(given: str, told: str) -> None:
    response = Redirect(given)
    assert response.status == 307
    assert response.headers["location"] == told


@pytest.mark.parametrize("status", [200, 300, 304, 400])
def test_a_redirect_with_a_status_that_is_none_is_refused(status: int) -> None:
    with pytest.raises(ValueError, match=str(status)):
        Redirect("/", status)


def test_a_problem_is_json_whatever_is_accepted() -> None:
    response = Problem(402, "pay", type="/pay", extra={"balance": 30})
    assert response.media_type == "application/problem+json"
    assert json.loads(response.body) == {
        "type": "/pay",
        "title": "Payment Required",
        "status": 402,
        "detail": "pay",
        "balance": 30,
    }


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("a b.pdf", 'attachment; filename="a b.pdf"'),
        ("ä.pdf", "attachment; filename=\"_.pdf\"; filename*=UTF-8''%C3%A4.pdf"),
        ('"\r\n', "attachment; filename=\"___\"; filename*=UTF-8''%22%0D%0A"),
    ],
)
def test_the_name_of_a_download_is_safe_in_a_header(name: str, line: str) -> None:
    assert disposition(name) == line


def test_a_file_is_saved_under_its_own_name_or_another(
    tmp_path: pathlib.Path,
) -> None:
    path = tmp_path / "report.pdf"
    path.touch()
    own = File(path, download=True)
    other = File(str(path), download="x.pdf")
    assert own.headers["content-disposition"] == 'attachment; filename="report.pdf"'
    assert other.headers["content-disposition"] == 'attachment; filename="x.pdf"'
    assert isinstance(own.body, FileBody)
    assert own.media_type == "application/pdf"
    assert "content-disposition" not in File(path).headers


@pytest.mark.parametrize("name", ["missing", ".", "a\0b", "x/y"])
def test_a_file_that_is_none_is_told_when_it_is_made(
    name: str, tmp_path: pathlib.Path
) -> None:
    with pytest.raises(HTTPError) as caught:
        File(tmp_path / name)
    assert caught.value.status == 404


def test_a_stream_of_a_negative_length_is_refused() -> None:
    with pytest.raises(ValueError, match="-1"):
        Stream([], length=-1)


def test_json_is_read_as_a_type() -> None:
    assert loads(b'{"name":"x"}', User) == User("x")
    assert loads("[1]") == [1]
    with pytest.raises(msgspec.ValidationError):
        loads(b"{}", User)


def test_every_response_is_a_response_of_c() -> None:
    for made in (JSON(1), HTML(""), Empty(), Redirect("/"), Stream([])):
        assert isinstance(made, Response)
