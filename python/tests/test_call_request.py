# SPDX-License-Identifier: Apache-2.0
"""A request is read as it is looked at, and stays readable."""

from __future__ import annotations

import gc
from collections.abc import Callable
from typing import Any

import pytest
from call_rig import ASYNC, REQUEST, Answer, rig


def look(
    see: Callable[[Any], Any],
    target: str = "/",
    *headers: tuple[str, str],
    body: bytes | None = None,
    pattern: str = "/{*rest}",
) -> Any:
    """What ``see`` sees of one request."""
    seen: list[Any] = []

    def handler(request: Any) -> str:
        seen.append(see(request))
        return ""

    with rig() as r:
        r.add(pattern, handler, [REQUEST], method="GET" if body is None else "POST")
        r.add("/", handler, [REQUEST], method="GET" if body is None else "POST")
        answer = r.send(target, *headers, body=body)
    assert answer.status == 200, answer
    return seen[0]


def test_the_line_of_a_request_is_told_as_it_came() -> None:
    got = look(
        lambda r: (r.method, r.target, r.raw_path, r.query_string, r.version),
        "/a%20b/c?x=%41",
    )
    assert got == ("GET", "/a%20b/c?x=%41", "/a%20b/c", "x=%41", "1.1")


def test_the_path_is_decoded_once() -> None:
    assert look(lambda r: r.path, "/a%2520b/%C3%A9/%ff") == "/a%20b/\u00e9/\ufffd"


def test_where_it_came_from_and_what_it_is_for() -> None:
    got = look(
        lambda r: (r.scheme, r.authority, r.client, r.client_ip, r.request_id),
        "/",
        ("host", "example.com:81"),
    )
    assert got == ("http", "example.com:81", ("test", 0), "test", None)


def test_the_pattern_and_its_parameters_are_told() -> None:
    got = look(lambda r: (r.pattern, r.params), "/u/a%2Fb/c", pattern="/u/{id}/{*rest}")
    assert got == ("/u/{id}/{*rest}", {"id": "a/b", "rest": "c"})


def test_the_route_is_named_where_it_has_a_name() -> None:
    with rig() as r:
        r.add("/a", lambda q: str(q.route), [REQUEST], name="the-a")
        r.add("/b", lambda q: str(q.route), [REQUEST])
        assert (r.send("/a").text, r.send("/b").text) == ("the-a", "None")


@pytest.mark.parametrize(
    ("query", "pairs"),
    [
        ("", []),
        ("?", []),
        ("?a=1&b=2&a=3", [("a", "1"), ("b", "2"), ("a", "3")]),
        ("?a&=b&&c=d=e", [("a", ""), ("", "b"), ("c", "d=e")]),
        ("?a+b=c%2Bd%20e", [("a b", "c+d e")]),
        ("?%C3%A9=%ff", [("\u00e9", "\ufffd")]),
    ],
)
def test_a_query_is_taken_apart_and_decoded(
    query: str, pairs: list[tuple[str, str]]
) -> None:
    assert look(lambda r: r.query.items(), "/" + query) == pairs


def test_names_of_a_query_have_their_case() -> None:
    got = look(
        lambda r: (r.query.getlist("a"), r.query["A"], "b" in r.query, len(r.query)),
        "/?a=1&A=2&a=3",
    )
    assert got == (["1", "3"], "2", False, 3)


@pytest.mark.parametrize(
    ("target", "status"), [("/?a=%zz", 400), ("/?" + "a&" * 1001, 413)]
)
def test_a_query_that_cannot_be_taken_apart_is_refused(
    target: str, status: int
) -> None:
    with rig() as r:
        r.add("/", lambda q: str(q.query), [REQUEST])
        assert r.send(target).status == status


def test_cookies_are_told_by_name_and_the_first_counts() -> None:
    got = look(
        lambda r: r.cookies,
        "/",
        ("cookie", 'a=1; b="q"; a=2;=x; noise; c='),
        ("cookie", "d=4"),
    )
    assert got == {"a": "1", "b": "q", "c": "", "d": "4"}


def test_field_lines_are_octets_one_for_one() -> None:
    got = look(
        lambda r: (r.headers["x-a"], r.headers.getlist("X-A")), "/", ("x-a", "v")
    )
    assert got == ("v", ["v"])


# ---- The body ----------------------------------------------------------------


def test_the_body_is_bytes_and_made_once() -> None:
    got = look(lambda r: (r.body, r.body is r.body, r.text()), body=b"h\xc3\xa9")
    assert got == (b"h\xc3\xa9", True, "h\u00e9")
    assert look(lambda r: r.body) == b""


def test_json_of_a_body_is_read() -> None:
    assert look(lambda r: r.json(), body=b'{"a":[1]}') == {"a": [1]}


@pytest.mark.parametrize(
    ("read", "body"),
    [("json", b"{"), ("json", b""), ("json", b"\xff"), ("text", b"\xff")],
)
def test_a_body_that_is_not_what_is_read_is_answered_with_400(
    read: str, body: bytes
) -> None:
    def handler(request: Any) -> str:
        return str(getattr(request, read)())

    with rig() as r:
        r.add("/", handler, [REQUEST], method="POST")
        got = r.send("/", body=body)
    assert got.status == 400
    assert "body: " in got.text


def test_a_body_that_is_streamed_is_not_read_as_bytes() -> None:
    def handler(request: Any) -> str:
        with pytest.raises(RuntimeError, match="streamed"):
            request.body  # noqa: B018
        return "refused"

    with rig() as r:
        r.add("/", handler, [REQUEST], method="POST", streaming=True)
        assert r.send("/", body=b"x").text == "refused"


# ---- Afterwards --------------------------------------------------------------

FACTS = [
    *("method", "target", "path", "raw_path", "query_string", "pattern", "version"),
    *("scheme", "authority", "client", "client_ip", "request_id", "params"),
    *("cookies", "body", "canceled", "deadline", "route"),
]


def facts(request: Any) -> list[Any]:
    whole = [getattr(request, name) for name in FACTS]
    return [*whole, request.headers.items(), request.query.items(), request.text()]


@pytest.mark.parametrize("kind", [0, 1, 2])
@pytest.mark.parametrize("seen_before", [True, False])
def test_a_request_that_is_kept_tells_the_same_when_all_is_over(
    kind: int, seen_before: bool
) -> None:
    kept: list[Any] = []
    expected: list[Any] = []

    def keep(request: Any) -> str:
        if seen_before:
            expected.extend(facts(request))
        kept.append(request)
        return "kept"

    async def keep_async(request: Any) -> str:
        return keep(request)

    with rig() as r:
        r.add("/{id}", keep_async if kind else keep, [REQUEST], kind)
        r.send("/7?a=b&a=%C3%A9", ("cookie", "c=d"), ("accept", "x/y"))
        before = facts(kept[0])
        for _ in range(50):  # its memory must not be used again
            r.send("/8?zzzzzzzzzzzzzzz", ("cookie", "e=f"))
    gc.collect()
    after = facts(kept[0])
    assert after == before
    assert after[:3] == ["GET", "/7?a=b&a=%C3%A9", "/7"]
    if seen_before:
        assert after == expected[: len(after)]
    headers = kept[0].headers
    kept.clear()
    assert headers["accept"] == "x/y"


def test_layers_leave_in_the_state_what_those_inside_find() -> None:
    def handler(request: Any) -> Any:
        request.state.user = "me"
        request.state["n"] = 2
        return [request.state.user, request.state.n, request.state is request.state]

    with rig() as r:
        r.add("/", handler, [REQUEST])
        assert r.send("/").body == b'["me",2,true]'


def test_a_request_cannot_be_made_nor_changed() -> None:
    def handler(request: Any) -> str:
        with pytest.raises(TypeError):
            type(request)()
        with pytest.raises(AttributeError):
            request.method = "PUT"
        with pytest.raises(AttributeError):
            request.user = "me"
        return repr(request)

    with rig() as r:
        r.add("/", handler, [REQUEST])
        assert r.send("/?q").text == "<Request GET /?q>"


def test_a_client_that_leaves_is_seen_in_the_request() -> None:
    import threading
    import time

    seen = threading.Event()

    def handler(request: Any) -> str:
        end = time.monotonic() + 20
        while not request.canceled and time.monotonic() < end:
            time.sleep(0.005)
        if request.canceled:
            seen.set()
        return "too late"

    from volo import VoloError

    with rig() as r:
        r.add("/", handler, [REQUEST])
        r.add("/next", lambda: "next")
        with pytest.raises(VoloError):
            r.send("/", leave_ms=20)
        assert seen.wait(20)
        assert r.send("/next").text == "next"


# ---- Cleanups ----------------------------------------------------------------


def test_cleanups_run_after_the_answer_the_last_first_and_see_the_error() -> None:
    told: list[tuple[str, str]] = []

    def handler(request: Any) -> str:
        request.add_cleanup(lambda error: told.append(("first", repr(error))))
        request.add_cleanup(lambda error: told.append(("last", repr(error))))
        if request.query_string:
            raise ValueError("bad")
        return "x"

    async def waits(request: Any) -> str:
        import asyncio

        async def later(error: Any) -> None:
            await asyncio.sleep(0)
            told.append(("later", repr(error)))

        request.add_cleanup(later)
        await asyncio.sleep(0)
        return handler(request)

    with rig() as r:
        r.add("/a", handler, [REQUEST])
        r.add("/b", waits, [REQUEST], ASYNC)
        assert [r.send(t).status for t in ("/a", "/a?x")] == [200, 500]
        error = repr(ValueError("bad"))
        assert told == [
            ("last", "None"),
            ("first", "None"),
            ("last", error),
            ("first", error),
        ]
        told.clear()
        assert [r.send(t).status for t in ("/b", "/b?x")] == [200, 500]
    # Awaited ones are run to their end after the answer, before the loop's.
    assert [name for name, _ in told] == ["last", "first", "later"] * 2
    assert {text for _, text in told[3:]} == {error}


def test_a_cleanup_that_fails_is_logged_and_the_others_are_run(
    caplog: pytest.LogCaptureFixture,
) -> None:
    told: list[str] = []

    def fail(error: Any) -> None:
        raise RuntimeError("broken cleanup")

    def handler(request: Any) -> str:
        request.add_cleanup(lambda error: told.append("run"))
        request.add_cleanup(fail)
        return "x"

    with rig() as r:
        r.add("/", handler, [REQUEST])
        got: Answer = r.send("/")
    assert (got.status, told) == (200, ["run"])
    assert "broken cleanup" in caplog.text
