"""A page of ours beside a stock Voilà page with the same chart: time to paint, to answer, memory.

Both servers run the same notebook in turn, on this machine, each read by a new Chromium. Prints
seconds and megabytes, then ratios: what is to be read. « Painted » is when the chart is on screen,
« interactive » when a control has changed it; memory is the growth of the proportional set (PSS)
of all the server's processes, a visitor who has changed a control.

Then visitors who click without a browser, each waiting for its answer before the next click: the
95th percentile of an answer, alone and all together. `--size full` is the city's own page and forty
visitors for five minutes: `PHARE_CITY=marseille python -m benchmarks.apps --size full`.
"""

from __future__ import annotations

import contextlib
import statistics
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import nbformat

from benchmarks.parts.measure import Size, parser, show_ratio
from tests.fixtures.browser import CHROMIUM, ROOT, free_port, serve
from tests.serve.visitor import Talk, Visitor, ask, named

VISITORS: dict[Size, int] = {"tiny": 3, "small": 10, "full": 40}
SECONDS: dict[Size, int] = {"tiny": 3, "small": 20, "full": 300}
LOADS: dict[Size, int] = {"tiny": 1, "small": 3, "full": 5}
THINKING_S = 1.0  # between an answer and the next click
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
def joined(url: str, path: str, count: int) -> Iterator[list[tuple[Talk, str]]]:
    """Join `count` processes; yield each with the id of its first list."""
    with contextlib.ExitStack() as all_of_them:
        talks = []
        for _ in range(count):
            talk = all_of_them.enter_context(Visitor.reads(url, path).joins())
            talks.append((talk, named(talk.states(), "Thème")))
        yield talks


def clicks(talk: Talk, control: str, seconds: float, thinking: float) -> list[float]:
    """Return how long each answer took, s."""
    took, index, until = [], 0, time.monotonic() + seconds
    while time.monotonic() < until or not took:
        index = 1 - index
        start = time.perf_counter()
        talk.choose(control, {"index": index})
        talk.until_idle()
        took.append(time.perf_counter() - start)
        time.sleep(thinking)
    return took


def p95(values: list[float]) -> float:
    """Return the 95th percentile, s."""
    return sorted(values)[min(len(values) - 1, int(0.95 * len(values)))]


def together(talks: list[tuple[Talk, str]], seconds: float) -> list[float]:
    """Return how long each answer took while all click, s."""
    took: list[float] = []

    def one(talk: Talk, control: str) -> None:
        took.extend(clicks(talk, control, seconds, THINKING_S))

    threads = [threading.Thread(target=one, args=pair) for pair in talks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return took


def ours(notebook: Path, size: Size) -> tuple[float, float, float]:
    """Return painted s, interactive s, MB a visitor of our server; print the clicks."""
    port, count = free_port(), VISITORS[size]
    with serve(notebook, None, None, f"--House.places={count + 5}", port=port) as url:
        times = [loaded(url) for _ in range(LOADS[size])]
        with joined(url, "/voila/render/page.ipynb", 1) as talks:
            clicks(*talks[0], 0, 0)
        before = pss(port)
        with joined(url, "/voila/render/page.ipynb", count) as talks:
            for talk, control in talks:
                clicks(talk, control, 0, 0)
            memory = (pss(port) - before) / count
            _tell_clicks(talks, size)
    return *(statistics.median(one) for one in zip(*times, strict=True)), memory  # type: ignore[return-value]


def _tell_clicks(talks: list[tuple[Talk, str]], size: Size) -> None:
    alone = p95(clicks(*talks[0], SECONDS[size], 0.1))
    all_of_them = p95(together(talks, SECONDS[size]))
    print(f"réponse à un réglage, p95 : seul {alone:.3f} s, à {len(talks)} {all_of_them:.3f} s")
    show_ratio(f"à {len(talks)} / seul", all_of_them, alone)


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


def city_page(size: Size) -> None:
    """Measure the city's own page: megabytes a visitor, and answers."""
    port, count = free_port(), VISITORS[size]
    notebook = ROOT / "notebooks/apps/situation.ipynb"
    options = (f"--House.places={count + 5}",)
    with (
        serve(notebook, None, None, *options, port=port) as url,
        joined(url, "/voila/render/situation.ipynb", 1) as first,
    ):
        clicks(*first[0], 0, 0)
        before = pss(port)
        with joined(url, "/voila/render/situation.ipynb", count) as talks:
            for talk, control in talks:
                clicks(talk, control, 0, 0)
            print(f"page de la ville : {(pss(port) - before) / count:.1f} Mo par visiteur")
            _tell_clicks(talks, size)


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
    if size == "full":
        city_page(size)


if __name__ == "__main__":
    main()
