# SPDX-License-Identifier: Apache-2.0
"""A program outside of the project: one typed route, asked in memory and over a
socket."""

import urllib.error
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
    assert answer.status_code == 200, answer.status_code
    assert answer.json()["id"] == 7
    assert client.get("/users/x").status_code == 400

server = cvolo.volo_server_new(cvolo.volo_router_service(cvolo.volo_router_new()))
cvolo.volo_server_set(server, cvolo.VOLO_SERVER_WORKERS, 1)
cvolo.volo_server_bind(server, "127.0.0.1:0")
cvolo.volo_server_start(server)
port = cvolo.volo_server_port(server, 0)
try:
    urllib.request.urlopen(f"http://127.0.0.1:{port}/nowhere")
    raise AssertionError("there is nothing to be found")
except urllib.error.HTTPError as error:
    assert error.code == 404, error.code
cvolo.volo_server_stop(server)
cvolo.volo_server_wait(server)
