# SPDX-License-Identifier: Apache-2.0
"""Flask over WSGI, and Django over both, unchanged."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from served import Served

pytest.importorskip("flask")
pytest.importorskip("django")

import django_app
import flask

_FORM = (
    b'--x\r\nContent-Disposition: form-data; name="name"\r\n\r\nme\r\n'
    b'--x\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n\r\n'
    b"%s\r\n--x--\r\n"
)
_MULTIPART = {"Content-Type": "multipart/form-data; boundary=x"}


def flask_app() -> flask.Flask:
    app = flask.Flask(__name__)
    app.secret_key = "of a test"

    @app.get("/hello/<name>")
    def hello(name: str) -> str:
        return f"hello {name} at {flask.request.url}"

    @app.post("/echo")
    def echo() -> flask.Response:
        return flask.Response(flask.request.get_data(), mimetype="a/b")

    @app.get("/json")
    def as_json() -> Any:
        return {"q": flask.request.args.get("q")}

    @app.get("/stream")
    def stream() -> flask.Response:
        def pieces() -> Iterator[str]:
            for number in range(50):
                yield f"{number} "

        return flask.Response(flask.stream_with_context(pieces()))

    @app.post("/form")
    def form() -> str:
        return flask.request.form["name"] + str(len(flask.request.files["file"].read()))

    @app.get("/visits")
    def visits() -> str:
        flask.session["n"] = flask.session.get("n", 0) + 1
        return str(flask.session["n"])

    @app.get("/bad")
    def bad() -> str:
        raise ValueError("my mistake")

    return app


def test_flask_routes_bodies_sessions_and_streams() -> None:
    with Served(flask_app()) as server:
        assert server.server.kind == "wsgi"
        found = server.get("/hello/you").text
        assert found == f"hello you at http://127.0.0.1:{server.port}/hello/you"
        for size in (0, 10, 500_000):
            data = b"z" * size
            assert server.request("POST", "/echo", data).body == data
        chunked = server.request("POST", "/echo", iter([b"ab", b"c" * 100_000]))
        assert chunked.body == b"ab" + b"c" * 100_000
        assert json.loads(server.get("/json?q=%C3%A9").body) == {"q": "é"}
        numbers = "".join(f"{number} " for number in range(50))
        assert server.get("/stream").text == numbers
        for size in (10, 200_000):
            form = _FORM % (b"z" * size)
            assert server.request("POST", "/form", form, _MULTIPART).text == f"me{size}"
        first = server.get("/visits")
        cookie = {"Cookie": first.headers["set-cookie"].partition(";")[0]}
        assert (first.text, server.get("/visits", cookie).text) == ("1", "2")
        assert server.get("/bad").status == 500
        assert server.get("/none").status == 404
        assert server.request("HEAD", "/hello/you").headers["content-length"] == str(
            len(found)
        )
    assert server.log.text == ""


@pytest.mark.parametrize("interface", ["asgi", "wsgi"])
def test_django_serves_the_same_over_both(interface: str) -> None:
    app = getattr(django_app, interface)
    with Served(app, root_path="/site" if interface == "wsgi" else "") as server:
        assert server.server.kind == interface
        assert server.get("/hello").text == "hello from Django"
        for size in (0, 10, 500_000):
            data = b"z" * size
            assert server.request("POST", "/echo", data).body == data
        found = json.loads(server.get("/items/5?q=a%20b").body)
        assert (found["id"], found["q"]) == (5, "a b")
        if interface == "wsgi":
            assert found["root"] == "/site"
        numbers = "".join(f"{number} " for number in range(50))
        assert server.get("/stream").text == numbers
        for size in (10, 200_000):
            form = _FORM % (b"z" * size)
            assert server.request("POST", "/form", form, _MULTIPART).text == f"me{size}"
        assert server.get("/bad").status == 500
        assert server.get("/none").status == 404
        assert server.request("HEAD", "/hello").body == b""
    assert server.log.text == ""
