"""Running a notebook as a stage.

`python -m helpers.core.stage STAGE CITY` executes `notebooks/*/<stage>.ipynb` with
Papermill and leaves the executed notebook and its page under `data/<city>/reports/`, free of all
that differs from run to run.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import re
import shutil
import sys
import time
from functools import cache
from pathlib import Path
from typing import Any

from helpers.core.base import commands, machine, markup, redact
from helpers.core.base.errors import PhareError
from helpers.core.base.workspace import PIPELINE_FLAG, Workspace, find_root, scratch, sweep
from helpers.core.city.city import load_city
from helpers.core.stage import code_used, params

# What a stage sees whatever the machine; PHARE_VARY lets the audit take the guard away.
STEADY = {
    "TZ": "UTC",
    "LC_ALL": "C.UTF-8",
    "PYTHONHASHSEED": "0",
    "OPENBLAS_CORETYPE": "Haswell",
    "OPENBLAS_NUM_THREADS": "1",
}
# Papermill writes the notebook as it goes: through `Discreet`, at a path that begins so.
DISCREET = "discreet:"
OUR_ERROR = re.compile(
    r"Erreur : (?P<what>.*)\n\s*où\s*: (?P<where>.*)\n\s*à faire : (?P<todo>.*)", re.DOTALL
)
# What an HTML output may be made of: tables (Jupyter's), and the portfolio's cards.
SHOWN_HTML = (
    "a", "caption", "code", "div", "em", "h3", "h4", "li", "ol", "p", "pre", "section", "span",
    "strong", "table", "tbody", "td", "tfoot", "th", "thead", "tr", "ul",
)  # fmt: skip
SHOWN_ATTRIBUTES = {"*": ["aria-labelledby", "class", "id", "style"], "a": ["href"],
                    "td": ["colspan", "rowspan"], "th": ["colspan", "rowspan"]}  # fmt: skip


def steady() -> dict[str, str]:
    """Return what a stage's processes must see, on top of the environment."""
    guard = {} if os.environ.get("PHARE_VARY") else STEADY
    return {**guard, "PYDEVD_DISABLE_FILE_VALIDATION": "1"}


def steady_environment(stage: str) -> None:
    """Set what a stage's kernel must see."""
    os.environ.update({**steady(), PIPELINE_FLAG: stage})


def run_stage(stage: str, city: str) -> None:
    """Execute the stage's notebook for the city; on failure raise PhareError, keeping it."""
    started = time.perf_counter()
    root = find_root()
    notebook = code_used.notebook_path(root, stage)
    if notebook is None:
        raise PhareError(f"étape inconnue : {stage}", "notebooks/", "vérifier le nom dans dvc.yaml")
    workspace = Workspace(root, city)
    about = load_city(workspace).about
    knobs = {"city": city, **params.block(stage, root)}
    reports = workspace.data / "reports"
    broken = workspace.data / "failed" / f"{stage}.ipynb"
    steady_environment(stage)
    executed = execute(notebook, knobs, broken)
    executed.metadata |= {"city": about.title, "simulated": about.simulated}
    write_report(executed, reports / f"{stage}.ipynb", root)
    broken.unlink(missing_ok=True)
    timings = workspace.data / "timings" / f"{stage}.json"
    timings.parent.mkdir(parents=True, exist_ok=True)
    timings.write_text(json.dumps({"seconds": round(time.perf_counter() - started, 2)}))


def _start_kernel(folder: Path, room: Path) -> Any:
    """Start a kernel that loads the charting library while this process loads Papermill.

    Its sockets are files in `room`.
    """
    from jupyter_client.manager import KernelManager

    class Manager(KernelManager):  # type: ignore[misc]  # it comes without types
        """Remembers the client that Papermill asks for, which leaves its channels open."""

        opened: Any = None

        def client(self, **kwargs: Any) -> Any:
            self.opened = super().client(**kwargs)
            return self.opened

    connection = str(room / "kernel.json")
    manager = Manager(kernel_name="python3", transport="ipc", connection_file=connection)
    first = "--IPKernelApp.exec_lines=import helpers.core, altair, duckdb, pyarrow"
    manager.start_kernel(cwd=str(folder), extra_arguments=[first])
    return manager


class Discreet:
    """Where Papermill writes a notebook: what may quote a value is taken out on the way."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def write(self, text: str, path: str) -> None:
        """Write the notebook `text` (JSON) at `path`, which begins with DISCREET."""
        content = json.loads(text)
        redact.notebook(content, self.root)
        Path(path.removeprefix(DISCREET)).write_text(as_text(content), encoding="utf-8")

    def pretty_path(self, path: str) -> str:
        """Return the path as Papermill's log calls it."""
        return path


@cache
def _register(root: Path) -> None:
    from papermill.iorw import papermill_io

    papermill_io.register(DISCREET, Discreet(root))


def execute(notebook: Path, knobs: dict[str, Any], broken: Path) -> Any:
    """Execute a notebook with Papermill, these values in its `parameters` cell; return it.

    Each has a kernel of its own. Where a cell stops, raise PhareError; the notebook as far as it
    went is left at `broken` (`Discreet`), which the caller removes when all went well.
    """
    with scratch() as room:
        return _execute(notebook, knobs, broken, _start_kernel(notebook.parent, room))


def _execute(notebook: Path, knobs: dict[str, Any], broken: Path, kernel: Any) -> Any:
    import papermill  # slow to import: the kernel boots meanwhile
    from papermill.exceptions import PapermillExecutionError

    _register(find_root())
    broken.parent.mkdir(parents=True, exist_ok=True)
    try:
        # No `cwd`: Papermill would change that of the whole process, and pages run in threads. The
        # kernel was started in the notebook's folder.
        return papermill.execute_notebook(
            str(notebook),
            f"{DISCREET}{broken}",
            parameters=knobs,
            kernel_name="python3",
            progress_bar=False,
            record_timing=False,
            log_output=False,
            # Written once, at the end or where it stops: not twice a cell.
            request_save_on_cell_execute=False,
            autosave_cell_every=0,
            km=kernel,
            shutdown_kernel="immediate",
        )
    except PapermillExecutionError as error:
        raise _failure(notebook, knobs, broken, error) from None
    finally:
        if kernel.opened:
            kernel.opened.stop_channels()
        if kernel.has_kernel:
            kernel.shutdown_kernel(now=True)
        sweep()  # a kernel that was stopped may leave a file as received


def _failure(notebook: Path, knobs: dict[str, Any], broken: Path, error: Any) -> PhareError:
    root = find_root()
    values = ", ".join(f"{name}={value!r}" for name, value in knobs.items())
    where = (
        f"carnet {notebook.relative_to(root)}, cellule {error.cell_index} "
        f"(In [{error.exec_count}]) ; paramètres : {values}"
    )
    todo = f"ouvrir le carnet arrêté : {broken.relative_to(root)}"
    told = redact.COLOURS.sub("", str(error.evalue))
    ours = OUR_ERROR.fullmatch(told.strip())
    if ours and redact.is_ours(error.ename, told):
        return PhareError(f"{ours['what']} ({ours['where']})", where, f"{ours['todo']} ; ou {todo}")
    refused = machine.of_text(told, where) if error.ename in machine.KINDS else None
    return refused or PhareError(f"{error.ename} ({redact.UNSAID})", where, todo)


def tidy(notebook: Any) -> Any:
    """Take out of an executed notebook all that differs between two runs of the same thing.

    Papermill's and widgets' metadata, execution stamps and random ids go; ids are made from the
    cell's position and text; successive pieces of one stream are joined. What libraries warn of
    goes too: it may quote a value.
    """
    kept = ("kernelspec", "title", "city", "simulated")
    notebook.metadata = {k: notebook.metadata[k] for k in kept if k in notebook.metadata}
    for position, cell in enumerate(notebook.cells):
        cell["id"] = cell_id(position, cell)
        tags = cell.metadata.get("tags")
        cell.metadata = {"tags": tags} if tags else {}
        if cell.cell_type == "code":
            cell.outputs = _joined_streams(redact.without_warnings(cell.outputs))
    return notebook


def cell_id(position: int, cell: Any) -> str:
    """Return an id that depends on the cell's position and text alone."""
    return f"{position:02d}-{hashlib.sha256(code_used.source_of(cell).encode()).hexdigest()[:8]}"


def _joined_streams(outputs: list[Any]) -> list[Any]:
    joined: list[Any] = []
    for output in outputs:
        last: Any = joined[-1] if joined else {}
        if output.output_type == "stream" and last.get("name") == output.name:
            last.text += output.text
        else:
            joined.append(output)
    return joined


def write_report(executed: Any, path: Path, root: Path) -> None:
    """Write the executed notebook, tidied, and its page (one self-contained HTML file)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    clean = tidy(executed)
    path.write_text(as_text(clean), encoding="utf-8")
    path.with_suffix(".html").write_text(page_of(clean, root), encoding="utf-8")


def page_of(executed: Any, root: Path) -> str:
    """Return the notebook's page: its Markdown by `markup`, its HTML outputs within SHOWN_HTML.

    Elements that are not in the list are shown as text; attributes are taken away.
    """
    from nbconvert import HTMLExporter
    from nbconvert.preprocessors.sanitize import SanitizeHTML

    sanitizer = SanitizeHTML(tags=list(SHOWN_HTML), attributes=SHOWN_ATTRIBUTES, styles=["color"])
    exporter = HTMLExporter(
        template_name="phare_report", extra_template_basedirs=[str(root / "templates" / "report")]
    )
    exporter.register_filter("markdown2html", markup.to_html)
    exporter.register_filter("clean_html", sanitizer.sanitize_html_tags)
    page: str = exporter.from_notebook_node(executed)[0]
    return page


def as_text(notebook: Any) -> str:
    """Return the notebook as JupyterLab would write it."""
    return json.dumps(notebook, ensure_ascii=False, indent=1, sort_keys=True) + "\n"


def clear_partial(root: Path, stage: str, city: str) -> None:
    """Remove what a failed stage had begun to write."""
    data = root / "data" / city
    for part in (data / folder / stage for folder in ("derived", "figures", "reports")):
        shutil.rmtree(part, ignore_errors=True)
    for suffix in ("ipynb", "html"):
        (data / "reports" / f"{stage}.{suffix}").unlink(missing_ok=True)


def main(arguments: list[str] | None = None) -> int:
    """Run the command; return its exit code."""
    parser = argparse.ArgumentParser(prog="python -m helpers.core.stage")
    parser.add_argument("stage")
    parser.add_argument("city")
    asked = parser.parse_args(arguments)
    try:
        run_stage(asked.stage, asked.city)
    except PhareError as error:
        clear_partial(find_root(), asked.stage, asked.city)
        sys.stderr.write(f"{error}\n")  # in one piece: another stage may write meanwhile
        return 1
    return 0


if __name__ == "__main__":
    commands.begin()
    sys.exit(main())
