# SPDX-License-Identifier: Apache-2.0
"""The test client asks as httpx does, and tells what came back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

import volo
from volo import Request, Response, Stream, TestClient, VoloError

app = volo.App()


@app.any("/mirror")
def mirror(request: Request) -> dict[str, Any]:
    return {
        "method": request.method,
        "query": request.query_string,
        "headers": list(request.headers.items()),
        "body": request.text(),
    }


@app.get("/set/{name}/{value}")
def set_cookie(name: str, value: str) -> Response:
    response = Response("set")
    response.set_cookie(name, value)
    return response


@app.get("/forget/{name}")
def forget(name: str) -> Response:
    response = Response("forgotten")
    response.delete_cookie(name)
    return response


@app.get("/cookies")
def cookies(request: Request) -> dict[str, str]:
    return dict(request.cookies)


@app.any("/go/{status}")
def go(status: int) -> Response:
    return volo.Redirect("/mirror?went=1", status)


@app.get("/round")
def around() -> Response:
    return volo.Redirect("/round")


@app.get("/pieces")
def pieces() -> Iterator[str]:
    yield "one "
    yield "two "


@app.get("/async-pieces")
async def async_pieces() -> Stream:
    async def made() -> AsyncIterator[bytes]:
        for i in range(100):
            await asyncio.sleep(0)
            yield b"%d," % i

    return Stream(made())


@app.get("/boom")
def boom() -> None:
    raise ZeroDivisionError("on purpose")


@app.get("/boom/async")
async def boom_async() -> None:
    await asyncio.sleep(0)
    raise ZeroDivisionError("on purpose")


@app.get("/broken")
def broken() -> Iterator[bytes]:
    yield b"begun"
    raise ZeroDivisionError("on purpose")


@pytest.fixture
def client() -> Iterator[TestClient]:
    with TestClient(app) as client:
        yield client


@pytest.mark.parametrize("method", ["get", "post", "put", "patch", "delete"])
def test_there_is_a_call_for_every_method(client: TestClient, method: str) -> None:
    assert getattr(client, method)("/mirror").json()["method"] == method.upper()
    assert client.request("PURGE", "/mirror").json()["method"] == "PURGE"


def test_head_has_no_content(client: TestClient) -> None:
    response = client.head("/mirror")
    assert (response.status_code, response.content) == (200, b"")
    assert int(response.headers["content-length"]) > 0


def test_params_go_into_the_query(client: TestClient) -> None:
    def query(url: str, params: Any) -> str:
        return str(client.get(url, params=params).json()["query"])

    assert query("/mirror", {"a": 1, "b": "x y"}) == "a=1&b=x+y"
    assert query("/mirror", {"a": [1, 2]}) == "a=1&a=2"
    assert query("/mirror?z=0", [("a", "1"), ("a", "2")]) == "z=0&a=1&a=2"
    assert query("/mirror", "raw=1") == "raw=1"


def test_headers_are_sent_and_can_be_set_for_all(client: TestClient) -> None:
    client.headers["x-all"] = "always"
    told = dict(client.get("/mirror", headers={"X-One": "1"}).json()["headers"])
    assert (told["x-all"], told["x-one"], told["host"]) == ("always", "1", "testserver")
    told = dict(client.get("/mirror", headers={"x-all": "other"}).json()["headers"])
    assert told["x-all"] == "other"


def test_bodies_have_their_media_types(client: TestClient) -> None:
    def sent(**body: Any) -> tuple[str, str | None]:
        told = client.post("/mirror", **body).json()
        return told["body"], dict(told["headers"]).get("content-type")

    assert sent(json={"a": 1}) == ('{"a":1}', "application/json")
    form = "application/x-www-form-urlencoded"
    assert sent(data={"a": "1", "b": ["x", "y"]}) == ("a=1&b=x&b=y", form)
    assert sent(content="text") == ("text", None)
    assert sent(content=b"octets") == ("octets", None)
    assert sent(data=b"octets") == ("octets", None)
    assert sent() == ("", None)


def test_an_iterable_is_sent_in_chunks(client: TestClient) -> None:
    told = client.post("/mirror", content=iter([b"one ", b"two"])).json()
    assert told["body"] == "one two"
    assert "content-length" not in dict(told["headers"])


def test_there_is_one_body(client: TestClient) -> None:
    with pytest.raises(TypeError):
        client.post("/mirror", json=1, content=b"2")


def test_cookies_are_kept_and_forgotten(client: TestClient) -> None:
    assert client.get("/set/a/1").cookies == {"a": "1"}
    client.get("/set/b/2")
    assert client.get("/cookies").json() == {"a": "1", "b": "2"}
    client.get("/forget/a")
    assert client.get("/cookies").json() == {"b": "2"}
    assert client.get("/cookies", cookies={"c": "3"}).json() == {"b": "2", "c": "3"}


def test_redirects_are_followed_when_asked_for(client: TestClient) -> None:
    assert client.get("/go/307").status_code == 307
    response = client.post("/go/307", content="x", follow_redirects=True)
    told = response.json()
    assert (told["method"], told["query"], told["body"]) == ("POST", "went=1", "x")
    assert [r.status_code for r in response.history] == [307]
    for status in (302, 303):
        told = client.post(f"/go/{status}", content="x", follow_redirects=True).json()
        assert (told["method"], told["body"]) == ("GET", "")
    with pytest.raises(RuntimeError):
        client.get("/round", follow_redirects=True)


def test_streams_are_collected(client: TestClient) -> None:
    assert client.get("/pieces").text == "one two "
    wanted = "".join(f"{i}," for i in range(100))
    assert client.get("/async-pieces").text == wanted


def test_what_the_app_did_not_expect_is_raised(client: TestClient) -> None:
    for path in ("/boom", "/boom/async"):
        with pytest.raises(ZeroDivisionError, match="on purpose"):
            client.get(path)
    assert client.get("/mirror").status_code == 200


def test_it_is_500_where_that_is_wanted(caplog: pytest.LogCaptureFixture) -> None:
    with TestClient(app, raise_exceptions=False) as client:
        for path in ("/boom", "/boom/async"):
            response = client.get(path)
            assert response.status_code == 500
            assert "on purpose" not in response.text
    logged = [r for r in caplog.records if r.name == "volo"]
    assert len(logged) == 2
    assert all(r.exc_info and "on purpose" in str(r.exc_info[1]) for r in logged)


def test_an_answer_that_is_cut_off_is_an_error(client: TestClient) -> None:
    with pytest.raises(VoloError) as told:
        client.get("/broken")
    assert told.value.name == "VOLO_EPROTO"


def test_raise_for_status_is_for_errors(client: TestClient) -> None:
    assert client.get("/mirror").raise_for_status().is_success
    with pytest.raises(RuntimeError, match="404"):
        client.get("/absent").raise_for_status()


def test_the_address_of_the_client_can_be_chosen() -> None:
    own = volo.App()

    @own.get("/")
    def who(request: Request) -> str:
        return str(request.client)

    with TestClient(own, client="192.0.2.7") as client:
        assert "192.0.2.7" in client.get("/").text


# ---- Life --------------------------------------------------------------------


def test_lifespan_is_run_in_a_with_block_only() -> None:
    own, seen = volo.App(), []
    own.on_start(lambda: seen.append("start"))
    own.on_stop(lambda: seen.append("stop"))
    own.get("/")(lambda: "ok")
    client = TestClient(own)
    assert client.get("/").text == "ok"
    client.close()
    assert seen == []
    with TestClient(own) as client:
        assert seen == ["start"]
        assert client.get("/").text == "ok"
    assert seen == ["start", "stop"]


def test_an_app_can_be_tested_again_and_changed_between() -> None:
    own = volo.App()
    own.get("/a")(lambda: "a")
    with TestClient(own) as client:
        assert client.get("/b").status_code == 404
        with pytest.raises(RuntimeError, match="served"):
            own.get("/b")
            own.get("/b")(lambda: "b")
    own.get("/b")(lambda: "b")
    with TestClient(own) as client:
        assert client.get("/b").text == "b"


def test_two_clients_do_not_see_each_others_errors() -> None:
    with TestClient(app) as one, TestClient(app, raise_exceptions=False) as other:
        assert other.get("/boom").status_code == 500
        assert one.get("/mirror").status_code == 200
