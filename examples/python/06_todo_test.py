# SPDX-License-Identifier: Apache-2.0
"""How to test a service: through its whole chain, in memory, without a socket.
Each test has a service of its own.

    pytest 06_todo_test.py
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator

import pytest

from volo import TestClient

todo = importlib.import_module("06_todo")  # no name for an import statement


@pytest.fixture
def client() -> Iterator[TestClient]:
    with TestClient(todo.make_app()) as client:
        yield client


def test_a_new_list_is_empty(client: TestClient) -> None:
    assert client.get("/todos").json() == []


def test_what_is_created_can_be_read(client: TestClient) -> None:
    response = client.post("/todos", json={"title": "write"})
    assert response.status_code == 201
    assert response.headers["location"] == "/todos/1"
    wanted = {"id": 1, "title": "write", "done": False}
    assert client.get("/todos/1").json() == wanted


def test_an_update_changes_only_what_it_names(client: TestClient) -> None:
    client.post("/todos", json={"title": "write"})
    client.patch("/todos/1", json={"done": True})
    wanted = {"id": 1, "title": "write", "done": True}
    assert client.get("/todos/1").json() == wanted
    client.patch("/todos/1", json={"title": "read"})
    assert client.get("/todos/1").json() == {**wanted, "title": "read"}


def test_the_list_can_be_asked_for_what_is_done(client: TestClient) -> None:
    client.post("/todos", json={"title": "a", "done": True})
    client.post("/todos", json={"title": "b"})

    def titles(done: str) -> list[str]:
        found = client.get("/todos", params={"done": done}).json()
        return [t["title"] for t in found]

    assert (titles("true"), titles("false")) == (["a"], ["b"])


def test_what_is_deleted_is_gone(client: TestClient) -> None:
    client.post("/todos", json={"title": "a"})
    assert client.delete("/todos/1").status_code == 204
    assert client.get("/todos/1").status_code == 404
    assert client.delete("/todos/1").status_code == 404


@pytest.mark.parametrize(
    "body,status",
    [
        ('{"done":true}', 422),
        ('{"title":""}', 422),
        ('{"title":7}', 422),
        ("{", 400),
    ],
)
def test_bad_bodies_are_refused(client: TestClient, body: str, status: int) -> None:
    kind = {"content-type": "application/json"}
    response = client.post("/todos", content=body, headers=kind)
    assert response.status_code == status


def test_bad_requests_are_refused(client: TestClient) -> None:
    assert client.post("/todos", content="title=a").status_code == 415
    assert client.get("/todos/one").status_code == 400
    assert client.get("/todos/0").status_code == 404
    assert client.put("/todos/1", json={}).status_code == 405
