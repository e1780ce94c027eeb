"""A page of ours beside a stock Voilà page with the same chart: time to paint, to answer, memory.

Both servers run the same notebook in turn, on this machine, each read by a new Chromium. Prints
seconds and megabytes, then ratios: what is to be read. « Painted » is when the chart is on screen,
« interactive » when a control has changed it; memory is the growth of the proportional set (PSS)
of all the server's processes, a visitor who has changed a control.

Then, where a city has been run, its own pages (`PHARE_CITY=marseille`), and visitors who click
without a browser, each waiting for its answer before the next click: the 95th percentile of an
answer, alone, by page and control, then of all visitors together, any control; what failed, and
what memory is left once they are gone. `--size full` is forty visitors for three minutes.
"""

from __future__ import annotations

import contextlib
import os
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import nbformat

from benchmarks.parts.clicking import Clicker, p95, together
from benchmarks.parts.measure import Size, parser, show_ratio
from tests.fixtures.browser import CHROMIUM, ROOT, free_port, serve
from tests.serve.visitor import Visitor, ask

VISITORS: dict[Size, int] = {"tiny": 3, "small": 10, "full": 40}
SECONDS: dict[Size, int] = {"tiny": 3, "small": 20, "full": 180}
CLICKS: dict[Size, int] = {"tiny": 3, "small": 15, "full": 60}  # alone, on each control
LOADS: dict[Size, int] = {"tiny": 1, "small": 3, "full": 5}
THINKING_S = 1.0  # between an answer and the next click
PREPARED_S: dict[Size, int] = {"tiny": 0, "small": 20, "full": 60}  # for the usual answers
GONE_S = 10.0  # after a page, for its processes to end
PAGES = (
    "situation", "ou_et_quand", "tendances", "evenements", "moyens", "actions_et_resultats",
    "portefeuille", "confiance",
)  # fmt: skip
PAGE = """
import altair as alt
import ipywidgets as widgets
import duckdb, pyarrow, scipy.stats

alt.JupyterChart.enable_offline(True)

def draw(theme):
    rows = [{"zone": str(i), "faits": (i * (7 if theme == "Vols" else 5)) % 31} for i in range(111)]
    bars = alt.Chart(alt.Data(values=rows)).mark_bar().encode(x="faits:Q", y="zone:N")
    return bars.properties(width=400, title=theme)

theme = widgets.Dropdown(options=["Vols", "Bruit"], description="Thème")
chart = alt.JupyterChart(draw("Vols"), embed_options={"ast": True})
theme.observe(lambda change: setattr(chart, "chart", draw(change.new)), "value")
widgets.VBox([theme, chart])
"""
PAINTED = ".phare-picture svg, .vega-embed svg, .vega-embed canvas"


def tree(port: int) -> list[int]:
    """Return the processes of the server that listens on the port."""
    parents = {}
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError, ValueError, IndexError):
            stat = (folder / "stat").read_text().rpartition(")")[2].split()
            parents[int(folder.name)] = int(stat[1])
    roots = []
    for pid in parents:
        with contextlib.suppress(OSError):
            if f"--port={port}".encode() in Path(f"/proc/{pid}/cmdline").read_bytes():
                roots.append(pid)
    found = set(roots)
    while more := {pid for pid, parent in parents.items() if parent in found} - found:
        found |= more
    return sorted(found)


def pss(port: int) -> float:
    """Return the proportional set of the server's processes, MB."""
    total = 0
    for pid in tree(port):
        with contextlib.suppress(OSError):
            for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
                if line.startswith("Pss:"):
                    total += int(line.split()[1])
    return total / 1024


def loaded(url: str) -> tuple[float, float]:
    """Return the seconds until the chart is painted, and until a control has changed it."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page()
        start = time.perf_counter()
        page.goto(url, wait_until="commit", timeout=120_000)
        page.locator(PAINTED).first.wait_for(state="visible", timeout=120_000)
        painted = time.perf_counter() - start
        page.locator(".vega-embed svg, .vega-embed canvas").first.wait_for(timeout=120_000)
        page.locator("select:enabled").first.select_option("Bruit", timeout=120_000)
        page.locator(".vega-embed svg", has_text="Bruit").wait_for(timeout=120_000)
        interactive = time.perf_counter() - start
        browser.close()
    return painted, interactive


@contextlib.contextmanager
def joined(url: str, path: str, count: int) -> Iterator[list[Clicker]]:
    """Join `count` processes of a page."""
    with contextlib.ExitStack() as all_of_them:
        talks = (Visitor.reads(url, path).joins() for _ in range(count))
        yield [Clicker(all_of_them.enter_context(one), seed) for seed, one in enumerate(talks)]


def ours(notebook: Path, size: Size) -> tuple[float, float, float]:
    """Return painted s, interactive s, MB a visitor of our server; print the clicks."""
    port, count = free_port(), VISITORS[size]
    with serve(notebook, None, None, f"--House.places={count + 5}", port=port) as url:
        times = [loaded(url) for _ in range(LOADS[size])]
        with joined(url, "/voila/render/page.ipynb", 1) as talks:
            talks[0].click("Thème")
        before = pss(port)
        with joined(url, "/voila/render/page.ipynb", count) as talks:
            for one in talks:
                one.click("Thème")
            memory = (pss(port) - before) / count
    return *(statistics.median(one) for one in zip(*times, strict=True)), memory  # type: ignore[return-value]


def stock(notebook: Path, size: Size) -> tuple[float, float, float]:
    """Return painted s, interactive s, MB a visitor of Voilà as it is installed."""
    port, count = free_port(), min(VISITORS[size], 5)
    env = {"JUPYTER_PATH": "", "JUPYTER_CONFIG_PATH": ""}
    with serve(notebook, env, server="voila", port=port) as url:
        times = [loaded(url) for _ in range(LOADS[size])]
        before = pss(port)
        for _ in range(count):
            ask(url, "/")
        memory = (pss(port) - before) / count
    return *(statistics.median(one) for one in zip(*times, strict=True)), memory  # type: ignore[return-value]


def city_pages(size: Size) -> None:
    """Measure the city's own pages: answers alone and together, megabytes, what failed."""
    port, count = free_port(), VISITORS[size]
    pages = ROOT / "notebooks/apps"
    options = (f"--House.places={count + 5}", "--House.linger=2")
    with serve(pages, None, None, *options, port=port) as url:
        time.sleep(PREPARED_S[size])
        for page in PAGES:
            with joined(url, f"/voila/render/{page}.ipynb", 1) as (one,):
                for control in one.controls:
                    took = [one.click(control) for _ in range(CLICKS[size])]
                    print(f"{page}, {control} : p95 seul {p95(took):.3f} s", flush=True)
                print(f"{page} : {one.failed} choix en échec")
        before = pss(port)
        for page in PAGES[:2]:
            with joined(url, f"/voila/render/{page}.ipynb", count) as clickers:
                took = together(clickers, SECONDS[size], THINKING_S)
                failed, grown = sum(one.failed for one in clickers), (pss(port) - before) / count
            print(f"{page}, {count} visiteurs : {len(took)} réponses, p95 {p95(took):.3f} s, "
                  f"{failed} en échec, {grown:.1f} Mo par visiteur")  # fmt: skip
            time.sleep(GONE_S)
            show_ratio("mémoire, eux partis / avant eux", pss(port), before)


def main() -> None:
    """Print all of it."""
    size: Size = parser(__doc__).parse_args().size
    with tempfile.TemporaryDirectory() as folder:
        notebook = Path(folder) / "page.ipynb"
        kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
        cells = [nbformat.v4.new_code_cell(PAGE.strip(), id="page")]
        made = nbformat.v4.new_notebook(metadata={"kernelspec": kernel}, cells=cells)
        nbformat.write(made, notebook)
        mine, theirs = ours(notebook, size), stock(notebook, size)
    units = {"graphique peint": "s", "graphique qui répond": "s", "mémoire par visiteur": "Mo"}
    for (name, unit), one, other in zip(units.items(), mine, theirs, strict=True):
        print(f"{name} : nous {one:.2f} {unit}, Voilà {other:.2f} {unit}")
        show_ratio("nous / Voilà", one, other)
    if (ROOT / "data" / os.environ.get("PHARE_CITY", "marseille") / "cube.parquet").exists():
        city_pages(size)
    else:
        print("  non mesuré : les pages d'une ville (make run d'abord)", flush=True)


if __name__ == "__main__":
    main()
