# SPDX-License-Identifier: Apache-2.0
"""``volo run`` with one process: what it is told, and how it ends."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from command import Command, write_app
from waiting import DEADLINE, until

from volo.cli import main
from volo.interface import LoadError, kind_of, load
from volo.settings import FLAGS, Settings, from_environment


def test_an_asgi_application_is_served(tmp_path: Path) -> None:
    with Command(tmp_path, write_app(tmp_path), "--port", "0") as command:
        assert int(command.get()) == command.pid
        command.signal(signal.SIGTERM)
        assert command.code() == 0


@pytest.mark.parametrize("kind", ["volo", "wsgi"])
def test_each_kind_is_told_by_looking(tmp_path: Path, kind: str) -> None:
    text = {
        "volo": "import volo\napp = volo.App()\n@app.get('/')\n"
        "def hello() -> str:\n    return 'from volo'\n",
        "wsgi": "def app(environ, start_response):\n"
        "    start_response('200 OK', [])\n    return [b'from wsgi']\n",
    }[kind]
    with Command(tmp_path, write_app(tmp_path, text), "--port", "0") as command:
        assert command.get() == f"from {kind}"


def test_a_factory_and_an_app_dir_are_found(tmp_path: Path) -> None:
    inner = tmp_path / "inner"
    inner.mkdir()
    write_app(inner, "def make():\n    from other import app\n    return app\n")
    write_app(inner, name="other")
    arguments = ("served_app:make", "--factory", "--app-dir", "inner", "--port", "0")
    with Command(tmp_path, *arguments) as command:
        assert int(command.get()) == command.pid


def test_options_come_from_the_environment_and_the_command_line_is_first(
    tmp_path: Path,
) -> None:
    target = write_app(tmp_path)
    variables = {"VOLO_PORT": "1", "VOLO_ROOT_PATH": "/of/env"}
    with Command(tmp_path, target, "--port", "0", **variables) as command:
        assert command.get("/scope").endswith("'/of/env')")


def test_a_unix_socket_and_a_descriptor_are_listened_on(tmp_path: Path) -> None:
    target = write_app(tmp_path)
    path = str(tmp_path / "s")
    with Command(tmp_path, target, "--uds", path) as command:
        command.wait_for("listening on unix:")
        client = http.client.HTTPConnection("a")
        client.sock = socket.socket(socket.AF_UNIX)
        client.sock.settimeout(DEADLINE)
        client.sock.connect(path)
        client.request("GET", "/scope")
        assert client.getresponse().read() == b"(None, 'http', '')"
        client.close()


def test_proxies_are_believed_where_that_is_wanted(tmp_path: Path) -> None:
    said = {"X-Forwarded-For": "192.0.2.7", "X-Forwarded-Proto": "https"}
    target = write_app(tmp_path)
    with Command(tmp_path, target, "--port", "0", "--proxy-headers") as command:
        assert command.get("/scope", said) == "(('192.0.2.7', 0), 'https', '')"
        assert command.get("/scope").startswith("(('127.0.0.1', ")
    with Command(tmp_path, target, "--port", "0") as command:
        found = command.get("/scope", said)
        assert "192.0.2.7" not in found and "https" not in found


def test_an_access_log_and_a_server_header_are_made(tmp_path: Path) -> None:
    arguments = ("--port", "0", "--access-log", "--access-log-format", "json")
    target = write_app(tmp_path)
    with Command(tmp_path, target, *arguments, "--server-header", "me/1") as command:
        client = http.client.HTTPConnection("127.0.0.1", command.port)
        client.request("GET", "/a?b")
        assert client.getresponse().headers["server"] == "me/1"
        client.close()
        until(lambda: b"\n" in command.out)
    assert json.loads(command.out)["status"] == 200


def test_limits_are_set(tmp_path: Path) -> None:
    arguments = ("--port", "0", "--limit-body", "10", "--limit-head", "2000")
    with Command(tmp_path, write_app(tmp_path), *arguments) as command:
        client = http.client.HTTPConnection("127.0.0.1", command.port)
        client.request("POST", "/", b"x" * 11)
        assert client.getresponse().status == 413
        client.close()
        client.request("GET", "/", headers={"X-A": "x" * 3000})
        assert client.getresponse().status == 431
        client.close()


# ---- How it ends -----------------------------------------------------------------


def ends_with(directory: Path, *arguments: str) -> tuple[int, str]:
    with Command(directory, *arguments) as command:
        return command.code(), command.log


def test_a_missing_module_or_name_is_told_without_a_traceback(tmp_path: Path) -> None:
    write_app(tmp_path)
    for target, words in [
        ("no_such_module:app", "no module 'no_such_module'"),
        ("served_app:nothing", "no 'nothing' in module 'served_app'"),
    ]:
        code, log = ends_with(tmp_path, target)
        assert code == 1
        assert words in log
        assert "Traceback" not in log


def test_an_error_in_the_module_is_told_with_its_traceback(tmp_path: Path) -> None:
    code, log = ends_with(tmp_path, write_app(tmp_path, "import no_such_thing\n"))
    assert code == 1
    assert "no_such_thing" in log and "Traceback" in log


def test_what_is_no_application_is_told(tmp_path: Path) -> None:
    code, log = ends_with(tmp_path, write_app(tmp_path, "app = 3\n"))
    assert code == 1
    assert "3 is no application" in log
    assert "Traceback" not in log


def test_a_place_that_cannot_be_listened_on_is_told(tmp_path: Path) -> None:
    target = write_app(tmp_path)
    for place, words in [
        (("--fd", "77"), "bad file descriptor"),
        (("--uds", str(tmp_path / "no" / "s")), "no such file"),
        (("--host", "192.0.2.1", "--port", "0"), "192.0.2.1"),
    ]:
        for workers in ("1", "2"):
            code, log = ends_with(tmp_path, target, *place, "--workers", workers)
            assert code == 1
            assert words in log.lower()
            assert "Traceback" not in log


def test_a_port_in_use_is_told(tmp_path: Path) -> None:
    target = write_app(tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        for workers in ("1", "2"):
            code, log = ends_with(
                tmp_path, target, "--port", port, "--workers", workers
            )
            assert code == 1
            assert "in use" in log.lower()
            assert "Traceback" not in log


def test_a_startup_that_fails_ends_the_run(tmp_path: Path) -> None:
    text = (
        "async def app(scope, receive, send):\n    await receive()\n"
        "    await send({'type': 'lifespan.startup.failed', 'message': 'no luck'})\n"
    )
    for workers in ("1", "2"):
        code, log = ends_with(
            tmp_path, write_app(tmp_path, text), "--port", "0", "--workers", workers
        )
        assert code == 3
        assert "no luck" in log


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_request_in_flight_is_answered_before_the_end(
    tmp_path: Path, number: int
) -> None:
    found: list[str] = []
    with Command(tmp_path, write_app(tmp_path), "--port", "0") as command:
        command.get()
        thread = threading.Thread(target=lambda: found.append(command.get("/wait")))
        thread.start()
        until((tmp_path / "waiting").exists)
        command.signal(number)
        (tmp_path / "go").touch()
        thread.join(DEADLINE)
        assert command.code() == 0
    assert found == [str(command.pid)]


def test_a_second_signal_does_not_wait(tmp_path: Path) -> None:
    text = (
        "import asyncio\n"
        "async def app(scope, receive, send):\n"
        "    if scope['type'] == 'http':\n"
        "        print('here', flush=True)\n"
        "        await asyncio.sleep(600)\n"
    )
    target = write_app(tmp_path, text)
    with (
        Command(tmp_path, target, "--port", "0") as command,
        socket.create_connection(("127.0.0.1", command.port)) as client,
    ):
        client.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        until(lambda: b"here" in command.out)
        command.signal(signal.SIGINT)
        until(lambda: not _accepts(command.port))
        assert not command.ended()
        command.signal(signal.SIGINT)
        command.code()


def _accepts(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), DEADLINE).close()
    except (ConnectionRefusedError, ConnectionResetError):
        return False
    return True


# ---- The command line ------------------------------------------------------------


def test_help_names_every_option(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["run", "--help"])
    assert ended.value.code == 0
    text = capsys.readouterr().out
    for flag in FLAGS:
        assert f"--{flag.name}" in text
    assert "VOLO_LIMIT_BODY" in text


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--workers", "0"], "at least 1"),
        (["--reload", "--workers", "2"], "one worker"),
        (["--uds", "a", "--port", "1"], "exclude"),
        (["--port", "70000"], "65535"),
        (["--limit-body", "-2"], "negative"),
        (["--interface", "cgi"], "invalid choice"),
        (["--frobnicate"], "unrecognized"),
    ],
)
def test_a_wrong_option_is_refused(
    arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["run", "a:b", *arguments])
    assert ended.value.code == 2
    assert words in capsys.readouterr().err


def test_variables_that_cannot_be_read_are_named() -> None:
    for name, value in [
        ("VOLO_PORT", "x"),
        ("VOLO_RELOAD", "maybe"),
        ("VOLO_LIFESPAN", "no"),
    ]:
        with pytest.raises(ValueError, match=name):
            from_environment({name: value})
    values = from_environment(
        {"VOLO_RELOAD": "yes", "VOLO_RELOAD_DIR": "a:b", "VOLO_TIMEOUT_HEAD": "1.5"}
    )
    assert values == {"reload": True, "reload_dir": ["a", "b"], "timeout_head": 1.5}


def test_settings_survive_the_way_to_a_worker() -> None:
    settings = Settings.of("a:b", {"port": 1, "limit_body": -1, "timeout_stop": 2.5})
    assert settings.limits == {"body_limit": None, "stop_timeout": 2.5}
    assert Settings.from_json(settings.to_json()) == settings


def test_python_m_volo_is_the_command() -> None:
    found = subprocess.run(
        [sys.executable, "-m", "volo", "--version"],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ,
    )
    assert found.stdout.strip()


# ---- Interfaces ------------------------------------------------------------------


def test_kinds_are_told_from_signatures() -> None:
    async def asgi(scope: object, receive: object, send: object) -> None: ...

    def wsgi(environ: object, start_response: object) -> list[bytes]:
        return []

    class Both:
        def __call__(self, scope: object, receive: object, send: object) -> None: ...

    assert kind_of(asgi) == "asgi"
    assert kind_of(wsgi) == "wsgi"
    assert kind_of(Both()) == "asgi"
    assert kind_of(lambda a, b, c=1: []) == "wsgi"
    assert kind_of(wsgi, "asgi") == "asgi"
    with pytest.raises(TypeError):
        kind_of(3)
    with pytest.raises(TypeError):
        kind_of(Both)
    with pytest.raises(TypeError):
        kind_of(lambda *everything: [])


def test_a_name_may_be_dotted_and_has_a_default() -> None:
    assert load("os:path.join") is os.path.join
    with pytest.raises(LoadError, match="'app' in module 'os'"):
        load("os")
    with pytest.raises(LoadError, match="names no module"):
        load(":app")
