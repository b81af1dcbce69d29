"""A Ray cluster of two nodes on this machine, one of which is killed with -9 while it reads; for test_bulk_ray.py.

unshare -n python tests/cluster.py PILE OUT     where only loopback is: Ray's head listens on every address
"""

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import piles

HEAD, OTHER = "127.0.0.1", "127.0.0.2"


def start_node(log: Path, ip: str, *arguments: str) -> subprocess.Popen[bytes]:
    command = [str(Path(sys.executable).with_name("ray")), "start", f"--node-ip-address={ip}", "--block", *arguments]
    command += ["--num-cpus=1", "--object-store-memory=100000000", "--include-log-monitor=false"]
    node = subprocess.Popen(command, stdout=log.open("wb"), stderr=subprocess.STDOUT, start_new_session=True)
    wait(f"the node on {ip}", lambda: "Ray runtime started" in log.read_text() or node.poll() is not None)
    return node


def kill(node: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(node.pid, signal.SIGKILL)
    node.wait()


def wait(what: str, is_true: Callable[[], object]) -> None:
    deadline = time.monotonic() + 120
    while not is_true():
        if time.monotonic() > deadline:
            sys.exit(f"waited in vain for {what}")
        time.sleep(0.02)


def main(pile: str, out: str) -> None:
    nodes = []
    with tempfile.TemporaryDirectory(dir="/tmp", ignore_cleanup_errors=True) as folder:
        try:
            head = (HEAD, "--head", "--port=6379", "--include-dashboard=false", f"--temp-dir={folder}")
            nodes.append(start_node(Path(folder, "head.txt"), *head))
            nodes.append(start_node(Path(folder, "other.txt"), OTHER, f"--address={HEAD}:6379"))
            run = piles.start(pile, "--out", out, "--shard-files", 5, "--engine", "ray", "--address", f"{HEAD}:6379")
            shards = lambda: len(piles.shards_of(Path(out)))  # noqa: E731
            wait("both nodes to read", lambda: (shards() >= 10 and piles.reading_below(nodes[1].pid)) or run.poll() is not None)
            done, reading = shards(), len(piles.reading_below(nodes[1].pid))
            kill(nodes[1])
            said = run.communicate(timeout=300)
            print(run.returncode, done, reading, said[0] + said[1])
        finally:
            for node in nodes:
                kill(node)


if __name__ == "__main__":
    main(*sys.argv[1:])
