"""`dvc repro`, with stages that do not hang on each other run at the same time.

`python -m helpers.workshop.dvc_side_by_side repro …` takes DVC's own arguments and is DVC in all
but the order: what has changed, what is found again in the cache, what is written in `dvc.lock` and
what is told of an error are DVC's. Only the walk over its graph is ours: a stage starts once those
above it are done, `PHARE_JOBS` at a time. DVC is not made for threads: one of them at a time is in
DVC; it lets go while its stage's command runs, where DVC itself lets go of the workspace's lock.
`dvc.lock` is what DVC would write, entries in the order in which DVC would have come to them; DVC
parses and writes it whole for each stage, here the stage's own entry is replaced.
"""

from __future__ import annotations

import json
import os
import re
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from dvc import cli
from dvc.dvcfile import Lockfile
from dvc.lock import LockError
from dvc.repo import reproduce
from dvc.stage import serialize
from dvc.utils.serialize import dumps_yaml

JOBS = "PHARE_JOBS"
FINISHED = "Finished stage '%s'"
UNKNOWN_S = 5.0  # of a stage that never ran here
PATIENCE_S = 60.0  # somebody's `dvc status` holds the workspace for seconds; DVC waits three
HEAD = "schema: '2.0'\nstages:\n"
ENTRY = re.compile(r"^  (?=[^ #\n])", re.MULTILINE)  # where each begins, its name first


class Turns:
    """The workspace's lock, of which one thread at a time has the use.

    A stage lets go of it while its command runs (`dvc.stage.decorators.unlocked_repo`).
    """

    def __init__(self, lock: Any) -> None:
        self._lock, self._turn, self._mine = lock, threading.Lock(), threading.local()

    def lock(self) -> None:
        """Wait for one's turn, and lock the workspace, once nobody else holds it."""
        self._turn.acquire()
        until = time.monotonic() + PATIENCE_S
        try:
            while not self._lock.is_locked:
                try:
                    self._lock.lock()
                except LockError:
                    if time.monotonic() > until:
                        raise
        except BaseException:
            self._turn.release()
            raise
        self._mine.held = True

    def unlock(self) -> None:
        """Unlock the workspace, and leave the turn to another; nothing where it is not held.

        A stage whose command ended while somebody else held the workspace comes by without it.
        """
        if getattr(self._mine, "held", False):
            self._mine.held = False
            self._lock.unlock()
            self._turn.release()

    @property
    def is_locked(self) -> bool:
        """Tell whether the workspace is locked, as DVC asks."""
        return bool(self._lock.is_locked)

    def __enter__(self) -> None:
        self.lock()

    def __exit__(self, *_: object) -> None:
        self.unlock()


@contextmanager
def in_turns(repo: Any) -> Iterator[Turns]:
    """Let threads share a repository of DVC that this one has locked; locked again at the end."""
    held, reset = repo.lock, repo._reset
    held.unlock()
    # What DVC forgets while a command runs, another thread is using.
    repo.lock, repo._reset = Turns(held), lambda: None
    try:
        yield repo.lock
    finally:
        repo.lock, repo._reset = held, reset
        held.lock()


def above(graph: Any, steps: Sequence[Any]) -> dict[Any, set[Any]]:
    """Return for each step those of the steps on which it hangs, however far above it."""
    held = set(steps)
    return {one: (set(reproduce.get_subgraph(graph, [one])) & held) - {one} for one in steps}


def longest(waits: Mapping[Any, set[Any]], seconds: Callable[[Any], float]) -> dict[Any, float]:
    """Return for each step how long it is from its start to the last end that hangs on it."""
    after: dict[Any, list[Any]] = {step: [] for step in waits}
    for step, needed in waits.items():
        for one in needed:
            after[one].append(step)

    @cache
    def left(step: Any) -> float:
        return seconds(step) + max(map(left, after[step]), default=0.0)

    return {step: left(step) for step in waits}


def took(stage: Any) -> float:
    """Return the seconds that a stage took the last time it ran here."""
    name, _, city = str(stage.addressing).partition("@")
    path = Path(stage.repo.root_dir) / "data" / city / "timings" / f"{name}.json"
    try:
        return float(json.loads(path.read_text(encoding="utf-8"))["seconds"])
    except (OSError, ValueError, KeyError, TypeError):  # an estimate: it changes the order alone
        return UNKNOWN_S


def walk(
    waits: Mapping[Any, set[Any]], first: Mapping[Any, float], work: Callable[[Any], None], n: int
) -> list[tuple[Any, BaseException]]:
    """Do each step once all those it waits for are done, `n` at a time, longest way first.

    After a failure nothing more starts, and what runs is waited for; return the failures.
    """
    left, done = list(waits), set[Any]()
    running: dict[Future[None], Any] = {}
    failed: list[tuple[Any, BaseException]] = []
    with ThreadPoolExecutor(n) as pool:
        while running or (left and not failed):
            ready = sorted((s for s in left if waits[s] <= done), key=lambda s: -first[s])
            for step in ready[: 0 if failed else n - len(running)]:
                left.remove(step)
                running[pool.submit(work, step)] = step
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                step, error = running.pop(future), future.exception()
                if error:
                    failed.append((step, error))
                else:
                    done.add(step)
    return failed


def entries(lock: str) -> dict[str, str] | None:
    """Return the entries of a lock file as written, name → text; None where it is another's."""
    if not lock:
        return {}
    if not lock.startswith(HEAD) or re.search(r"^\S", lock[len(HEAD) :], re.MULTILINE):
        return None
    texts = ENTRY.split(lock[len(HEAD) :])
    return {one.partition(":\n")[0]: one for one in texts if one}


@contextmanager
def locks_spliced(steps: Sequence[Any]) -> Iterator[None]:
    """Within the block, DVC replaces a stage's own entry of dvc.lock, instead of all of it."""
    place = {step.name: i for i, step in enumerate(steps)}
    usual = Lockfile.dump_stages
    first: list[str] | None = None  # entries before this run: they stay where they are

    def dump_stages(self: Any, stages: Iterable[Any], **options: Any) -> None:
        nonlocal first
        stages, path = list(stages), Path(self.path)
        written = path.read_text(encoding="utf-8") if path.exists() else ""
        held = entries(written)
        if held is None:
            usual(self, stages, **options)
            return
        first = list(held) if first is None else first
        for stage in stages:
            data = {"schema": "2.0", "stages": serialize.to_lockfile(stage, **options)}
            held |= entries(dumps_yaml(data)) or {}
        new = sorted(held.keys() - set(first), key=lambda name: place.get(name, len(place)))
        text = HEAD + "".join(f"  {held[name]}" for name in (*first, *new))
        if text != written:
            path.write_text(text, encoding="utf-8")
            self.repo.scm_context.track_file(self.relpath)

    Lockfile.dump_stages = dump_stages
    try:
        yield
    finally:
        Lockfile.dump_stages = usual


def side_by_side(
    stages: Iterable[Any], graph: Any = None, *, force: bool = False, **options: Any
) -> list[Any]:
    """Reproduce the stages: stands for `dvc.repo.reproduce._reproduce`, and returns what it does.

    Of DVC's options, those on what to do after a failure are not known.
    """
    steps = list(stages)
    if not steps:
        return []
    repo, redone = steps[0].repo, set[Any]()
    whole = graph or repo.index.graph  # none is given where stages are asked for alone
    waits = above(whole, steps)
    on_error, downstream = options.pop("on_error"), options.pop("force_downstream", False)
    if on_error != "fail" or downstream:
        raise ValueError("stages side by side: --keep-going, --ignore-errors, --force-downstream")

    def work(step: Any) -> None:
        # What is above may have been done again; DVC asks it only where a graph is walked.
        upstream = list(graph.successors(step)) if graph else []
        with turns:
            done = reproduce._reproduce_stage(step, upstream=upstream, force=force, **options)
            if done:
                redone.add(step)
                print(FINISHED % step.addressing, flush=True)

    with in_turns(repo) as turns, locks_spliced(steps):
        failed = walk(waits, longest(waits, took), work, int(os.environ.get(JOBS, "1")))
    if failed:
        reproduce._raise_error(failed[0][1], failed[0][0])
    return [step for step in steps if step in redone]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run DVC's command line, its walk replaced; return its exit code."""
    reproduce._reproduce = side_by_side
    return int(cli.main(list(sys.argv[1:] if arguments is None else arguments)))


if __name__ == "__main__":
    sys.exit(main())
