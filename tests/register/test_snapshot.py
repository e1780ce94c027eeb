"""A snapshot is a source like any other; a city without one runs as before."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from benchmarks.parts.crowd import register_at

from helpers.collect import collect
from helpers.collect.knobs import Knobs
from helpers.core.base.errors import PhareError
from helpers.core.city.city import City
from helpers.core.city.contract_sql import OFF
from helpers.core.stage import params
from helpers.register import snapshot, words
from helpers.register.codes import (
    Hypothesis,
    Justification,
    Measure,
    Reason,
    Response,
    Role,
    Shift,
    State,
)
from helpers.register.register import Register, open_register
from helpers.workshop import register as command
from tests.fixtures.given import city_of
from tests.fixtures.real import ROOT
from tests.register.made import EVENT, KINDS, TODAY, made

THEME = "bruit"


def fill(register: Register) -> None:
    """Enter one of each kind, on a theme that the template's city has."""
    criterion = {"criterion": {"theme": register.themes[0], "fall": 0.2}}
    for kind in KINDS:
        changes: dict[str, Any] = criterion if kind in ("problem", "action") else {}
        changes = {**changes, **({"zone": "S1"} if kind == "problem" else {})}
        register.append(made(kind, **changes, **({"role": "elu"} if kind == "approval" else {})))


@pytest.fixture
def city(tmp_path: Path) -> City:
    return city_of(tmp_path)


@pytest.fixture
def held(tmp_path: Path, city: City) -> Register:
    register = open_register(tmp_path, city.pack)
    fill(register)
    return register


def knobs() -> Knobs:
    found = params.knobs("collect", ROOT)
    assert isinstance(found, Knobs)
    return found


def taken_in(city: City, root: Path) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    raw = root / "raw"
    receipts = collect.collect(city, root, raw, knobs())
    paths = sorted(raw.rglob(f"{snapshot.SOURCE}*.parquet"))
    return receipts, [row for path in paths for row in pq.read_table(path).to_pylist()]


def test_the_same_entries_make_the_same_bytes_on_both_stores(
    register: Register, tmp_path: Path
) -> None:
    fill(register)
    whole = snapshot.text(register.entries())
    other = register_at(f"sqlite:///{tmp_path}/autre/essai.sqlite")
    assert whole == snapshot.text(register.entries())
    assert snapshot.text(register.entries(3)) == "".join(whole.splitlines(keepends=True)[:4])
    assert snapshot.text(other.entries()) == whole.splitlines(keepends=True)[0]
    path = tmp_path / snapshot.FILE
    snapshot.write(register.entries(4), path)
    row = register.rows()[3]
    assert snapshot.read(path)[-1].endswith(row["hash"])
    assert snapshot.differs(snapshot.read(path), register.entries()) == []
    register.append(made("measure_taken", state="demandee", supersedes=1))
    last = dict(zip(snapshot.COLUMNS, snapshot.text(register.entries()).splitlines()[-1].split(","),
                    strict=True))  # fmt: skip
    assert (last["seq"], last["supersedes"], last["state"]) == ("7", "1", "demandee")
    register.append(made("measure_taken", subject="f" * 20))
    snapshot.write(register.entries(4), tmp_path / "encore.csv")
    assert path.read_bytes() == (tmp_path / "encore.csv").read_bytes()


def test_the_door_lets_a_snapshot_in_whole(held: Register, city: City, tmp_path: Path) -> None:
    assert "registre" not in city.about.sources
    snapshot.write(held.entries(), city.pack / "livraison" / snapshot.FILE)
    (tmp_path / "templates/source").mkdir(parents=True)
    template = ROOT / "templates/source/registre.yaml"
    (tmp_path / "templates/source/registre.yaml").write_bytes(template.read_bytes())
    command.connect(tmp_path, city.pack)
    receipts, rows = taken_in(City(city.pack), tmp_path)
    assert len(rows) == len(KINDS)
    assert [row["fault"] for row in rows] == [None] * len(KINDS)
    off = [name for row in rows for name, told in row.items() if str(told).startswith(OFF)]
    assert off == []
    told = {row["kind"]: row for row in rows}
    assert told["sizing"]["decided"] == "8"
    assert told["sizing"]["event"] == EVENT, "the door's own hash, by which the event is found"
    assert told["measure_taken"]["event"] == EVENT
    assert told["action"]["tier"] == "prevention"
    assert told["action"]["end"] == (TODAY + dt.timedelta(90)).isoformat()
    assert receipts["registre"]["files"][0]["sha256"]
    before = (city.pack / "city.yaml").read_text("utf-8")
    command.connect(tmp_path, city.pack)
    assert (city.pack / "city.yaml").read_text("utf-8") == before


def test_a_city_without_a_register_is_collected(city: City, tmp_path: Path) -> None:
    receipts, rows = taken_in(city, tmp_path)
    assert set(receipts) == set(city.about.sources)
    assert rows == []
    assert not (tmp_path / "data/.registers").exists()


def test_the_contract_knows_every_code_and_column_of_the_register(
    held: Register, city: City, tmp_path: Path
) -> None:
    (tmp_path / "templates/source").mkdir(parents=True)
    template = ROOT / "templates/source/registre.yaml"
    (tmp_path / "templates/source/registre.yaml").write_bytes(template.read_bytes())
    command.connect(tmp_path, city.pack)
    contract = City(city.pack).contracts["registre"]
    (edition,) = contract.every_edition()
    columns = contract.columns(edition).values()
    assert {*columns, *contract.refused} == set(snapshot.COLUMNS)
    for field, codes in (("measure", Measure), ("state", State), ("motif", Reason),
                         ("justification", Justification), ("hypotheses", Hypothesis),
                         ("response", Response), ("lead", Role), ("shifts", Shift)):  # fmt: skip
        assert set(contract.fields[field].values) == set(codes.__args__), field
    assert set(contract.fields["theme"].values) == set(held.themes)
    assert set(words.REASONS) == {*Reason.__args__, *Justification.__args__}


def test_a_line_each_in_french(held: Register) -> None:
    lines = [words.line(entry, "Europe/Paris") for entry in held.entries()]
    assert "Direction – mesure 01234567… : barrières, prise" in lines[0]
    assert lines[1].endswith(
        "agents de police municipale, proposé 12, décidé 8, changé (moyens insuffisants, pièce "
        "2026-123)"
    )
    assert "Élu – accord ACT-001 : pour l'inscription 5" in lines[5]
    assert "−20\u202f%" in lines[4]
    (one,) = held.standings(TODAY)
    assert words.action_line(one).startswith("ACT-001 (prévention, PB-001) : en cours, fin le ")


def test_the_command_shows_checks_and_says_what_is_wrong(
    held: Register, city: City, tmp_path: Path
) -> None:
    said = command.told(held, "Europe/Paris", 2)
    assert said.startswith("Registre de ici : 6\u00a0inscriptions\n     5  ")
    assert "ACT-001 (prévention, PB-001) : en cours" in said
    assert "entier jusqu'à l'inscription 6" in command.check(held, None)
    path = tmp_path / snapshot.FILE
    assert command.export(held, 5, path).endswith(str(path))
    assert "contient l'instantané (jusqu'à 5)" in command.check(held, path)
    with pytest.raises(PhareError, match="n'a pas d'inscription 9"):
        command.export(held, 9, path)
    path.write_text(path.read_text("utf-8").replace(held.rows()[4]["hash"], "0" * 64), "utf-8")
    with pytest.raises(PhareError, match="inscription 5 : autre que dans l'instantané"):
        command.check(held, path)
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(PhareError, match="instantané illisible"):
        command.check(held, path)


def test_a_decision_is_entered_from_a_file(city: City, tmp_path: Path) -> None:
    register = open_register(tmp_path, city.pack)
    assert command.told(register, "Europe/Paris", 9).endswith("aucune inscription.")
    file = tmp_path / "décision.json"
    file.write_text(made("measure_taken").model_dump_json(), encoding="utf-8")
    first = command.add(register, file, "Europe/Paris")
    assert command.add(register, file, "Europe/Paris") == first
    file.write_text('{"role": "elu", "commentaire": "Yann Kermadec"}', encoding="utf-8")
    with pytest.raises(PhareError) as error:
        command.add(register, file, "Europe/Paris")
    assert "Kermadec" not in str(error.value)
    assert len(register.rows()) == 1


def test_the_command_as_it_is_called(
    city: City, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every way in, by its exit code and what is printed; the snapshot becomes a source."""
    for name in ("dvc.yaml", "params.yaml", "data/cities/active.yaml",
                 "templates/source/registre.yaml"):  # fmt: skip
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes((ROOT / name).read_bytes())
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "décision.json"
    file.write_text(made("measure_taken").model_dump_json(), encoding="utf-8")

    def run(*arguments: object) -> tuple[int, str, str]:
        code = command.main([str(city.pack), *map(str, arguments)])
        return (code, *capsys.readouterr())

    assert run("--add", file)[:1] == (0,)
    assert run()[1].startswith("Registre de ici : 1\u00a0inscription\n")
    assert run("--snapshot", "--upto", 1)[0] == 0
    assert {"registre"} <= set(City(city.pack).contracts)
    assert run("--check", "--against", city.pack / "livraison/registre.csv")[0] == 0
    file.write_text("pas du JSON", encoding="utf-8")
    code, said, wrong = run("--add", file)
    assert (code, said) == (1, "")
    assert wrong.startswith("Erreur : JSON illisible : inscription\n")
    assert run("--add", tmp_path / "absent.json")[2].startswith("Erreur : fichier illisible")
    assert run("--snapshot", "--upto", 7)[2].startswith("Erreur : le registre n'a pas d'inscr")
