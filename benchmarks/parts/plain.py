"""The computations alone: the code of the stages' notebooks, run in this one process.

`python plain.py CITY STAGE…`, from the root of a workspace that holds the city. Imports are paid
once; no kernel, no report, no cache.
"""

from __future__ import annotations

import sys
from pathlib import Path

from IPython.core.interactiveshell import InteractiveShell

from helpers.core.base.workspace import find_root
from helpers.core.stage import code_used, params
from helpers.core.stage.execute import steady_environment


def plain(root: Path, city: str, stages: list[str]) -> None:
    """Run the stages' notebooks in the order given; raise what a cell raises.

    `root` must be absolute: a stage may leave the process in another folder (Papermill, in threads,
    changes it for the whole process).
    """
    for stage in stages:
        steady_environment(stage)
        path = code_used.notebook_path(root, stage)
        if path is None:
            raise SystemExit(f"Erreur : l'étape « {stage} » n'a pas de carnet")
        shell = InteractiveShell.instance()
        shell.reset(new_session=False)
        for cell in code_used.read_notebook(path)["cells"]:
            if cell["cell_type"] == "code":
                shell.run_cell(code_used.source_of(cell), store_history=True).raise_error()
                if "parameters" in cell["metadata"].get("tags", []):
                    shell.push({"city": city, **params.block(stage, root)})


if __name__ == "__main__":
    plain(find_root(), sys.argv[1], sys.argv[2:])
