"""`inkdigits bulk`: what to read and how come in; a folder of Parquet comes out, whole, or to be gone on with."""

from __future__ import annotations

import functools
import importlib.util
import json
import os
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from .. import __version__
from ..classify import Classifier, read_model, read_packaged
from ..errors import DataError, MissingExtra, NotFound, UsageError
from ..files import sha256
from ..limits import Limits
from ..promises import Promises
from ..reader import Reader
from . import local, on_ray
from .desk import Work
from .progress import Progress
from .results import Job, Results, begin
from .rows import Counts
from .walking import find_files, is_there

ENGINES = ("local", "ray")
PLAN_FORMAT = 2  # since 2 the place of a tar's member is that of its header
MAX_SECONDS = 60.0  # for one page: a machine that is kept busy takes its time
DEFAULTS: dict[str, Any] = {"single": False, "threshold": None, "max_error": None, "per": "digit"}  # of `Reader.read`
DEFAULTS |= {"rotate": "auto", "digits": None, "pattern": None, "between": None}


def run(
    sources: Sequence[str],
    out: Path,
    *,
    listing: str | None = None,
    engine: str = "local",
    address: str | None = None,
    workers: int | None = None,
    shard_files: int = 500,
    model: str | None = None,
    limits: Limits | None = None,
    promise: Path | None = None,
    options: dict[str, Any] | None = None,
) -> str:
    """Read all files into `out`, or go on where an earlier run of the same job was ended; return what was done in one line.

    Args:
        sources: folders, globs, archives, files.
        out: folder of the results.
        listing: a text file of paths.
        engine: "local", or "ray".
        address: of a Ray cluster, HOST:PORT or "auto"; None starts Ray on this machine.
        workers: reading processes; None takes one a core.
        shard_files: files a Parquet file.
        model: see `Classifier.load`.
        limits: ceilings of a reading; None takes the usual ones with `MAX_SECONDS`.
        promise: what `inkdigits calibrate` wrote, for `max_error`; None takes that of the weights.
        options: those of `Reader.read`, where they are not its defaults.

    Raises:
        UsageError: an argument makes no sense, or `out` holds results of another job.
        ModelError: there is no such model, or no such promise.
        NotFound: there is no such source.
        DataError: `out` is in use, there is nothing to read, or no cluster to read it; or all is read, but for what came meanwhile.
        MissingExtra: the engine is not installed.
        OSError: `out` cannot be written to.
    """
    read = _engine(engine, workers, address)
    limits, options = limits or Limits(max_seconds=MAX_SECONDS), DEFAULTS | (options or {})
    weights = read_model(model)
    classifier = Classifier(weights[0], name=weights[1], meta=weights[2])
    promises = Promises.load(promise, classifier.meta) if promise is not None else None
    Reader(classifier, limits, promises).check(**options)
    for source in [*sources, *([listing] if listing else [])]:
        _check_there(source)
    root = "" if all(map(os.path.isabs, sources)) and not listing else os.getcwd()
    named = f"{classifier.meta.get('name', 'model')} {sha256(weights[0])[:12]}"
    described = _describe(sources, listing, root, weights, limits) | options | {"promise": promise and sha256(promise.read_bytes())}
    job = Job(described, shard_files, root, named)
    with begin(out, job, find_files(sources, listing)) as results:
        # the plan of an earlier run stands; its relative paths start where it was made, which is the same place
        work, todo, before = Work(weights, options, limits, root, promises), [], Counts()
        for shard in range(results.shards):
            counts = results.look_over(shard)
            if counts is None:
                todo.append(shard)
            else:
                before += counts
        with Progress(results.plan.files, before) as progress:
            if todo:
                read(results, work, todo, progress)
        said = progress.summary()
        if todo and (new := _find_new(results, sources, listing)) is not None:
            raise DataError(f"{said}; but what came after the plan has no row, such as {new}")
        return said


def _find_new(results: Results, sources: Sequence[str], listing: str | None) -> str | None:
    """Return the first file that came while the others were read, None where each has its row."""
    try:
        return results.find_new(find_files(sources, listing))
    except NotFound:  # a source that has gone holds nothing new
        return None


def _engine(engine: str, workers: int | None, address: str | None) -> Callable[[Results, Work, Sequence[int], Progress], None]:
    """Return what has shards read."""
    if engine not in ENGINES:
        raise UsageError(f"--engine must be {' or '.join(ENGINES)}, got {engine!r}")
    if engine == "local":
        if address is not None:
            raise UsageError("--address is that of a Ray cluster: it goes with --engine ray")
        return functools.partial(local.run, workers=workers or _cores())
    if importlib.util.find_spec("ray") is None:
        raise MissingExtra("inkdigits bulk --engine ray", "bulk")
    if address is not None:
        on_ray.check(address)
    return functools.partial(on_ray.run, workers=workers or (None if address else _cores()), address=address)


def _check_there(source: str) -> None:
    """Find a mistyped name before anything is made."""
    if not is_there(source):
        raise NotFound(f"{source}: there is no such file or folder")


def _describe(
    sources: Sequence[str],
    listing: str | None,
    root: str,
    weights: tuple[bytes, str, dict[str, Any] | None],
    limits: Limits,
) -> dict[str, Any]:
    """Return what the rows depend on, besides the files themselves and the options."""
    helpers = {name: read_packaged(name) for name in ("kinds", "ink")}
    models = {"model": weights, **{name: (data, "", meta) for name, (data, meta) in helpers.items()}}
    return {
        "source": [ascii(source)[1:-1] for source in sources],  # a name may be no UTF-8
        "list": listing and sha256(Path(listing).read_bytes()),
        "folder": root,
        **{name: sha256(data)[:16] + sha256(json.dumps(meta, sort_keys=True).encode())[:16] for name, (data, _, meta) in models.items()},
        **asdict(limits),
        "version": __version__,
        "plan format": PLAN_FORMAT,
    }


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
