# SPDX-License-Identifier: Apache-2.0
"""WSGI applications: what they are given, and what becomes of what they give
back (PEP 3333)."""

from __future__ import annotations

import io
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any
from wsgiref.validate import validator

import pytest
from served import Served
from waiting import until

TEXT = [("Content-Type", "text/plain")]


def served(app: Any, **options: Any) -> Served:
    return Served(app, interface="wsgi", **options)


def environ_of(request: str, **options: Any) -> dict[str, Any]:
    found: list[dict[str, Any]] = []

    def app(environ: Any, start_response: Any) -> list[bytes]:
        found.append(environ)
        start_response("200 OK", TEXT)
        return [b""]

    with served(app, **options) as server:
        octets = f"{request}\r\nConnection: close\r\n\r\n".encode("latin-1")
        server.exchange(octets)
    return found[0]


# ---- The environ -----------------------------------------------------------------


def test_an_environ_has_what_the_specification_wants() -> None:
    environ = environ_of("GET /a%20b?c=d HTTP/1.1\r\nHost: a")
    assert environ["REQUEST_METHOD"] == "GET"
    assert environ["SCRIPT_NAME"] == ""
    assert environ["PATH_INFO"] == "/a b"
    assert environ["QUERY_STRING"] == "c=d"
    assert environ["REQUEST_URI"] == "/a%20b?c=d"
    assert environ["SERVER_NAME"] == "127.0.0.1"
    assert int(environ["SERVER_PORT"]) > 0
    assert environ["SERVER_PROTOCOL"] == "HTTP/1.1"
    assert environ["REMOTE_ADDR"] == "127.0.0.1"
    assert environ["HTTP_HOST"] == "a"
    assert environ["wsgi.version"] == (1, 0)
    assert environ["wsgi.url_scheme"] == "http"
    assert environ["wsgi.multithread"] is True
    assert environ["wsgi.multiprocess"] is False
    assert environ["wsgi.run_once"] is False
    assert "CONTENT_LENGTH" not in environ
    assert "CONTENT_TYPE" not in environ


def test_a_path_is_octets_as_latin_1() -> None:
    environ = environ_of("GET /%C3%A9%2F HTTP/1.1\r\nHost: a")
    assert environ["PATH_INFO"].encode("latin-1") == "/é/".encode()


def test_field_lines_of_one_name_are_joined() -> None:
    head = "X-A: 1\r\nCookie: a=b\r\nx-a: 2\r\nCookie: c=d"
    environ = environ_of(f"GET / HTTP/1.1\r\nHost: a\r\n{head}")
    assert environ["HTTP_X_A"] == "1,2"
    assert environ["HTTP_COOKIE"] == "a=b; c=d"


def test_a_name_that_could_pass_for_another_is_left_out() -> None:
    head = "X_Real_User: root\r\nX-Real-User: me"
    environ = environ_of(f"GET / HTTP/1.1\r\nHost: a\r\n{head}")
    assert environ["HTTP_X_REAL_USER"] == "me"


def test_content_type_and_length_have_names_of_their_own() -> None:
    head = "Content-Type: text/x\r\nContent-Length: 0"
    environ = environ_of(f"POST / HTTP/1.1\r\nHost: a\r\n{head}")
    assert environ["CONTENT_TYPE"] == "text/x"
    assert environ["CONTENT_LENGTH"] == "0"
    assert "HTTP_CONTENT_TYPE" not in environ


def test_a_root_path_is_the_script_name() -> None:
    environ = environ_of("GET /a HTTP/1.1\r\nHost: a", root_path="/api/")
    assert (environ["SCRIPT_NAME"], environ["PATH_INFO"]) == ("/api", "/a")


def test_several_processes_are_told() -> None:
    environ = environ_of("GET /a HTTP/1.1\r\nHost: a", processes=True)
    assert environ["wsgi.multiprocess"] is True


def test_errors_go_to_standard_error(capfd: pytest.CaptureFixture[str]) -> None:
    environ = environ_of("GET /a HTTP/1.1\r\nHost: a")
    print("a word", file=environ["wsgi.errors"], flush=True)
    sys.stderr.flush()
    assert "a word" in capfd.readouterr().err


# ---- The body --------------------------------------------------------------------


def echo(environ: Any, start_response: Any) -> list[bytes]:
    data = environ["wsgi.input"].read()
    start_response("200 OK", [*TEXT, ("Content-Length", str(len(data)))])
    return [data]


@pytest.mark.parametrize("size", [0, 1, 65536, 65537, 1_000_000])
def test_a_body_of_any_size_comes_as_it_was_sent(size: int) -> None:
    data = bytes(i * 7 % 251 for i in range(size))
    with served(echo) as server:
        assert server.request("POST", "/", data).body == data


def test_a_chunked_body_comes_as_it_was_sent() -> None:
    with served(echo) as server:
        pieces = [b"one", b"two" * 50_000, b"three"]
        assert server.request("POST", "/", iter(pieces)).body == b"".join(pieces)


@pytest.mark.parametrize("size", [100, 200_000])
def test_input_is_read_by_lines_and_pieces(size: int) -> None:
    def app(environ: Any, start_response: Any) -> list[bytes]:
        source = environ["wsgi.input"]
        parts = [source.readline(), source.read(3), *source.readlines()[:1]]
        start_response("200 OK", TEXT)
        return [b"|".join(parts)]

    with served(app) as server:
        data = b"line\nabcdef\n" + b"x" * size
        assert server.request("POST", "/", data).body == b"line\n|abc|def\n"


def test_a_body_that_turns_out_beyond_the_limit_is_413() -> None:
    with served(echo, body_limit=100_000) as server:
        head = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
        piece = b"10000\r\n" + b"x" * 65536 + b"\r\n"
        answer = server.exchange(head + piece * 4 + b"0\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 413 ")


# ---- Answers ---------------------------------------------------------------------


def answer_of(app: Any, method: str = "GET") -> tuple[Any, str]:
    with served(app) as server:
        answer = server.request(method, "/")
    return answer, server.log.text


def test_a_list_of_one_has_its_length() -> None:
    def app(environ: Any, start_response: Any) -> list[bytes]:
        start_response("201 Made", [("X-A", "1"), ("x-a", "é")])
        return [b"hello"]

    answer, log = answer_of(app)
    assert (answer.status, answer.body, log) == (201, b"hello", "")
    assert answer.headers["content-length"] == "5"
    assert [v for k, v in answer.lines if k == "x-a"] == ["1", "é"]


def test_an_iterable_is_sent_piece_by_piece_as_it_comes() -> None:
    go = threading.Event()

    def app(environ: Any, start_response: Any) -> Iterator[bytes]:
        start_response("200 OK", TEXT)
        yield b"first"
        assert go.wait(30)
        yield b""
        yield b"second"

    with served(app) as server, server.raw() as client:
        client.sendall(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        found = b""
        while b"first" not in found:
            found += client.recv(1000)
        assert b"chunked" in found
        go.set()
        while piece := client.recv(1000):
            found += piece
    assert found.endswith(b"6\r\nsecond\r\n0\r\n\r\n")


def test_a_first_piece_of_the_whole_length_is_the_answer() -> None:
    ended: list[bool] = []

    def app(environ: Any, start_response: Any) -> Iterator[bytes]:
        start_response("200 OK", [("Content-Length", "5")])
        yield b"hello"
        ended.append(True)

    answer, _ = answer_of(app)
    assert answer.body == b"hello"
    assert "transfer-encoding" not in answer.headers
    assert ended == [True]


def test_write_sends_before_what_is_returned() -> None:
    def app(environ: Any, start_response: Any) -> list[bytes]:
        write = start_response("200 OK", TEXT)
        write(b"one ")
        write(b"two ")
        return [b"three"]

    answer, log = answer_of(app)
    assert (answer.body, log) == (b"one two three", "")


def test_what_is_returned_is_closed_in_any_case() -> None:
    closed: list[str] = []

    class Body:
        def __init__(self, path: str) -> None:
            self.path = path
            self.pieces = iter([b"a", b"b"])

        def __iter__(self) -> Iterator[bytes]:
            return self

        def __next__(self) -> bytes:
            if self.path == "/bad":
                raise ValueError("in the middle")
            return next(self.pieces)

        def close(self) -> None:
            closed.append(self.path)

    def app(environ: Any, start_response: Any) -> Body:
        start_response("200 OK", TEXT)
        return Body(environ["PATH_INFO"])

    with served(app) as server:
        assert server.get("/good").body == b"ab"
        assert server.get("/bad").status == 500
        until(lambda: len(closed) == 2)
    assert closed == ["/good", "/bad"]


def test_a_file_wrapper_sends_a_file() -> None:
    data = b"0123456789" * 20_000

    def app(environ: Any, start_response: Any) -> Any:
        start_response("200 OK", TEXT)
        return environ["wsgi.file_wrapper"](io.BytesIO(data), 8192)

    answer, log = answer_of(app)
    assert (answer.body, log) == (data, "")


def test_head_and_204_have_no_content() -> None:
    def app(environ: Any, start_response: Any) -> list[bytes]:
        if environ["PATH_INFO"] == "/204":
            start_response("204 No Content", [])
            return []
        start_response("200 OK", [("Content-Length", "1234")])
        return [b""] if environ["REQUEST_METHOD"] == "HEAD" else [b"x" * 1234]

    with served(app) as server:
        answer = server.request("HEAD", "/")
        assert (answer.headers["content-length"], answer.body) == ("1234", b"")
        answer = server.get("/204")
        assert (answer.status, answer.body) == (204, b"")
        assert "content-length" not in answer.headers
    assert server.log.text == ""


def test_exc_info_replaces_what_has_not_left() -> None:
    def app(environ: Any, start_response: Any) -> list[bytes]:
        start_response("200 OK", [("X-A", "1")])
        try:
            raise ValueError("once")
        except ValueError:
            start_response("502 Bad", [("X-B", "2")], sys.exc_info())
        return [b"sorry"]

    answer, log = answer_of(app)
    assert (answer.status, answer.body, log) == (502, b"sorry", "")
    assert "x-a" not in answer.headers
    assert answer.headers["x-b"] == "2"


def test_exc_info_is_raised_again_once_the_head_has_left() -> None:
    def app(environ: Any, start_response: Any) -> Iterator[bytes]:
        start_response("200 OK", TEXT)
        yield b"half"
        try:
            raise ValueError("too late")
        except ValueError:
            start_response("500 Bad", TEXT, sys.exc_info())
        yield b"never"

    with served(app) as server:
        found = server.exchange(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    assert b"half" in found and b"never" not in found
    assert not found.endswith(b"0\r\n\r\n")
    assert "too late" in server.log.text


@pytest.mark.parametrize(
    ("status", "headers", "pieces", "words"),
    [
        (None, [], [b"x"], "not called start_response"),
        ("OK", [], [b"x"], "such as '200 OK'"),
        ("100 Continue", [], [b"x"], "such as '200 OK'"),
        ("200 OK", [("a b", "c")], [b"x"], "not a header"),
        ("200 OK", [("a", "c\r\nd: e")], [b"x"], "not a header"),
        ("200 OK", [(b"a", b"c")], [b"x"], "not a pair of two str"),
        ("200 OK", [("a", "\u20ac")], [b"x"], "not a pair of two str"),
        ("200 OK", [("Content-Length", "2")], [b"x"], "shorter"),
        ("200 OK", [("Content-Length", "1")], [b"x", b"y"], "longer"),
        ("200 OK", [], ["text"], "where bytes belong"),
        ("200 OK", (), [b"x"], "list"),
    ],
)
def test_a_mistake_before_anything_has_left_is_500_and_logged(
    status: Any, headers: Any, pieces: list[Any], words: str
) -> None:
    def app(environ: Any, start_response: Any) -> Any:
        if status is not None:
            start_response(status, headers)
        return pieces

    answer, log = answer_of(app)
    assert answer.status == 500
    assert words in log


def test_calling_start_response_twice_is_a_mistake() -> None:
    def app(environ: Any, start_response: Any) -> list[bytes]:
        start_response("200 OK", TEXT)
        start_response("200 OK", TEXT)
        return [b"x"]

    answer, log = answer_of(app)
    assert answer.status == 500
    assert "before" in log


def test_start_response_of_a_request_that_is_over_raises() -> None:
    kept: list[Any] = []

    def app(environ: Any, start_response: Any) -> list[bytes]:
        kept.append(start_response)
        start_response("200 OK", TEXT)
        return [b"x"]

    answer_of(app)
    with pytest.raises(RuntimeError, match="over"):
        kept[0]("200 OK", TEXT)
    with pytest.raises(RuntimeError, match="over"):
        kept[0].write(b"x")


def test_a_slow_client_holds_its_own_thread_and_nobody_else() -> None:
    sent = [0]

    def app(environ: Any, start_response: Any) -> Iterator[bytes]:
        start_response("200 OK", TEXT)
        if environ["PATH_INFO"] == "/fast":
            yield b"fast"
            return
        while sent[0] < 64 * 1024 * 1024:
            yield b"x" * 65536
            sent[0] += 65536

    with served(app) as server:
        with server.raw() as client:
            client.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            before = -1
            while before != sent[0]:
                before = sent[0]
                time.sleep(0.2)
            assert 0 < sent[0] < 32 * 1024 * 1024
            assert server.get("/fast").body == b"fast"
        until(lambda: server.get("/fast").status == 200)
    assert server.log.text == ""


def test_requests_that_block_run_at_the_same_time() -> None:
    barrier = threading.Barrier(8, timeout=30)

    def app(environ: Any, start_response: Any) -> list[bytes]:
        barrier.wait()
        start_response("200 OK", TEXT)
        return [b"all here"]

    with served(app) as server:
        clients = [server.client() for _ in range(8)]
        for client in clients:
            client.request("GET", "/")
        assert [c.getresponse().read() for c in clients] == [b"all here"] * 8
        for client in clients:
            client.close()


def test_the_validator_of_the_standard_library_finds_nothing() -> None:
    def inner(environ: Any, start_response: Any) -> list[bytes]:
        data = environ["wsgi.input"].read(10)
        start_response("200 OK", TEXT)
        return [b"got ", data]

    with served(validator(inner)) as server:
        assert server.get("/a?b=c").body == b"got "
        answer = server.request("POST", "/", b"0123456789", {"Content-Type": "a/b"})
        assert answer.body == b"got 0123456789"
    assert server.log.text == ""
