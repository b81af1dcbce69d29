"""The engine for one machine: as many reading processes as it has cores, each kept by a thread that takes one shard after the other.

A shard is taken only when the one before is on the disk, and an item sent only when the one before is answered: nothing piles up.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence

from .desk import PATIENCE, Desk, Stopped, Work
from .progress import Progress
from .results import Results
from .shard import read_shard


def run(results: Results, work: Work, shards: Sequence[int], progress: Progress, *, workers: int) -> None:
    """Read shards, each on the disk as soon as it is read; a signal, or the first failure, abandons those under way.

    Raises:
        ModelError: a reading process cannot be started.
        OSError: a shard cannot be written.
    """
    workers = min(workers, len(shards))
    waiting, lock, stop = iter(shards), threading.Lock(), threading.Event()
    failures: list[BaseException] = []

    def keep() -> None:
        desk = None
        try:
            while not stop.is_set():
                with lock:
                    shard = next(waiting, None)
                if shard is None:
                    return
                desk = desk or Desk(work, stop.is_set)
                results.put(shard, read_shard(desk, results.items(shard), results.fingerprint, results.job.model, progress.tick))
        except Stopped:
            pass
        except BaseException as error:  # told by the thread that waits
            failures.append(error)
            stop.set()
        finally:
            if desk:
                desk.close()

    threads = [threading.Thread(target=keep, daemon=True) for _ in range(workers)]
    try:
        for thread in threads:
            thread.start()
        while any(thread.is_alive() for thread in threads):
            for thread in threads:
                thread.join(PATIENCE / workers)
            progress.show()
    finally:
        stop.set()
        for thread in threads:
            if thread.ident is not None:
                thread.join()
    if failures:
        raise failures[0]
