# SPDX-License-Identifier: Apache-2.0
"""A JSON service: create, read, update and delete.

    curl --json '{"title":"write a service"}' localhost:8080/todos
    curl localhost:8080/todos
    curl -X PATCH --json '{"done":true}' localhost:8080/todos/1
    curl -X DELETE localhost:8080/todos/1

06_todo_test.py shows how such a service is tested.
"""

from __future__ import annotations

import threading
from typing import Annotated

import msgspec

import volo
from volo import HTTPError, Response, State

MAX_TODOS = 1000

Title = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]


class Todo(msgspec.Struct):
    id: int
    title: str
    done: bool


class NewTodo(msgspec.Struct):
    title: Title
    done: bool = False


class Change(msgspec.Struct):
    """What is not given stays as it is."""

    title: Title | None = None
    done: bool | None = None


class Todos:
    """The list.  Threads share it under a lock, which nobody holds for long."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.last_id = 0
        self.by_id: dict[int, Todo] = {}

    def add(self, new: NewTodo) -> Todo:
        with self.lock:
            if len(self.by_id) >= MAX_TODOS:
                raise HTTPError(507, "the list is full")
            self.last_id += 1
            todo = Todo(self.last_id, new.title, new.done)
            self.by_id[todo.id] = todo
            return todo

    def get(self, id: int) -> Todo:
        todo = self.by_id.get(id)
        if todo is None:
            raise HTTPError(404, "there is no such entry")
        return todo


def make_app() -> volo.App:
    """A new one for each test."""
    app = volo.App()
    app.provide(Todos())
    app.nest("/todos", routes())
    return app


def routes() -> volo.Router:
    router = volo.Router()

    @router.get("/")
    def list_todos(todos: State[Todos], done: bool | None = None) -> list[Todo]:
        with todos.lock:
            found = list(todos.by_id.values())
        return [t for t in found if done is None or t.done == done]

    @router.post("/")
    def create(todos: State[Todos], new: NewTodo) -> Response:
        todo = todos.add(new)
        where = {"location": f"/todos/{todo.id}"}
        return volo.JSON(todo, 201, where)

    @router.get("/{id}")
    def show(todos: State[Todos], id: int) -> Todo:
        return todos.get(id)

    @router.patch("/{id}")
    def update(todos: State[Todos], id: int, change: Change) -> Todo:
        with todos.lock:
            todo = todos.get(id)
            if change.title is not None:
                todo.title = change.title
            if change.done is not None:
                todo.done = change.done
            return todo

    @router.delete("/{id}")
    def delete(todos: State[Todos], id: int) -> None:
        with todos.lock:
            todos.get(id)
            del todos.by_id[id]

    return router


if __name__ == "__main__":
    make_app().run(port=8080)
