# SPDX-License-Identifier: Apache-2.0
"""libvolo: HTTP services in Python, on loops in C.

    import volo

    app = volo.App()

    @app.get("/users/{id}")
    def user(id: int, verbose: bool = False) -> dict[str, object]:
        return {"id": id, "verbose": verbose}

    app.run(port=8080)

Importing it starts nothing: no thread, no loop, no descriptor.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from . import layers
from ._cvolo import Headers, Reader, Request, Response, TLSInfo, Writer
from .app import App
from .cvolo import volo_version_text as _version_text
from .errors import (
    HTTPError,
    Invalid,
    RegistrationError,
    Rejection,
    VoloError,
)
from .layers import Layer
from .params import (
    Body,
    Cookie,
    Depends,
    Extension,
    Form,
    Header,
    Json,
    Path,
    Query,
    State,
    Text,
)
from .responses import (
    HTML,
    JSON,
    Empty,
    File,
    PlainText,
    Problem,
    Redirect,
    Stream,
)
from .router import Route, Router
from .runtime import install as _install
from .server import Server
from .tls import TLS

if TYPE_CHECKING:
    from .serving import serve as serve
    from .testing import TestClient as TestClient

__all__ = [
    "HTML",
    "JSON",
    "TLS",
    "App",
    "Body",
    "Cookie",
    "Depends",
    "Empty",
    "Extension",
    "File",
    "Form",
    "HTTPError",
    "Header",
    "Headers",
    "Invalid",
    "Json",
    "Layer",
    "Path",
    "PlainText",
    "Problem",
    "Query",
    "Reader",
    "Redirect",
    "RegistrationError",
    "Rejection",
    "Request",
    "Response",
    "Route",
    "Router",
    "Server",
    "State",
    "Stream",
    "TLSInfo",
    "TestClient",
    "Text",
    "VoloError",
    "Writer",
    "__version__",
    "layers",
    "serve",
]

__version__: str = _version_text()

_install()

# Not needed to serve: imported when asked for.
_LATER = {"TestClient": "testing", "serve": "serving"}


def __getattr__(name: str) -> Any:
    module = _LATER.get(name)
    if module is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f".{module}", __name__), name)
