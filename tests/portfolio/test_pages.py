"""Pages and cards: accessible, without network, the same bytes whatever the order of rows."""

from __future__ import annotations

import ast
import json
import re
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import yaml

from helpers.core.stage import code_used, params
from helpers.portfolio import pages
from helpers.portfolio.pages import TEMPLATE
from helpers.trends.figures import LABELS
from tests.fixtures.portfolios import ASKED, SILENT, WHY, answers, executed, facts, workspace
from tests.fixtures.real import ROOT


class Page(HTMLParser):
    """What a page is made of: its language, its headings, its links, what it would fetch."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: Counter[str] = Counter()
        self.headings: list[int] = []
        self.links: list[str] = []
        self.fetched: list[str] = []
        self.language = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = dict(attrs)
        self.tags[tag] += 1
        if tag == "html":
            self.language = told.get("lang") or ""
        if re.fullmatch(r"h[1-6]", tag):
            self.headings.append(int(tag[1]))
        if tag == "a" and told.get("href"):
            self.links.append(str(told["href"]))
        if tag in ("script", "link", "img", "iframe"):
            self.fetched.append(str(told.get("src") or told.get("href") or tag))


def test_pages_are_accessible_and_ask_nothing_of_the_network(once: Path) -> None:
    paths = [once / "reports/portfolio.html", *sorted(once.glob("reports/portfolio/*.html"))]
    assert len(paths) == 1 + len(ASKED)
    for path in paths:
        text = path.read_text(encoding="utf-8")
        page = Page(text)
        assert page.language == "fr"
        assert page.tags["main"] == 1
        assert page.headings.count(1) == 1
        assert all(b - a <= 1 for a, b in zip(page.headings, page.headings[1:], strict=False))
        assert [one for one in page.fetched if not one.startswith("data:")] == []
        assert "données simulées" in text
        assert "Réponse" in text
    index = Page(paths[0].read_text(encoding="utf-8"))
    local = {link for link in index.links if link.startswith("portfolio/")}
    assert local == {f"portfolio/{name}.html" for name in ASKED}


def test_the_page_s_first_words_are_its_question(once: Path) -> None:
    for name, asked in ASKED.items():
        page = json.loads((once / f"reports/portfolio/{name}.ipynb").read_text(encoding="utf-8"))
        first = "".join(page["cells"][0]["source"])
        assert first.splitlines()[0] == f"# {asked['title']}"
        assert "**Pour qui**" in first
        assert "**Jusqu'où s'y fier**" in first
        assert page["metadata"]["title"] == asked["title"]


def test_the_question_s_notebook_keeps_the_house_rules() -> None:
    cells = code_used.read_notebook(ROOT / TEMPLATE)["cells"]
    for cell in cells:
        text = code_used.source_of(cell)
        if cell["cell_type"] == "code":
            assert len([line for line in text.splitlines() if line.strip()]) <= 15
            assert not re.search(r"\bdef |\blambda\b|\bclass ", text)
    (tagged,) = [c for c in cells if "parameters" in c["metadata"].get("tags", [])]
    names = [
        one.id
        for node in ast.walk(ast.parse(code_used.source_of(tagged)))
        if isinstance(node, ast.Assign)
        for target in node.targets
        for one in ast.walk(target)
        if isinstance(one, ast.Name)
    ]
    assert sorted(names) == sorted(["city", "question", *params.block("portfolio", ROOT)])


def test_what_a_page_rests_on_is_what_the_stage_declares() -> None:
    """DVC, the seal and the passport look at the stage: what pages import is its own."""
    stage = code_used.notebook_path(ROOT, "portfolio")
    assert stage is not None
    told = set(code_used.notebook_helpers(stage, ROOT))
    assert {"src/helpers/portfolio/beside.py", "src/helpers/portfolio/words.py"} <= told
    declared = yaml.safe_load((ROOT / "dvc.yaml").read_text(encoding="utf-8"))
    deps = set(declared["stages"]["portfolio"]["do"]["deps"])
    rooms = {"/".join(name.split("/")[:3]) for name in told} - {"src/helpers/__init__.py"}
    assert rooms | {TEMPLATE.parent.as_posix()} <= deps
    files = code_used.stage_files(ROOT, "portfolio", ["x"])
    assert files == [stage.relative_to(ROOT).as_posix(), TEMPLATE.as_posix(), "x"]
    assert code_used.stage_files(ROOT, "trends", ["x"]) == ["notebooks/yesterday/trends.ipynb", "x"]


def test_permuted_rows_elsewhere_give_the_same_bytes(once: Path, tmp_path: Path) -> None:
    rows = list(facts())
    np.random.default_rng(8).shuffle(rows)
    again = executed(workspace(tmp_path, rows, ASKED | {"reste": SILENT}))
    for part in ("derived/portfolio", "figures/portfolio", "reports"):
        mine = {p.relative_to(once): p for p in sorted((once / part).rglob("*")) if p.is_file()}
        theirs = {p.relative_to(again): p for p in (again / part).rglob("*") if p.is_file()}
        assert set(mine) == set(theirs)
        assert len(mine) >= 6
        for name, path in mine.items():
            assert path.read_bytes() == theirs[name].read_bytes(), name


def test_a_theme_that_is_not_in_force_is_not_computed_and_its_card_says_why(once: Path) -> None:
    row = answers(once)["reste"]
    assert (row["status"], row["n"], row["reason"]) == ("abstained", None, "not_in_force")
    text = (once / "reports/portfolio.html").read_text(encoding="utf-8")
    assert f"abstention (suspendu, {WHY})" in text
    assert "portfolio/reste.html" not in text
    assert not (once / "reports/portfolio/reste.html").exists()


def test_a_pack_without_questions_gives_a_page_that_says_so(tmp_path: Path) -> None:
    data = executed(workspace(tmp_path, facts()[:50], {}))
    text = (data / "reports/portfolio.html").read_text(encoding="utf-8")
    assert "Aucune question n'est posée" in text
    assert "Rien à montrer ici" in text
    assert pq.read_table(data / "derived/portfolio/answers.parquet").num_rows == 0
    assert list((data / "reports").glob("portfolio/*")) == []


def test_a_label_is_never_a_colour_alone() -> None:
    """And each ink on white passes 4.5 to 1 (WCAG 2.2, 1.4.3)."""
    for ink in pages.INKS.values():
        channels = [int(ink[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
        light = float(np.dot(linear, [0.2126, 0.7152, 0.0722]))
        assert 1.05 / (light + 0.05) >= 4.5
    assert set(pages.SIGNS) == set(pages.INKS) == set(LABELS)
