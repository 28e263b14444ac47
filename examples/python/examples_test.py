# SPDX-License-Identifier: Apache-2.0
"""The examples do what they say on top."""

from __future__ import annotations

import importlib
import logging
from collections.abc import Iterator

import pytest

from volo import TestClient


@pytest.fixture
def client(request: pytest.FixtureRequest) -> Iterator[TestClient]:
    app = importlib.import_module(request.param).app
    with TestClient(app) as client:
        yield client


def of(name: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("client", [name], indirect=True)


@of("01_hello")
def test_hello(client: TestClient) -> None:
    assert client.get("/any/path").text == "Hello, World!\n"


@of("02_routes")
def test_routes(client: TestClient) -> None:
    assert client.get("/users/42?lang=fr").json() == {"id": 42, "lang": "fr"}
    assert client.get("/users/42").json()["lang"] == "en"
    refused = client.get("/users/forty-two", headers={"accept": "application/json"})
    assert refused.status_code == 400 and refused.json()["errors"]
    found = client.get("/search?tag=a&tag=b&exact=true").text
    assert found == "2 tags, at most 10, exact, by nobody\n"
    assert client.get("/search?tag=a&limit=0").status_code == 422
    assert client.post("/form", data={"name": "Ada", "age": 36}).text == "Ada is 36\n"
    assert client.post("/form", data={"name": "Ada", "age": -1}).status_code == 422
    assert client.post("/form", json={}).status_code == 415
    assert client.post("/distance", json={"x": 3, "y": 4}).text == "25\n"
    assert client.post("/distance", json={"x": 3}).status_code == 422
    assert client.get("/colour/ff8800").text == "red 255, green 136, blue 0\n"
    assert client.get("/colour/blue").status_code == 422
    assert client.get("/files/a/b/c.txt").text == "a/b/c.txt"
    assert client.get("/api/v1/version").text.startswith("0.")
    assert client.get("/api/v1/nothing").status_code == 404
    assert "/users/42" in client.get("/nothing").text


@of("03_layers")
def test_layers(client: TestClient, capfd: pytest.CaptureFixture[str]) -> None:
    response = client.get("/")
    assert response.headers["server-timing"].startswith("total;dur=")
    assert len(response.headers["x-request-id"]) == 36
    assert client.get("/admin").status_code == 403
    assert client.get("/nothing").headers["x-request-id"]
    key = {"x-key": "sesame"}
    assert client.get("/admin", headers=key).text.startswith("only who has")
    assert client.get("/patient/never").status_code == 504
    assert '"GET /admin HTTP/1.1" 403' in capfd.readouterr().out


@of("04_async")
def test_async(client: TestClient) -> None:
    assert client.get("/fib/20").text == "6765\n"
    assert client.get("/fib/many").status_code == 400
    assert client.get("/fib/33").status_code == 422
    assert client.get("/later/1").text == "now\n"
    assert client.get("/").status_code == 200


@of("05_streams")
def test_streams(client: TestClient, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.ERROR)
    body = iter([b"x" * 1000] * 100)
    assert client.put("/upload", content=body).text.startswith("100000 octets, sum ")
    assert len(client.get("/download/3000000").content) == 3000000
    lines = "".join(f"{i}\n" for i in range(1, 11))
    assert client.get("/count").text == lines
    assert caplog.records == []
