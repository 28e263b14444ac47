# SPDX-License-Identifier: Apache-2.0
"""The stock layers, given by name."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import threading
from pathlib import Path
from typing import Any

import pytest
from programs import eventually

import volo
from volo import Request, TestClient, VoloError, layers


def make(*given: layers.Layer) -> volo.App:
    app = volo.App(layers=given)

    @app.get("/")
    def root(request: Request) -> str:
        return str(request.client_ip)

    @app.post("/")
    def post(request: Request) -> str:
        return str(len(request.body))

    @app.get("/never")
    async def never() -> None:
        await asyncio.Event().wait()

    return app


def test_timeout_gives_up_with_its_status() -> None:
    for layer, status in (
        (layers.timeout(0.05), 504),
        (layers.timeout(0.05, 503), 503),
    ):
        with TestClient(make(layer)) as client:
            assert client.get("/never").status_code == status
            assert client.get("/").status_code == 200


@pytest.mark.parametrize("seconds", [0, -1, 0.0001])
def test_timeout_wants_at_least_a_millisecond(seconds: float) -> None:
    with pytest.raises(ValueError):
        layers.timeout(seconds)


def test_timeout_wants_a_status_of_an_error() -> None:
    with pytest.raises(VoloError):
        layers.timeout(1, status=200)


def test_body_limit_refuses_what_is_larger() -> None:
    with TestClient(make(layers.body_limit(5))) as client:
        assert client.post("/", content=b"12345").text == "5"
        assert client.post("/", content=b"123456").status_code == 413
        assert client.post("/", content=iter([b"123", b"456"])).status_code == 413


def test_concurrency_lets_one_in_after_the_other() -> None:
    with TestClient(make(layers.concurrency(1, queue=1))) as client:
        assert [client.get("/").status_code for _ in range(5)] == [200] * 5


def test_request_id_is_new_unless_it_is_trusted() -> None:
    sent = {"x-request-id": "mine"}
    with TestClient(make(layers.request_id())) as client:
        given = client.get("/", headers=sent).headers["x-request-id"]
        assert len(given) == 36
    with TestClient(make(layers.request_id("x-trace", trust=True))) as client:
        assert client.get("/", headers={"x-trace": "mine"}).headers["x-trace"] == "mine"


def test_request_id_is_what_the_request_has() -> None:
    app = volo.App(layers=[layers.request_id()])

    @app.get("/")
    def root(request: Request) -> str:
        return str(request.request_id)

    with TestClient(app) as client:
        response = client.get("/")
    assert response.text == response.headers["x-request-id"]


def test_secure_headers_are_set_where_the_answer_does_not() -> None:
    with TestClient(make(layers.secure_headers(csp="default-src 'self'"))) as client:
        headers = client.get("/").headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["content-security-policy"] == "default-src 'self'"


def test_who_comes_over_plain_http_is_sent_to_https() -> None:
    app = make(layers.https_redirect(8443, exempt=["/well", "/known"]))
    with TestClient(app) as client:
        response = client.get("/?a=b", headers={"host": "example.com:80"})
        assert client.get("/known/x").status_code == 404
    assert response.status_code == 308
    assert response.headers["location"] == "https://example.com:8443/?a=b"
    with pytest.raises(VoloError):
        layers.https_redirect(exempt="nowhere")


def test_hsts_is_for_https_and_asks_for_enough() -> None:
    with TestClient(make(layers.hsts(3600, subdomains=True))) as client:
        assert "strict-transport-security" not in client.get("/").headers
    layers.hsts(63072000, subdomains=True, preload=True)
    with pytest.raises(VoloError):
        layers.hsts(63072000, preload=True)


def test_client_ip_is_believed_from_proxies_only() -> None:
    sent = {"x-forwarded-for": "203.0.113.9"}
    app = make(layers.client_ip(["10.0.0.0/8"]))
    with TestClient(app, client="10.1.2.3") as client:
        assert client.get("/", headers=sent).text == "203.0.113.9"
    with TestClient(app, client="192.0.2.1") as client:
        assert client.get("/", headers=sent).text == "192.0.2.1"
    with pytest.raises(VoloError):
        layers.client_ip("nowhere")


def test_etag_answers_304() -> None:
    with TestClient(make(layers.etag())) as client:
        tag = client.get("/").headers["etag"]
        again = client.get("/", headers={"if-none-match": tag})
    assert (again.status_code, again.content) == (304, b"")


def test_cors_answers_preflights_itself() -> None:
    cors = layers.cors(
        ["https://a.example"],
        methods=["GET", "PUT"],
        headers=["x-own"],
        expose="x-told",
        credentials=True,
        max_age=60,
    )
    asked = {"origin": "https://a.example", "access-control-request-method": "PUT"}
    with TestClient(make(cors)) as client:
        preflight = client.options("/", headers=asked)
        plain = client.get("/", headers={"origin": "https://a.example"})
        other = client.get("/", headers={"origin": "https://b.example"})
    assert preflight.headers["access-control-allow-origin"] == "https://a.example"
    assert "PUT" in preflight.headers["access-control-allow-methods"]
    assert preflight.headers["access-control-max-age"] == "60"
    assert plain.headers["access-control-expose-headers"] == "x-told"
    assert "access-control-allow-origin" not in other.headers


def test_cors_refuses_what_makes_no_sense() -> None:
    with pytest.raises(VoloError):
        layers.cors("https://a.example/path")
    with pytest.raises(VoloError):
        layers.cors("*", credentials=True)


# ---- Access log --------------------------------------------------------------


def test_the_access_log_writes_to_a_descriptor(tmp_path: Path) -> None:
    path = tmp_path / "log"
    with open(path, "wb") as file:
        app = make(layers.access_log(file.fileno(), "json"))
        with TestClient(app) as client:
            client.get("/absent?a=b")
    said = json.loads(path.read_text())
    assert said["status"] == 404 and "/absent" in json.dumps(said)


def test_the_access_log_reaches_a_logger(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="own.access")
    app = make(layers.access_log("own.access"))
    with TestClient(app) as client:
        for i in range(50):
            client.get(f"/absent/{i}")
    lines = [r.getMessage() for r in caplog.records if r.name == "own.access"]
    assert len(lines) == 50
    assert '"GET /absent/49 HTTP/1.1" 404' in lines[-1]


def test_a_logger_that_does_not_keep_up_holds_nobody_back(
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Stuck(logging.Handler):
        def __init__(self) -> None:
            super().__init__()
            self.may = threading.Event()

        def emit(self, record: logging.LogRecord) -> None:
            self.may.wait()

    logger, stuck = logging.getLogger("own.stuck"), Stuck()
    logger.setLevel(logging.INFO)
    logger.propagate = False
    logger.addHandler(stuck)
    app = make(layers.access_log(logger))
    with TestClient(app) as client:
        for _ in range(3000):
            assert client.get("/").status_code == 200
        stuck.may.set()
    logger.removeHandler(stuck)


def test_the_log_leaves_no_thread_and_no_descriptor() -> None:
    app = make(layers.access_log("own.none"))
    with TestClient(app):
        pass
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(3):
        with TestClient(app) as client:
            client.get("/")
    eventually(lambda: len(os.listdir("/proc/self/fd")) <= before)


@pytest.mark.parametrize("format", ["", "xml"])
def test_an_unknown_format_is_refused(format: Any) -> None:
    with pytest.raises(ValueError):
        layers.access_log(1, format)
