"""A city given as a folder, whose files are fetched from its publisher."""

from __future__ import annotations

import functools
import hashlib
import http.server
import json
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from helpers import simulate
from tests.journeys.place import Place

NAME = "essai"
Site = tuple[Path, http.server.ThreadingHTTPServer]


@pytest.fixture
def other(built: Place, tmp_path: Path) -> Iterator[Path]:
    """A pack in a folder outside the workspace, smaller still; the workspace is put back after."""
    names = ("dvc.lock", "data/cities/active.yaml")
    kept = {name: (built.root / name).read_bytes() for name in names}
    pack = tmp_path / NAME
    shutil.copytree(built.root / "data/cities/marseille", pack)
    about = yaml.safe_load((pack / "city.yaml").read_text(encoding="utf-8"))
    about |= {"name": NAME, "title": "Ville d'essai"}
    (pack / "city.yaml").write_text(yaml.safe_dump(about, allow_unicode=True), encoding="utf-8")
    settings = (pack / "simulation.yaml").read_text(encoding="utf-8")
    (pack / "simulation.yaml").write_text(settings.replace("scale: 0.03 ", "scale: 0.01 "))
    yield pack
    shutil.rmtree(built.root / "data" / NAME, ignore_errors=True)
    for name, content in kept.items():
        (built.root / name).write_bytes(content)


@pytest.fixture
def publisher(other: Path, tmp_path: Path) -> Iterator[Site]:
    """A publisher's site on loopback, that the pack's addresses name; the files that it serves."""
    site = tmp_path / "site"
    site.mkdir()
    simulate.deliver(other, site)
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(site))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    about = yaml.safe_load((other / "city.yaml").read_text(encoding="utf-8"))
    address = f"http://127.0.0.1:{server.server_port}"
    about["sources"] = {
        name: {"files": sorted(p.name for p in site.glob(source["file"])), "url": f"{address}/"}
        for name, source in about["sources"].items()
    }
    (other / "city.yaml").write_text(yaml.safe_dump(about, allow_unicode=True), encoding="utf-8")
    yield site, server
    server.shutdown()
    server.server_close()


def test_make_data_fetches_from_the_publisher(built: Place, other: Path, publisher: Site) -> None:
    site, server = publisher
    done = built.python(
        "helpers.workshop.run_city", str(other), "--only", "collect", PHARE_FETCH="1"
    )
    assert done.returncode == 0, done.stdout + done.stderr
    receipts = json.loads((built.root / "data" / NAME / "raw/receipts.json").read_text())
    for one in (one for receipt in receipts.values() for one in receipt["files"]):
        served = (site / one["file"]).read_bytes()
        assert one["sha256"] == hashlib.sha256(served).hexdigest()
        assert one["size"] == len(served)
    left = [p.name for p in (built.root / "data" / NAME).rglob("*.csv")]
    assert left == []
    server.shutdown()
    server.server_close()
    done = built.python(
        "helpers.workshop.run_city", str(other), "--only", "collect", PHARE_FETCH="1"
    )
    assert done.returncode == 1
    assert "adresse non encore vérifiée" in done.stderr
    assert "Traceback" not in done.stderr
