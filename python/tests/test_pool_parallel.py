# SPDX-License-Identifier: Apache-2.0
"""Requests on many threads at once, with the interpreter's lock or without."""

from __future__ import annotations

import json
import subprocess
import sys
import sysconfig
import threading
from collections.abc import Iterator
from typing import Annotated, Any

import pytest
from served import Served

import volo

CLIENTS, ROUNDS = 8, 60


def application() -> volo.App:
    app = volo.App()

    def name(request: volo.Request) -> Iterator[str | None]:
        yield request.headers.get("x-name")

    @app.layer
    def named(request: volo.Request, next: Any) -> volo.Response:
        request.state.name = request.headers["x-name"]
        response = next(request)
        response.headers["x-name"] = request.state.name
        return response

    Name = Annotated[str, volo.Depends(name)]

    @app.get("/def/{id}")
    def plain(id: int, name: Name, q: list[int]) -> dict[str, Any]:
        return {"id": id, "name": name, "q": q}

    @app.get("/async/{id}")
    async def coroutine(id: int, request: volo.Request) -> dict[str, Any]:
        q = [int(x) for x in request.query.getlist("q")]
        return {"id": id, "name": request.headers["x-name"], "q": q}

    @app.post("/stream")
    def stream(body: dict[str, int]) -> Iterator[str]:
        for _ in range(body["count"]):
            yield str(body["digit"]) * 5000

    return app


def ask(served: Served, client: int, wrong: list[object]) -> None:
    connection = served.client()
    for i in range(ROUNDS):
        mine = {"x-name": f"{client}-{i}"}
        kind = ("def", "async")[i % 2]
        connection.request("GET", f"/{kind}/{i}?q={client}&q={i}", headers=mine)
        answer = connection.getresponse()
        said = json.loads(answer.read())
        if said != {"id": i, "name": mine["x-name"], "q": [client, i]}:
            wrong.append(said)
        if answer.headers["x-name"] != mine["x-name"]:
            wrong.append(answer.headers.items())
        if i % 10:
            continue
        body = json.dumps({"count": 20, "digit": client})
        more = {"content-type": "application/json", **mine}
        connection.request("POST", "/stream", body, more)
        if connection.getresponse().read() != str(client).encode() * 100_000:
            wrong.append(mine)
    connection.close()


def test_requests_at_once_do_not_get_mixed_up() -> None:
    wrong: list[object] = []
    with Served(application(), workers=2) as served:
        threads = [
            threading.Thread(target=ask, args=(served, client, wrong))
            for client in range(CLIENTS)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert wrong == []


@pytest.mark.skipif(
    not sysconfig.get_config_var("Py_GIL_DISABLED"), reason="there is a lock"
)
def test_the_module_does_not_bring_the_lock_back() -> None:
    program = "import sys, volo; sys.exit(sys._is_gil_enabled())"
    assert subprocess.run([sys.executable, "-c", program]).returncode == 0
