"""A machine's refusal is a sentence, whoever tells it; any other error is left alone."""

from __future__ import annotations

import errno
import resource
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from helpers.core.base import machine
from helpers.core.base.errors import PhareError
from tests.fixtures.real import ROOT

FULL, CLOSED, FEW = "le disque est plein", "droits insuffisants", "trop peu de fichiers"


@pytest.mark.parametrize(
    ("number", "said"),
    [(errno.ENOSPC, FULL), (errno.EDQUOT, FULL), (errno.EFBIG, FULL), (errno.EROFS, CLOSED),
     (errno.EACCES, CLOSED), (errno.EMFILE, FEW), (errno.ENFILE, FEW)],
)  # fmt: skip
def test_the_system_s_numbers(number: int, said: str) -> None:
    told = machine.of_error(OSError(number, "?", "/ailleurs/DUPONT Jean.csv"))
    assert told is not None
    assert told.what.startswith(said)
    assert told.where == "/ailleurs"  # the folder: a file's name may be somebody's


def test_error_that_another_came_from() -> None:
    try:
        try:
            raise OSError(errno.ENOSPC, "?")
        except OSError as first:
            raise ValueError("x") from first
    except ValueError as error:
        told = machine.of_error(error)
    assert told is not None
    assert told.what.startswith(FULL)


@pytest.mark.parametrize(
    "error",
    [FileNotFoundError(errno.ENOENT, "?", "x"), KeyError("Permission denied"),
     ValueError("No space left on device"), PhareError("Permission denied", "ici", "rien")],
)  # fmt: skip
def test_other_errors_are_left_alone(error: Exception) -> None:
    """A value received may hold the system's words: they count in the system's errors alone."""
    assert machine.of_error(error) is None


WRITES = {
    "python": "open('big', 'wb').write(b'0' * 100_000)",
    "duckdb": "import duckdb; duckdb.sql(\"COPY (SELECT random() x FROM range(99999)) TO 'big' "
    '(FORMAT parquet)")',
    "arrow": "import pyarrow as pa, pyarrow.parquet as pq; "
    "pq.write_table(pa.table({'x': list(range(99999))}), 'big')",
}


@pytest.mark.parametrize("library", WRITES)
def test_full_quota_met_by_a_command(library: str, tmp_path: Path) -> None:
    """A real refusal of the system, met by each library that writes results."""

    def little() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (8192, 8192))

    # Python would write what it compiles as far as it may, and not read it again.
    env = {"PYTHONPATH": str(ROOT / "src"), "PYTHONDONTWRITEBYTECODE": "1"}
    text = f"from helpers.core.base import redact; redact.discreet(); {WRITES[library]}"
    done = subprocess.run(
        [sys.executable, "-c", text], cwd=tmp_path, env=env,
        capture_output=True, text=True, check=False, preexec_fn=little,
    )  # fmt: skip
    assert done.returncode == 1
    assert done.stderr.startswith(f"Erreur : {FULL}"), done.stderr
    assert len(done.stderr.splitlines()) == 3
