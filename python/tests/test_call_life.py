# SPDX-License-Identifier: Apache-2.0
"""Nothing stays: neither objects nor memory, whatever a handler does; and the
module knows where it can't work."""

from __future__ import annotations

import asyncio
import gc
import importlib
import importlib.util
import os
import sys
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from call_rig import ASYNC, NOWAIT, REQUEST, Rig, rig

from volo import HTTPError, Response, _cvolo

ROUNDS = 300


def fail() -> None:
    raise ValueError("x" * 1000)


def look(request: Any) -> list[Any]:
    request.state.me = request  # a circle
    request.add_cleanup(lambda error: None)
    return [
        request.path,
        request.headers.items(),
        request.query.items(),
        request.cookies,
        request.params,
        request.client,
        request.client_ip,
        len(request.body),
    ]


async def wait(request: Any) -> dict[str, int]:
    await asyncio.sleep(0)
    return {"a": 1}


async def wait_and_fail(request: Any) -> None:
    await asyncio.sleep(0)
    raise HTTPError(400, "bad")


async def at_once() -> str:
    return "x"


INNER = _cvolo.Bound(_cvolo.Handler(lambda: "inner", (), 0))


def layer(request: Any) -> Response:
    response: Response = INNER(request)
    response.headers["x-a"] = "b"
    return response


def add_all(r: Rig) -> list[str]:
    number = ("query", "n", "int", None, None, True)
    sync: list[tuple[Callable[..., Any], Any]] = [
        (lambda: "x", ()),
        (lambda: b"x" * 100_000, ()),
        (lambda: (200, {"x-a": "b"}, {"a": 1}), ()),
        (lambda: True, ()),
        (lambda n: str(n), [number]),
        (lambda n: str(n), [("query", "b", "int", None, None, True)]),
        (fail, ()),
        (look, [REQUEST]),
        (layer, [REQUEST]),
    ]
    for i, (fn, plan) in enumerate(sync):
        r.add(f"/s{i}", fn, plan)
    for i, fn in enumerate([wait, wait_and_fail]):
        r.add(f"/a{i}", fn, [REQUEST], ASYNC)
    r.add("/n", at_once, (), NOWAIT)
    return [f"/s{i}" for i in range(len(sync))] + ["/a0", "/a1", "/n"]


def resident() -> int:
    """Pages that the process has now."""
    return int(Path("/proc/self/statm").read_text().split()[1])


def count() -> int:
    _cvolo.sweep()
    gc.collect()
    return len(gc.get_objects())


def test_objects_and_memory_come_back_to_what_they_were(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("CRITICAL", "volo")

    def rounds(n: int) -> None:
        for _ in range(n):
            for path in paths:
                r.send(f"{path}?n=1&b=x", ("cookie", "a=b"))

    with rig() as r:
        paths = add_all(r)
        rounds(ROUNDS // 3)
        more, grown = [], []
        for _ in range(6):
            before, objects = resident(), count()
            rounds(ROUNDS)
            more.append(abs(count() - objects))
            grown.append(resident() - before)
            if more[-1] < 50 and grown[-1] < 40:
                break
        # A leak of one small object a request would be more than that each
        # time.  Where memory is checked, what was freed is held back.
        assert more[-1] < 50, more
        if "libasan" not in Path("/proc/self/maps").read_text():
            assert grown[-1] < 40, grown


def test_a_handler_goes_with_its_route() -> None:
    class Called:
        def __call__(self) -> str:
            return "x"

    called = Called()
    gone = weakref.ref(called)
    with rig() as r:
        r.add("/", called)
        del called
        assert r.send("/").text == "x"
        assert gone() is not None
    gc.collect()
    _cvolo.sweep()
    assert gone() is None


def test_responses_and_requests_are_seen_by_the_collector() -> None:
    for kind in (_cvolo.Request, _cvolo.Response, _cvolo.Handler, _cvolo.Bound):
        assert kind.__flags__ & (1 << 14), kind  # Py_TPFLAGS_HAVE_GC


def test_the_module_refuses_other_interpreters_and_says_so() -> None:
    run = _interpreter()
    if run is None:
        pytest.skip("this Python cannot make interpreters from Python")
    words = run(
        "import sys\n"
        f"sys.path[:] = {sys.path!r}\n"
        "import importlib.machinery, importlib.util\n"
        f"loader = importlib.machinery.ExtensionFileLoader('volo._cvolo', "
        f"{_cvolo.__file__!r})\n"
        "spec = importlib.util.spec_from_loader('volo._cvolo', loader)\n"
        "try:\n"
        "    loader.exec_module(importlib.util.module_from_spec(spec))\n"
        "    said = 'imported'\n"
        "except ImportError as error:\n"
        "    said = str(error)\n"
    )
    assert "main interpreter only" in words
    assert _cvolo.Headers({"x-a": "1"})["x-a"] == "1"


def _interpreter() -> Callable[[str], str] | None:
    """Runs code, which sets ``said``, in an interpreter of its own that shares
    the lock: with one of its own, Python itself refuses such modules."""
    names = [n for n in ("_interpreters", "_xxsubinterpreters") if _is_there(n)]
    if not names:
        return None
    interpreters: Any = importlib.import_module(names[0])
    make: dict[str, Any] = (
        {"config": "legacy"} if names[0] == "_interpreters" else {"isolated": False}
    )

    def run(code: str) -> str:
        there = interpreters.create(**make)
        out, into = os.pipe()
        try:
            tail = f"import os; os.write({into}, said.encode()); os.close({into})"
            interpreters.run_string(there, code + tail)
            return os.read(out, 65536).decode()
        finally:
            os.close(out)
            interpreters.destroy(there)

    return run


def _is_there(module: str) -> bool:
    return importlib.util.find_spec(module) is not None


def test_the_module_may_be_loaded_again() -> None:
    before = _cvolo.Request
    saved = {name: sys.modules[name] for name in ("volo._cvolo",)}
    try:
        del sys.modules["volo._cvolo"]
        again = importlib.import_module("volo._cvolo")
        assert again.Request is before
        assert again.Response("x").status == 200
    finally:
        sys.modules.update(saved)
