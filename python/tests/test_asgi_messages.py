# SPDX-License-Identifier: Apache-2.0
"""What an ASGI application is told, and what becomes of what it sends."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from served import Served
from waiting import until

OK = {"type": "http.response.start", "status": 200, "headers": []}


def start(status: int = 200, *headers: tuple[bytes, bytes]) -> dict[str, Any]:
    return {"type": "http.response.start", "status": status, "headers": list(headers)}


def body(data: bytes = b"", more: bool = False) -> dict[str, Any]:
    return {"type": "http.response.body", "body": data, "more_body": more}


def served(app: Any, **options: Any) -> Served:
    return Served(app, lifespan="off", interface="asgi", **options)


def scopes(target: str, head: str = "", **options: Any) -> dict[str, Any]:
    """The scope that one request gets."""
    found: list[dict[str, Any]] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        found.append(scope)
        await send(OK)
        await send(body())

    with served(app, **options) as server:
        request = f"{target}\r\nHost: a\r\nConnection: close\r\n{head}\r\n"
        server.exchange(request.encode("latin-1"))
    return found[0]


# ---- The scope -------------------------------------------------------------------


def test_a_scope_has_every_key_of_the_specification() -> None:
    scope = scopes("GET /a?b=c HTTP/1.1")
    assert scope["type"] == "http"
    assert scope["asgi"] == {"version": "3.0", "spec_version": "2.4"}
    assert scope["http_version"] == "1.1"
    assert scope["method"] == "GET"
    assert scope["scheme"] == "http"
    assert scope["path"] == "/a"
    assert scope["raw_path"] == b"/a"
    assert scope["query_string"] == b"b=c"
    assert scope["root_path"] == ""
    assert scope["client"][0] == "127.0.0.1" and scope["client"][1] > 0
    assert scope["server"][0] == "127.0.0.1" and scope["server"][1] > 0
    assert scope["extensions"] == {
        "http.response.trailers": {},
        "http.response.early_hint": {},
    }


def test_header_names_are_lower_case_and_all_lines_are_there_in_order() -> None:
    scope = scopes("GET / HTTP/1.1", "X-One: 1\r\nAccept: a\r\nx-one: 2\r\n")
    assert scope["headers"] == [
        (b"host", b"a"),
        (b"connection", b"close"),
        (b"x-one", b"1"),
        (b"accept", b"a"),
        (b"x-one", b"2"),
    ]


def test_a_path_is_decoded_once_as_utf8_and_kept_as_it_came() -> None:
    scope = scopes("GET /%C3%A9%252F%ff HTTP/1.1")
    assert scope["path"] == "/é%2F\ufffd"
    assert scope["raw_path"] == b"/%C3%A9%252F%ff"


def test_http_1_0_and_other_methods_are_told() -> None:
    scope = scopes("PROPFIND / HTTP/1.0")
    assert scope["http_version"] == "1.0"
    assert scope["method"] == "PROPFIND"


def test_a_root_path_is_the_first_of_the_path() -> None:
    scope = scopes("GET /a HTTP/1.1", root_path="/api/")
    assert scope["root_path"] == "/api"
    assert scope["path"] == "/api/a"


def test_scopes_of_two_requests_share_nothing_that_can_be_changed() -> None:
    found: list[dict[str, Any]] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        found.append(scope)
        scope["headers"].append((b"x", b"y"))
        scope["mine"] = 1
        await send(OK)
        await send(body())

    with served(app) as server:
        server.get("/")
        server.get("/")
    assert found[0] is not found[1]
    assert (b"x", b"y") in found[1]["headers"]
    assert len(found[0]["headers"]) == len(found[1]["headers"])


# ---- Receiving -------------------------------------------------------------------


async def echo(scope: Any, receive: Any, send: Any) -> None:
    pieces = []
    while True:
        message = await receive()
        assert message["type"] == "http.request"
        pieces.append(message["body"])
        if not message["more_body"]:
            break
    await send(start(200, (b"x-pieces", b"%d" % len(pieces))))
    await send(body(b"".join(pieces)))


@pytest.mark.parametrize("size", [0, 1, 65536, 65537, 1_000_000])
def test_a_body_of_any_size_comes_as_it_was_sent(size: int) -> None:
    data = bytes(i * 7 % 251 for i in range(size))
    with served(echo) as server:
        assert server.request("POST", "/", data).body == data


def test_a_chunked_body_comes_piece_by_piece() -> None:
    with served(echo) as server:
        answer = server.request("POST", "/", iter([b"one", b"two" * 50_000, b"three"]))
    assert answer.body == b"one" + b"two" * 50_000 + b"three"
    assert int(answer.headers["x-pieces"]) > 1


def test_a_small_body_comes_whole_in_one_message() -> None:
    with served(echo) as server:
        assert server.request("POST", "/", b"x" * 5000).headers["x-pieces"] == "1"


def test_a_body_beyond_the_limit_is_413_when_it_is_announced() -> None:
    with served(echo, body_limit=100_000) as server:
        assert server.request("POST", "/", b"x" * 100_001).status == 413


def test_a_body_that_turns_out_beyond_the_limit_is_413_and_a_disconnect() -> None:
    last: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        while True:
            last.append(await receive())
            if last[-1]["type"] == "http.disconnect":
                return

    with served(app, body_limit=100_000) as server:
        head = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
        piece = b"10000\r\n" + b"x" * 65536 + b"\r\n"
        answer = server.exchange(head + piece * 4 + b"0\r\n\r\n")
        until(lambda: last and last[-1]["type"] == "http.disconnect")
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert "without a response" not in server.log.text


def test_a_client_that_waits_for_100_gets_it_when_the_body_is_wanted() -> None:
    with served(echo) as server, server.raw() as client:
        client.sendall(
            b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 70000\r\n"
            b"Expect: 100-continue\r\nConnection: close\r\n\r\n"
        )
        assert client.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        client.sendall(b"z" * 70_000)
        found = b""
        while piece := client.recv(65536):
            found += piece
    assert found.endswith(b"z" * 70_000)


def test_after_the_body_receive_waits_for_the_client_to_leave() -> None:
    heard: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        heard.append(await receive())
        heard.append(await receive())

    with served(app) as server:
        with server.raw() as client:
            client.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            until(lambda: len(heard) == 1)
        until(lambda: len(heard) == 2)
    assert heard[1] == {"type": "http.disconnect"}
    assert server.log.text == ""


def test_after_the_answer_receive_says_disconnect_at_once() -> None:
    heard: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send(OK)
        await send(body(b"x"))
        heard.append(await receive())

    with served(app) as server:
        assert server.get("/").body == b"x"
        until(lambda: heard)
    assert heard == [{"type": "http.disconnect"}]


def test_who_waits_in_receive_hears_of_the_answer_of_another_task() -> None:
    heard: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        waiting = asyncio.create_task(receive())
        await asyncio.sleep(0)
        await send(OK)
        await send(body(b"x"))
        heard.append(await waiting)

    with served(app) as server:
        assert server.get("/").body == b"x"
        until(lambda: heard)
    assert heard == [{"type": "http.disconnect"}]


def test_receive_can_be_given_up_and_called_again() -> None:
    heard: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        try:
            await asyncio.wait_for(receive(), 0.01)
        except asyncio.TimeoutError:
            heard.append("late")
        await send(OK)
        await send(body(b"x"))

    with served(app) as server:
        assert server.get("/").body == b"x"
    assert heard == ["late"]


# ---- Sending ---------------------------------------------------------------------


def answer_to(*messages: dict[str, Any], method: str = "GET") -> tuple[Any, str]:
    """What a client gets, and the log."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        for message in messages:
            await send(message)

    with served(app) as server:
        answer = server.request(method, "/")
    return answer, server.log.text


def test_one_body_message_is_an_answer_with_its_length() -> None:
    answer, _ = answer_to(start(201, (b"x-a", b"1"), (b"X-A", b"2")), body(b"hello"))
    assert answer.status == 201
    assert answer.headers["content-length"] == "5"
    assert [v for k, v in answer.lines if k == "x-a"] == ["1", "2"]
    assert answer.body == b"hello"


def test_more_body_messages_are_chunks() -> None:
    answer, _ = answer_to(
        OK, body(b"a", True), body(b"", True), body(b"b", True), body()
    )
    assert answer.headers["transfer-encoding"] == "chunked"
    assert answer.body == b"ab"


def test_an_announced_length_is_kept_in_a_streamed_answer() -> None:
    head = start(200, (b"content-length", b"4"))
    answer, _ = answer_to(head, body(b"ab", True), body(b"cd"))
    assert answer.headers["content-length"] == "4"
    assert "transfer-encoding" not in answer.headers
    assert answer.body == b"abcd"


def test_any_iterable_of_pairs_and_any_octets_are_taken() -> None:
    head = {
        "type": "http.response.start",
        "status": 200,
        "headers": ([name, value] for name, value in [(b"x-a", b"1")]),
    }
    answer, _ = answer_to(
        head, {"type": "http.response.body", "body": bytearray(b"xy")}
    )
    assert answer.headers["x-a"] == "1"
    assert answer.body == b"xy"


def test_start_and_body_need_only_what_the_specification_wants() -> None:
    answer, log = answer_to(
        {"type": "http.response.start", "status": 200}, {"type": "http.response.body"}
    )
    assert (answer.status, answer.body, log) == (200, b"", "")


def test_head_has_the_length_and_no_content() -> None:
    head = start(200, (b"content-length", b"1234"))
    answer, log = answer_to(head, body(b""), method="HEAD")
    assert (answer.headers["content-length"], answer.body, log) == ("1234", b"", "")
    answer, log = answer_to(OK, body(b"abc"), method="HEAD")
    assert (answer.headers["content-length"], answer.body, log) == ("3", b"", "")


def test_head_of_a_stream_takes_what_is_sent_and_sends_nothing() -> None:
    answer, log = answer_to(OK, body(b"a" * 99999, True), body(b"b"), method="HEAD")
    assert (answer.status, answer.body, log) == (200, b"", "")


@pytest.mark.parametrize("status", [204, 304])
def test_an_answer_that_has_no_content_gets_none(status: int) -> None:
    answer, log = answer_to(start(status), body(b"ignored"))
    assert (answer.status, answer.body, log) == (status, b"", "")
    assert "transfer-encoding" not in answer.headers


def test_what_concerns_the_connection_is_left_out() -> None:
    head = start(200, (b"transfer-encoding", b"chunked"), (b"connection", b"x"))
    answer, log = answer_to(head, body(b"abc"))
    assert answer.body == b"abc"
    assert answer.headers["content-length"] == "3"
    assert "transfer-encoding" not in answer.headers
    assert log == ""


def test_trailers_are_sent_to_who_wants_them() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({**OK, "trailers": True})
        await send(body(b"abc"))
        more = {"type": "http.response.trailers", "more_trailers": True}
        await send({**more, "headers": [(b"x-sum", b"6")]})
        await send({"type": "http.response.trailers", "headers": [(b"x-b", b"7")]})

    request = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close, TE\r\n%s\r\n"
    with served(app) as server:
        wanted = server.exchange(request % b"TE: trailers\r\n")
        unwanted = server.exchange(request % b"")
    assert wanted.endswith(b"\r\n0\r\nx-sum: 6\r\nx-b: 7\r\n\r\n")
    assert unwanted.endswith(b"abc\r\n0\r\n\r\n")


# ---- Mistakes --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("messages", "words"),
    [
        ([body(b"x")], "'http.response.start'"),
        ([{"type": "http.nonsense"}], "'http.nonsense'"),
        ([{"status": 200}], "KeyError"),
        ([start(99)], "from 200 to 999"),
        ([{"type": "http.response.start"}], "from 200 to 999"),
        ([start(200, (b"a b", b"c")), body()], "not a header"),
        ([start(200, (b"a", b"c\r\nd: e")), body()], "not a header"),
        ([start(200, (b"a\0b", b"c")), body()], "not a header"),
        ([{**OK, "headers": [("a", "b")]}, body()], "not a pair of two bytes"),
        ([start(200, (b"content-length", b"+5")), body(b"12345")], "not a length"),
        ([start(200, (b"content-length", b"5")), body(b"1234")], "shorter"),
        ([start(200, (b"content-length", b"5")), body(b"123456")], "longer"),
        ([OK, OK], "'http.response.start'"),
        ([OK], "without completing"),
        ([], "without a response"),
    ],
)
def test_a_mistake_before_anything_has_left_is_500_and_logged(
    messages: list[Any], words: str
) -> None:
    answer, log = answer_to(*messages)
    assert answer.status == 500
    assert words in log


def test_headers_of_the_failed_answer_are_not_in_the_500() -> None:
    head = start(200, (b"x-a", b"1"), (b"set-cookie", b"a=b"), (b"b d", b"c"))
    answer, _ = answer_to(head, body())
    assert answer.status == 500
    assert "x-a" not in answer.headers
    assert "set-cookie" not in answer.headers


def test_an_exception_before_the_answer_is_500_and_logged() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send(start(200, (b"x-a", b"1")))
        raise ValueError("my mistake")

    with served(app) as server:
        answer = server.get("/")
    assert answer.status == 500
    assert "x-a" not in answer.headers
    assert "my mistake" in server.log.text


def test_an_exception_in_the_middle_of_the_answer_cuts_it_off() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send(OK)
        await send(body(b"half", True))
        raise ValueError("my mistake")

    with served(app) as server:
        found = server.exchange(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    assert b"half" in found
    assert not found.endswith(b"0\r\n\r\n")
    assert "my mistake" in server.log.text


def test_an_exception_after_the_answer_is_logged_and_changes_nothing() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send(OK)
        await send(body(b"fine"))
        raise ValueError("my mistake")

    with served(app) as server:
        assert server.get("/").body == b"fine"
        until(lambda: "my mistake" in server.log.text)


def test_a_stream_short_of_its_length_is_cut_off() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send(start(200, (b"content-length", b"10")))
        await send(body(b"abc", True))
        await send(body(b"d"))

    with served(app) as server:
        found = server.exchange(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    assert found.endswith(b"abcd")
    assert "shorter" in server.log.text


def test_sending_after_the_end_is_a_mistake_that_the_application_sees() -> None:
    seen: list[str] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send(OK)
        await send(body(b"fine"))
        try:
            await send(body(b"more"))
        except RuntimeError as error:
            seen.append(str(error))

    with served(app) as server:
        assert server.get("/").body == b"fine"
        until(lambda: seen)
    assert "complete" in seen[0]


def test_an_application_that_is_no_coroutine_function_is_500() -> None:
    def app(scope: Any, receive: Any, send: Any) -> int:
        return 3

    with served(app) as server:
        assert server.get("/").status == 500
    assert "__await__" in server.log.text


def test_a_mistake_in_one_request_is_not_felt_in_the_next() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["path"] == "/bad":
            raise ValueError
        await send(OK)
        await send(body(b"good"))

    with served(app) as server:
        client = server.client()
        for path, status in [("/", 200), ("/bad", 500), ("/", 200), ("/bad", 500)]:
            client.request("GET", path)
            response = client.getresponse()
            response.read()
            assert response.status == status
        client.close()
