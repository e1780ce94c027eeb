"""`dvc repro` as Phare calls it: stages side by side, progress shown, a failed stage undone.

DVC decides what to run (`dvc_side_by_side`); here its lines are read, the results of a stage that
does not finish are put back as they were, and what stopped it is told as a PhareError.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from helpers.collect import inbox
from helpers.core.base import machine, redact
from helpers.core.base.errors import PhareError
from helpers.core.base.workspace import active_cities, find_root
from helpers.core.stage import execute, warm
from helpers.core.stage.params import stages
from helpers.workshop import one_run

RUNNING = re.compile(r"^Running stage '(?P<stage>[^@']+)@(?P<city>[^']+)'")
FINISHED = re.compile(r"^Finished stage '(?P<stage>[^@']+)@(?P<city>[^']+)'")
FAILED = re.compile(r"failed to reproduce '(?P<stage>[^@']+)@(?P<city>[^']+)'")
SIDE_BY_SIDE = "helpers.workshop.dvc_side_by_side"
JOBS = "PHARE_JOBS"
MOST_JOBS = 4  # by default: a stage of a large city may take two GiB
SKIPPED = re.compile(r"^Stage '(?P<stage>[^@']+)@[^']+' (didn't change|is cached)")


def dvc(root: Path, *arguments: str, module: str = "dvc") -> list[str]:
    """Return the command line of DVC run by this interpreter."""
    return [sys.executable, "-m", module, "--cd", str(root), *arguments]


def jobs() -> int:
    """Return how many stages may run at the same time: as many as cores, unless JOBS says it."""
    told = os.environ.get(JOBS, "")
    if not told:
        return min(MOST_JOBS, len(os.sched_getaffinity(0)))
    if not (told.isdecimal() and 1 <= int(told) <= MOST_JOBS):
        raise PhareError(
            "JOBS n'est pas un nombre d'étapes à la fois", "JOBS", f"écrire de 1 à {MOST_JOBS}"
        )
    return int(told)


def environment() -> dict[str, str]:
    """Return the environment in which stages find this interpreter and a quiet DVC."""
    here = str(Path(sys.executable).parent)
    others = [path for path in os.environ.get("PATH", "").split(os.pathsep) if path != here]
    return {
        **os.environ,
        "DVC_NO_ANALYTICS": "1",
        "DVC_SITE_CACHE_DIR": str(find_root() / ".dvc" / "tmp" / "site"),
        "PATH": os.pathsep.join([here, *others]),
    }


def reproduce(
    root: Path,
    targets: list[str],
    *,
    force: bool = False,
    alone: bool = False,
    quiet: bool = False,
) -> None:
    """Run `dvc repro` on the targets (`stage@city`), telling each stage as it goes.

    `force` runs them even if nothing changed; `alone`, without what is above them.
    On failure, put the failed stage's previous results back and raise PhareError.
    """
    options = [*(["--force"] if force else []), *(["--single-item"] if alone else [])]
    lines: list[str] = []
    packs = active_cities(root)
    cities = sorted({target.split("@")[1] for target in targets})
    # DVC reads all its files anew for each target: all stages of a city are one, `*@city`.
    wholes = {f"{stage}@{city}" for stage in stages(root) for city in cities}
    asked = [f"*@{city}" for city in cities] if wholes == set(targets) else targets
    command = dvc(root, "repro", "--glob", *options, *asked, module=SIDE_BY_SIDE)
    for city in cities:
        inbox.note(packs[city])
    at_work: list[str] = []
    here = environment() | execute.steady() | {JOBS: str(jobs())}
    with one_run.alone(root) as lock, warm.opened(here) as told:
        process = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=told,
            cwd=root,
            pass_fds=[lock],
            process_group=0,
        )
        assert process.stdout is not None
        one_run.worked_by(lock, process.pid)
        try:
            for running in _progress(process.stdout, lines, quiet=quiet):
                at_work = running
            failed = process.wait() != 0
        except BaseException:
            os.killpg(process.pid, signal.SIGTERM)  # DVC, and the stages that it runs
            process.stdout.read()  # it ends with the last of those who write: stage, kernel
            process.wait()
            one_run.worked_by(lock, os.getpid())
            _put_back(root, at_work)
            raise
        one_run.worked_by(lock, os.getpid())
        if failed:
            _put_back(root, at_work)
            raise _failure(root, lines, at_work)


def _put_back(root: Path, at_work: list[str]) -> None:
    """Put back the results that the stages which did not finish had before."""
    if at_work:
        subprocess.run(
            dvc(root, "checkout", "--force", *at_work),
            env=environment(),
            capture_output=True,
            check=False,
        )


def _progress(output: Iterator[str], lines: list[str], *, quiet: bool) -> Iterator[list[str]]:
    """Yield the stages at work each time they change, printing how long each one took."""
    began: dict[str, float] = {}
    for line in output:
        lines.append(line.rstrip("\n"))
        begins, ends, skips = (one.match(line) for one in (RUNNING, FINISHED, SKIPPED))
        told = begins or ends
        name = f"{told['stage']}@{told['city']}" if told else ""
        if begins:
            began[name] = time.monotonic()
        elif ends and name in began:
            seconds = time.monotonic() - began.pop(name)
            if not quiet:
                print(f"  {name:<28} {seconds:6.1f} s", flush=True)
        elif skips and not quiet:
            print(f"  {skips['stage']:<28} inchangé", flush=True)
        if told:
            yield list(began)


def _failure(root: Path, lines: list[str], at_work: list[str]) -> PhareError:
    for i, line in enumerate(lines):
        if line.startswith("Erreur : "):
            rest = [part.split(":", 1)[1].strip() for part in lines[i + 1 : i + 3]]
            return PhareError(line.removeprefix("Erreur : "), rest[0], rest[1])
    errors = [line for line in lines if line.startswith("ERROR: ")]
    named = [f"{one['stage']}@{one['city']}" for one in map(FAILED.search, lines) if one]
    stage = (named or at_work)[:1]
    if not (errors or stage):  # what DVC says of a dvc.yaml that it cannot read
        errors = [line for line in lines if line][:1]
    known = one_run.refused_by_dvc(root, lines) or machine.of_text("\n".join(errors), str(root))
    return known or PhareError(
        redact.addresses(errors[-1] if errors else "échec de DVC"),
        f"étape {stage[0]}" if stage else "DVC, avant la première étape",
        f"relancer `{' '.join(['dvc repro', *stage])}` pour tout voir",
    )
