"""A page made once and served as it is: its process, its HTML, its modules."""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import json
import logging
import os
import socket
import struct
import subprocess
import sys
import zlib
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import nbformat
from voila.notebook_renderer import NotebookRenderer

from helpers.core.stage import warm
from helpers.serve import streams

log = logging.getLogger("phare.pages")
VIEW = "application/vnd.jupyter.widget-view+json"
TICKET = "phare-ticket-to-come"
NOTEBOOK_ONLY = "notebook-only"  # the tag of a cell that no page shows, as in the template
FAILED = nbformat.v4.new_output("stream", name="stderr", text="failed")


class Rendered(NotebookRenderer):  # type: ignore[misc]  # Voilà is untyped
    """Voilà's template over cells that a page's process has run already."""

    told: Mapping[str, Any] = {}

    async def html(self, told: Mapping[str, Any]) -> str:
        """Return the page, whole, with TICKET where its process will be named."""
        self.told = told
        await self.initialize()
        self.notebook.cells = _cells(self.notebook.cells, told)
        self.resources["prepared"] = self._shown_at_first(told["snapshots"])
        self.resources["build"] = told["build"]
        self.resources["modules"] = sorted(told["modules"])
        parts = self.generate_content_generator()
        return "".join([part async for part, _ in parts])

    def _shown_at_first(self, snapshots: Mapping[str, str]) -> str:
        """Return what the page shows before its scripts and its process are there."""
        if not snapshots:
            return ""
        parts = []
        for cell in self.notebook.cells:
            if NOTEBOOK_ONLY in cell.metadata.get("tags", ()):
                continue
            if cell.cell_type == "markdown":
                text = self.exporter.markdown2html({"cell": cell}, cell.source)
                kind = "jp-MarkdownOutput jp-RenderedHTMLCommon"
                parts.append(f'<div class="{kind}">{text}</div>')
            for output in cell.get("outputs", ()):
                view = output.get("data", {}).get(VIEW, {})
                parts.append(snapshots.get(view.get("model_id"), ""))
        return "\n".join(parts)

    async def _jinja_kernel_start(self, nb: Any, kernel_id: Any, kernel_future: Any) -> str:
        return TICKET

    async def _jinja_cell_generator(self, nb: Any, kernel_id: Any) -> AsyncIterator[Any]:
        for cell in nb.cells:
            yield cell


def _cells(cells: list[Any], told: Mapping[str, Any]) -> list[Any]:
    """Return the cells with what they show; after one that failed, none."""
    shown = told["outputs"][: len(cells)]
    kept = []
    for cell, outputs in zip(cells, shown, strict=False):
        if cell.cell_type == "code":
            cell.outputs = [nbformat.from_dict(one) for one in outputs]
        kept.append(cell)
    if told["failed"]:
        kept.append(nbformat.v4.new_code_cell("", outputs=[FAILED]))
    return kept


@dataclass
class Page:
    """A page that can be read and joined."""

    name: str
    process: subprocess.Popen[bytes]
    line: socket.socket
    told: dict[str, Any]
    html: str = ""
    heads: tuple[bytes, bytes] = (b"", b"")
    modules: dict[str, bytes] = field(default_factory=dict)

    @property
    def failed(self) -> bool:
        """Whether the notebook did not run to its end."""
        return bool(self.told["failed"])

    def fork(self, query: str, modules: str, other: socket.socket) -> None:
        """Have a visitor's process forked, at the other end of `other`'s pair."""
        streams.send_order(self.line, {"query": query, "modules": modules}, other)

    def plain(self, ticket: str) -> bytes:
        """Return the page of one ticket."""
        return self.html.replace(TICKET, ticket).encode()

    def zipped(self, ticket: str) -> bytes:
        """Return the page of one ticket, compressed: all but the ticket was so beforehand."""
        start, end = self.heads
        squeeze = zlib.compressobj(wbits=-15)
        name = squeeze.compress(ticket.encode()) + squeeze.flush(zlib.Z_FULL_FLUSH)
        whole = self.plain(ticket)
        check = struct.pack("<II", zlib.crc32(whole), len(whole) & 0xFFFFFFFF)
        return gzip.compress(b"", mtime=0)[:10] + start + name + end + check

    def close(self) -> None:
        """End the page's process; its visitors' go on."""
        self.line.close()


def _squeeze(text: str, mode: int) -> bytes:
    squeeze = zlib.compressobj(9, wbits=-15)
    return squeeze.compress(text.encode()) + squeeze.flush(mode)


async def prepare(name: str, notebook: Path, renderer: Rendered) -> Page:
    """Run a notebook in a process of its own; return the page, even of one that failed."""
    mine, other = socket.socketpair()
    with other:
        process = subprocess.Popen(
            [sys.executable, "-I", "-S", warm.__file__, "helpers.serve.page", str(notebook)],
            stdin=other.fileno(),
            cwd=notebook.parent,
            env=_environment(),
        )
    loop = asyncio.get_running_loop()
    text = await loop.run_in_executor(None, streams.receive, mine)
    told = json.loads(text) if text else _of_dead(notebook)
    told["build"] = _build(told)
    page = Page(name, process, mine, told)
    page.html = await renderer.html(told)
    start, _, end = page.html.partition(TICKET)
    page.heads = _squeeze(start, zlib.Z_FULL_FLUSH), _squeeze(end, zlib.Z_FINISH)
    page.modules = {n: gzip.compress(t.encode(), mtime=0) for n, t in told["modules"].items()}
    if page.failed:
        log.error("page %s could not be prepared to its end", name)
    return page


def _of_dead(notebook: Path) -> dict[str, Any]:
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    first = next((i for i, one in enumerate(cells) if one["cell_type"] == "code"), 0)
    return {"outputs": [[]] * first, "failed": True, "snapshots": {}, "modules": {}}


def _build(told: Mapping[str, Any]) -> str:
    """Return what tells this page from the same page of other data: no choice goes across."""
    text = json.dumps([told["outputs"], told["snapshots"]], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _environment() -> dict[str, str]:
    """Return what a page's process is told of this one's environment."""
    return {name: value for name, value in os.environ.items() if name != "QUERY_STRING"}
