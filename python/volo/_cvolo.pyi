# SPDX-License-Identifier: Apache-2.0
"""Types of the hand-written half of the extension: what a request meets."""

from asyncio import AbstractEventLoop, Future, Task
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any, Final, TypeVar, final, overload

from _typeshed import structseq

from .cookies import SameSite
from .cvolo import volo_layer, volo_queue, volo_service

_T = TypeVar("_T")
_Pairs = Mapping[str, str] | Iterable[tuple[str, str]]
_Plan = Iterable[tuple[str, str, str, Callable[[Any], Any] | None, Any, bool],]
_Errors = Iterable[tuple[str, str, str]]

# ---- What a request is -------------------------------------------------------

@final
class TLSInfo(structseq[str | None], tuple[str, str, str | None, str | None]):
    """What a TLS handshake has found out."""

    __match_args__: Final = ("version", "cipher", "server_name", "client_subject")
    @property
    def version(self) -> str:
        """ "1.2" or "1.3"."""
    @property
    def cipher(self) -> str:
        """Such as "TLS_AES_128_GCM_SHA256"."""
    @property
    def server_name(self) -> str | None:
        """What the client asked for."""
    @property
    def client_subject(self) -> str | None:
        """Of its certificate, which is good."""

@final
class MultiDict:
    """Names with values, in order; names may repeat."""

    def __len__(self) -> int: ...
    def __getitem__(self, name: str, /) -> str: ...
    def __contains__(self, name: object, /) -> bool: ...
    def __iter__(self) -> Iterator[str]: ...
    @overload
    def get(self, name: str, /) -> str | None: ...
    @overload
    def get(self, name: str, default: _T, /) -> str | _T: ...
    def getlist(self, name: str, /) -> list[str]: ...
    def keys(self) -> list[str]: ...
    def values(self) -> list[str]: ...
    def items(self) -> list[tuple[str, str]]: ...

@final
class Headers:
    """Field lines, in order; names in any case. Those of a request can't be
    changed."""

    def __new__(cls, items: _Pairs | Headers | MultiDict | None = None) -> Headers: ...
    def __len__(self) -> int: ...
    def __getitem__(self, name: str, /) -> str: ...
    def __setitem__(self, name: str, value: str, /) -> None: ...
    def __delitem__(self, name: str, /) -> None: ...
    def __contains__(self, name: object, /) -> bool: ...
    def __iter__(self) -> Iterator[str]: ...
    @overload
    def get(self, name: str, /) -> str | None: ...
    @overload
    def get(self, name: str, default: _T, /) -> str | _T: ...
    def getlist(self, name: str, /) -> list[str]: ...
    def keys(self) -> list[str]: ...
    def values(self) -> list[str]: ...
    def items(self) -> list[tuple[str, str]]: ...
    def add(self, name: str, value: str, /) -> None: ...
    def set(self, name: str, value: str, /) -> None: ...
    def setdefault(self, name: str, value: str, /) -> str: ...
    def remove(self, name: str, /) -> None: ...

class State(dict[str, Any]):
    """A dict whose items are attributes too."""

    def __getattr__(self, name: str, /) -> Any: ...
    def __setattr__(self, name: str, value: Any, /) -> None: ...
    def __delattr__(self, name: str, /) -> None: ...

@final
class Request:
    """One request, decoded as it is looked at. It may be kept for ever."""

    _shared: Any

    @property
    def method(self) -> str:
        """As received: "GET"."""
    @property
    def version(self) -> str:
        """ "1.0", "1.1" or "2"."""
    @property
    def target(self) -> str:
        """As received."""
    @property
    def path(self) -> str:
        """The whole path, decoded."""
    @property
    def raw_path(self) -> str:
        """The same as received."""
    @property
    def query_string(self) -> str:
        """As received, without "?"."""
    @property
    def pattern(self) -> str:
        """Of the route: "/users/{id}"; or ""."""
    @property
    def route(self) -> str | None:
        """The name of the route."""
    @property
    def handler(self) -> Handler | None:
        """What it is for."""
    @property
    def scheme(self) -> str:
        """ "http" or "https"."""
    @property
    def tls(self) -> TLSInfo | None:
        """What the TLS handshake has found out."""
    @property
    def http_version(self) -> str:
        """ "1.0", "1.1" or "2"."""
    @property
    def authority(self) -> str:
        """Host and port it is for."""
    @property
    def client(self) -> tuple[str, int]:
        """Address and port of the connection."""
    @property
    def client_ip(self) -> str | None:
        """Address of the client, seen through trusted proxies."""
    @property
    def request_id(self) -> str | None:
        """Of the request_id layer."""
    @property
    def headers(self) -> Headers: ...
    @property
    def params(self) -> dict[str, str]:
        """Path parameters, decoded."""
    @property
    def query(self) -> MultiDict:
        """The query, decoded."""
    @property
    def cookies(self) -> dict[str, str]: ...
    @property
    def body(self) -> bytes: ...
    @property
    def state(self) -> State:
        """For layers to leave something in."""
    @property
    def canceled(self) -> bool:
        """Whether nobody waits for the answer any more."""
    @property
    def deadline(self) -> float | None:
        """Seconds left until a timeout layer gives up."""
    @property
    def task(self) -> Task[Any] | None:
        """The task of an async handler."""
    def text(self) -> str:
        """The body in UTF-8. Rejection (400) if it is not."""
    def json(self) -> Any:
        """The body as JSON. Rejection (400) if it is none."""
    def early_hints(self, fields: Headers | _Pairs, /) -> None:
        """Send a 103 with these fields (``Link``, above all) ahead of the answer;
        nothing where the client knows none, or can't take it at once."""
    def add_cleanup(self, function: Callable[[BaseException | None], Any], /) -> None:
        """Call ``function(exception or None)`` once the answer is made; the last
        one added goes first."""

@final
class Reader:
    """The body of a request as it comes."""

    def __new__(cls, request: Request) -> Reader: ...
    @property
    def length(self) -> int | None:
        """How many octets were announced."""
    def read(self, max: int = -1, /) -> bytes:
        """Block for some octets, or all of them; b"" at the end."""
    def aread(self, max: int = -1, /) -> Future[bytes]:
        """The same on the event loop."""
    def __iter__(self) -> Reader: ...
    def __next__(self) -> bytes: ...
    def __aiter__(self) -> Reader: ...
    def __anext__(self) -> Future[bytes]: ...

# ---- What an answer is -------------------------------------------------------

class Response:
    """An answer. Without a status it is 200, or 204 where the body is None."""

    body: Any
    media_type: str | None
    @property
    def status(self) -> int: ...
    @status.setter
    def status(self, status: int | None) -> None: ...
    @property
    def headers(self) -> Headers: ...
    @headers.setter
    def headers(self, headers: _Pairs | Headers | None) -> None: ...
    def __init__(
        self,
        body: Any = b"",
        status: int | None = None,
        headers: _Pairs | Headers | None = None,
        media_type: str | None = None,
    ) -> None: ...
    def set_cookie(
        self,
        name: str,
        value: str = "",
        *,
        max_age: int | timedelta | None = None,
        expires: datetime | timedelta | None = None,
        path: str | None = "/",
        domain: str | None = None,
        secure: bool = False,
        http_only: bool = False,
        same_site: SameSite | None = "lax",
        partitioned: bool = False,
    ) -> None:
        """Add a cookie; see volo.cookies.cookie_line."""
    def delete_cookie(
        self,
        name: str,
        *,
        path: str | None = "/",
        domain: str | None = None,
        secure: bool = False,
        http_only: bool = False,
        same_site: SameSite | None = "lax",
        partitioned: bool = False,
    ) -> None:
        """Have the browser forget a cookie."""

@final
class Writer:
    """An answer that is sent piece by piece, with the head of a Response."""

    def __new__(
        cls, request: Request, response: Response | None = None, length: int = -1
    ) -> Writer: ...
    def write(self, data: bytes, /) -> bool:
        """Take all of it, or nothing (False) if too much waits already."""
    def wait(self, timeout: float = -1.0, /) -> bool:
        """Block until there is room, for at most so many seconds."""
    def drained(self) -> Future[None]:
        """The same on the event loop."""
    def trailer(self, name: str, value: str, /) -> None:
        """A field that follows the body."""
    @staticmethod
    def file(
        request: Request, response: Response, path: bytes, type: str | None, /
    ) -> None:
        """Answer with a file, which C reads as the client takes it."""
    def end(self) -> None:
        """The body is complete."""
    def close(self) -> None:
        """Cut the answer off, unless it has ended."""
    @property
    def canceled(self) -> bool:
        """Whether the client is gone."""
    @property
    def pending(self) -> int:
        """Octets that have not left yet."""

def problem(
    request: Request | None,
    status: int,
    detail: str | None = None,
    errors: _Errors | None = None,
) -> Response:
    """What is wrong: RFC 9457 where the client names JSON, else text."""

def to_response(request: Request, value: Any, /) -> Any:
    """What a handler may return, as a Response; or a coroutine that comes to
    another value."""

# ---- Calls -------------------------------------------------------------------

@final
class Handler:
    """A function, where its arguments come from, and how it is to be run."""

    def __new__(
        cls,
        fn: Callable[..., Any],
        plan: _Plan,
        kind: int,
        *,
        dumps: Callable[[Any], bytes] | None = None,
        streaming: bool = False,
        context: bool = True,
        name: str | None = None,
        inside: bool = False,
    ) -> Handler: ...
    @property
    def fn(self) -> Callable[..., Any]: ...
    @property
    def kind(self) -> int: ...
    @property
    def name(self) -> str | None: ...
    @property
    def streaming(self) -> bool: ...

@final
class Bound:
    """From a request to a Response, or to a coroutine that comes to one."""

    def __new__(cls, handler: Handler) -> Bound: ...
    def __call__(self, request: Request, /) -> Any: ...

class Invalid(Exception):
    """What a plan refuses, where there is no hook for that."""

    status: int
    errors: list[tuple[str, str, str]]
    def __init__(self, status: int, errors: _Errors) -> None: ...

class VoloError(Exception):
    """What C raises, where there is no hook for that."""

class ClientDisconnected(OSError):
    """The client has left before the answer was complete."""

def set_hooks(
    *,
    dumps: Callable[..., Any] | None = ...,
    respond: Callable[..., Any] | None = ...,
    on_error: Callable[..., Any] | None = ...,
    rejection: Callable[..., Any] | None = ...,
    error: Callable[..., Any] | None = ...,
    records: type | None = ...,
) -> None:
    """What the package decides; those not named stay as they are."""

def layer(queue: volo_queue, handler: Handler, /) -> volo_layer:
    """What ``handler`` runs, by way of ``queue``, which is an Aio's."""

def go_on(request: Request, way: Any, shared: Any, /) -> None:
    """From such a layer to what is inside, which finds ``shared``; then
    ``way.arrive(what comes back)`` is called."""

def come_back(request: Request, what: Any, opaque: Any, /) -> Response:
    """The Response that has come back, to be returned or replaced; ``opaque``
    stands for a stream."""

def service(queue: volo_queue, handler: Handler, /) -> volo_service:
    """What has ``handler`` answer, by way of ``queue``."""

def split(whole: volo_service, piecewise: volo_service, /) -> volo_service:
    """Short bodies to the one, others to the other."""

def sweep() -> None:
    """Drop what other threads have given back."""

# ---- Runners -----------------------------------------------------------------

@final
class Pool:
    """Threads that run ``def`` handlers."""

    def __new__(
        cls,
        queue: volo_queue,
        spawn: Callable[[], Any],
        max_threads: int = 40,
        idle_s: float = 10.0,
    ) -> Pool: ...
    def start(self) -> None: ...
    def work(self) -> None: ...
    def close(self) -> None: ...
    def join(self, timeout: float = -1.0, /) -> bool: ...
    def stats(self) -> dict[str, int]: ...

@final
class Aio:
    """Runs ``async def`` handlers on an asyncio loop."""

    def __new__(
        cls, queue: volo_queue, loop: AbstractEventLoop, run: Callable[[Any], Any]
    ) -> Aio: ...
    @property
    def fd(self) -> int: ...
    @property
    def events_fd(self) -> int: ...
    def attach(self) -> None: ...
    def detach(self) -> None: ...
    def drain(self) -> None: ...
    def events(self) -> None: ...
    def flush(self) -> None: ...
    def call(self, fn: Callable[..., Any], /, *args: Any) -> None: ...
    def close(self) -> None: ...
    def stats(self) -> dict[str, int]: ...

@final
class Asgi:
    """Serves an ASGI application from an event loop."""

    def __new__(
        cls,
        app: Callable[..., Any],
        on_error: Callable[..., Any],
        root_path: str = "",
        capacity: int = 0,
    ) -> Asgi: ...
    @property
    def active(self) -> int: ...
    @property
    def fd(self) -> int: ...
    @property
    def events_fd(self) -> int: ...
    def attach(
        self, loop: AbstractEventLoop, task_type: Any, options: Any, /
    ) -> None: ...
    def close(self) -> None: ...
    def drain(self) -> bool: ...
    def events(self) -> None: ...
    def flush(self) -> None: ...
    def service(self) -> volo_service: ...
    def set_server(self, server: tuple[str, int | None] | None, /) -> None: ...
    def stats(self) -> dict[str, int]: ...
    def set_state(self, state: dict[str, Any] | None, /) -> None: ...
    def tasks(self) -> list[Task[Any]]: ...

@final
class Wsgi:
    """Calls a WSGI application."""

    def __new__(
        cls,
        app: Callable[..., Any],
        environ: dict[str, Any],
        make_input: Callable[..., Any],
        on_error: Callable[..., Any],
        root_path: str = "",
    ) -> Wsgi: ...
    def __call__(self, request: Request, /) -> Any: ...
