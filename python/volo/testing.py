# SPDX-License-Identifier: Apache-2.0
"""A client for tests: requests through an app's whole chain, without a socket.

    def test_greeting():
        with TestClient(app) as client:
            assert client.get("/hello", params={"name": "Ada"}).text == "Ada"

The calls are those of ``httpx`` and ``requests``.
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Iterable, Mapping, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urljoin, urlsplit

from . import cvolo
from .testing_messages import (
    Body,
    ClientHeaders,
    ClientResponse,
    CookieJar,
    encode_body,
    read_response,
)
from .testing_portal import Portal

if TYPE_CHECKING:
    from .app import App
    from .records import Overrides

__all__ = ["ClientResponse", "TestClient"]

Fields = Mapping[str, str] | Iterable[tuple[str, str]]
Query = str | Mapping[str, Any] | Sequence[tuple[str, Any]]

_REDIRECTS = {301, 302, 303, 307, 308}
_MOST_REDIRECTS = 20


class TestClient:
    """Sends requests to ``app``.

    In a ``with`` block the app is started and stopped around it, ``on_start``,
    ``on_stop`` and lifespan included; without one, requests are answered, but
    those are not run.

    ``raise_exceptions``: an exception that no handler of the app answers is
    raised by the call whose request it came from; else the answer is 500, as
    with a server.  ``overrides`` are providers to be used in place of those that
    handlers depend on.  ``headers`` and ``cookies`` go with every request; cookies
    that answers set are kept.  ``client`` is the address that the app sees.

    Requests are sent one at a time.  Each waits at most 10 seconds for its
    answer, and then raises VoloError (ETIMEDOUT).
    """

    __test__ = False  # or pytest takes it for a class of tests

    def __init__(
        self,
        app: App,
        *,
        base_url: str = "http://testserver",
        raise_exceptions: bool = True,
        follow_redirects: bool = False,
        headers: Fields | None = None,
        cookies: Mapping[str, str] | None = None,
        client: str = "127.0.0.1",
        overrides: Overrides | None = None,
    ) -> None:
        self.app = app
        self.base_url = base_url
        self.headers = ClientHeaders(headers)
        self.cookies = CookieJar(cookies)
        self.raise_exceptions = raise_exceptions
        self.follow_redirects = follow_redirects
        self._overrides = overrides
        self._peer = client
        self._lock = threading.Lock()
        self._portal: Portal | None = None
        self._end: Any = None

    # ---- Life ----------------------------------------------------------------

    def __enter__(self) -> TestClient:
        self._start(lifespan=True)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        where: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Stop the app.  The next request starts it again."""
        portal, self._portal = self._portal, None
        if portal is not None:
            self._end.detach()
            portal.stop()

    def _start(self, lifespan: bool) -> Portal:
        if self._portal is None:
            portal = Portal(self.app, lifespan, self._overrides)
            portal.start()
            self._portal = portal
            self._end = weakref.finalize(self, portal.stop)
        return self._portal

    # ---- Requests ------------------------------------------------------------

    def request(
        self,
        method: str,
        url: str,
        *,
        params: Query | None = None,
        headers: Fields | None = None,
        json: Any = None,
        data: Mapping[str, Any] | str | bytes | None = None,
        content: Body | None = None,
        cookies: Mapping[str, str] | None = None,
        follow_redirects: bool | None = None,
    ) -> ClientResponse:
        """Send one request and wait for its whole answer.

        ``params`` go into the query; of ``json`` (a value), ``data`` (a form)
        and ``content`` (str, bytes, or an iterable of bytes, which is sent in
        chunks) at most one is the body.

        Raises what a handler raised (see ``raise_exceptions``), and VoloError
        if there is no answer: ETIMEDOUT after 10 seconds, EPROTO where it was
        cut off.
        """
        body, chunked, media = encode_body(json, data, content)
        fields = self._fields(headers, cookies, media)
        follow = self.follow_redirects if follow_redirects is None else follow_redirects
        target, fields = self._target(url, params, fields)
        response = self._send(method, target, fields, body, chunked)
        history: list[ClientResponse] = []
        while follow and response.status_code in _REDIRECTS:
            history.append(response)
            if len(history) > _MOST_REDIRECTS:
                raise RuntimeError("more redirects than anybody follows")
            method, body = _after(response.status_code, method, body)
            where = urljoin(response.url, response.headers["location"])
            target, fields = self._target(where, None, fields)
            response = self._send(method, target, fields, body, False)
        response.history = history
        return response

    def get(self, url: str, **options: Any) -> ClientResponse:
        """:meth:`request` with GET."""
        return self.request("GET", url, **options)

    def head(self, url: str, **options: Any) -> ClientResponse:
        """:meth:`request` with HEAD."""
        return self.request("HEAD", url, **options)

    def options(self, url: str, **options: Any) -> ClientResponse:
        """:meth:`request` with OPTIONS."""
        return self.request("OPTIONS", url, **options)

    def post(self, url: str, **options: Any) -> ClientResponse:
        """:meth:`request` with POST."""
        return self.request("POST", url, **options)

    def put(self, url: str, **options: Any) -> ClientResponse:
        """:meth:`request` with PUT."""
        return self.request("PUT", url, **options)

    def patch(self, url: str, **options: Any) -> ClientResponse:
        """:meth:`request` with PATCH."""
        return self.request("PATCH", url, **options)

    def delete(self, url: str, **options: Any) -> ClientResponse:
        """:meth:`request` with DELETE."""
        return self.request("DELETE", url, **options)

    # ---- On the way ----------------------------------------------------------

    def _fields(
        self,
        headers: Fields | None,
        cookies: Mapping[str, str] | None,
        media: str | None,
    ) -> ClientHeaders:
        fields = ClientHeaders(self.headers.multi_items())
        given = ClientHeaders(headers)
        for name in given:
            fields.remove(name)
        for name, value in given.multi_items():
            fields.add(name, value)
        if media and "content-type" not in fields:
            fields.add("content-type", media)
        jar = {**self.cookies, **(cookies or {})}
        if jar and "cookie" not in fields:
            fields.add("cookie", "; ".join(f"{n}={v}" for n, v in jar.items()))
        return fields

    def _target(
        self, url: str, params: Query | None, fields: ClientHeaders
    ) -> tuple[str, ClientHeaders]:
        parts = urlsplit(urljoin(self.base_url, url))
        if "host" not in fields:
            fields.add("host", parts.netloc)
        query = parts.query
        if params:
            more = params if isinstance(params, str) else urlencode(params, doseq=True)
            query = f"{query}&{more}" if query else more
        path = parts.path or "/"
        return (f"{path}?{query}" if query else path), fields

    def _send(
        self,
        method: str,
        target: str,
        fields: ClientHeaders,
        body: bytes | None,
        chunked: bool,
    ) -> ClientResponse:
        portal = self._start(lifespan=False)
        with self._lock:
            response = self._exchange(portal, method, target, fields, body, chunked)
        errors = portal.take_errors()
        if errors and self.raise_exceptions:
            raise errors[0]
        self.cookies.learn(response.headers.get_list("set-cookie"))
        response.url = urljoin(self.base_url, target)
        return response

    def _exchange(
        self,
        portal: Portal,
        method: str,
        target: str,
        fields: ClientHeaders,
        body: bytes | None,
        chunked: bool,
    ) -> ClientResponse:
        client = portal.client
        request = cvolo.volo_test_request_new(client, method, target)
        cvolo.volo_test_request_peer(request, self._peer)
        for name, value in fields.multi_items():
            cvolo.volo_test_request_header(request, name, value)
        if body is not None:
            cvolo.volo_test_request_body(request, body)
            cvolo.volo_test_request_chunk(request, 4096 if chunked else 0)
        return read_response(cvolo.volo_test_send(client, request))


def _after(status: int, method: str, body: bytes | None) -> tuple[str, bytes | None]:
    """The method and body of what follows a redirect, as browsers have it."""
    if status == 303 and method != "HEAD":
        return "GET", None
    if status in (301, 302) and method == "POST":
        return "GET", None
    return method, body
