"""JupyterHub: a JupyterLab for each analyst, under an account of their own, on their own clone.

    jupyterhub -f templates/serve/jupyterhub_config.py

`PHARE_LABS` is the folder that holds a clone for each account (`/srv/phare/ateliers/<account>`).
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from traitlets.config import Config

    def get_config() -> Config: ...


c: Any = get_config()
labs = Path(os.environ.get("PHARE_LABS", "/srv/phare/ateliers"))

c.JupyterHub.bind_url = "http://127.0.0.1:8000"  # nginx is what others reach
# Each clone has its environment, and the lab our settings: the start page, French, the evidence.
c.Spawner.notebook_dir = f"{labs}/{{username}}"
# The shell goes to the account's clone, whose own environment is run.
start = 'cd "$PHARE_LABS/$JUPYTERHUB_USER" && exec .venv/bin/jupyter-labhub "$@"'
c.Spawner.cmd = ["/bin/sh", "-c", start, "sh"]
c.Spawner.args = ["--config=templates/lab/jupyter_server_config.py"]
c.Spawner.http_timeout = 60
c.Spawner.default_url = "/lab"
c.Spawner.environment = {
    "PHARE_CITY": os.environ.get("PHARE_CITY", "marseille"),
    "PHARE_LABS": str(labs),
}
