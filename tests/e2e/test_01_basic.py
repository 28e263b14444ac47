# SPDX-License-Identifier: Apache-2.0
"""Every route, as ordinary clients see it."""

import email.utils
import http.client
import json
import subprocess
import time

import httpx
import pytest


@pytest.fixture
def client(server):
    with httpx.Client(base_url=f"http://127.0.0.1:{server.port}") as c:
        yield c


def test_root_says_ok(client):
    r = client.get("/")
    assert (r.status_code, r.text) == (200, "ok\n")
    assert r.headers["content-type"].startswith("text/plain")
    assert r.headers["content-length"] == "3"


def test_every_answer_has_a_date(client):
    then = email.utils.parsedate_to_datetime(client.get("/").headers["date"])
    assert abs(then.timestamp() - time.time()) < 5


def test_a_method_that_is_not_there_is_405_with_allow(client):
    r = client.delete("/")
    assert r.status_code == 405
    assert {"GET", "HEAD"} <= {m.strip() for m in r.headers["allow"].split(",")}


def test_a_path_that_is_not_there_is_404(client):
    assert client.get("/no/such/path").status_code == 404


def test_head_is_get_without_content(client):
    r = client.head("/")
    assert (r.status_code, r.content) == (200, b"")
    assert r.headers["content-length"] == "3"


def test_options_says_what_is_allowed(client):
    r = client.options("/")
    assert r.status_code == 204
    assert "GET" in r.headers["allow"]


def test_plaintext_and_layers(client):
    for path in ("/plaintext", "/layers"):
        r = client.get(path)
        assert (r.status_code, r.text) == (200, "Hello, World!")
        assert r.headers["content-type"].startswith("text/plain")


def test_json(client):
    r = client.get("/json")
    assert r.json() == {"message": "Hello, World!"}
    assert r.headers["content-type"].startswith("application/json")


@pytest.mark.parametrize("path,want", [
    ("/users/42/posts/7", "42 7"),
    ("/users/a%20b/posts/%C3%A9", "a b é"),
    ("/users/a%2Fb/posts/1", "a/b 1"),
])
def test_path_parameters_are_decoded_once(server, path, want):
    a = server.ask("GET", path)
    assert (a.status, a.body.decode()) == (200, want)


def test_query_is_summed(client):
    assert client.get("/query?a=1&b=2").text == "3"
    assert client.get("/query?b=-5&a=%31%30").text == "5"


@pytest.mark.parametrize("query,status", [
    ("", 400), ("?a=1", 400), ("?a=1&b=x", 400), ("?a=1&b=", 400),
])
def test_a_bad_query_says_which_field(client, query, status):
    r = client.get("/query" + query, headers={"accept": "application/json"})
    assert r.status_code in (status, 422)
    assert r.headers["content-type"].startswith("application/problem+json")
    assert '"b"' in r.text or '"a"' in r.text


def test_a_sum_that_overflows_is_422(client):
    top = 2**63 - 1
    assert client.get(f"/query?a={top}&b=1").status_code == 422
    assert client.get(f"/query?a={top}1&b=1").status_code in (400, 422)


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE"])
def test_echo_takes_any_method(client, method):
    r = client.request(method, "/echo", content=b"some text",
                       headers={"content-type": "text/x-own"})
    assert (r.status_code, r.content) == (200, b"some text")
    assert r.headers["content-type"] == "text/x-own"


@pytest.mark.parametrize("size", [0, 1, 1023, 65536, 65537, 1 << 20])
def test_echo_gives_back_what_it_got(client, size):
    body = bytes(range(256)) * (size // 256) + b"x" * (size % 256)
    assert client.post("/echo", content=body).content == body


def test_echo_of_a_chunked_body(client):
    pieces = [bytes([i]) * (i * 37) for i in range(1, 200)]
    r = client.post("/echo", content=iter(pieces))
    assert r.content == b"".join(pieces)


@pytest.mark.parametrize("n", [0, 1, 100, 65536, 1000003])
def test_bytes_and_stream_have_that_many(client, n):
    r = client.get(f"/bytes/{n}")
    assert r.headers["content-length"] == str(n) and len(r.content) == n
    r = client.get(f"/stream/{n}")
    assert len(r.content) == n
    assert "content-length" not in r.headers or n == 0


def test_bytes_and_stream_have_a_limit(client):
    for route in ("bytes", "stream"):
        assert client.get(f"/{route}/67108865").status_code == 422
        assert client.get(f"/{route}/many").status_code == 400
    assert len(client.get("/stream/67108864").content) == 67108864


def test_headers_come_in_order(server):
    fields = [("X-One", "1"), ("X-Two", "a, b"), ("X-One", "again"),
              ("X-Latin", "caf\xe9")]
    got = json.loads(server.ask("GET", "/headers", fields).body)
    assert got == [["host", "localhost"],
                   *([n.lower(), v] for n, v in fields)]


@pytest.mark.parametrize("code", [200, 201, 400, 404, 418, 500, 503, 599])
def test_status_is_what_was_asked_for(client, code):
    assert client.get(f"/status/{code}").status_code == code


@pytest.mark.parametrize("code", [204, 304])
def test_statuses_without_content_have_none(server, code):
    with server.connect() as c:
        a = c.ask("GET", f"/status/{code}")
        assert a.status == code
        assert a.get("transfer-encoding") is None
        if code == 204:
            assert a.get("content-length") is None
        # Nothing of a body may be left between this answer and the next.
        assert c.ask("GET", "/").body == b"ok\n"


@pytest.mark.parametrize("code", ["100", "199", "1000", "0"])
def test_statuses_that_are_none_are_422(client, code):
    assert client.get(f"/status/{code}").status_code == 422


def test_slow_answers_after_a_while(client):
    r = client.get("/slow?ms=50")
    assert (r.status_code, r.text) == (200, "ok\n")
    assert r.elapsed.total_seconds() >= 0.05
    assert client.get("/slow?ms=60001").status_code == 422


def test_a_dropped_exchange_is_500_and_the_connection_lives(server):
    with server.connect() as c:
        assert c.ask("GET", "/drop").status == 500
        assert c.ask("GET", "/").status == 200


def test_http_client_keeps_one_connection(server):
    c = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    sock = None
    for i in range(20):
        c.request("POST", "/echo", f"n {i}".encode())
        assert c.getresponse().read() == f"n {i}".encode()
        assert sock in (None, c.sock)
        sock = c.sock
    c.close()


def curl(server, *args):
    return subprocess.run(
        ["curl", "-sS", "--max-time", "20", *args[:-1],
         f"http://127.0.0.1:{server.port}{args[-1]}"],
        capture_output=True, check=True).stdout


def test_curl(server, tmp_path):
    assert curl(server, "/") == b"ok\n"
    assert curl(server, "--http1.0", "/plaintext") == b"Hello, World!"
    file = tmp_path / "body"
    file.write_bytes(bytes(range(256)) * 20000)
    # curl sends "Expect: 100-continue" for a body of this size.
    got = curl(server, "--data-binary", f"@{file}", "/echo")
    assert got == file.read_bytes()
    got = curl(server, "-T", str(file), "-H", "Transfer-Encoding: chunked",
               "-H", "Expect: 100-continue", "/echo")
    assert got == file.read_bytes()
    assert b"405" in curl(server, "-i", "-X", "DELETE", "/").split(b"\r\n")[0]
