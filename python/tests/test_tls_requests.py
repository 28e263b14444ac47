# SPDX-License-Identifier: Apache-2.0
"""Requests over TLS and over HTTP/2, to applications of each kind."""

from __future__ import annotations

import asyncio
import socket
import ssl
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import h2.connection
import h2.events
import httpx
import pytest
from certificates import authority, certificate, needs_openssl, trusting
from served import Served, read_all
from waiting import DEADLINE

import volo

pytestmark = needs_openssl


def native() -> volo.App:
    app = volo.App()

    @app.get("/facts")
    def facts(request: volo.Request) -> dict[str, Any]:
        tls = request.tls
        return {
            "version": request.http_version,
            "scheme": request.scheme,
            "tls": None if tls is None else [tls.version, tls.cipher, tls.server_name],
            "subject": None if tls is None else tls.client_subject,
        }

    @app.post("/echo")
    async def echo(body: bytes) -> bytes:
        return body

    @app.get("/stream")
    def stream() -> Iterator[bytes]:
        for i in range(64):
            yield bytes([i]) * 4096

    @app.get("/hinted")
    async def hinted(request: volo.Request) -> str:
        request.early_hints({"Link": "</style.css>; rel=preload"})
        return "after the hint"

    @app.get("/badly-hinted")
    async def badly(request: volo.Request) -> str:
        try:
            request.early_hints([("a b", "c")])
        except ValueError:
            return "refused"
        return "accepted"

    return app


async def asgi(scope: Any, receive: Any, send: Any) -> None:
    assert scope["type"] == "http"
    extensions = scope["extensions"]
    if scope["path"] == "/hinted":
        assert "http.response.early_hint" in extensions
        links = [b"</style.css>; rel=preload", b"</code.js>; rel=preload"]
        await send({"type": "http.response.early_hint", "links": links})
    trailers = scope["path"] == "/trailers"
    start = {"type": "http.response.start", "status": 200, "trailers": trailers}
    facts = {k: scope[k] for k in ("http_version", "scheme")}
    facts["tls"] = extensions.get("tls")
    await send({**start, "headers": [(b"content-type", b"text/plain")]})
    await send({"type": "http.response.body", "body": repr(facts).encode()})
    if trailers:
        lines = [(b"checksum", b"42")]
        await send({"type": "http.response.trailers", "headers": lines})


def wsgi(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    body = environ["wsgi.input"].read()
    start_response("200 OK", [("Content-Type", "text/plain")])
    said = f"{environ['SERVER_PROTOCOL']} {environ['wsgi.url_scheme']} {len(body)}"
    return [said.encode()]


def serve(app: Any, **options: Any) -> Served:
    options.setdefault("interface", "auto")
    return Served(app, tls=certificate("localhost"), **options)


def client(*, http1: bool = True, http2: bool = True, **more: Any) -> httpx.Client:
    alpn = [name for name, on in (("h2", http2), ("http/1.1", http1)) if on]
    return httpx.Client(
        http1=http1, http2=http2, verify=trusting(*alpn, **more), timeout=DEADLINE
    )


def in_the_clear() -> httpx.Client:
    """HTTP/2 that nobody has been asked about before."""
    return httpx.Client(http1=False, http2=True, timeout=DEADLINE)


class Frames:
    """A client that sees streams one by one: httpx resets none."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), DEADLINE)
        self.state = h2.connection.H2Connection()
        self.state.initiate_connection()

    def get(self, path: str) -> int:
        stream = self.state.get_next_available_stream_id()
        head = {":method": "GET", ":path": path, ":scheme": "http", ":authority": "a"}
        self.state.send_headers(stream, list(head.items()), end_stream=True)
        return stream

    def give_up(self, stream: int) -> None:
        self.state.reset_stream(stream)
        self.socket.sendall(self.state.data_to_send())

    def until(self, fits: Callable[[h2.events.Event], bool]) -> None:
        """Read on until something ``fits``."""
        while True:
            self.socket.sendall(self.state.data_to_send())
            octets = self.socket.recv(65536)
            assert octets, "the connection was closed"
            found = False
            for event in self.state.receive_data(octets):
                found = found or fits(event)
            if found:
                return

    def __enter__(self) -> Frames:
        return self

    def __exit__(self, *error: object) -> None:
        self.socket.close()


def test_a_handler_sees_what_it_was_asked_by() -> None:
    with serve(native()) as served, client() as http:
        answer = http.get(f"https://localhost:{served.port}/facts")
    assert answer.http_version == "HTTP/2"
    facts = answer.json()
    assert (facts["version"], facts["scheme"]) == ("2", "https")
    version, cipher, name = facts["tls"]
    assert (version, name) == ("1.3", "localhost") and cipher.startswith("TLS_")
    assert facts["subject"] is None


def test_http_1_is_spoken_to_who_knows_no_other() -> None:
    with serve(native()) as served, client(http2=False) as http:
        answer = http.get(f"https://127.0.0.1:{served.port}/facts")
    assert answer.http_version == "HTTP/1.1"
    facts = answer.json()
    assert (facts["version"], facts["scheme"]) == ("1.1", "https")
    assert facts["tls"][2] is None


def test_http_2_is_spoken_without_tls_to_who_begins_with_it() -> None:
    with Served(native()) as served, in_the_clear() as http:
        answer = http.get(f"http://127.0.0.1:{served.port}/facts")
    assert answer.http_version == "HTTP/2"
    facts = {"version": "2", "scheme": "http", "tls": None, "subject": None}
    assert answer.json() == facts


def test_http_2_may_be_turned_off() -> None:
    with serve(native(), http2=False) as served, client() as http:
        answer = http.get(f"https://127.0.0.1:{served.port}/facts")
    assert answer.http_version == "HTTP/1.1"


@pytest.mark.parametrize("size", [0, 10, 1_000_000])
def test_bodies_pass_both_ways(size: int) -> None:
    body = bytes(i % 251 for i in range(size))
    with serve(native()) as served, client() as http:
        url = f"https://127.0.0.1:{served.port}"
        assert http.post(f"{url}/echo", content=body).content == body
        answer = http.get(f"{url}/stream")
    assert answer.content == b"".join(bytes([i]) * 4096 for i in range(64))


def test_a_client_must_have_a_certificate_where_that_is_required() -> None:
    tls = volo.TLS(*certificate("localhost"), ca_certs=authority()[0])
    with Served(native(), tls=tls) as served:
        url = f"https://127.0.0.1:{served.port}/facts"
        with client(client="anna") as http:
            assert http.get(url).json()["subject"] == "CN=anna"
        with client() as http, pytest.raises(httpx.TransportError):
            http.get(url)


def test_a_client_may_have_a_certificate_where_that_is_optional() -> None:
    tls = volo.TLS(
        *certificate("localhost"), ca_certs=authority()[0], client_cert="optional"
    )
    with Served(native(), tls=tls) as served:
        url = f"https://127.0.0.1:{served.port}/facts"
        for name, subject in (("anna", "CN=anna"), (None, None)):
            with client(client=name) as http:
                assert http.get(url).json()["subject"] == subject


def test_a_body_that_is_read_as_it_comes_arrives_whole() -> None:
    app = volo.App()

    @app.post("/")
    async def count(body: volo.Reader) -> str:
        return str(sum([len(piece) async for piece in body]))

    def pieces() -> Iterator[bytes]:
        for i in range(100):
            yield bytes(i * 100)

    with serve(app) as served, client() as http:
        url = f"https://127.0.0.1:{served.port}/"
        answer = http.post(url, content=pieces())
    assert answer.http_version == "HTTP/2"
    assert answer.text == str(sum(i * 100 for i in range(100)))


def test_a_client_that_gives_up_one_stream_ends_that_handler_alone() -> None:
    app, ended = volo.App(), threading.Event()

    @app.get("/endless")
    async def endless() -> AsyncIterator[bytes]:
        try:
            while True:
                yield b"more"
                await asyncio.sleep(0.01)
        finally:
            ended.set()

    @app.get("/")
    def root() -> str:
        return "ok"

    with Served(app) as served, Frames(served.port) as http:
        first, second = http.get("/endless"), http.get("/endless")
        http.until(lambda event: getattr(event, "data", None) == b"more")
        assert not ended.is_set()
        http.give_up(first)
        assert ended.wait(DEADLINE)
        http.until(lambda event: getattr(event, "stream_id", None) == second)
        third = http.get("/")
        http.until(
            lambda event: (
                (getattr(event, "stream_id", None) == third)
                and isinstance(event, h2.events.StreamEnded)
            )
        )


def test_requests_share_a_connection() -> None:
    app, both = volo.App(), threading.Barrier(2, timeout=DEADLINE)

    @app.get("/")
    def meet() -> str:
        both.wait()
        return "met"

    async def ask(url: str) -> list[str]:
        async with httpx.AsyncClient(
            http2=True, verify=trusting("h2"), timeout=DEADLINE
        ) as http:
            answers = await asyncio.gather(http.get(url), http.get(url))
        return [answer.text for answer in answers]

    with serve(app) as served:
        url = f"https://127.0.0.1:{served.port}/"
        assert asyncio.run(ask(url)) == ["met", "met"]


# ---- Early hints -----------------------------------------------------------------


def said(port: int, path: str, version: str = "1.1") -> bytes:
    with socket.create_connection(("127.0.0.1", port), DEADLINE) as plain:
        plain.sendall(
            f"GET {path} HTTP/{version}\r\nHost: a\r\nConnection: close\r\n"
            "TE: trailers\r\n\r\n".encode()
        )
        return read_all(plain)


def test_early_hints_go_ahead_of_the_answer() -> None:
    with Served(native()) as served:
        answer = said(served.port, "/hinted")
    hint, _, rest = answer.partition(b"\r\n\r\n")
    lines = hint.lower().split(b"\r\n")
    assert lines[0].startswith(b"http/1.1 103")
    assert b"link: </style.css>; rel=preload" in lines
    assert rest.startswith(b"HTTP/1.1 200") and rest.endswith(b"after the hint")


def test_who_knows_no_early_hints_gets_none() -> None:
    with Served(native()) as served:
        answer = said(served.port, "/hinted", "1.0")
    assert answer.split(b"\r\n")[0].endswith(b"200 OK")
    assert answer.endswith(b"after the hint")


def test_early_hints_are_checked_as_headers_are() -> None:
    with Served(native()) as served:
        assert said(served.port, "/badly-hinted").endswith(b"refused")


def test_an_asgi_application_may_hint() -> None:
    with Served(asgi, lifespan="off") as served:
        answer = said(served.port, "/hinted")
    hint, _, rest = answer.partition(b"\r\n\r\n")
    assert hint.startswith(b"HTTP/1.1 103")
    assert hint.lower().count(b"link: <") == 2
    assert rest.startswith(b"HTTP/1.1 200")


# ---- Applications of others ------------------------------------------------------


def test_an_asgi_application_is_told_of_http_2_and_tls() -> None:
    with serve(asgi, lifespan="off") as served, client() as http:
        answer = http.get(f"https://127.0.0.1:{served.port}/")
    assert answer.http_version == "HTTP/2"
    facts = eval(answer.text)  # a dict of this test's own
    assert (facts["http_version"], facts["scheme"]) == ("2", "https")
    tls = facts["tls"]
    assert tls["tls_version"] == 0x0304 and tls["cipher_suite"] >> 8 == 0x13
    assert tls["client_cert_name"] is None and tls["server_cert"] is None


def test_an_asgi_application_without_tls_has_no_tls_extension() -> None:
    with Served(asgi, lifespan="off") as served, in_the_clear() as http:
        facts = eval(http.get(f"http://127.0.0.1:{served.port}/").text)
    assert facts == {"http_version": "2", "scheme": "http", "tls": None}


def test_trailers_of_an_asgi_application_pass_over_http_1() -> None:
    with Served(asgi, lifespan="off") as served:
        assert b"\r\nchecksum: 42\r\n" in said(served.port, "/trailers").lower()


def test_trailers_of_an_asgi_application_do_not_hurt_http_2() -> None:
    with serve(asgi, lifespan="off") as served, client() as http:
        url = f"https://127.0.0.1:{served.port}/trailers"
        answer = http.get(url, headers={"te": "trailers"})
    assert answer.status_code == 200 and "https" in answer.text


def test_a_wsgi_application_is_told_of_http_2_and_tls() -> None:
    with serve(wsgi, interface="wsgi") as served, client() as http:
        url = f"https://127.0.0.1:{served.port}/"
        assert http.post(url, content=b"x" * 100_000).text == "HTTP/2 https 100000"
    with Served(wsgi, interface="wsgi") as served, in_the_clear() as http:
        assert http.get(f"http://127.0.0.1:{served.port}/").text == "HTTP/2 http 0"


def test_who_speaks_http_where_tls_is_spoken_is_told() -> None:
    with serve(native()) as served:
        answer = said(served.port, "/")
    assert answer.startswith(b"HTTP/1.1 400")


def test_tls_1_2_may_be_refused() -> None:
    tls = volo.TLS(*certificate("localhost"), min_version="1.3")
    old = trusting()
    old.maximum_version = ssl.TLSVersion.TLSv1_2
    with Served(native(), tls=tls) as served:
        with httpx.Client(verify=old) as http, pytest.raises(httpx.ConnectError):
            http.get(f"https://127.0.0.1:{served.port}/facts")
        with client() as http:
            url = f"https://127.0.0.1:{served.port}/facts"
            assert http.get(url).json()["tls"][0] == "1.3"
