#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Side-by-side benchmark of HTTP servers over TLS.

Each peer is a folder with a run.sh that serves TLS in the foreground on
127.0.0.1:$PORT with $THREADS threads, the chain in $TLS_CERT and the key in
$TLS_KEY; its build.sh puts what it builds under $PEERS_DIR.  Every measurement
starts the server afresh on its own core, checks its answer, warms it up, loads
it from another core (h1: wrk; h2: h2load; new: a handshake for each request,
by h2load), and reads what CPU time the server's processes spent.  Rounds go
through all the peers in turn.

The figure to go by is the server's CPU time per request.

    run.py                          all the peers, all the modes
    run.py --modes h2 libvolo axum  these
    run.py --check                  only start each and check its answers
"""

import argparse
import json
import os
import re
import shutil
import signal
import socket
import ssl
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
TICK = os.sysconf("SC_CLK_TCK")
PATH = "/plaintext"
MODES = ("h1", "h2", "new")


class Fail(Exception):
    """What a peer did wrong."""


def log(text):
    print(text, file=sys.stderr, flush=True)


def certificate(folder):
    """(chain, key) for this machine."""
    names = [str(Path(folder, name)) for name in ("cert.pem", "key.pem")]
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
         "ec_paramgen_curve:prime256v1", "-nodes", "-out", names[0], "-keyout",
         names[1], "-days", "2", "-subj", "/CN=localhost", "-addext",
         "subjectAltName=DNS:localhost,IP:127.0.0.1"],
        check=True, capture_output=True)
    return names


# ---- Processes ------------------------------------------------------------------


def processes(session):
    """(pid, fields of its stat behind the name) of each of a session."""
    for entry in os.scandir("/proc"):
        if not entry.name.isdigit():
            continue
        try:
            text = Path(entry.path, "stat").read_text()
        except OSError:
            continue
        fields = text[text.rindex(")") + 2:].split()
        if int(fields[3]) == session:
            yield int(entry.name), fields


def is_open(port):
    with socket.socket() as s:
        s.settimeout(1)
        return s.connect_ex(("127.0.0.1", port)) == 0


class Server:
    """A peer that runs."""

    def __init__(self, folder, args):
        self.folder, self.args = folder, args

    def __enter__(self):
        args = self.args
        if is_open(args.port):
            raise Fail(f"port {args.port} is taken before the start")
        self.log = tempfile.TemporaryFile()
        self.proc = subprocess.Popen(
            [str(self.folder / "run.sh")], stdin=subprocess.DEVNULL,
            stdout=self.log, stderr=subprocess.STDOUT, start_new_session=True,
            preexec_fn=lambda: os.sched_setaffinity(0, {args.server_cpu}),
            env={**os.environ, "PORT": str(args.port),
                 "THREADS": str(args.threads), "TLS_CERT": args.cert[0],
                 "TLS_KEY": args.cert[1]})
        until = time.monotonic() + 20
        while not is_open(args.port):
            if self.proc.poll() is not None or time.monotonic() > until:
                said = self.tail()
                self.__exit__()
                raise Fail(f"does not start: {said}")
            time.sleep(0.05)
        return self

    def tail(self):
        self.log.seek(0)
        lines = self.log.read().decode(errors="replace").strip().splitlines()
        return lines[-1][:200] if lines else "(it said nothing)"

    def stats(self):
        """(CPU seconds, octets of memory)."""
        ticks = pages = 0
        for _, fields in processes(self.proc.pid):
            ticks += sum(map(int, fields[11:15]))
            pages += int(fields[21])
        return ticks / TICK, pages * os.sysconf("SC_PAGE_SIZE")

    def __exit__(self, *exc):
        until = time.monotonic() + 10
        while time.monotonic() < until:
            pids = [pid for pid, fields in processes(self.proc.pid)
                    if fields[0] != "Z"]
            if not pids:
                break
            for pid in pids:
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
            time.sleep(0.02)
        self.proc.wait()
        self.log.close()


# ---- Load -----------------------------------------------------------------------


def check(mode, port):
    """Raises Fail unless the answer is right, in the right protocol."""
    protocol = "http/1.1" if mode == "h1" else "h2"
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_alpn_protocols([protocol])
    try:
        with socket.create_connection(("127.0.0.1", port), 5) as raw, \
                context.wrap_socket(raw, server_hostname="localhost") as s:
            chosen, version = s.selected_alpn_protocol(), s.version()
            if mode == "h1":
                s.sendall(f"GET {PATH} HTTP/1.1\r\nHost: localhost\r\n"
                          "Connection: close\r\n\r\n".encode())
                got = b""
                while piece := s.recv(65536):
                    got += piece
                if not (got.startswith(b"HTTP/1.1 200") and
                        got.endswith(b"Hello, World!")):
                    raise Fail(f"answers {got[:80]!r}")
    except OSError as e:
        raise Fail(f"no TLS: {e}") from None
    if chosen not in (protocol, None) or (mode != "h1" and chosen != "h2"):
        raise Fail(f"speaks {chosen}")
    if version != "TLSv1.3":
        raise Fail(f"agrees on {version}")
    if mode != "h1":
        load(mode, port, 0, argparse.Namespace(client_cpu=1))


def number(pattern, text):
    found = re.search(pattern, text)
    if not found:
        raise Fail(f"the load generator said: {text.strip()[-200:]}")
    return float(found[1])


def load(mode, port, seconds, args):
    """(requests, failed, requests a second); of 0 seconds a few."""
    url = f"https://127.0.0.1:{port}{PATH}"
    command = ["taskset", "-c", str(args.client_cpu)]
    if mode == "h1":
        command += ["wrk", "-t1", f"-c{args.connections}", f"-d{seconds}s", url]
    elif not seconds:
        command += ["h2load", "-n16", "-c1", "-m4", url]
    elif mode == "h2":
        command += ["h2load", "-t1", "-c16", "-m32", f"-D{seconds}", url]
    else:
        # As many connections as requests: each is a handshake.
        count = str(args.handshakes * seconds)
        command += ["h2load", "-t1", "-n", count, "-c", count, "-m1",
                    "--connection-inactivity-timeout=30s",
                    "-r", str(args.handshakes), url]
    done = subprocess.run(command, capture_output=True, text=True,
                          timeout=seconds * 4 + 60)
    text = done.stdout
    if done.returncode:
        raise Fail(f"{command[3]} failed: {(done.stderr or text)[-200:]}")
    if mode == "h1":
        bad = sum(map(int, re.findall(r"Non-2xx or 3xx responses: (\d+)", text)))
        for errors in re.findall(r"Socket errors: .*", text):
            bad += sum(map(int, re.findall(r"\d+", errors)))
        return (number(r"(\d+) requests in", text), bad,
                number(r"Requests/sec:\s+([\d.]+)", text))
    return (number(r"(\d+) 2xx", text), number(r"(\d+) failed", text),
            number(r"finished in .*?, ([\d.]+) req/s", text))


def measure(folder, mode, args):
    with Server(folder, args) as server:
        check(mode, args.port)
        if args.warmup:
            load(mode, args.port, args.warmup, args)
        before, _ = server.stats()
        began = time.monotonic()
        done, failed, rate = load(mode, args.port, args.duration, args)
        wall = time.monotonic() - began
        after, memory = server.stats()
    if failed or not done:
        raise Fail(f"{failed:.0f} failed beside {done:.0f} answered")
    return {"cpu_us": (after - before) / done * 1e6, "rps": rate,
            "busy": (after - before) / wall, "rss": memory}


# ---- Report ---------------------------------------------------------------------


def table(mode, samples, baseline):
    def middle(label, key):
        return statistics.median(s[key] for s in samples[label])

    base = middle(baseline, "cpu_us") if baseline in samples else None
    lines = [f"### {mode} over TLS ({PATH})", "",
             "| peer | CPU µs/req | × base | spread | req/s | busy | RSS MiB |",
             "|---|--:|--:|--:|--:|--:|--:|"]
    for label in sorted(samples, key=lambda one: middle(one, "cpu_us")):
        cpu = [s["cpu_us"] for s in samples[label]]
        own = middle(label, "cpu_us")
        lines.append(
            f"| {label} | {own:.2f} | {f'{own / base:.2f}' if base else ''} "
            f"| {(max(cpu) - min(cpu)) / own:.0%} | {middle(label, 'rps'):,.0f} "
            f"| {middle(label, 'busy'):.0%} "
            f"| {middle(label, 'rss') / 2**20:.1f} |")
    return "\n".join([*lines, ""])


def arguments():
    p = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("peers", nargs="*", metavar="PEER")
    p.add_argument("--modes", default=",".join(MODES))
    p.add_argument("--baseline", default="libvolo")
    p.add_argument("--rounds", type=int, default=3)
    p.add_argument("--duration", type=int, default=5, help="seconds")
    p.add_argument("--warmup", type=int, default=1, help="seconds")
    p.add_argument("--connections", type=int, default=64)
    p.add_argument("--handshakes", type=int, default=500,
                   help="a second, in the mode new; default: %(default)s")
    p.add_argument("--threads", type=int, default=1)
    p.add_argument("--server-cpu", type=int, default=0)
    p.add_argument("--client-cpu", type=int, default=1)
    p.add_argument("--port", type=int, default=18443)
    p.add_argument("--json", metavar="FILE")
    p.add_argument("--check", action="store_true")
    args = p.parse_args()
    args.modes = args.modes.split(",")
    if unknown := set(args.modes) - set(MODES):
        p.error(f"no such mode: {', '.join(unknown)}")
    for tool in ("taskset", "wrk", "h2load", "openssl"):
        if not shutil.which(tool):
            p.error(f"{tool} is not installed")
    return args


def able(peers, args):
    """The modes that each can do."""
    found = {}
    for label, folder in peers.items():
        found[label] = []
        try:
            with Server(folder, args):
                for mode in args.modes:
                    check(mode, args.port)
                    found[label].append(mode)
        except Fail as e:
            log(f"{label}: {e}")
        log(f"{label}: ok for {', '.join(found[label]) or 'nothing'}")
    return found


def main():
    args = arguments()
    os.sched_setaffinity(0, {args.client_cpu})
    peers = {run.parent.name: run.parent
             for run in sorted((HERE / "peers").glob("*/run.sh"))}
    if unknown := set(args.peers) - set(peers):
        sys.exit(f"no such peer: {', '.join(unknown)}")
    peers = {name: peers[name] for name in args.peers or peers}
    with tempfile.TemporaryDirectory() as folder:
        args.cert = certificate(folder)
        modes = able(peers, args)
        if args.check:
            sys.exit(any(modes[label] != args.modes for label in peers))
        samples = {mode: {} for mode in args.modes}
        for turn in range(args.rounds):
            for mode in args.modes:
                order = [label for label in peers if mode in modes[label]]
                cut = turn * len(order) // args.rounds
                for label in order[cut:] + order[:cut]:
                    try:
                        got = measure(peers[label], mode, args)
                    except Fail as e:
                        log(f"[{turn + 1}] {mode} {label}: FAILED: {e}")
                        continue
                    samples[mode].setdefault(label, []).append(got)
                    log(f"[{turn + 1}/{args.rounds}] {mode:3} {label:10} "
                        f"{got['cpu_us']:8.2f} µs/req {got['rps']:10,.0f} req/s"
                        f"  busy {got['busy']:4.0%}")
    print(f"{args.rounds} rounds of {args.duration} s after {args.warmup} s, "
          f"{args.threads} server thread(s); h1: {args.connections} connections;"
          " h2: 16 with 32 streams each; new: "
          f"{args.handshakes} handshakes a second.  Medians.\n")
    for mode in args.modes:
        if samples[mode]:
            print(table(mode, samples[mode], args.baseline))
    if args.json:
        Path(args.json).write_text(json.dumps(samples, indent=1))


if __name__ == "__main__":
    main()
