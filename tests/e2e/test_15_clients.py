# SPDX-License-Identifier: Apache-2.0
"""Clients that others wrote, in HTTP/2 and over TLS: nghttp, h2load, curl,
httpx, and a browser.  Each is skipped where it is not installed.

$H2LOAD_SECONDS (2) is how long each load lasts.
"""

import os
import re
import shutil
import ssl
import subprocess

import httpx
import pytest

import pki
from wire import Server, settles

SECONDS = os.environ.get("H2LOAD_SECONDS", "2")


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return pki.Authority(tmp_path_factory.mktemp("pki"))


@pytest.fixture(scope="module")
def server(program, authority):
    s = Server(program, workers=2, tls=authority.issue("localhost"))
    assert settles(lambda: not tls_is_open(s), 0, 30) == 0
    yield s
    assert s.serves()
    assert s.stop() == 0


def tls_is_open(server):
    try:
        with httpx.Client(verify=False) as c:
            return c.get(f"https://127.0.0.1:{server.tls_port}/").text == "ok\n"
    except httpx.HTTPError:
        return False


def tool(name):
    path = shutil.which(name)
    if not path:
        pytest.skip(f"{name} is not installed")
    return path


def run(*command, stdin=None, seconds=120):
    done = subprocess.run(command, input=stdin, capture_output=True,
                          timeout=seconds)
    assert done.returncode == 0, (done.stdout[-2000:], done.stderr[-2000:])
    return done.stdout


@pytest.fixture(params=["http", "https"])
def base(request, server):
    """The address in the clear and over TLS."""
    port = server.port if request.param == "http" else server.tls_port
    return f"{request.param}://127.0.0.1:{port}"


# ---- curl -------------------------------------------------------------------------


@pytest.fixture
def curl(authority):
    path = tool("curl")
    if b"HTTP2" not in run(path, "--version"):
        pytest.skip("this curl has no HTTP/2")
    return [path, "-sS", "--fail-early", "--max-time", "60", "--cacert",
            authority.cert, "-w", "\n%{http_version} %{http_code}"]


def said(out):
    """Content, version and status."""
    body, _, last = out.rpartition(b"\n")
    return body, *last.decode().split()


@pytest.mark.parametrize("option", ["--http2", "--http2-prior-knowledge"])
def test_curl(curl, base, option, tmp_path):
    def ask(path, *more):
        return said(run(*curl, option, *more, base + path))

    assert ask("/") == (b"ok\n", "2", "200")
    assert ask("/nowhere")[2] == "404"
    body = os.urandom(100000)
    (tmp_path / "body").write_bytes(body)
    # Not where it has to upgrade: curl 7.88 has no room for a whole window
    # of content behind a 101.
    if option == "--http2-prior-knowledge" or base.startswith("https"):
        assert ask("/bytes/3000000") == (bytes(3000000), "2", "200")
        assert ask("/stream/3000000") == (bytes(3000000), "2", "200")
        assert ask("/echo", "--data-binary", f"@{tmp_path}/body") == \
            (body, "2", "200")
        assert ask("/echo", "-T", f"{tmp_path}/body")[0] == body
    assert ask("/slow?ms=50", "-X", "GET")[:2] == (b"ok\n", "2")
    assert ask("/", "-I")[2] == "200"


def test_curl_upgrades_by_itself(curl, server):
    said_ = run(*curl, "-i", "--http2", f"http://127.0.0.1:{server.port}/")
    assert said_.startswith(b"HTTP/1.1 101")
    assert said_.endswith(b"ok\n\n2 200")


def test_curl_keeps_one_connection_for_many(curl, server, tmp_path):
    """Over TLS: in the clear, curl 7.88 loses all but the first."""
    base = f"https://127.0.0.1:{server.tls_port}"
    asked = []
    for i in range(20):
        asked += [f"{base}/query?a={i}&b=1", "-o", str(tmp_path / str(i))]
    out = run(*curl, "--http2", "-Z", "-w", "%{http_version} %{http_code}\n",
              *asked)
    assert out == b"2 200\n" * 20
    assert [(tmp_path / str(i)).read_text() for i in range(20)] == \
        [str(i + 1) for i in range(20)]


def test_curl_knows_the_certificate(curl, server):
    url = f"https://localhost:{server.tls_port}/"
    assert run(*curl, url)[:3] == b"ok\n"
    bad = subprocess.run([curl[0], "-sS", url], capture_output=True)
    assert bad.returncode == 60


# ---- nghttp and h2load -----------------------------------------------------------------


def test_nghttp(server, base, tmp_path):
    path = tool("nghttp")
    assert run(path, "--no-verify-peer", f"{base}/plaintext") == b"Hello, World!"
    out = run(path, "--no-verify-peer", "-nv", f"{base}/json", f"{base}/nowhere",
              f"{base}/bytes/100000")
    assert b":status: 200" in out and b":status: 404" in out
    (tmp_path / "body").write_bytes(b"x" * 100000)
    assert run(path, "--no-verify-peer", "-d", f"{tmp_path}/body",
               f"{base}/echo") == b"x" * 100000
    # Trailers, padding, a small window.
    assert run(path, "--no-verify-peer", "--trailer", "x-sum: 12", "-d",
               f"{tmp_path}/body", f"{base}/echo") == b"x" * 100000
    assert run(path, "--no-verify-peer", "-b", "100", "-w", "10", "-W", "12",
               f"{base}/bytes/300000") == bytes(300000)
    if base.startswith("http:"):
        assert run(path, "-u", f"{base}/plaintext") == b"Hello, World!"


@pytest.mark.parametrize("path,options", [
    ("/plaintext", ("-c8", "-m32")), ("/bytes/20000", ("-c4", "-m100")),
    ("/stream/200000", ("-c4", "-m10", "-w15")),
    ("/slow?ms=3", ("-c16", "-m100")),
    ("/echo", ("-c4", "-m20", "-d{body}")),
])
def test_h2load_has_no_error(server, base, tmp_path, path, options):
    program = tool("h2load")
    (tmp_path / "body").write_bytes(b"y" * 5000)
    options = [o.format(body=tmp_path / "body") for o in options]
    out = run(program, "-D", SECONDS, *options, base + path,
              seconds=float(SECONDS) + 60).decode()
    done, failed, errored, timed_out = map(int, re.search(
        r"(\d+) succeeded, (\d+) failed, (\d+) errored, (\d+) timeout",
        out).groups())
    assert done > 0 and failed == errored == timed_out == 0, out
    codes = re.search(r"(\d+) 2xx, (\d+) 3xx, (\d+) 4xx, (\d+) 5xx", out)
    assert codes[2] == codes[3] == codes[4] == "0", out


# ---- httpx, which has h2 ---------------------------------------------------------------


def test_httpx(server, authority, base):
    verify = ssl.create_default_context(cafile=authority.cert)
    with httpx.Client(http1=False, http2=True, verify=verify,
                      timeout=30) as c:
        r = c.get(f"{base}/json")
        assert (r.http_version, r.json()) == \
            ("HTTP/2", {"message": "Hello, World!"})
        body = os.urandom(300000)
        assert c.post(f"{base}/echo", content=body).content == body
        with c.stream("GET", f"{base}/stream/3000000") as r:
            assert sum(map(len, r.iter_bytes())) == 3000000
        pieces = (b"p" * 1000 for _ in range(100))
        assert len(c.post(f"{base}/echo", content=pieces).content) == 100000
        assert c.get(f"{base}/nowhere").status_code == 404
        # One that is let go in the middle does not hurt the next.
        with c.stream("GET", f"{base}/stream/60000000") as r:
            next(r.iter_bytes())
        assert c.get(f"{base}/").text == "ok\n"


def test_httpx_a_hundred_at_once(server, authority, base):
    import asyncio

    async def all_of_them():
        verify = ssl.create_default_context(cafile=authority.cert)
        async with httpx.AsyncClient(http1=False, http2=True, verify=verify,
                                     timeout=60) as c:
            answers = await asyncio.gather(*(
                c.get(f"{base}/query?a={i}&b=1") for i in range(100)))
        return [a.text for a in answers]

    assert asyncio.run(all_of_them()) == [str(i + 1) for i in range(100)]


# ---- A browser ---------------------------------------------------------------------------


def test_a_browser(server, tmp_path):
    path = shutil.which("chromium") or shutil.which("google-chrome")
    if not path:
        pytest.skip("there is no browser")
    url = f"https://localhost:{server.tls_port}"
    log = tmp_path / "net.json"
    out = run(path, "--headless", "--no-sandbox", "--disable-gpu",
              "--disable-dev-shm-usage", "--ignore-certificate-errors",
              f"--user-data-dir={tmp_path}/profile", f"--log-net-log={log}",
              "--virtual-time-budget=2000", "--dump-dom", f"{url}/headers",
              seconds=180)
    assert b"sec-fetch-mode" in out
    # What it has agreed on is in its log of events alone.
    assert '"h2"' in log.read_text() or "HTTP2_SESSION" in log.read_text()
