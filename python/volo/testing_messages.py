# SPDX-License-Identifier: Apache-2.0
"""What goes in and out of a :class:`volo.testing.TestClient`: fields, bodies,
cookies, answers.  It knows nothing of apps."""

from __future__ import annotations

import email.utils
import time
from collections.abc import Iterable, Iterator, Mapping
from http.cookies import Morsel, SimpleCookie
from typing import Any
from urllib.parse import urlencode

from . import cvolo
from . import json as codec

Body = str | bytes | Iterable[bytes]
Pairs = Mapping[str, str] | Iterable[tuple[str, str]]


def lines_of(pairs: Pairs) -> Iterable[tuple[str, str]]:
    """The lines that a mapping or pairs stand for."""
    given: Any = pairs
    lines: Iterable[tuple[str, str]] = (
        given.items() if isinstance(given, Mapping) else given
    )
    return lines


class ClientHeaders(Mapping[str, str]):
    """Field lines in order; names are found in any case.  ``h[name]`` joins
    repeated ones with commas."""

    def __init__(self, pairs: Pairs | None = None) -> None:
        self._lines: list[tuple[str, str]] = []
        if pairs is None:
            return
        for name, value in lines_of(pairs):
            self.add(name, value)

    def add(self, name: str, value: str) -> None:
        """One more line."""
        self._lines.append((name.lower(), value))

    def remove(self, name: str) -> None:
        """All lines of that name."""
        self._lines = [x for x in self._lines if x[0] != name.lower()]

    def __setitem__(self, name: str, value: str) -> None:
        self.remove(name)
        self.add(name, value)

    def get_list(self, name: str) -> list[str]:
        """The values of every line of that name."""
        return [v for n, v in self._lines if n == name.lower()]

    def multi_items(self) -> list[tuple[str, str]]:
        """Every line."""
        return list(self._lines)

    def __getitem__(self, name: str) -> str:
        values = self.get_list(name)
        if not values:
            raise KeyError(name)
        return ", ".join(values)

    def __iter__(self) -> Iterator[str]:
        return iter(dict(self._lines))

    def __len__(self) -> int:
        return len(dict(self._lines))

    def __repr__(self) -> str:
        return f"ClientHeaders({self._lines!r})"


class CookieJar(dict[str, str]):
    """Cookies by name.  Domain and path don't count: there is one host."""

    def __init__(self, cookies: Mapping[str, str] | None = None) -> None:
        super().__init__(cookies or {})

    def learn(self, lines: Iterable[str]) -> None:
        """Keep what Set-Cookie lines set, and drop what they take back."""
        for line in lines:
            for name, morsel in SimpleCookie(line).items():
                if _is_over(morsel):
                    self.pop(name, None)
                else:
                    self[name] = morsel.value


def _is_over(morsel: Morsel[str]) -> bool:
    age = morsel["max-age"]
    if age:
        return age.lstrip("-").isdigit() and int(age) <= 0
    when = morsel["expires"] and email.utils.parsedate_to_datetime(morsel["expires"])
    return bool(when) and when.timestamp() <= time.time()


class ClientResponse:
    """The answer to a request of the client's."""

    def __init__(
        self,
        status: int,
        headers: ClientHeaders,
        content: bytes,
        trailers: Mapping[str, str],
    ) -> None:
        self.status_code = status
        self.headers = headers
        self.content = content
        self.trailers = trailers
        """Those that the Trailer field has announced."""
        self.url = ""
        self.history: list[ClientResponse] = []

    @property
    def text(self) -> str:
        """The content in the charset that it says it has, else UTF-8."""
        media = self.headers.get("content-type", "")
        _, _, charset = media.partition("charset=")
        return self.content.decode(charset.split(";")[0].strip('" ') or "utf-8")

    def json(self) -> Any:
        """The content, read as JSON; ValueError if it is none."""
        return codec.loads(self.content)

    @property
    def cookies(self) -> dict[str, str]:
        """Those that this answer sets."""
        jar = CookieJar()
        jar.learn(self.headers.get_list("set-cookie"))
        return dict(jar)

    @property
    def is_success(self) -> bool:
        """Whether the status is a 2xx."""
        return 200 <= self.status_code < 300

    def raise_for_status(self) -> ClientResponse:
        """Raise RuntimeError for a 4xx or 5xx; else the answer itself."""
        if self.status_code >= 400:
            raise RuntimeError(f"{self.status_code} for {self.url}: {self.text[:200]}")
        return self

    def __repr__(self) -> str:
        return f"<ClientResponse [{self.status_code}]>"


def read_response(answer: Any) -> ClientResponse:
    """Copy what C has of an answer, which does not outlive its client."""
    headers = ClientHeaders()
    for i in range(cvolo.volo_test_header_count(answer)):
        name, value = cvolo.volo_test_header_at(answer, i)
        headers.add(name or "", value or "")
    status, content = cvolo.volo_test_status(answer), cvolo.volo_test_body(answer)
    return ClientResponse(status, headers, content, _trailers(answer, headers))


def _trailers(answer: Any, headers: ClientHeaders) -> dict[str, str]:
    """The trailer fields that the head announces."""
    names = [n.strip().lower() for n in headers.get("trailer", "").split(",")]
    found = {n: cvolo.volo_test_trailer(answer, n) for n in names if n}
    return {n: v for n, v in found.items() if v is not None}


def encode_body(
    json: Any, data: Mapping[str, Any] | str | bytes | None, content: Body | None
) -> tuple[bytes | None, bool, str | None]:
    """The octets of a body, whether to send them in chunks, and their type."""
    if (json is not None) + (data is not None) + (content is not None) > 1:
        raise TypeError("json, data and content are three ways to give one body")
    if json is not None:
        return codec.dumps(json), False, "application/json"
    if isinstance(data, Mapping):
        form = urlencode(data, doseq=True).encode()
        return form, False, "application/x-www-form-urlencoded"
    body = data if data is not None else content
    if body is None:
        return None, False, None
    if isinstance(body, str):
        return body.encode(), False, None
    if isinstance(body, bytes):
        return body, False, None
    return b"".join(body), True, None
