# SPDX-License-Identifier: Apache-2.0
"""Set-Cookie: all attributes, and what may not stand there."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from volo.cookies import cookie_line
from volo.responses import Response


def test_a_cookie_is_for_the_whole_site_and_lax_by_default() -> None:
    assert cookie_line("a", "b") == "a=b; Path=/; SameSite=Lax"


def test_all_attributes() -> None:
    line = cookie_line(
        "__Host-id",
        "x",
        max_age=timedelta(minutes=1),
        expires=datetime(2026, 1, 31, 12, tzinfo=timezone.utc),
        secure=True,
        http_only=True,
        same_site="none",
        partitioned=True,
    )
    assert line == (
        "__Host-id=x; Max-Age=60; Expires=Sat, 31 Jan 2026 12:00:00 GMT; Path=/; "
        "Secure; HttpOnly; SameSite=None; Partitioned"
    )
    assert cookie_line("a", path=None, domain="x.org", same_site=None) == (
        "a=; Domain=x.org"
    )


def test_times_of_other_zones_are_told_in_gmt() -> None:
    zone = timezone(timedelta(hours=2))
    line = cookie_line("a", expires=datetime(2026, 1, 31, 1, tzinfo=zone))
    assert "Expires=Fri, 30 Jan 2026 23:00:00 GMT" in line


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("", "x"),
        ("a b", "x"),
        ("a=b", "x"),
        ("ä", "x"),
        ("a", "x;y"),
        ("a", "x y"),
        ("a", "x,y"),
        ("a", "x\r\ny"),
        ("a", "ä"),
        ("a", 'x"y'),
        ("a", "x\\y"),
    ],
)
def test_names_and_values_that_would_be_read_otherwise_are_refused(
    name: str, value: str
) -> None:
    with pytest.raises(ValueError, match="cookie"):
        cookie_line(name, value)


def test_a_value_may_be_quoted() -> None:
    assert cookie_line("a", '"x"', path=None, same_site=None) == 'a="x"'


@pytest.mark.parametrize(
    "given",
    [
        {"path": "/a;b"},
        {"path": "/\n"},
        {"domain": "x.org; Secure"},
        {"same_site": "maybe"},
        {"same_site": "none"},
        {"partitioned": True},
        {"expires": datetime(2026, 1, 1)},
    ],
)
def test_attributes_that_browsers_would_not_take_are_refused(
    given: dict[str, Any],
) -> None:
    with pytest.raises(ValueError, match=r"cookie|same|lax"):
        cookie_line("a", "b", **given)


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("__Secure-a", {}),
        ("__Host-a", {}),
        ("__Host-a", {"secure": True, "path": "/x"}),
        ("__Host-a", {"secure": True, "domain": "x.org"}),
    ],
)
def test_prefixes_of_names_keep_what_they_promise(
    name: str, given: dict[str, Any]
) -> None:
    with pytest.raises(ValueError, match="__"):
        cookie_line(name, "x", **given)


def test_a_response_sets_and_deletes_cookies() -> None:
    response = Response("x")
    response.set_cookie("a", "1", same_site=None)
    response.set_cookie("b", "2", same_site=None)
    response.delete_cookie("c", path="/x")
    pairs = [v for k, v in response.headers.items() if k.lower() == "set-cookie"]
    assert pairs == [
        "a=1; Path=/",
        "b=2; Path=/",
        "c=; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Path=/x; SameSite=Lax",
    ]
