"""Every simulated source comes in by its contract; the truth tells each line's defects.

What is read here is what the door let in, beside the truth of the same line.
"""

from __future__ import annotations

import datetime as dt
import json
import math
import os
import re
import subprocess
import sys
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from helpers.collect import collect, gate
from helpers.core.base import store
from helpers.core.city.city import City
from helpers.ingest.sort_rows import sort_rows
from helpers.simulate import deliver, world, write_truth
from tests.fixtures.made_up import door
from tests.fixtures.simulated import FACTS, LOG, RULES, SCALE, SETTINGS, YEARS, Made, small_pack

STANDARD_ERRORS = 4


def assert_share(found: float, expected: float, trials: float) -> None:
    error = math.sqrt(expected * (1 - expected) / trials)
    assert abs(found - expected) <= STANDARD_ERRORS * error, (found, expected, error)


# --- Everything comes in -----------------------------------------------------------------------


def test_every_source_comes_in_by_its_contract_and_every_row_has_a_fate(made: Made) -> None:
    delivered = {
        n: c for n, c in made.city.contracts.items() if made.city.about.sources[n].generator
    }
    assert len(delivered) == 23
    for name, contract in delivered.items():
        receipt, fates = made.receipts[name], made.fates[name]
        assert receipt["rows"] > 0, name
        assert sum(fates.values()) == receipt["rows"], name
        assert receipt["columns_not_named"] == [], name
        assert set(receipt["columns_refused"]) == set(contract.refused), name
        assert fates.get("accepted", 0) > 0.85 * receipt["rows"], (name, fates)


@pytest.mark.parametrize("source", FACTS)
def test_no_two_records_are_taken_for_one(source: str, made: Made) -> None:
    """A record's number is a hash: one that mistakes a number of 16 characters would show here."""
    assert made.number(f"SELECT count(*) - count(DISTINCT record) FROM sorted_{source}") == 0


@pytest.mark.parametrize("source", FACTS)
def test_the_truth_tells_each_line(source: str, made: Made) -> None:
    key = made.city.contracts[source].key[0]
    wrong = made.number(
        f"SELECT count(*) FROM {source} WHERE ({PERSONAL} IS NOT TRUE AND "
        f"{key} IS DISTINCT FROM hashed(true_id)) OR line IS NULL"
    )
    assert wrong == 0
    assert made.number(f"SELECT count(*) FROM {source}") == made.receipts[source]["rows"]


def test_nothing_of_the_truth_is_delivered(made: Made) -> None:
    about = made.city.about.sources
    names = {path.name for path in made.delivered.iterdir()}
    expected = {p.name for s in about.values() for p in made.delivered.glob(s.file)}
    assert names == expected
    for source in made.city.contracts:
        offered = made.con.execute(f"DESCRIBE sorted_{source}").fetchall()
        assert not {"incident", "wrong_category"} & {column[0] for column in offered}


@pytest.mark.parametrize(
    ("source", "yearly"),
    [
        ("main_courante", SETTINGS["world"]["records_per_year"]),
        ("pve", RULES["pve"]["records_per_year"]),
        ("signalement", RULES["signalement"]["records_per_year"]),
        ("fourriere", RULES["fourriere"]["records_per_year"]),
    ],
)
def test_volumes_are_those_published(source: str, yearly: float, made: Made) -> None:
    expected = yearly * SCALE * delivered_share(source)
    assert made.receipts[source]["rows"] / YEARS == pytest.approx(expected, rel=0.05)


def delivered_share(source: str) -> float:
    """Return the share of its lines that a source delivers, for what fades everywhere."""
    day = np.arange(np.datetime64("2021-01-01"), np.datetime64("2026-01-01"))
    kept = np.ones(len(day))
    for one in RULES["fadings"]:
        if one["source"] == source and "half_life_days" in one:
            since = (day - np.datetime64(one["start"])).astype(float).clip(0)
            kept *= 0.5 ** (since / one["half_life_days"])
    return float(kept.mean())


def test_two_log_entries_in_five_have_a_dispatch(made: Made) -> None:
    ratio = made.receipts["intervention"]["rows"] / made.receipts["main_courante"]["rows"]
    assert 0.3 < ratio < 0.5


# --- Defects and their labels ------------------------------------------------------------------


def on_the_grid(longitude: float, latitude: float) -> tuple[str, str]:
    """Return the nearest point of a grid of ten metres, at the latitude of Marseille."""
    step = 10 / 111_320
    east = step / math.cos(math.radians(43.3))
    return (
        str(round(round(longitude / east) * east, 6)), str(round(round(latitude / step) * step, 6))
    )  # fmt: skip


TOWN_HALL, STATION = (
    on_the_grid(one["longitude"], one["latitude"]) for one in RULES["default_points"]
)
PERSONAL = "starts_with(fault, 'donnee_personnelle')"
SEEN = {
    "no_place": "longitude IS NULL AND quartier IS NULL",
    "quarter_only": "longitude IS NULL AND quartier IS NOT NULL",
    "default_point": f"coalesce((longitude, latitude) IN ({TOWN_HALL}, {STATION}), false)",
    "swapped": "coalesce(TRY_CAST(longitude AS DOUBLE) > TRY_CAST(latitude AS DOUBLE), false)",
}


@pytest.mark.parametrize("defect", SEEN)
def test_defects_of_place_are_where_the_labels_say(defect: str, made: Made) -> None:
    # Where a planted string stood, nothing of the place is kept.
    lines = made.number(f"SELECT count(*) FROM {LOG}")
    share = made.number(f"SELECT avg((true_place_defect = '{defect}')::INT) FROM {LOG}")
    assert_share(share, SETTINGS["defects"][defect], lines)
    other = made.number(
        f"SELECT count(*) FROM {LOG} WHERE {PERSONAL} IS NOT TRUE "
        f"AND ({SEEN[defect]}) <> (true_place_defect = '{defect}')"
    )
    # A fact five metres from the town hall stands where the default point does.
    assert other <= (2 if defect == "default_point" else 0)


def test_repeats_and_corrections(made: Made) -> None:
    rules = SETTINGS["defects"]
    lines = made.number(f"SELECT count(*) FROM {LOG}")
    for kind, part in (("repeated", 1 - rules["corrected_share"]), ("corrected", None)):
        share = made.number(f"SELECT avg((true_duplicate = '{kind}')::INT) FROM {LOG}")
        if part is not None:
            assert_share(share, rules["duplicate"] * part, lines)
        assert share > 0.004
    fields = ", ".join(made.city.contracts[LOG].fields)
    same = made.number(f"SELECT count(*) FROM (SELECT DISTINCT {fields} FROM {LOG})")
    assert lines - same == made.number(
        f"SELECT count(*) FROM {LOG} WHERE true_duplicate = 'repeated'"
    )
    assert made.fates[LOG]["duplicate"] > 0.9 * (lines - same)
    later = made.con.execute(
        f"SELECT count(*), count(*) FILTER (c.maj_le > o.maj_le AND c.saisi_le = o.saisi_le) "
        f"FROM {LOG} c JOIN {LOG} o USING (id_mc) "
        "WHERE c.true_duplicate = 'corrected' AND o.true_duplicate = 'none'"
    ).fetchone()
    assert later is not None
    assert later[0] == later[1] > 0


def test_the_corrected_version_is_the_one_kept(made: Made) -> None:
    wrong = made.con.execute(
        f"SELECT count(*), count(*) FILTER (s.type_n2 <> c.true_type AND c.true_type <> 'squat') "
        f"FROM {LOG} c JOIN sorted_{LOG} s USING (id_mc) "
        "WHERE c.true_duplicate = 'corrected'"
    ).fetchone()
    assert wrong is not None
    assert wrong[0] > 0
    assert wrong[1] == 0


def test_categories_are_wrong_where_the_labels_say(made: Made) -> None:
    first = "true_duplicate = 'none'"
    lines = made.number(f"SELECT count(*) FROM {LOG} WHERE {first}")
    wrong = made.number(f"SELECT avg(true_wrong_category::INT) FROM {LOG} WHERE {first}")
    assert_share(wrong, SETTINGS["defects"]["wrong_category"], lines)
    renaming = RULES["renamings"][0]
    new = f"'§liste:' || hashed('{renaming['new']}')"
    # A stray keeps the old name after the day; nobody takes the new one before.
    told = (
        f"CASE WHEN true_type = '{renaming['old']}' AND saisi_le >= '{renaming['start']}' "
        f"THEN (type_n2 IN ({new}, true_type)) ELSE type_n2 = true_type END"
    )
    other = made.number(
        f"SELECT count(*) FROM {LOG} WHERE {first} AND (NOT {told}) <> "
        "(true_wrong_category OR true_unknown_code)"
    )
    assert other == 0


def test_a_renamed_code_is_met_from_its_day_on_and_set_aside(made: Made) -> None:
    rule = RULES["renamings"][0]
    new = f"'§liste:' || hashed('{rule['new']}')"
    early, taken, strays = (
        made.number(
            f"SELECT count(*) FROM {LOG} WHERE type_n2 = {code} AND maj_le {sign} '{rule['start']}'"
        )
        for code, sign in ((new, "<"), (new, ">="), (f"'{rule['old']}'", ">="))
    )
    assert early == 0 < taken
    # A share of 5 % of some dozen lines: three strays in ten would come once in ten thousand.
    assert strays < 0.3 * (strays + taken)
    assert made.fates[LOG]["hors_liste:type_n2"] > 0


def test_intervals_hold_the_true_moment(made: Made) -> None:
    first = "true_duplicate = 'none'"
    lines = made.number(f"SELECT count(*) FROM {LOG} WHERE {first}")
    share = made.number(f"SELECT avg((fin IS NOT NULL)::INT) FROM {LOG} WHERE {first}")
    assert_share(share, RULES[LOG]["interval_share"], lines)
    outside = made.number(
        f"SELECT count(*) FROM {LOG} WHERE true_dst <> 'missing_hour' AND NOT true_moment "
        "BETWEEN debut::TIMESTAMP AND coalesce(fin, debut)::TIMESTAMP"
    )
    assert outside == 0
    early = made.number(f"SELECT count(*) FROM {LOG} WHERE coalesce(fin, debut) > saisi_le")
    assert early == 0


def test_late_entries_are_where_the_labels_say(made: Made) -> None:
    late = "saisi_le::TIMESTAMP - coalesce(fin, debut)::TIMESTAMP > INTERVAL 30 DAY"
    other = made.number(f"SELECT count(*) FROM {LOG} WHERE ({late}) AND NOT true_late")
    assert other == 0
    # What is entered after the period is not delivered: count where all have arrived.
    settled = f"FROM {LOG} WHERE debut < '2025-06' AND true_duplicate = 'none'"
    share = made.number(f"SELECT avg(true_late::INT) {settled}")
    assert_share(share, SETTINGS["defects"]["late"], made.number(f"SELECT count(*) {settled}"))


def test_hours_that_do_not_exist_are_labelled(made: Made) -> None:
    inside = "regexp_matches(debut, '^(2021-03-28|2022-03-27|2023-03-26|2024-03-31|2025-03-30)T02')"
    labelled = made.number(f"SELECT count(*) FROM {LOG} WHERE true_dst = 'missing_hour'")
    assert labelled == made.number(f"SELECT count(*) FROM {LOG} WHERE {inside}")
    doubled = (
        "regexp_matches(debut, '^(2021-10-31|2022-10-30|2023-10-29|2024-10-27|2025-10-26)T02')"
    )
    twice = made.number(f"SELECT count(*) FROM {LOG} WHERE true_dst = 'doubled_hour'")
    assert twice == made.number(f"SELECT count(*) FROM {LOG} WHERE {doubled}") > 0


def test_an_outage_is_silent_and_only_there(made: Made) -> None:
    for outage in RULES["outages"]:
        source, district = outage["source"], outage.get("district")
        # A quarter's code begins with that of its district.
        place = f"AND starts_with(quartier, '{district}')" if district else ""
        whole = "true_place_defect <> 'default_point' AND true_duplicate <> 'corrected'"
        start, end = outage["start"], outage["end"] + dt.timedelta(days=1)
        for shift, silent in ((0, True), (-7, False), (7, False)):
            a, b = start + dt.timedelta(days=shift), end + dt.timedelta(days=shift)
            lines = made.number(
                f"SELECT count(*) FROM {source} WHERE true_moment >= '{a}' AND true_moment < '{b}' "
                f"AND {whole} {place}"
            )
            assert (lines == 0) == silent, (source, a)
    told = json.loads((made.truth / "feeds.json").read_text(encoding="utf-8"))
    assert [one["title"] for one in told["outages"]] == [o["title"] for o in RULES["outages"]]


# --- Persons -----------------------------------------------------------------------------------


def test_planted_strings_are_delivered_and_never_come_in(made: Made) -> None:
    rows = made.con.execute(
        f"SELECT source, file, line, \"column\", text FROM '{made.truth}/personal.parquet'"
    ).fetchall()
    assert {row[0] for row in rows} == {"main_courante", "intervention", "signalement", "fourriere"}
    share = sum(row[0] == LOG for row in rows) / made.number(f"SELECT count(*) FROM {LOG}")
    assert share == pytest.approx(SETTINGS["defects"]["personal"], rel=0.2)
    heading = {".csv": 1, ".tsv": 1, ".json": 1, ".jsonl": 0}
    received = {}
    for file in {row[1] for row in rows}:
        path = made.delivered / file
        encoding = "iso-8859-15" if path.suffix == ".tsv" else "utf-8"
        received[file] = path.read_bytes().decode(encoding).split("\n")[heading[path.suffix] :]
    assert all(text in received[file][line - 1] for _, file, line, _, text in rows)
    planted = "|".join(sorted({re.escape(row[4]) for row in rows}))
    kept = [made.raw, made.out / "accepted", made.out / "quarantined"]
    for path in (p for folder in kept for p in folder.glob("*.parquet")):
        table = pq.read_table(path)
        for name in table.column_names:
            if pa.types.is_string(table[name].type):
                told = table[name].unique()
                assert not pc.any(pc.match_substring_regex(told, planted)).as_py(), path.name


def test_refused_columns_hold_fictive_persons(made: Made) -> None:
    """Each says so, is a number of a form kept for examples, or is a street that does not exist."""
    lines = (made.delivered / "main_courante_2023.csv").read_text(encoding="utf-8").splitlines()
    header = lines[0].split(";")
    for line in lines[1:50]:
        row = dict(zip(header, line.split(";"), strict=True))
        assert row["identite_requerant"].startswith("Personne fictive")
        assert row["texte_libre"].startswith("Texte fictif")
        assert row["immatriculation"].startswith("FICTIVE-")


# --- The same bytes ----------------------------------------------------------------------------


def test_same_bytes_in_another_process_zone_and_locale(made: Made, tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from helpers.simulate import deliver, write_truth;"
        "deliver(Path(sys.argv[1]), Path(sys.argv[2]) / 'delivered'); "
        "write_truth(Path(sys.argv[1]), Path(sys.argv[2]) / 'truth')"
    )
    other = {
        "TZ": "Pacific/Auckland", "LC_ALL": "C", "PYTHONHASHSEED": "1", "PHARE_THREADS": "1",
        "OMP_NUM_THREADS": "1",
    }  # fmt: skip
    command = [sys.executable, "-c", code, str(made.city.pack), str(tmp_path)]
    subprocess.run(command, check=True, env=os.environ | other)
    for folder in (made.delivered, made.truth):
        names = sorted(path.name for path in folder.iterdir())
        assert names == sorted(path.name for path in (tmp_path / folder.name).iterdir())
        for name in names:
            same = (tmp_path / folder.name / name).read_bytes() == (folder / name).read_bytes()
            assert same, name


def test_large_scales_come_in_layers_and_no_number_comes_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(world, "LAYER", 0.005)
    pack = small_pack(tmp_path, 0.015)
    about = (pack / "city.yaml").read_text(encoding="utf-8")
    assert "start: 2021-01-01" in about
    short = about.replace("start: 2021-01-01", "start: 2025-01-01")
    (pack / "city.yaml").write_text(short, encoding="utf-8")
    delivered, truth = tmp_path / "delivered", tmp_path / "truth"
    deliver(pack, delivered)
    write_truth(pack, truth)
    con = duckdb.connect()
    for name in (*FACTS, "vsi_alerte_agregee"):
        files, lines = con.execute(
            f"SELECT count(DISTINCT file), count(DISTINCT id) FROM '{truth}/{name}_lines.parquet'"
        ).fetchall()[0]
        again = "WHERE duplicate = 'none'" if name in FACTS else ""
        whole = con.execute(f"SELECT count(*) FROM '{truth}/{name}_lines.parquet' {again}")
        assert whole.fetchone() == (lines,), name
        assert files == {"signalement": 12, "vsi_alerte_agregee": 1, LOG: 4}.get(name, 3)
    city = City(pack)
    for name in (LOG, "pve", "intervention"):
        files = collect.received([delivered], city.about.sources[name].file)
        gate.take_in(door(), city.contracts[name], files, tmp_path)
        fates = sort_rows(
            store.connect(), city.contracts[name], tmp_path / f"{name}.parquet", tmp_path, "UTC"
        )
        assert not any(reason.startswith("hors_forme") for reason in fates), fates
