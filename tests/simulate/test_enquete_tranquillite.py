"""The survey as a source: no person at the door, and no other source knows of it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import yaml
from scipy import special

from helpers.collect import gate
from helpers.core.base import store
from helpers.core.city.city import City
from helpers.core.city.contract import load_contract
from helpers.ingest.sort_rows import sort_rows
from helpers.simulate import deliver, write_truth
from tests.fixtures.real import ROOT
from tests.fixtures.simulated import small_pack
from tests.fixtures.surveys import world

PACK = ROOT / "data/cities/marseille"


def test_the_contract_lets_no_person_in() -> None:
    contract = load_contract(PACK / "contracts/enquete_tranquillite.yaml")
    assert set(contract.refused) == {"commentaire"}
    assert not {"nom", "adresse", "age"} & set(contract.fields)
    assert contract.fields["reponses"].minimum == 5


def test_nothing_of_a_person_passes_the_door(tmp_path: Path) -> None:
    """A column of persons and a text are left outside; an identifier in place of a code, apart."""
    lines = [
        "vague;zone_id;tranche_age;adultes;invites;reponses;tranquilles;commentaire;identifiant",
        "2025-11-17;1320101;18-34;900;60;12;7;Texte fictif;P-000001",
        "2025-11-17;P-000002;18-34;900;60;12;7;;P-000002",
        "2025-11-17;1320102;34;900;60;12;7;;P-000003",
        "2025-11-17;1320103;60+;900;60;1;1;;P-000004",
    ]
    (tmp_path / "enquete_tranquillite.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    contract = City(PACK).contracts["enquete_tranquillite"]
    receipt = gate.take_in(contract, [tmp_path / "enquete_tranquillite.csv"], tmp_path)
    assert set(receipt["columns_refused"]) == {"commentaire"}
    assert len(receipt["columns_not_named"]) == 1  # the number of the answer
    raw = tmp_path / "enquete_tranquillite.parquet"
    assert "P-000001" not in str(pq.read_table(raw).to_pylist())
    out = tmp_path / "out"
    fates = sort_rows(store.connect(), contract, raw, out, "Europe/Paris")
    kept = pq.read_table(out / "accepted/enquete_tranquillite.parquet").to_pylist()
    assert [row["zone_id"] for row in kept] == ["1320101"]
    assert sum(fates.values()) >= 3


def test_no_other_file_knows_of_the_survey(tmp_path: Path) -> None:
    """Another survey altogether: not a byte of the other sources, nor of their truth, changes."""
    digests = []
    for name, changes in (("as it is", {}), ("another", {"answers_a_wave": 900, "place_sd": 1.5})):
        folder = tmp_path / name
        pack = small_pack(folder, 0.002)
        settings = yaml.safe_load((pack / "simulation.yaml").read_text("utf-8"))
        settings["sources"]["enquete_tranquillite"] |= changes
        (pack / "simulation.yaml").write_text(yaml.safe_dump(settings, allow_unicode=True), "utf-8")
        deliver(pack, folder / "delivered")
        write_truth(pack, folder / "truth")
        files = [p for kind in ("delivered", "truth") for p in sorted((folder / kind).iterdir())]
        digests.append({f"{p.parent.name}/{p.name}": store.sha256(p) for p in files})
    first, second = digests
    assert first.keys() == second.keys()
    changed = {name for name in first if first[name] != second[name]}
    assert changed == {"delivered/enquete_tranquillite.csv", "truth/survey.parquet"}


def test_the_simulated_survey_is_what_its_settings_say() -> None:
    told, truth, *_ = world(np.random.default_rng(10))
    n = np.nansum(told.answers, axis=(1, 2))
    assert n == pytest.approx(6000, rel=0.06)
    raw = np.nansum(told.quiet) / np.nansum(told.answers)
    assert raw < truth.mean() - 0.03
    assert abs(special.logit(truth[1]) - special.logit(truth[0])) < 0.1
