"""What it costs to hold a file to its contract, side by side in one run on the same file.

Makes a log of text columns with planted faults (ten rules, seeded), then measures (a) DuckDB's bare
CSV → Parquet, (b) this project: the door, then the sorting, (c) each validation library that is
found in another interpreter. Says whether each found exactly the rows planted. One process a
measure; imports are not counted.

`python -m benchmarks.contracts [--size full] [--python OTHER/bin/python] [--engines a,b]`
(engines: parts/contract_engines.py and its two neighbours, benchmarks/requirements-contracts.txt;
one that is not installed is not measured, and the line says so)
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import duckdb

from benchmarks.parts import contract_engines
from benchmarks.parts.measure import ROOT, Size, parser, show_ratio

SEED = 20260101
ROWS: dict[Size, int] = {"tiny": 20_000, "small": 500_000, "full": 5_000_000}
ROUNDS: dict[Size, int] = {"tiny": 1, "small": 2, "full": 2}
ROW_WISE = ("pydantic", "frictionless")
ORIGINS = ("administre_tel", "administre_guichet", "allo_mairie", "patrouille_initiative", "csu",
           "pn", "bmpm", "partenaire", "alarme")  # fmt: skip
QUARTERS = tuple(f"132{a:02d}{q:02d}" for a in range(1, 17) for q in range(1, 8))[:111]
CODES = {
    "origine": ORIGINS,
    "quartier": QUARTERS,
    "type_n1": ("bruit", "occupation", "atteinte", "proprete", "circulation"),
    "type_n2": ("tapage_nocturne", "attroupement", "degradation", "depot_sauvage", "marche",
                "stationnement_genant", "rodeo_motorise", "animal", "autre"),
    "lieu_type": ("ecole", "plage", "marche", "bar", "transport", "parc", "voie"),
    "equipage_type": ("pedestre", "vtt", "moto", "vl", "cynophile", "nautique"),
    "suites": ("sans_objet", "mediation", "avertissement", "pve", "rapport", "relance"),
    "etat": ("rouge_sans_suivi", "orange_en_cours", "vert_cloture"),
}  # fmt: skip
# Each rule of the bench and the reason code that this project gives a row that breaks it.
REASONS = {
    "required": "manquant:type_n1", "enum": "hors_liste:origine", "pattern": "hors_forme:id_mc",
    "int_range": "hors_bornes:nb_agents", "float_bounds": "hors_bornes:longitude",
    "moment": "illisible:debut", "order": "incoherent:fin_avant_debut",
    "cross": "incoherent:saisi_avant_debut", "duplicate": "duplicate",
    "unknown_code": "hors_liste:quartier",
}  # fmt: skip


def make(folder: Path, rows: int) -> None:
    """Write received.csv, truth.parquet (row_number, rule) and codes.json.

    Three rows in a hundred break one rule, each rule as often; a row that does is next to one that
    breaks none, of which a duplicate is the copy, word for word.
    """
    (folder / "codes.json").write_text(json.dumps(CODES), encoding="utf-8")
    con = duckdb.connect()
    con.execute(f"SET temp_directory = '{folder}'")
    rules = ", ".join(f"'{rule}'" for rule in REASONS)

    def draw(stream: int) -> str:
        return f"hash(j, {stream}, {SEED})"

    def code(stream: int, name: str) -> str:
        codes = ", ".join(f"'{one}'" for one in CODES[name])
        return f"[{codes}][({draw(stream)} % {len(CODES[name])} + 1)::INT]"

    def or_bad(rule: str, bad: str, good: str) -> str:
        return f"CASE WHEN fault = '{rule}' THEN {bad} ELSE {good} END"

    def moment(value: str) -> str:
        return f"strftime({value}, '{contract_engines.MOMENT}')"

    def degrees(stream: int, least: float, millionths: int) -> str:
        return f"printf('%.6f', {least} + ({draw(stream)} % {millionths}) / 1e6)"

    con.execute(
        "CREATE VIEW planted AS SELECT i, CASE WHEN i % 2 = 1 AND "
        f"hash(i, 1, {SEED}) % 1000 < 60 THEN [{rules}][(hash(i, 2, {SEED}) % 10 + 1)::INT] END "
        f"AS fault FROM range({rows}) t(i)"
    )
    con.execute(
        "CREATE VIEW drawn AS SELECT *, TIMESTAMP '2021-01-01' + to_minutes(("
        f"{draw(3)} % 2629440)::BIGINT) AS began FROM (SELECT *, "
        "CASE WHEN fault = 'duplicate' THEN i - 1 ELSE i END AS j FROM planted)"
    )
    late, long = (
        f"to_minutes(({draw(4)} % 120)::BIGINT)",
        f"to_minutes((10 + {draw(5)} % 600)::BIGINT)",
    )
    ended = f"CASE WHEN {draw(6)} % 3 = 0 THEN {moment(f'began + {long}')} END"
    columns = {
        "id_mc": or_bad("pattern", "printf('mc-%d', j)", "printf('MC%09d', j)"),
        "origine": or_bad("enum", "'inconnue'", code(7, "origine")),
        "type_n1": or_bad("required", "NULL", code(8, "type_n1")),
        "type_n2": code(9, "type_n2"),
        "debut": or_bad("moment", "strftime(began, '%d/%m/%Y %H:%M')", moment("began")),
        "fin": or_bad("order", moment("began - INTERVAL 30 MINUTE"), ended),
        "saisi_le": or_bad("cross", moment("began - INTERVAL 1 HOUR"), moment(f"began + {late}")),
        "longitude": or_bad("float_bounds", "'9.123456'", degrees(10, 5.2, 400_000)),
        "latitude": degrees(11, 43.2, 200_000),
        "quartier": or_bad("unknown_code", "'9999999'", code(12, "quartier")),
        "lieu_type": code(13, "lieu_type"),
        "nb_agents": or_bad("int_range", "'99'", f"CAST(1 + {draw(14)} % 8 AS VARCHAR)"),
        "equipage_type": code(15, "equipage_type"),
        "suites": code(16, "suites"),
        "etat": code(17, "etat"),
        "duree_min": f"CAST({draw(18)} % 240 AS VARCHAR)",
    }  # fmt: skip
    listed = ", ".join(f"{sql} AS {name}" for name, sql in columns.items())
    con.execute(f"COPY (SELECT {listed} FROM drawn) TO '{folder}/received.csv' (HEADER)")
    con.execute(
        "COPY (SELECT i + 1 AS row_number, fault AS rule FROM planted WHERE fault IS NOT NULL "
        f"ORDER BY 1) TO '{folder}/truth.parquet'"
    )


def bare(folder: Path) -> None:
    """DuckDB's bare CSV → Parquet: every column as text, no rule."""
    duckdb.connect().execute(
        f"COPY (SELECT * FROM read_csv('{folder}/received.csv', all_varchar = true)) "
        f"TO '{folder}/bare.parquet' (FORMAT parquet)"
    )


def contract() -> object:
    """Return the ten rules as a contract of this project."""
    from helpers.core.city.contract import Contract

    def listed(name: str, *, required: bool = False) -> dict[str, object]:
        return {"type": "enum", "values": CODES[name], "required": required}

    def moment(*, required: bool = False) -> dict[str, object]:
        return {"type": "timestamp", "format": contract_engines.MOMENT, "required": required}

    def between(kind: str, bounds: tuple[float, float]) -> dict[str, object]:
        return {"type": kind, "minimum": bounds[0], "maximum": bounds[1]}

    return Contract.model_validate(
        {
            "source": "bench", "title": "bench", "kind": "observations", "version": "1",
            "publisher": "", "licence": "", "attribution": "", "purpose": "", "legal_basis": "",
            "retention": "", "file": {"format": "csv"}, "timezone": "Europe/Paris",
            "key": ["id_mc"],
            "fields": {
                "id_mc": {"type": "id", "required": True, "pattern": contract_engines.ID[1:-1]},
                "origine": listed("origine", required=True),
                "type_n1": listed("type_n1", required=True),
                "type_n2": listed("type_n2", required=True),
                "debut": moment(required=True), "fin": moment(), "saisi_le": moment(required=True),
                "longitude": {**between("longitude", contract_engines.LONGITUDE), "unit": "degrés"},
                "latitude": {**between("latitude", (43.0, 43.6)), "unit": "degrés"},
                "quartier": listed("quartier"), "lieu_type": listed("lieu_type"),
                "nb_agents": between("int", contract_engines.AGENTS),
                "equipage_type": listed("equipage_type"), "suites": listed("suites"),
                "etat": listed("etat"), "duree_min": between("int", (0, 1440)),
            },
            "checks": [
                {"field": "saisi_le", "at_least": "debut", "reason": REASONS["cross"]},
            ],
            "observation": {
                "category": "type_n2", "started_at": "debut", "ended_at": "fin",
                "recorded_at": "saisi_le", "longitude": "longitude", "latitude": "latitude",
                "origin": {"field": "origine", "citizen": ["allo_mairie"], "agent": ["csu"]},
            },
        }
    )  # fmt: skip


def door(folder: Path) -> None:
    """The project's first half: allow-list and person-data gate, from the file to raw Parquet."""
    from helpers.collect.gate import Gate, take_in
    from helpers.core.city.key import public

    (folder / "raw").mkdir(exist_ok=True)
    take_in(Gate(public("bench"), 10), contract(), [folder / "received.csv"], folder / "raw")


def sort(folder: Path) -> None:
    """The project's second half: from raw Parquet to accepted and set-aside rows."""
    from helpers.core.base import store
    from helpers.ingest.sort_rows import sort_rows

    con = store.connect(spill=folder / "spill")
    sort_rows(con, contract(), folder / "raw/bench.parquet", folder, "Europe/Paris")


def plain_raw(folder: Path) -> None:
    """What the door writes, without its rules: for a sorting measured without it."""
    (folder / "raw").mkdir(exist_ok=True)
    duckdb.connect().execute(
        "COPY (SELECT row_number() OVER () AS row_number, 1 AS delivery, NULL::VARCHAR AS fault, * "
        f"FROM read_csv('{folder}/received.csv', all_varchar = true)) "
        f"TO '{folder}/raw/bench.parquet' (FORMAT parquet, COMPRESSION zstd)"
    )


STEPS: dict[str, Callable[[Path], None]] = {
    "bare": bare, "plain_raw": plain_raw, "door": door, "sort": sort,
}  # fmt: skip
NAMES = {
    "bare": "DuckDB nu, CSV → Parquet",
    "plain_raw": "CSV → brut, sans porte",
    "door": "Phare, porte",
    "sort": "Phare, tri",
}


@dataclass(frozen=True)
class Measure:
    """Rows a second and peak memory (MiB) of one process; `told` is what went wrong, or nothing."""

    name: str
    rows: int
    seconds: float
    cpu: float
    peak: float
    told: str = ""

    def line(self, base: float, verdict: str) -> str:
        """Return one line of the table; `base` is the bare copy's rows a second."""
        if self.told:
            return f"  {self.name:28} non mesuré : {self.told}"
        rate = self.rows / self.seconds
        return (
            f"  {self.name:28} {self.rows:>10,} lignes {self.seconds:8.1f} s {self.cpu:8.1f} s CPU "
            f"{rate:>11,.0f} l/s  ×{rate / base:.3f} du nu {self.peak:>6.0f} Mio  {verdict}"
        )


def measure(command: list[str], name: str, rows: int) -> Measure:
    """Run the command in a process of its own; return what it took."""
    with tempfile.TemporaryFile("w+") as said, tempfile.TemporaryFile("w+") as wrong:
        process = subprocess.Popen(command, stdout=said, stderr=wrong, cwd=ROOT)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        said.seek(0), wrong.seek(0)
        lines, errors = said.read().splitlines(), wrong.read().strip().splitlines()
    if process.returncode != 0:
        why = errors[-1] if errors else f"arrêt {process.returncode}"
        return Measure(name, rows, 0, 0, 0, why[:160])
    took = json.loads(lines[-1])
    label = f"{name} {took.get('version', '')}".strip()
    return Measure(label, rows, took["seconds"], took["cpu"], usage.ru_maxrss / 1024)


def verdict(folder: Path, found: str) -> str:
    """Compare rejected rows and their rules (SQL `found`) with those planted."""
    con = duckdb.connect()
    truth = f"SELECT row_number, rule FROM '{folder}/truth.parquet'"
    planted, missed, added = (
        con.execute(f"SELECT count(*) FROM ({sql})").fetchall()[0][0]
        for sql in (truth, f"({truth}) EXCEPT ALL ({found})", f"({found}) EXCEPT ALL ({truth})")
    )
    if not missed and not added:
        return f"les {planted:,} lignes fautives et leurs règles, exactement"
    return f"{planted:,} fautives : {missed:,} oubliées, {added:,} en trop"


def step(name: str, folder: Path, rows: int) -> Measure:
    """Run one of our own steps in a process of its own; none may fail."""
    command = [sys.executable, "-m", "benchmarks.contracts", "--step", name]
    command += ["--folder", str(folder), "--rows", str(rows)]
    took = measure(command, NAMES.get(name, name), rows)
    if took.told:
        raise SystemExit(f"{took.name} : {took.told}")
    return took


def ours(folder: Path, rows: int, rounds: int) -> tuple[float, dict[str, float]]:
    """Print the bare copy and this project, the best of `rounds`.

    Return the bare copy's rows a second, and the seconds of each step measured.
    """

    taken: dict[str, list[Measure]] = {name: [] for name in STEPS}
    for _ in range(rounds):
        for made in ("raw", "spill", "accepted", "quarantined"):
            shutil.rmtree(folder / made, ignore_errors=True)
        (folder / "spill").mkdir()
        for name, list_ in taken.items():
            list_.append(step(name, folder, rows))
    best = {name: min(found, key=lambda m: m.seconds) for name, found in taken.items()}
    base = rows / best["bare"].seconds
    reasons = " ".join(f"WHEN '{code}' THEN '{rule}'" for rule, code in REASONS.items())
    for name, one in best.items():
        if name == "sort":
            path = folder / "quarantined/bench.parquet"
            told = f"SELECT row_number, CASE reason {reasons} ELSE reason END FROM '{path}'"
            print(one.line(base, verdict(folder, told)), flush=True)
        else:
            print(one.line(base, ""), flush=True)
    return base, {name: one.seconds for name, one in best.items()}


def engine(name: str, folder: Path, rows: int, python: str) -> tuple[Measure, str]:
    """Run one library; return its measure and what it found."""
    for made in ("rejects.parquet", "accepted.parquet"):
        (folder / made).unlink(missing_ok=True)
    script = str(Path(contract_engines.__file__))
    one = measure([python, script, name, str(folder)], name, rows)
    rejects = folder / "rejects.parquet"
    if one.told or not rejects.is_file():
        return one, "" if one.told else "ne dit pas quelles lignes"
    return one, verdict(folder, f"SELECT row_number, rule FROM '{rejects}'")


def main() -> None:
    """Make the data, measure in turn, print ratios."""
    line = parser(__doc__)
    line.add_argument("--rows", type=int)
    line.add_argument("--slow-rows", type=int, default=100_000, help="for row-wise engines")
    line.add_argument("--rounds", type=int, help="of the bare copy and this project")
    line.add_argument("--python", default=sys.executable, help="interpreter with the engines")
    line.add_argument("--engines", default=",".join(contract_engines.ENGINES))
    line.add_argument("--step", choices=["make", *STEPS], help=argparse.SUPPRESS)
    line.add_argument("--folder", type=Path, help="where to work (default: temporary)")
    asked = line.parse_args()
    asked.rows, asked.rounds = (
        asked.rows or ROWS[asked.size],
        asked.rounds or ROUNDS[asked.size],
    )
    if asked.step:
        wall, cpu = time.perf_counter(), time.process_time()
        if asked.step == "make":
            make(asked.folder, asked.rows)
        else:
            STEPS[asked.step](asked.folder)
        print(json.dumps({"seconds": time.perf_counter() - wall, "cpu": time.process_time() - cpu}))
        return
    with tempfile.TemporaryDirectory(prefix="phare-bench-", dir=asked.folder) as made:
        compare(Path(made).resolve(), asked)


def compare(work: Path, asked: argparse.Namespace) -> None:
    """Measure everything on the same data, under `work`."""
    sizes = {"full": asked.rows, "slow": min(asked.slow_rows, asked.rows)}
    for name, rows in sizes.items():
        (work / name).mkdir()
        step("make", work / name, rows)
    size = (work / "full/received.csv").stat().st_size
    print(f"{asked.rows:,} lignes, {size / 1e6:,.0f} Mo, {os.cpu_count()} cœurs, "
          f"DuckDB {duckdb.__version__}")  # fmt: skip
    base, taken = ours(work / "full", asked.rows, asked.rounds)
    fastest = 0.0
    for name in filter(None, asked.engines.split(",")):
        part = "slow" if name in ROW_WISE else "full"
        one, found = engine(name, work / part, sizes[part], asked.python)
        print(one.line(base, found), flush=True)
        if name in ROW_WISE and not one.told:
            fastest = max(fastest, one.rows / one.seconds)
    for first, label in (("plain_raw", "SQL sans la porte, brut et tri"), ("door", "porte et tri")):
        mine = asked.rows / (taken[first] + taken["sort"])
        show_ratio(f"{label} / DuckDB nu, lignes par seconde", mine, base)
        if fastest:
            show_ratio(f"{label} / le plus rapide ligne à ligne, lignes par seconde", mine, fastest)


if __name__ == "__main__":
    main()
