# SPDX-License-Identifier: Apache-2.0
"""The examples in C do what they say on top."""

import json
import time
from pathlib import Path

import pytest

from wire import Server, free_port, request

@pytest.fixture
def example(program, request):  # pytest's request, not ours
    exe = Path(program[0]).parents[2] / "c" / request.param
    if not exe.exists():
        pytest.skip("the examples in C are not built beside this server")
    port = free_port()
    server = Server([str(exe), f"127.0.0.1:{port}"], port=port)
    yield server
    code = server.stop()
    assert code == (-15 if request.param == "01_hello" else 0)


def of(name):
    return pytest.mark.parametrize("example", [name], indirect=True)


JSON = [("Content-Type", "application/json")]


@of("01_hello")
def test_hello(example):
    assert example.ask("GET", "/any/path").body == b"Hello, World!\n"


@of("02_routes")
def test_routes(example):
    ask = example.ask
    assert json.loads(ask("GET", "/users/42?lang=fr").body) == \
        {"id": 42, "lang": "fr"}
    assert json.loads(ask("GET", "/users/42").body)["lang"] == "en"
    a = ask("GET", "/users/forty-two", [("Accept", "application/json")])
    assert a.status == 400 and json.loads(a.body)["errors"]
    a = ask("GET", "/search?tag=a&tag=b&exact")
    assert a.body == b"2 tags, at most 10, exact, by nobody\n"
    form = [("Content-Type", "application/x-www-form-urlencoded")]
    assert ask("POST", "/form", form, b"name=Ada&age=36").body == b"Ada is 36\n"
    assert ask("POST", "/form", form, b"name=Ada&age=-1").status == 422
    assert ask("POST", "/form", JSON, b"{}").status == 415
    assert ask("POST", "/distance", JSON, b'{"x":3,"y":4}').body == b"25\n"
    assert ask("POST", "/distance", JSON, b'{"x":3}').status == 422
    assert ask("GET", "/colour/ff8800").body == b"red 255, green 136, blue 0\n"
    assert ask("GET", "/colour/blue").status == 422
    assert ask("GET", "/files/a/b/c.txt").body == b"a/b/c.txt"
    assert ask("GET", "/api/v1/version").body == b"0.1.0"
    assert ask("GET", "/api/v1/nothing").status == 404
    assert b"/users/42" in ask("GET", "/nothing").body


@of("03_layers")
def test_layers(example):
    a = example.ask("GET", "/")
    assert a.status == 200
    assert a.get("server-timing").startswith("total;dur=")
    assert len(a.get("x-request-id")) == 36
    assert example.ask("GET", "/admin/").status == 403
    assert example.ask("GET", "/nothing").get("x-request-id")
    key = [("X-Key", "sesame")]
    assert example.ask("GET", "/admin/", key).status == 200
    assert example.ask("GET", "/admin/never", key).status == 504


@of("04_async")
def test_async(example):
    assert example.ask("GET", "/fib/20").body == b"6765\n"
    assert example.ask("GET", "/fib/many").status == 422
    with example.connect() as slow, example.connect() as quick:
        slow.send(request("GET", "/fib/36"))
        assert quick.ask("GET", "/").status == 200
        assert slow.answer().body == b"14930352\n"


@of("05_streams")
def test_streams(example):
    a = example.ask("PUT", "/upload", body=b"x" * 100000)
    assert a.body.startswith(b"100000 octets, sum ")
    assert len(example.ask("GET", "/download/3000000").body) == 3000000
    lines = example.ask("GET", "/count").body
    assert lines == b"".join(b"%d\n" % i for i in range(1, 11))
    # Who leaves in the middle of it takes nothing with him.
    with example.connect() as c:
        c.send(request("GET", "/count"))
        c.more()
    time.sleep(0.3)
    assert example.ask("GET", "/download/1").body == b"v"


@of("06_todo")
def test_todo(example):
    ask = example.ask
    a = ask("POST", "/todos", JSON, b'{"title":"write"}')
    assert (a.status, a.get("location")) == (201, "/todos/1")
    assert json.loads(ask("GET", "/todos").body) == \
        [{"id": 1, "title": "write", "done": False}]
    assert json.loads(ask("PATCH", "/todos/1", JSON, b'{"done":true}').body) \
        == {"id": 1, "title": "write", "done": True}
    assert ask("DELETE", "/todos/1").status == 204
    assert ask("GET", "/todos/1").status == 404
