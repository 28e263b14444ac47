# SPDX-License-Identifier: Apache-2.0
"""``volo run`` with several workers: they are kept, replaced and ended."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
from pathlib import Path

from command import Command, write_app
from waiting import DEADLINE, until


def workers(directory: Path, count: int, *more: str) -> Command:
    arguments = ("--port", "0", "--workers", str(count), *more)
    return Command(directory, write_app(directory), *arguments)


def lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_several_processes_answer_on_one_port(tmp_path: Path) -> None:
    with workers(tmp_path, 2) as command:
        found = command.pids(2)
        assert command.pid not in found
        command.signal(signal.SIGTERM)
        assert command.code() == 0
        assert not any(lives(pid) for pid in found)


def test_a_worker_that_is_killed_is_replaced(tmp_path: Path) -> None:
    with workers(tmp_path, 2) as command:
        before = command.pids(2)
        victim = before.pop()
        os.kill(victim, signal.SIGKILL)
        command.wait_for(f"worker {victim} died: SIGKILL")
        command.wait_for("serves", 3)
        after = command.pids(2)
        assert victim not in after
        assert before < after


def test_a_worker_that_dies_in_a_request_is_replaced(tmp_path: Path) -> None:
    with workers(tmp_path, 1, "--reload-dir", ".") as single:
        assert single.get()
    with workers(tmp_path, 2) as command:
        command.pids(2)
        with contextlib.suppress(OSError):
            command.get("/die")
        command.wait_for("died: SIGKILL")
        command.wait_for("serves", 3)
        assert command.get()


def test_sighup_replaces_all_and_refuses_nobody(tmp_path: Path) -> None:
    failures: list[BaseException] = []
    over = threading.Event()

    with workers(tmp_path, 2) as command:
        before = command.pids(2)

        def ask() -> None:
            while not over.is_set():
                try:
                    command.get()
                except ConnectionRefusedError as error:
                    failures.append(error)
                except OSError:
                    # Let in by a worker that stopped before it was asked.
                    continue

        threads = [threading.Thread(target=ask) for _ in range(2)]
        for thread in threads:
            thread.start()
        command.signal(signal.SIGHUP)
        command.wait_for("has stopped", 2)
        over.set()
        for thread in threads:
            thread.join(DEADLINE)
        after = command.pids(2)
        assert not before & after
        assert not any(lives(pid) for pid in before)
    assert failures == []


def test_sighup_to_broken_code_leaves_the_old_workers_serving(tmp_path: Path) -> None:
    with workers(tmp_path, 2) as command:
        before = command.pids(2)
        write_app(tmp_path, "import no_such_thing\n")
        command.signal(signal.SIGHUP)
        command.wait_for("the old ones stay")
        assert command.pids(2) == before


def test_sigterm_answers_requests_in_flight(tmp_path: Path) -> None:
    found: list[str] = []
    with workers(tmp_path, 2) as command:
        command.pids(2)
        thread = threading.Thread(target=lambda: found.append(command.get("/wait")))
        thread.start()
        until((tmp_path / "waiting").exists)
        command.signal(signal.SIGTERM)
        (tmp_path / "go").touch()
        thread.join(DEADLINE)
        assert command.code() == 0
    assert len(found) == 1 and found[0].isdigit()


def test_sigttin_and_sigttou_make_one_more_and_one_less(tmp_path: Path) -> None:
    with workers(tmp_path, 2) as command:
        command.pids(2)
        command.signal(signal.SIGTTIN)
        command.wait_for("serves", 3)
        command.signal(signal.SIGTTOU)
        command.wait_for("has stopped", 1)
        command.signal(signal.SIGTTOU)
        command.wait_for("has stopped", 2)
        command.signal(signal.SIGTTOU)
        assert command.get()


def test_workers_end_with_their_supervisor(tmp_path: Path) -> None:
    with workers(tmp_path, 2) as command:
        found = command.pids(2)
        command.signal(signal.SIGKILL)
        until(lambda: not any(lives(pid) for pid in found))


def test_an_import_error_ends_the_run(tmp_path: Path) -> None:
    target = write_app(tmp_path, "import no_such_thing\n")
    with Command(tmp_path, target, "--port", "0", "--workers", "2") as command:
        assert command.code() == 1
    assert "no_such_thing" in command.log
    assert "no worker could be started" in command.log


def test_a_unix_socket_is_shared_and_goes_with_the_run(tmp_path: Path) -> None:
    path = tmp_path / "s"
    target = write_app(tmp_path)
    arguments = ("--uds", str(path), "--workers", "2")
    with Command(tmp_path, target, *arguments) as command:
        command.wait_for("serves", 2)
        assert path.is_socket()
        command.signal(signal.SIGTERM)
        assert command.code() == 0
    assert not path.exists()


# ---- Reload ----------------------------------------------------------------------


def test_a_change_of_a_source_file_is_served(tmp_path: Path) -> None:
    text = (
        "def app(environ, start_response):\n"
        "    start_response('200 OK', [])\n    return [b'%s']\n"
    )
    target = write_app(tmp_path, text % "one")
    with Command(tmp_path, target, "--port", "0", "--reload") as command:
        command.wait_for("serves")
        assert command.get() == "one"

        def change_is_served() -> bool:
            # The first may come before anybody watches.
            write_app(tmp_path, text % "second")
            end = time.monotonic() + 5
            while time.monotonic() < end:
                if command.get() == "second":
                    return True
                time.sleep(0.1)
            return False

        until(change_is_served)


def test_broken_code_waits_for_a_change(tmp_path: Path) -> None:
    target = write_app(tmp_path, "import no_such_thing\n")
    with Command(tmp_path, target, "--port", "0", "--reload") as command:
        command.wait_for("waiting for a change")
        write_app(tmp_path)
        command.wait_for("serves")
        assert command.get().isdigit()
