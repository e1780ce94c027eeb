"""The door: what is counted is what came, what is refused is nowhere, and errors quote nobody."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pytest
import yaml

from helpers.collect import collect, words
from helpers.connect.http import Patience
from helpers.core.base.errors import PhareError
from helpers.core.city import key
from helpers.core.city.city import City
from tests.fixtures import servers
from tests.fixtures.made_up import build_made_up, deliver, fact, write_pack
from tests.fixtures.real import COLLECT, ROOT, Built, read_csv

SECRET = "Duhamel-Imaginaire"


def received_files(built: Built, shared: Path) -> list[tuple[str, Path]]:
    folder = shared / built.city.about.name.removesuffix("_ouvert")
    return [(name, folder / d.names[0]) for name, d in built.city.about.sources.items()]


def rows_in(path: Path) -> list[dict[str, Any]]:
    if path.suffix == ".geojson":
        features = json.loads(path.read_text(encoding="utf-8"))["features"]
        return [feature["properties"] for feature in features]
    return list(read_csv(path))


# --- Real files ------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["denver", "open_marseille"])
def test_receipt_is_what_the_file_is(
    name: str, shared: Path, request: pytest.FixtureRequest
) -> None:
    built: Built = request.getfixturevalue(name)
    for source, path in received_files(built, shared):
        receipt, rows = built.receipts[source], rows_in(path)
        assert receipt["rows"] == len(rows), source
        (one,) = receipt["files"]
        assert (one["file"], one["rows"]) == (path.name, len(rows))
        assert one["size"] == path.stat().st_size
        assert one["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
        kept, about = receipt["columns_kept"], built.city.contracts[source]
        columns = {key for row in rows for key in row}
        told, others = {*kept, *receipt["columns_refused"]}, receipt["columns_not_named"]
        assert told <= columns
        assert len(others) == len({*others}) == len(columns - told)
        assert all(re.fullmatch("§nom:[0-9a-f]{20}", one) for one in others)
        assert set(kept) <= set(about.fields)
        assert set(receipt["columns_refused"]) == set(about.refused)


def test_receipts_on_disk_are_those_returned(denver: Built) -> None:
    written = json.loads((denver.raw / "receipts.json").read_text(encoding="utf-8"))
    assert written == denver.receipts


@pytest.mark.parametrize("name", ["denver", "open_marseille"])
def test_written_columns_are_the_allowed_ones(name: str, request: pytest.FixtureRequest) -> None:
    built: Built = request.getfixturevalue(name)
    for source, about in built.city.contracts.items():
        described = duckdb.sql(f"DESCRIBE SELECT * FROM '{built.raw / source}.parquet'").fetchall()
        columns = {row[0]: row[1] for row in described}
        assert columns.pop("row_number") == "BIGINT"
        assert columns.pop("delivery") == "INTEGER"
        assert columns.pop("fault") == "VARCHAR"
        assert columns.pop("geometry", "BLOB") == "BLOB"
        assert (columns.pop("spot_sign", None) is not None) == (about.point is not None)
        assert set(columns) == set(about.fields)
        assert set(columns.values()) == {"VARCHAR"}


def test_values_are_those_of_the_file_row_by_row(denver: Built, shared: Path) -> None:
    kept = denver.receipts["crime"]["columns_kept"]
    listed = ", ".join(f'"{name}"' for name in kept)
    written = duckdb.sql(
        f"SELECT {listed} FROM '{denver.raw / 'crime.parquet'}' ORDER BY row_number"
    ).fetchall()
    rows = read_csv(shared / "denver/crime.csv.gz")
    asis = [i for i, name in enumerate(kept) if name not in ("OFFENSE_ID", "GEO_LON", "GEO_LAT")]
    assert len(asis) == 6
    assert [tuple(line[i] for i in asis) for line in written] == [
        tuple(row[kept[i]] or None for i in asis) for row in rows
    ]
    known = key.public("denver")
    at = kept.index("OFFENSE_ID")
    assert [line[at] for line in written] == [known.hash(row["OFFENSE_ID"]) for row in rows]


def test_places_are_moved_by_half_a_step_at_most(denver: Built, shared: Path) -> None:
    """Ten metres along the meridian, less along a parallel: the points of the file, one by one."""
    rows = read_csv(shared / "denver/crime.csv.gz")
    written = duckdb.sql(
        f"SELECT GEO_LON, GEO_LAT FROM '{denver.raw / 'crime.parquet'}' ORDER BY row_number"
    ).fetchall()
    both = [
        (kept, (row["GEO_LON"], row["GEO_LAT"])) for kept, row in zip(written, rows, strict=True)
    ]
    assert all((kept[0] is None) == (not row[0]) for kept, row in both)
    moved = np.array(
        [
            [float(k) - float(r) for k, r in zip(kept, row, strict=True)]
            for kept, row in both
            if kept[0]
        ]
    )
    half = COLLECT.place_step_m / 2 / 111_320
    assert np.abs(moved).max() <= half + 1e-6
    assert np.abs(moved).mean() == pytest.approx(half / 2, rel=0.1), "as many up as down"
    places = {kept for kept, _ in both}
    assert len(places) < len({row for _, row in both})


@pytest.mark.parametrize(
    ("name", "source", "refused"),
    [("denver", "crime", "INCIDENT_ADDRESS"), ("open_marseille", "accidents", "adr")],
)
def test_no_refused_address_is_anywhere(
    name: str, source: str, refused: str, shared: Path, request: pytest.FixtureRequest
) -> None:
    """Decoded, each value of each written file; and the bytes, for what decoding would miss."""
    built: Built = request.getfixturevalue(name)
    path = dict(received_files(built, shared))[source]
    addresses = {row[refused].strip() for row in read_csv(path)}
    addresses = {text for text in addresses if len(text) > 8}
    assert len(addresses) > 1000
    written = sorted(path for path in built.out.rglob("*") if path.is_file())
    assert len(written) > 5
    for one in written:
        content = one.read_bytes()
        assert not [text for text in sorted(addresses)[::97] if text.encode() in content], one
        if one.suffix != ".parquet":
            continue
        columns = [r[0] for r in duckdb.sql(f"DESCRIBE SELECT * FROM '{one}'").fetchall()]
        assert refused not in columns
        for column in columns:
            values = duckdb.sql(f"SELECT DISTINCT CAST(\"{column}\" AS VARCHAR) FROM '{one}'")
            assert not addresses & {row[0] for row in values.fetchall()}, (one.name, column)


# --- Made-up files ---------------------------------------------------------------------------


def test_refused_and_unnamed_columns_leave_no_trace(tmp_path: Path) -> None:
    rows = [fact(i, temoin=SECRET) for i in range(50)]
    built = build_made_up(tmp_path, rows)
    assert SECRET in (tmp_path / "livraison/faits.csv").read_text(encoding="utf-8")
    assert built.receipts["faits"]["columns_refused"] == {"temoin": "identité d'une personne"}
    others = built.receipts["carres"]["columns_not_named"]
    assert others
    assert all(re.fullmatch("§nom:[0-9a-f]{20}", one) for one in others)
    for path in built.out.rglob("*.parquet"):
        text = str(duckdb.sql(f"SELECT * FROM '{path}'").fetchall())
        assert SECRET not in text
        assert SECRET.encode() not in path.read_bytes()
        columns = [r[0] for r in duckdb.sql(f"DESCRIBE SELECT * FROM '{path}'").fetchall()]
        assert not {"temoin", "maire"} & set(columns)
    assert SECRET not in (built.raw / "receipts.json").read_text(encoding="utf-8")


def test_missing_file_names_it_the_city_and_how_to_get_it(tmp_path: Path) -> None:
    city = write_pack(tmp_path)
    with pytest.raises(PhareError, match=r"carres\.geojson") as caught:
        collect.collect(city, tmp_path, tmp_path / "raw", COLLECT)
    assert "essai" in caught.value.where
    assert "FROM" in caught.value.todo
    pack = City(ROOT / "data/cities/denver")
    with pytest.raises(PhareError) as caught:
        collect.collect(pack, tmp_path / "nulle" / "part", tmp_path / "raw", COLLECT)
    assert "portail" in caught.value.todo


def test_folder_given_by_hand_comes_before_that_of_the_pack(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    city = write_pack(tmp_path)
    deliver(tmp_path, [fact(1)])
    deliver(tmp_path / "autre", [fact(1), fact(2)])
    monkeypatch.setenv("PHARE_FROM", str(tmp_path / "autre" / "livraison"))
    assert collect.collect(city, tmp_path, tmp_path / "raw", COLLECT)["faits"]["rows"] == 2
    monkeypatch.delenv("PHARE_FROM")
    assert collect.collect(city, tmp_path, tmp_path / "raw", COLLECT)["faits"]["rows"] == 1


def test_same_files_same_bytes_wherever_they_lie(tmp_path: Path) -> None:
    written = []
    for name in ("un", "deux dossiers plus loin/é"):
        folder = tmp_path / name
        folder.mkdir(parents=True)
        city = write_pack(folder)
        deliver(folder, [fact(i) for i in range(20)])
        collect.collect(city, folder, folder / "raw", COLLECT)
        written.append({p.name: p.read_bytes() for p in (folder / "raw").iterdir()})
    assert written[0] == written[1]
    assert len(written[0]) == 3


def published_at(folder: Path, address: str) -> City:
    """Return the made-up city whose facts are at an address, not in a folder."""
    city = write_pack(folder)
    about = city.pack / "city.yaml"
    written = yaml.safe_load(about.read_text(encoding="utf-8"))
    written["sources"]["faits"]["url"] = address
    about.write_text(yaml.safe_dump(written, allow_unicode=True), encoding="utf-8")
    deliver(folder, [fact(1), fact(2)])
    (folder / "livraison/faits.csv").rename(folder / "faits.csv")
    return City(city.pack)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PHARE_FETCH", "1")
    monkeypatch.setattr("helpers.connect.http.PATIENCE", Patience(tries=2, first_s=0.0))


@pytest.mark.usefixtures("impatient")
def test_publisher_that_is_busy_for_a_moment_is_asked_again(tmp_path: Path) -> None:
    def answer(asked: servers.Asked) -> servers.Reply:
        if len(site.asked) == 1:
            return servers.Reply(status=503)
        return servers.Reply((tmp_path / asked.path.lstrip("/")).read_bytes())

    with servers.http(answer) as site:
        city = published_at(tmp_path, f"{site.url}/")
        receipts = collect.collect(city, tmp_path, tmp_path / "raw", COLLECT)
    assert [one.path for one in site.asked] == ["/faits.csv", "/faits.csv"]
    assert receipts["faits"]["rows"] == 2
    served = (tmp_path / "faits.csv").read_bytes()
    assert receipts["faits"]["files"][0]["sha256"] == hashlib.sha256(served).hexdigest()


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize(("path", "told"), [("faits.csv?cle=secret", "404"), (None, "en http")])
def test_what_cannot_be_fetched_says_so_without_its_secrets(
    path: str | None, told: str, tmp_path: Path
) -> None:
    """A file of this machine is no publisher's: `file:` is refused as an address."""
    with servers.http(lambda _: servers.Reply(status=404)) as site:
        address = f"{site.url}/{path}" if path else (tmp_path / "faits.csv").as_uri()
        city = published_at(tmp_path, address)
        with pytest.raises(PhareError, match=f"téléchargement impossible : .*{told}") as caught:
            collect.collect(city, tmp_path, tmp_path / "raw", COLLECT)
    assert "adresse non encore vérifiée" in caught.value.where
    assert "secret" not in str(caught.value)
    assert "FROM=dossier" in caught.value.todo


def test_words_name_each_refused_column_and_its_reason(tmp_path: Path) -> None:
    built = build_made_up(tmp_path, [fact(1), fact(2)])
    told = words.answer(built.receipts)
    assert "`temoin`" in told
    assert "identité d'une personne" in told
    assert "6" in told  # four squares and two facts
    table = words.receipts(built.receipts)
    assert "faits.csv" in table
    assert built.receipts["faits"]["files"][0]["sha256"][:12] in table
    shutil.rmtree(built.out)
