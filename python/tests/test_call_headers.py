# SPDX-License-Identifier: Apache-2.0
"""Headers keep order and repeated names, whatever the case, and take nothing
that would change a message."""

from __future__ import annotations

from typing import Any

import pytest
from call_rig import REQUEST, rig

from volo._cvolo import Headers, Response, State


def test_names_are_found_in_any_case_and_values_keep_their_order() -> None:
    headers = Headers([("X-A", "1"), ("x-b", "2"), ("x-a", "3")])
    assert headers["x-A"] == "1"
    assert headers.get("X-B") == "2"
    assert headers.getlist("X-A") == ["1", "3"]
    assert headers.items() == [("x-a", "1"), ("x-b", "2"), ("x-a", "3")]
    assert headers.keys() == list(headers) == ["x-a", "x-b", "x-a"]
    assert headers.values() == ["1", "2", "3"]
    assert len(headers) == 3
    assert repr(headers) == f"Headers({headers.items()!r})"


def test_what_is_not_there_is_none_a_default_or_a_key_error() -> None:
    headers = Headers({"x-a": "1"})
    assert headers.get("x-b") is None
    assert headers.get("x-b", "d") == "d"
    assert headers.getlist("x-b") == []
    assert "x-b" not in headers
    assert 3 not in headers
    with pytest.raises(KeyError):
        headers["x-b"]
    with pytest.raises(KeyError):
        del headers["x-b"]
    no_name: Any = 3
    with pytest.raises(TypeError):
        headers.get(no_name)


def test_set_replaces_add_repeats_and_remove_takes_all() -> None:
    headers = Headers()
    headers.add("X-A", "1")
    headers.add("x-a", "2")
    headers["x-b"] = "b"
    headers.set("x-A", "3")
    assert headers.items() == [("x-b", "b"), ("x-a", "3")]
    assert headers.setdefault("x-a", "4") == "3"
    assert headers.setdefault("x-c", "5") == "5"
    headers.remove("x-a")
    headers.remove("never")
    del headers["X-C"]
    assert headers.items() == [("x-b", "b")]


def test_headers_are_copied_from_whatever_has_pairs() -> None:
    one = Headers([("x-a", "1"), ("x-a", "2")])
    source: Any = one
    two = Headers(source)
    two.add("x-a", "3")
    assert one.getlist("x-a") == ["1", "2"]
    assert two.getlist("x-a") == ["1", "2", "3"]
    assert Headers(pair for pair in one.items()).items() == one.items()
    assert Headers(None).items() == []


@pytest.mark.parametrize(
    "name", ["", " ", "a b", "a:", "a\n", "\u00e4", "a\x00", "\ud800"]
)
def test_a_name_that_is_no_token_is_refused(name: str) -> None:
    with pytest.raises(ValueError):
        Headers({name: "x"})


@pytest.mark.parametrize("value", ["\n", "a\r", "a\x00", "\x7f", "\x1f", "\u20ac"])
def test_a_value_that_no_field_can_have_is_refused(value: str) -> None:
    headers = Headers({"x-a": "kept"})
    for change in (headers.set, headers.add, headers.__setitem__):
        with pytest.raises(ValueError):
            change("x-a", value)
    assert headers.items() == [("x-a", "kept")]


@pytest.mark.parametrize("value", ["", "a\tb", "caf\u00e9", "\x80\xff"])
def test_a_value_of_octets_is_taken(value: str) -> None:
    assert Headers({"x-a": value})["x-a"] == value


@pytest.mark.parametrize(
    "name",
    ["connection", "Keep-Alive", "transfer-encoding", "UPGRADE", "content-length"],
)
def test_fields_that_frame_the_message_are_for_the_library_to_set(name: str) -> None:
    with pytest.raises(ValueError, match="libvolo"):
        Headers({name: "x"})


@pytest.mark.parametrize("source", [3, "ab", [("a",)], [("a", "b", "c")], [3]])
def test_what_has_no_pairs_is_refused(source: Any) -> None:
    with pytest.raises(TypeError):
        Headers(source)


@pytest.mark.parametrize("pair", [("a", 1), (1, "a"), ("a", None), (b"a", b"b")])
def test_names_and_values_must_be_str(pair: tuple[Any, Any]) -> None:
    with pytest.raises(TypeError):
        Headers([pair])


def test_those_of_a_request_are_read_only() -> None:
    errors: list[str] = []

    def handler(request: Any) -> str:
        for change in (request.headers.set, request.headers.add):
            with pytest.raises(TypeError) as caught:
                change("x-a", "1")
            errors.append(str(caught.value))
        with pytest.raises(TypeError):
            request.headers.remove("host")
        return str(Headers(request.headers)["x-a"])

    with rig() as r:
        r.add("/", handler, [REQUEST])
        assert r.send("/", ("x-a", "own")).text == "own"
    assert len(errors) == 2


def test_subclasses_of_str_become_plain_ones() -> None:
    class Name(str):
        pass

    given: Any = {Name("x-A"): Name("v")}
    headers = Headers(given)
    name, value = headers.items()[0]
    assert (type(name), type(value)) == (str, str)


# ---- Responses ---------------------------------------------------------------


def test_a_response_has_headers_of_its_own() -> None:
    given = Headers({"x-a": "1"})
    response = Response("x", headers=given)
    response.headers["x-a"] = "2"
    assert given["x-a"] == "1"
    assert Response().headers.items() == []
    response.headers = {"x-b": "3"}
    assert response.headers.items() == [("x-b", "3")]


def test_the_status_of_a_response_is_200_or_204_unless_it_is_said() -> None:
    assert (Response("x").status, Response(None).status) == (200, 204)
    assert Response(None, 202).status == 202
    response = Response(b"x", status=201, media_type="a/b")
    response.status = 500
    assert (response.status, response.media_type) == (500, "a/b")


@pytest.mark.parametrize(
    ("status", "error"),
    [(True, TypeError), ("200", TypeError), (199, ValueError), (1000, ValueError)],
)
def test_a_status_that_is_none_is_refused(status: Any, error: type[Exception]) -> None:
    with pytest.raises(error):
        Response("x", status)
    response = Response("x", 201)
    with pytest.raises(error):
        response.status = status
    assert response.status == 201


def test_a_response_can_be_subclassed_and_is_collected_in_a_circle() -> None:
    import gc
    import weakref

    class Own(Response):
        pass

    own = Own("x")
    own.me = own  # type: ignore[attr-defined]
    gone = weakref.ref(own)
    del own
    gc.collect()
    assert gone() is None


def test_a_state_has_its_items_as_attributes() -> None:
    state = State()
    state.user = "me"
    state["n"] = 1
    assert dict(state) == {"user": "me", "n": 1}
    assert (state["user"], state.n) == ("me", 1)
    assert getattr(state, "other", 7) == 7
    del state.n
    with pytest.raises(AttributeError, match=r"state\.n"):
        state.n  # noqa: B018
    with pytest.raises(AttributeError):
        del state.n
