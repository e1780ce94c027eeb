"""Settings of the apps' server: found by Voilà when JUPYTER_CONFIG_PATH names this folder."""

from typing import Any

from jupyter_server.services.kernels.kernelmanager import ServerKernelManager

c: Any = get_config()  # type: ignore[name-defined]  # noqa: F821

# Loopback only: whoever opens the apps to a network puts an authenticating proxy in front.
c.Voila.ip = "127.0.0.1"
c.Voila.open_browser = False
c.VoilaConfiguration.template = "phare"
c.VoilaConfiguration.allow_template_override = "NO"
c.VoilaConfiguration.allow_theme_override = "NO"
c.VoilaConfiguration.classic_tree = True
c.HTMLExporter.language_code = "fr"

# What a reader never gets: code, tracebacks, files.
c.VoilaConfiguration.strip_sources = True
c.VoilaConfiguration.show_tracebacks = False
c.VoilaConfiguration.file_allowlist = [r".*\.(png|svg)"]
c.MappingKernelManager.allow_tracebacks = False
# jupyter_server 2.21 declares this text on one class and reads it from the other.
ServerKernelManager.traceback_replacement_message = (
    "Cette demande n'a pas abouti. Changez de réglage ou rechargez la page."
)

# A kernel that died is told as dead. Started again in silence, it would hold nothing of the page,
# and a page being made would wait for its answer without end.
c.KernelRestarter.restart_limit = 0

# Widgets need these; any other JupyterLab extension fails in Voilà and fills the console.
c.VoilaConfiguration.extension_allowlist = [
    "@jupyter-widgets/jupyterlab-manager",
    "@voila-dashboards/widgets-manager8",
    "anywidget",
]

# One page a notebook waits, ready (Voilà never culls it); a page that nobody has open any more
# gives its memory back.
c.VoilaConfiguration.preheat_kernel = True
c.VoilaConfiguration.default_pool_size = 1
c.MappingKernelManager.cull_interval = 60
c.MappingKernelManager.cull_idle_timeout = 1200
c.MappingKernelManager.cull_connected = False
