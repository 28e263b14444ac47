# SPDX-License-Identifier: Apache-2.0
"""Routes, and handlers that get their arguments typed.  What cannot be read is
refused before the handler runs, and the answer says which and why.

    curl localhost:8080/users/42?lang=fr
    curl -i localhost:8080/users/forty-two         400, and why
    curl 'localhost:8080/search?tag=a&tag=b&exact=true'
    curl -d 'name=Ada&age=36' localhost:8080/form
    curl --json '{"x":3,"y":4}' localhost:8080/distance
    curl localhost:8080/colour/ff8800              a type of our own
    curl localhost:8080/files/a/b/c.txt
    curl localhost:8080/api/v1/version
"""

from __future__ import annotations

from typing import Annotated

import msgspec

import volo
from volo import Form, Header, HTTPError, Query, Rejection, Router

app = volo.App()

# ---- One argument for each value that is wanted --------------------------------


@app.get("/users/{id}")
def get_user(id: int, lang: str = "en") -> dict[str, object]:
    return {"id": id, "lang": lang}


@app.get("/search")
def search(
    tags: Annotated[list[str], Query(alias="tag")],
    exact: bool = False,
    limit: Annotated[int, Query(ge=1, le=100)] = 10,
    user_agent: Annotated[str | None, Header()] = None,
) -> str:
    how = "exact" if exact else "alike"
    who = "somebody" if user_agent else "nobody"
    return f"{len(tags)} tags, at most {limit}, {how}, by {who}\n"


@app.post("/form")
def form(name: Annotated[str, Form()], age: Annotated[int, Form(ge=0)]) -> str:
    return f"{name} is {age}\n"


# ---- A body that is JSON is decoded into its type, and checked ------------------


class Point(msgspec.Struct):
    x: float
    y: float


@app.post("/distance")
def distance(point: Point) -> str:
    return f"{point.x * point.x + point.y * point.y:g}\n"


# ---- A type of our own: how to read it -------------------------------------------


class Colour:
    def __init__(self, red: int, green: int, blue: int) -> None:
        self.red, self.green, self.blue = red, green, blue

    @classmethod
    def __volo_extract__(cls, code: Annotated[str, volo.Path()]) -> Colour:
        try:
            parts = bytes.fromhex(code)
        except ValueError:
            parts = b""
        if len(parts) != 3:
            raise Rejection.of("code", "path", "is not six hex digits")
        return cls(*parts)


@app.get("/colour/{code}")
def colour(it: Colour) -> str:
    return f"red {it.red}, green {it.green}, blue {it.blue}\n"


@app.get("/files/{*rest}")
def file(rest: str) -> str:
    return rest


# ---- A router in a router: it sees the path without the prefix --------------------

api = Router()


@api.get("/version")
def version() -> str:
    return volo.__version__


app.nest("/api/v1", api)


# Answers whatever nobody else does; this router's, and those inside it.
@app.fallback
def lost() -> None:
    raise HTTPError(404, "there is nothing here; try /users/42")


if __name__ == "__main__":
    app.run(port=8080)
