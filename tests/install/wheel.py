# SPDX-License-Identifier: Apache-2.0
"""A program outside of the project: one typed route, asked over a socket and in
memory."""

import threading
import urllib.request

import volo
from volo import cvolo
from volo.testing import TestClient

app = volo.App()


@app.get("/users/{id}")
def user(id: int) -> dict[str, object]:
    return {"id": id, "libvolo": cvolo.volo_version_text()}


with TestClient(app) as client:
    answer = client.get("/users/7")
    assert answer.status == 200, answer.status
    assert answer.json()["id"] == 7
    assert client.get("/users/x").status == 422
