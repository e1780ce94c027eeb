"""JupyterLab for analysts: sources stay clean, whatever is run and saved."""

from typing import Any

from helpers.workshop.notebooks import stripped


def strip_on_save(model: dict[str, Any], **_: Any) -> None:
    """Save notebooks without outputs: running one and saving it changes nothing downstream."""
    if model["type"] == "notebook" and model["content"]:
        model["content"] = stripped(model["content"])


c: Any = get_config()  # type: ignore[name-defined]  # noqa: F821
c.FileContentsManager.pre_save_hook = strip_on_save
c.ServerApp.ip = "127.0.0.1"
c.LabApp.news_url = None
c.LabApp.check_for_updates_class = "jupyterlab.NeverCheckForUpdate"
