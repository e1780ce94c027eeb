"""Keys of cities: carried from one workspace to another, and what the door makes with them."""

from __future__ import annotations

import os
import shutil
import stat
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from helpers.core.base import store
from helpers.core.base.errors import PhareError
from helpers.core.city import key
from helpers.core.city.city import City
from helpers.core.stage.receipts import read_receipts
from helpers.workshop import city_key, elsewhere, new, run_city
from tests.fixtures.real import ROOT, Built, build

KEPT = stat.S_IRUSR | stat.S_IWUSR


def workspace(folder: Path, *, simulated: bool = False) -> Path:
    """Make a workspace with one invented city, whose key is secret unless it is simulated."""
    folder.mkdir()
    shutil.copytree(ROOT / "templates", folder / "templates")
    for name in ("params.yaml", "dvc.yaml"):
        shutil.copy(ROOT / name, folder)
    shutil.copytree(ROOT / "notebooks", folder / "notebooks")
    (folder / "data/cities").mkdir(parents=True)
    pack = folder / "data/cities/port_neuf"
    (folder / "data/cities/active.yaml").write_text(
        "cities: {port_neuf: {pack: data/cities/port_neuf}}\n", encoding="utf-8"
    )
    new.new_city(folder, "port_neuf")
    if not simulated:
        about = pack / "city.yaml"
        text = about.read_text(encoding="utf-8")
        about.write_text(text.replace("simulated: true ", "simulated: false"), encoding="utf-8")
    return folder


def city(root: Path) -> City:
    return City(root / "data/cities/port_neuf")


def own(root: Path) -> Path:
    return root / "data/.keys/port_neuf.key"


def made(root: Path) -> Built:
    """Take the city in, with one fact of a nature off the list; count it."""
    path = root / "data/cities/port_neuf/livraison/faits.csv"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace(";tapage;", ";inattendu;", 1), encoding="utf-8")
    return build(city(root), root, root / "data/port_neuf")


def test_same_key_same_bytes_and_another_the_same_counts(tmp_path: Path) -> None:
    """What is hashed differs, and nothing that is counted does."""
    first, second, third = (workspace(tmp_path / name) for name in "abc")
    one = made(first)
    carried = tmp_path / "port_neuf.key"
    city_key.give(first, city(first), carried)
    city_key.take(second, city(second), carried, force=False)
    two, three = made(second), made(third)
    files = sorted(path.name for path in one.raw.iterdir())
    assert len(files) == 3
    same = [store.sha256(one.raw / n) == store.sha256(two.raw / n) for n in files]
    assert all(same)
    assert one.fates == two.fates == three.fates
    assert one.fates["faits"]["hors_liste:nature"] == 1
    raws: list[Any] = [pq.read_table(b.raw / "faits.parquet").to_pydict() for b in (one, three)]
    assert not set(raws[0]["id"]) & set(raws[1]["id"])
    assert len(set(raws[0]["id"])) == len(set(raws[1]["id"]))
    for name in ("nature", "debut", "longitude", "latitude", "origine"):
        differ = [(a, b) for a, b in zip(raws[0][name], raws[1][name], strict=True) if a != b]
        assert [a[:8] for a, _ in differ] == (["§liste:" + differ[0][0][7]] if differ else [])
        assert len(differ) == (name == "nature")
    told = {b.raw: {r["key"] for r in read_receipts(b.raw).values()} for b in (one, two, three)}
    assert told[one.raw] == told[two.raw] == {city(first).key(first).fingerprint}
    assert told[three.raw] == {city(third).key(third).fingerprint} != told[one.raw]


def test_key_is_told_by_its_fingerprint_alone_and_copied_for_its_owner(tmp_path: Path) -> None:
    root = workspace(tmp_path / "a")
    assert "pas encore faite" in city_key.told(root, city(root))
    assert not own(root).exists()
    with pytest.raises(PhareError, match="pas encore de clé"):
        city_key.give(root, city(root), tmp_path / "x")
    secret = city(root).key(root).secret.hex()
    copy = tmp_path / "copie"
    said = [city_key.told(root, city(root)), city_key.give(root, city(root), copy)]
    assert all(city(root).key(root).fingerprint in one and secret not in one for one in said)
    assert "data/.keys/port_neuf.key" in said[0]
    assert copy.read_bytes() == own(root).read_bytes()
    assert [stat.S_IMODE(path.stat().st_mode) for path in (copy, own(root))] == [KEPT, KEPT]
    with pytest.raises(PhareError, match="existe déjà"):
        city_key.give(root, city(root), copy)


def test_another_key_is_never_written_over_by_mistake(tmp_path: Path) -> None:
    root, carried = workspace(tmp_path / "a"), tmp_path / "autre.key"
    before = city(root).key(root)
    key.keep(carried, key.Key(bytes(range(32))))
    with pytest.raises(PhareError, match="une autre clé"):
        city_key.take(root, city(root), carried, force=False)
    assert city(root).key(root) == before
    city_key.take(root, city(root), carried, force=True)
    assert city(root).key(root) == key.Key(bytes(range(32)))
    aside = own(root).with_name(f"port_neuf.{before.fingerprint}.key")
    assert key.read_file(aside, "") == before
    assert "déjà celle-ci" in city_key.take(root, city(root), carried, force=False)
    carried.write_text("0123", encoding="ascii")
    for bad in (carried, tmp_path / "absent"):
        with pytest.raises(PhareError, match="clé illisible"):
            city_key.take(root, city(root), bad, force=True)


def test_public_key_is_not_carried(tmp_path: Path) -> None:
    root = workspace(tmp_path / "a", simulated=True)
    assert "rien à porter" in city_key.told(root, city(root))
    for carry in (
        lambda: city_key.give(root, city(root), tmp_path / "x"),
        lambda: city_key.take(root, city(root), tmp_path / "x", force=True),
    ):
        with pytest.raises(PhareError, match="rien à porter"):
            carry()
    assert not (root / "data/.keys").exists()


def test_command_says_what_it_did(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    root = workspace(tmp_path / "a")
    monkeypatch.setattr(city_key, "find_root", lambda: root)
    city(root).key(root)
    assert city_key.main(["port_neuf", "--to", str(tmp_path / "k"), "--from", ""]) == 0
    assert city_key.main(["port_neuf", "--from", str(tmp_path / "k")]) == 0
    assert city_key.main(["port_neuf", "--from", "a", "--to", "b"]) == 1
    assert city_key.main(["nulle_part"]) == 1
    out, err = capsys.readouterr()
    assert "déjà celle-ci" in out
    assert "TO et FROM" in err
    assert "ville inconnue" in err


def test_run_with_another_key_is_told_before_anything_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root, carried = workspace(tmp_path / "a"), tmp_path / "k"
    made(root)
    run_city.check(root, "port_neuf")
    city_key.give(root, city(root), carried)
    key.keep(tmp_path / "autre", key.Key(bytes(range(32))))
    city_key.take(root, city(root), tmp_path / "autre", force=True)
    with pytest.raises(PhareError, match="n'est pas celle d'ici") as refusal:
        run_city.check(root, "port_neuf")
    assert "make key CITY=port_neuf FROM=" in refusal.value.todo
    own(root).unlink()
    run_city.check(root, "port_neuf")  # what was brought by DVC can be analysed without the key
    with pytest.raises(PhareError, match="n'est pas dans cet atelier"):
        city(root).key(root)  # but nothing is hashed anew
    monkeypatch.setenv("PHARE_FROM", str(tmp_path))
    with pytest.raises(PhareError, match="n'est pas dans cet atelier"):
        run_city.check(root, "port_neuf")
    city_key.take(root, city(root), carried, force=False)
    run_city.check(root, "port_neuf")
    assert key.EXPECTED not in os.environ


def test_audit_elsewhere_hashes_with_the_same_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The copy of a workspace has no key of its own, and is not to make one."""
    root, copy = workspace(tmp_path / "a"), workspace(tmp_path / "b")
    mine, used = city(root).key(root), []

    def reproduce(where: Path, *_: Any, **__: Any) -> None:
        used.append(city(where).key(where))

    monkeypatch.setattr(elsewhere, "reproduce", reproduce)
    elsewhere.run_again(root, copy, "port_neuf", ["collect"], vary=True)
    assert used == [mine]
    assert not own(copy).exists()
    assert key.KEYS not in os.environ
