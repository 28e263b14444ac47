# SPDX-License-Identifier: Apache-2.0
"""Starts the server that is tested: $VOLO_SERVE, a command line, else the
release build of the one in C."""

import os
import shlex
from pathlib import Path

import pytest

from wire import Server, in_c

ROOT = Path(__file__).resolve().parents[2]
BUILT = ROOT / "build/release/examples/serve/c/volo-serve"


@pytest.fixture(scope="session")
def program():
    command = shlex.split(os.environ.get("VOLO_SERVE", "")) or [str(BUILT)]
    if not Path(command[0]).exists():
        pytest.exit(f"{command[0]} is not built: run scripts/test", 1)
    # Not resolved: that would lead out of an environment of Python.
    command[0] = os.path.abspath(command[0])
    return command


def pytest_configure(config):
    config.addinivalue_line(
        "markers", "in_c(why): only of the server in C, for that reason")


@pytest.fixture(autouse=True)
def not_in_another_language(request, program):
    marker = request.node.get_closest_marker("in_c")
    if marker and not in_c(program):
        pytest.skip(marker.args[0])


@pytest.fixture(scope="session")
def server(program):
    """One for all tests that leave it as it was."""
    s = Server(program)
    yield s
    code = s.stop()
    assert code == 0, f"the server ended with {code}"


@pytest.fixture
def start(program):
    """Starts servers for one test: start(workers=2, ...)."""
    started = []

    def one(**kw):
        started.append(Server(program, **kw))
        return started[-1]

    yield one
    for s in started:
        s.stop()


@pytest.fixture
def own(start):
    """A server of the test's own."""
    return start()
