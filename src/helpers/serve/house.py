"""The apps' server, whole: Voilà's settings and template; our pages, visitors and addresses.

`python -m helpers.serve.house NOTEBOOK_OR_FOLDER --port=8866`, configured as Voilà is.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import sys
from pathlib import Path
from typing import Any

import tornado.httpserver
import tornado.netutil
import tornado.web
from traitlets import Float, Integer, Unicode
from voila.app import Voila
from voila.utils import create_include_assets_functions, get_page_config

from helpers.core.base import commands
from helpers.core.stage import warm
from helpers.serve import access, assets, editions, handlers, logs, prepared, visitors, wire
from helpers.serve.page import ONE_THREAD

log = logging.getLogger("phare.pages")
TICKET = r"(\w+-\w+-\w+-\w+-\w+)"
NAME = r"([\w.-]{1,80})\.ipynb"
SWEEP_S = 1.0
LONGEST_BODY = 64 * 1024


class House(Voila):  # type: ignore[misc]  # Voilà is untyped
    """A Voilà whose pages are prepared and whose kernels are forks."""

    name = "voila"
    places = Integer(60, help="Visitors at once; the next ones wait.").tag(config=True)
    linger = Float(120.0, help="Seconds that a process outlives its page.").tag(config=True)
    patience = Float(60.0, help="Seconds within which a process answers.").tag(config=True)
    process = Unicode("1", help="This process among several behind a proxy.").tag(config=True)
    socket_path = Unicode("", help="A local socket to listen on instead of a port.").tag(
        config=True
    )
    watch = Float(15.0, help="Seconds between two looks at the data; 0: never.").tag(config=True)

    def init_settings(self) -> dict[str, Any]:
        """Return Voilà's settings, without kernels started ahead, and open the house."""
        self.voila_configuration.preheat_kernel = False
        settings: dict[str, Any] = super().init_settings()
        self.base = self.base_url
        self.rules = access.Rules.of_environment()
        self.desk = visitors.Desk(self.process, self.places, self.linger, self.patience)
        self.pages: dict[str, prepared.Page] = {}
        self.modules: dict[str, bytes] = {}
        one = Path(self.notebook_path) if self.notebook_path else None
        found = [one] if one else sorted(Path(self.root_dir).glob("*.ipynb"))
        self.notebooks = {path.stem: path.resolve() for path in found}
        self.only = one.stem if one else ""
        self.assets = assets.listed(self._folders())
        self.version = assets.version(self.assets)
        self.edition = editions.Edition.of(next(iter(self.notebooks.values()), None))
        self.jinja = settings["voila_jinja2_env"]
        return settings

    @property
    def names(self) -> list[str]:
        """The pages' names."""
        return list(self.notebooks)

    def _folders(self) -> list[tuple[str, Path]]:
        kept = self.voila_configuration.extension_allowlist
        template = self.voila_configuration.template
        static = [Path(one) for one in self.static_paths if Path(one).is_dir()]
        extensions = [
            (f"labextensions/{name}/", Path(folder) / name)
            for folder in self.labextensions_path
            for name in kept
            if (Path(folder) / name).is_dir()
        ]
        return [
            *(("static/", folder) for folder in static),
            *((f"templates/{template}/static/", folder) for folder in static),
            *extensions,
        ]

    def init_handlers(self) -> list[Any]:
        """Return all addresses there are; any other is absent."""
        base, told = self.base_url, {"house": self}
        made = [
            (rf"{base}", handlers.TreeHandler),
            (rf"{base}voila/render/{NAME}", handlers.PageHandler),
            (rf"{base}voila/((?:templates|labextensions)/.*)", handlers.AssetHandler),
            (rf"{base}voila/(static/.*)", handlers.AssetHandler),
            (rf"{base}voila/@\w+/((?:static|labextensions)/.*)", handlers.AssetHandler),
            (rf"{base}phare/module/(\w+)\.js", handlers.ModuleHandler),
            (rf"{base}phare/health", handlers.HealthHandler),
            (rf"{base}api/kernels/{TICKET}", handlers.TicketHandler),
            (rf"{base}api/kernels/{TICKET}/channels", handlers.Channels),
            (rf"{base}voila/api/shutdown/{TICKET}", handlers.LeaveHandler),
            (r".*", handlers.Absent),
        ]
        self.app.settings.update(
            log_function=access.note,
            websocket_max_message_size=wire.LONGEST,
            websocket_ping_interval=25,
            websocket_ping_timeout=20,
            compress_response=False,
        )
        return [(pattern, handler, told) for pattern, handler in made]

    def template(self, name: str, **told: Any) -> str:
        """Return one of the pages that are no notebook."""
        include = create_include_assets_functions(self.voila_configuration.template, self.base_url)
        text: str = self.jinja.get_template(name).render(
            base_url=self.base_url, theme="light", **include, **told
        )
        return text

    def health(self) -> dict[str, Any]:
        """Return what a probe reads."""
        failed = sorted(name for name, page in self.pages.items() if page.failed)
        waited = len(self.notebooks) - len(self.pages)
        return {
            "ready": not (waited or failed), "pages": len(self.pages), "waited": waited,
            "failed": failed,
            "visitors": len(self.desk.visitors), "places": self.places,
            "data": self.edition.date if self.edition else None,
        }  # fmt: skip

    def listen(self) -> None:
        """Open the port or the local socket, then prepare the pages and look after visitors."""
        server = tornado.httpserver.HTTPServer(
            self.app, xheaders=bool(self.rules.user), max_body_size=LONGEST_BODY,
            max_header_size=16 * 1024, idle_connection_timeout=75,
        )  # fmt: skip
        if self.socket_path:
            server.add_socket(tornado.netutil.bind_unix_socket(self.socket_path, mode=0o660))
        else:
            server.listen(self.port, self.ip)
        self.ioloop = tornado.ioloop.IOLoop.current()
        self.ioloop.add_callback(self._prepare_all)
        self.ioloop.add_callback(self._look_after)
        with contextlib.suppress(KeyboardInterrupt):
            self.ioloop.start()
        self.desk.close()
        for page in self.pages.values():
            page.close()
        self.stop()

    async def _prepare_all(self) -> None:
        if self.edition:
            self.edition.take()
        for name in self.names:
            await self.renew(name)

    async def renew(self, name: str) -> bool:
        """Prepare a page anew; a page that fails replaces none that works."""
        notebook = self.notebooks[name]
        where = self.edition.path(notebook) if self.edition else notebook
        page = await prepared.prepare(name, where, self._renderer(name))
        former = self.pages.get(name)
        if page.failed and former is not None and not former.failed:
            page.close()
            return False
        self.pages[name] = page
        self.modules |= page.modules
        if former is not None:
            former.close()
        return True

    def _renderer(self, name: str) -> prepared.Rendered:
        config = get_page_config(
            base_url=self.base_url, settings=self.app.settings, log=self.log,
            voila_configuration=self.voila_configuration,
        )  # fmt: skip
        lasting = f"{self.base_url}voila/@{self.version}"
        config |= {
            "fullStaticUrl": f"{lasting}/static",
            "fullLabextensionsUrl": f"{lasting}/labextensions",
        }
        return prepared.Rendered(
            voila_configuration=self.voila_configuration, traitlet_config=self.config,
            notebook_path=os.path.relpath(self.notebooks[name], self.root_dir),
            template_paths=self.template_paths, config_manager=self.config_manager,
            contents_manager=self.contents_manager, base_url=self.base_url,
            kernel_spec_manager=self.kernel_spec_manager, page_config=config,
            mathjax_config=self.mathjax_config, mathjax_url=self.mathjax_url,
        )  # fmt: skip

    async def _look_after(self) -> None:
        """End what is to end; prepare pages anew when their data have changed and are quiet."""
        looked = 0.0
        while True:
            await asyncio.sleep(SWEEP_S)
            self.desk.sweep()
            looked += SWEEP_S
            if not self.watch or looked < self.watch:
                continue
            looked = 0.0
            for name, page in list(self.pages.items()):
                if page.process.poll() is not None and not page.failed:
                    log.error("page %s lost its process", name)
                    await self.renew(name)
            if self.edition and self.edition.changed() and self.edition.take():
                kept = [name for name in self.names if not await self.renew(name)]
                self.edition.settle(failed=bool(kept))


def main() -> None:
    """Serve until told to end, with the libraries loaded once for all pages."""
    logs.begin()
    # A terminal is told what goes wrong; a log, each answer too.
    level = logging.WARNING if sys.stderr.isatty() else logging.INFO
    logging.getLogger("phare").setLevel(level)
    with warm.opened({**os.environ, **ONE_THREAD}) as environment:
        os.environ.update(environment)
        House.launch_instance()


if __name__ == "__main__":
    commands.begin()
    main()
