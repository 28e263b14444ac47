# SPDX-License-Identifier: Apache-2.0
"""No lock of the pool is held while Python code runs."""

from __future__ import annotations

from programs import get, running

SLEEPY = """
import time, volo

class Sleepy(bytes):
    def __del__(self):
        print("finalizing", flush=True)
        time.sleep(1000)

app = volo.App()

@app.get("/big")
def big():
    return Sleepy(100_000)

@app.get("/small")
def small():
    return "small"

app.run(port=0, log_level=None, on_ready=lambda server: print(server.port, flush=True))
"""


def test_a_finalizer_that_gives_the_gil_away_holds_nobody_up() -> None:
    with running(SLEEPY) as program:
        port = program.port()
        assert get(port, "/big") == (200, bytes(100_000))
        for _ in range(50):
            assert get(port, "/small") == (200, b"small")
        assert program.line() == "finalizing"
