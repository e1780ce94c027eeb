"""The deliveries of a pack as DVC knows them: a hash that follows them, and no name."""

from __future__ import annotations

import os
from pathlib import Path

from helpers.collect import inbox


def noted(pack: Path) -> str:
    inbox.note(pack)
    return (pack / inbox.NOTE).read_text(encoding="ascii")


def test_the_hash_follows_what_is_delivered_and_nothing_else(tmp_path: Path) -> None:
    folder = tmp_path / "livraison"
    (folder / "vsi.journal").mkdir(parents=True)
    (folder / "faits_dupont.csv").write_text("a\n1\n", encoding="utf-8")
    first = noted(tmp_path)
    assert "dupont" not in first
    os.utime(folder / "faits_dupont.csv", (1, 1))
    (tmp_path / "city.yaml").write_text("name: x", encoding="utf-8")
    assert noted(tmp_path) == first
    written = (tmp_path / inbox.NOTE).stat().st_mtime_ns
    assert noted(tmp_path) == first
    assert (tmp_path / inbox.NOTE).stat().st_mtime_ns == written
    seen = {first}
    (folder / "faits_dupont.csv").write_text("a\n2\n", encoding="utf-8")
    seen.add(noted(tmp_path))
    (folder / "faits_dupont.csv").rename(folder / "faits_7.csv")
    seen.add(noted(tmp_path))
    (folder / "vsi.journal/x.json").write_text("{}", encoding="utf-8")
    seen.add(noted(tmp_path))
    assert len(seen) == 4


def test_without_deliveries_there_is_no_hash(tmp_path: Path) -> None:
    (tmp_path / "livraison").mkdir()
    noted(tmp_path)
    (tmp_path / "livraison").rmdir()
    inbox.note(tmp_path)
    assert list(tmp_path.iterdir()) == []
