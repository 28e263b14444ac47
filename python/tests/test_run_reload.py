# SPDX-License-Identifier: Apache-2.0
"""How changes of source files are seen without watchfiles."""

from __future__ import annotations

import threading
from pathlib import Path

from volo.reload import poll


def changes(directory: Path, change: object) -> list[set[str]]:
    """What the poller says of one change, between two looks."""
    stop = threading.Event()
    found: list[set[str]] = []
    looks = [0]

    class Stop(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            looks[0] += 1
            if looks[0] == 2:
                assert callable(change)
                change()
            return looks[0] > 3

    stop = Stop()
    for paths in poll([str(directory)], stop, 0.0):
        found.append({Path(path).name for path in paths})
    return found


def test_what_is_made_changed_and_removed_is_told_once(tmp_path: Path) -> None:
    file = tmp_path / "inner" / "a.py"
    file.parent.mkdir()
    assert changes(tmp_path, lambda: file.write_text("1")) == [{"a.py"}]
    assert changes(tmp_path, lambda: file.write_text("22")) == [{"a.py"}]
    assert changes(tmp_path, file.unlink) == [{"a.py"}]


def test_other_files_and_hidden_directories_are_passed_over(tmp_path: Path) -> None:
    for name in ("a.txt", ".hidden/a.py", "__pycache__/a.py", "node_modules/a.py"):
        file = tmp_path / name
        file.parent.mkdir(exist_ok=True)
        assert changes(tmp_path, lambda file=file: file.write_text("1")) == []
